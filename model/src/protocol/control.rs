//! What persons do.

use shared::job::decide::{self, ControlAnswer};

use super::world::{PluginState, World};

/// Something that a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Control {
    /// Cancel the job.
    Cancel,
    /// Hold it.
    Hold,
    /// Start it whatever its limits and autostart say.
    StartNow,
    /// Change its priority or place: its message is to be replaced.
    Replace,
    /// Stop the plugin.
    StopPlugin,
    /// Switch autostart off.
    AutostartOff,
}

impl Control {
    /// Whether it concerns one job, not the plugin.
    pub(crate) fn concerns_a_job(self) -> bool {
        !matches!(self, Self::StopPlugin | Self::AutostartOff)
    }
}

impl World {
    /// A person does this, to this job where it concerns one.
    pub(crate) fn control(&mut self, control: Control, job: u8) {
        let row = self.row(job).job;
        let answer = match control {
            Control::StopPlugin => {
                self.rows.plugin = PluginState::Stopping;
                return;
            }
            Control::AutostartOff => {
                self.rows.autostart = false;
                return;
            }
            // A job that has ended has no row that a person could do anything with.
            _ if row.state.is_final() => return,
            Control::Cancel => decide::cancel(&row),
            Control::Hold => decide::hold(&row),
            Control::StartNow => decide::start_now(&row),
            Control::Replace => match decide::replace_message(&row) {
                Some(next) => ControlAnswer::Change(next),
                None => ControlAnswer::AsItWas,
            },
        };
        if let ControlAnswer::Change(next) = answer {
            self.write(job, next);
        }
    }

    /// A person lets a held job go on.
    pub(crate) fn release(&mut self, job: u8) {
        if let ControlAnswer::Change(next) = decide::release(&self.row(job).job) {
            self.write(job, next);
        }
    }
}

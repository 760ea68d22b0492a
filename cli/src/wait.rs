//! `taskmanager wait`: follows jobs until all of them have ended.
//!
//! Invariant: once the coordinator has answered, its absence never ends the waiting; only the jobs' ends, the
//! time given with `--timeout`, or a person does.

mod pace;
mod phrase;
mod screen;
mod watch;

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::api::Summary;
use crate::client::{Client, Error};
use crate::{Answer, output, text};
use screen::Screen;
use watch::Watch;

/// Pause between two looks at the beginning, when a person is likely to sit in front of it.
const PAUSE_MIN: Duration = Duration::from_millis(300);
/// Longest pause between two looks, for jobs of hours.
const PAUSE_MAX: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  taskmanager wait 0198c0de-7a3b-7c10-9b1f-2f6d3c5e8a01
  taskmanager wait --timeout 2h --json ID1 ID2 | jq .state";

/// Follow jobs until they have ended.
///
/// Shows a progress bar on a terminal, else a line for every change. Ends with 0 when all are DONE, with 1 when
/// one ended in ERROR or CANCELLED (and says why), with 2 when it had to give up. A restart of the coordinator
/// is waited out.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The jobs' ids.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<Uuid>,

    /// Give up after this time (90, 90s, 10m, 2h) [default: never].
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    timeout: Option<Duration>,

    /// Print one JSON document on a line for every change.
    #[arg(long)]
    json: bool,
}

/// How to follow jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// One JSON line a change instead of words or a bar.
    pub(crate) json: bool,
    /// When to give up.
    pub(crate) timeout: Option<Duration>,
    /// Whether the coordinator has answered this command before.
    pub(crate) contacted: bool,
}

/// Reads a time: a number of seconds, or "90s", "10m", "2h 30m".
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    let words = || {
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|time| Duration::try_from(time).ok())
    };
    seconds
        .or_else(words)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "write 90, 90s, 10m or 2h".to_owned())
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut ids: Vec<String> = Vec::new();
    for id in &arguments.ids {
        let id = id.to_string();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let manner = Manner {
        json: arguments.json,
        timeout: arguments.timeout,
        contacted: false,
    };
    follow(client, &ids, manner)
}

/// Follows the jobs until all have ended.
pub(crate) fn follow(client: &Client, ids: &[String], manner: Manner) -> anyhow::Result<Answer> {
    let started = Instant::now();
    let deadline = manner.timeout.map(|time| (started + time, time));
    let mut link = Link {
        client,
        contacted: manner.contacted,
        told: false,
    };
    let mut watches: Vec<Watch> = ids.iter().map(|id| Watch::new(id)).collect();
    let screen = Screen::new(manner.json, ids);
    loop {
        let mut answering = true;
        for (index, watch) in watches
            .iter_mut()
            .enumerate()
            .filter(|(_, watch)| !watch.has_ended())
        {
            if let Some(job) = link.look(watch.id(), &screen)? {
                let update = watch.observe(started.elapsed(), job);
                screen.show(index, &update)?;
            } else {
                // What one job's request met, the others' would meet, too; each may take many seconds.
                answering = false;
                break;
            }
        }
        if answering && watches.iter().all(Watch::has_ended) {
            return screen.finish(&watches);
        }
        let pause = (started.elapsed() / 50).clamp(PAUSE_MIN, PAUSE_MAX);
        match deadline {
            Some((end, time)) if Instant::now() + pause >= end => {
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
                screen.clear();
                bail!(
                    "gave up after {}: {}",
                    text::duration(time),
                    phrase::unfinished(&watches)
                );
            }
            _ => std::thread::sleep(pause),
        }
    }
}

/// The coordinator, which may be away for a while.
struct Link<'a> {
    client: &'a Client,
    /// Whether it has answered before; until then its absence is an error.
    contacted: bool,
    /// Whether its absence was told.
    told: bool,
}

impl Link<'_> {
    /// How the job is now; `None` when the coordinator does not answer at the moment.
    fn look(&mut self, id: &str, screen: &Screen) -> anyhow::Result<Option<Summary>> {
        match self.client.get(&format!("/api/v1/jobs/{id}"), &[]) {
            Ok(answer) => {
                let job = answer.read()?;
                if self.told {
                    let back = format!("the coordinator at {} answers again", self.client.server());
                    screen.aside(|| output::note(&back));
                }
                self.told = false;
                self.contacted = true;
                Ok(Some(job))
            }
            Err(error) if self.contacted && error.is_passing() => {
                if !self.told {
                    screen.aside(|| output::note(&self.absence(&error)));
                }
                self.told = true;
                Ok(None)
            }
            Err(error) => {
                screen.clear();
                Err(error.into())
            }
        }
    }

    fn absence(&self, error: &Error) -> String {
        format!(
            "the coordinator at {} does not answer ({}): trying until it does",
            self.client.server(),
            error.reason()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_of_seconds_or_carries_its_unit() {
        assert_eq!(parse_timeout("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_timeout("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(parse_timeout("2h 30m"), Ok(Duration::from_mins(150)));
        for bad in ["", "0", "-5", "-5s", "soon", "5 parsecs"] {
            assert!(parse_timeout(bad).is_err(), "{bad}");
        }
    }
}

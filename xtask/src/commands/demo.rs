//! `cargo xtask demo`: from nothing to searchable text with one command.
//!
//! The job goes the way that a Goobi step's would: an AMQP message with the same fields.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use launcher::Place;

use super::Outcome;
use crate::demo_volume::Volume;
use crate::stack::Stack;
use crate::{cargo, interrupt, say};

/// When the demo ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It keeps running, so that one can look around.
    OnCtrlC,
    /// With its job.
    WithTheJob,
}

/// Starts everything, publishes one job, and shows its progress until it has ended.
pub(crate) fn run(ending: Ending) -> Result<Outcome> {
    let place = Place::open("demo")?;
    interrupt::watch(&place)?;
    let root = cargo::target().join("demo");
    let mut stack = Stack::start(&place, &root)?;
    let result = show(&place, &mut stack, &root, ending);
    // Whatever happened, everything ends in order.
    let stopped = stack.stop();
    result.and_then(|outcome| stopped.map(|()| outcome))
}

fn show(place: &Place, stack: &mut Stack, root: &Path, ending: Ending) -> Result<Outcome> {
    let volume = Volume::copy_to(root)?;
    let job = publish(stack, &volume)?;
    say::progress(&format!("job {job}: OCR of {}", volume.title));
    let mut wait = stack.command("taskmanager");
    wait.args(["wait", &job]);
    let outcome = Outcome::from(stack.run_in_foreground(place, &wait)?);
    if outcome == Outcome::Done {
        say::result(&format!("Results: {}", volume.folder.join("ocr").display()));
    }
    say::result(&format!("Dashboard: {}", stack.url()));
    if ending == Ending::OnCtrlC {
        say::progress("running until Ctrl-C");
        stack.run_until_interrupted(place)?;
    }
    Ok(outcome)
}

/// Publishes the volume's job and gives its id.
fn publish(stack: &Stack, volume: &Volume) -> Result<String> {
    let mut command: Command = stack.command("publish-demo-job");
    command
        .arg("--source")
        .arg(volume.images())
        .arg("--target")
        .arg(&volume.folder)
        .arg("--title")
        .arg(&volume.title);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start publish-demo-job")?;
    if !output.status.success() {
        bail!("the job was not accepted ({})", output.status);
    }
    let id =
        String::from_utf8(output.stdout).context("publish-demo-job printed something that is no job id")?;
    Ok(id.trim().to_owned())
}

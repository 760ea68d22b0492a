//! A program that uses the launcher's terminal: a build, a test run, a progress bar.
//!
//! It stays in the launcher's process group, so Ctrl-C reaches it as well.
//! When the place's interrupt flag is raised without it noticing, it is ended with all its descendants.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use super::{Environment, Launch, owner, supervised, tree};
use crate::{Error, Place};

/// How often the interrupt flag is looked at while the program runs.
const LOOK: Duration = Duration::from_millis(100);

/// How long an interrupted program gets to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the command to its end with the caller's terminal and gives its exit status.
///
/// The command's program, arguments, environment changes and folder are used.
///
/// # Errors
/// [`Error::Interrupted`] when the place's interrupt flag was raised; the program has then ended.
/// [`Error::Start`] when the program's path leads nowhere.
pub fn run_in_foreground(place: &Place, command: &Command) -> Result<ExitStatus, Error> {
    run_in_foreground_while(place, command, || Ok(()))
}

/// Like [`run_in_foreground`], for a program that makes sense only as long as something else goes well.
///
/// # Errors
/// As for [`run_in_foreground`]; and the first error of `goes_well`, which is asked ten times a second. The program has
/// then ended.
pub fn run_in_foreground_while(
    place: &Place,
    command: &Command,
    mut goes_well: impl FnMut() -> Result<(), Error>,
) -> Result<ExitStatus, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let launch = Launch {
        name: &name,
        command,
        account: None,
        environment: Environment::Inherited,
        continue_log: false,
    };
    let failed = |source| Error::Start {
        name: name.clone(),
        source,
    };
    let refused = |source| Error::Control {
        name: name.clone(),
        action: "wait for",
        source,
    };
    supervised::check_program(command)?;
    let mut child = owner::spawn(supervised::under_setpriv(place, &launch)).map_err(failed)?;
    let (ident, pidfd) = tree::adopt(&mut child).map_err(failed)?;
    let mut verdict = Ok(());
    while !tree::ended_within(&pidfd, LOOK).map_err(refused)? {
        verdict = if place.interrupted() {
            Err(Error::Interrupted)
        } else {
            goes_well()
        };
        if verdict.is_err() {
            let family = tree::descendants(ident);
            tree::signal_all(&family, Signal::TERM);
            if !tree::ended_within(&pidfd, GRACE).map_err(refused)? {
                tree::kill(&tree::descendants(ident));
            }
            tree::kill(&family);
            break;
        }
    }
    let status = child.wait().map_err(refused)?;
    // Ctrl-C reaches the program as well, which may then have ended before we looked.
    if place.interrupted() {
        Err(Error::Interrupted)
    } else {
        verdict.map(|()| status)
    }
}

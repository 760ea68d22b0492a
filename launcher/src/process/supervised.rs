//! Turns a plain command into a supervised one.
//!
//! `setpriv` (util-linux, on every Debian) switches the user and asks the kernel for SIGKILL at the launcher's death,
//! then becomes the program: same process id, no wrapper left behind, no unsafe code here.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Launch;
use crate::account::setpriv;
use crate::{Error, Place};

/// The variable that marks every process of a place and what descends from it; its value is the place's folder.
///
/// The next launcher finds a crashed one's leftovers by it, also those that the ledger never saw.
const MARK: &str = "TASKMANAGER_LAUNCHER_PLACE";

/// Where programs are looked for when the environment is a clean one.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a process gets to see of the caller's environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// All of it.
    Inherited,
    /// Nothing: a caller's `PGDATA` or `RABBITMQ_NODENAME` must not reach a private server.
    Clean,
}

/// The command that runs `launch` under supervision, with its output in `log`.
pub(super) fn command(place: &Place, launch: &Launch<'_>, log: File) -> Result<Command, Error> {
    let errors = log
        .try_clone()
        .map_err(Error::file("write", place.log_path(launch.name)))?;
    let mut command = under_setpriv(place, launch);
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0);
    Ok(command)
}

/// `setpriv … -- program arguments`, with the environment, and the folder, that `launch` asks for.
pub(super) fn under_setpriv(place: &Place, launch: &Launch<'_>) -> Command {
    let mut command = setpriv(launch.account);
    command.args(["--pdeathsig", "KILL", "--"]);
    command
        .arg(launch.command.get_program())
        .args(launch.command.get_args());
    if launch.environment == Environment::Clean {
        clean(&mut command);
    }
    for (name, value) in launch.command.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env(MARK, place.path());
    if let Some(folder) = launch.command.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// Replaces the environment by one that is the same everywhere.
pub(crate) fn clean(command: &mut Command) {
    command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8");
}

/// Refuses a program that is named by a path where there is none; `setpriv` would start and only then fail.
pub(super) fn check_program(command: &Command) -> Result<(), Error> {
    let program = Path::new(command.get_program());
    if program.components().count() > 1 && !program.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Error::Start {
            name: program.display().to_string(),
            source,
        });
    }
    Ok(())
}

/// How a marked process's environment block shows the mark of the place with this folder.
pub(crate) fn mark_in_environment(place: &Path) -> Vec<u8> {
    [MARK.as_bytes(), b"=", place.as_os_str().as_encoded_bytes()].concat()
}

//! Which user a server runs as: its own where we are root, else the caller.
//!
//! PostgreSQL refuses to run as root, and a broker has no business running as root either.

use std::path::Path;
use std::process::Command;

use crate::Error;

/// A system user that a package brought along.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account of this name where we are root; `None` for any other caller, who runs the server as themselves.
    pub(crate) fn for_server(name: &str) -> Result<Option<Self>, Error> {
        if !is_root() {
            return Ok(None);
        }
        Ok(Some(Self {
            uid: id(name, "-u")?,
            gid: id(name, "-g")?,
        }))
    }
}

/// Whether this process has root's rights.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `setpriv` with the arguments that switch to the account; a program, and `--` before it, is to be added.
pub(crate) fn setpriv(account: Option<&Account>) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(Account { uid, gid }) = account {
        command.args([
            "--reuid",
            &uid.to_string(),
            "--regid",
            &gid.to_string(),
            "--clear-groups",
        ]);
    }
    command
}

/// Gives a file or folder to the account; nothing happens where the server runs as the caller.
pub(crate) fn give(path: &Path, account: Option<&Account>) -> Result<(), Error> {
    match account {
        Some(account) => std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid))
            .map_err(Error::file("change the owner of", path)),
        None => Ok(()),
    }
}

/// Asks `id`, which knows every source of users that the machine is set up with.
fn id(name: &str, which: &str) -> Result<u32, Error> {
    let output = Command::new("id")
        .args([which, name])
        .output()
        .map_err(|source| Error::Start {
            name: "id".into(),
            source,
        })?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(|_| Error::Missing {
            what: format!("the system user {name}"),
            advice: "its package creates it; install the package again".into(),
        })
}

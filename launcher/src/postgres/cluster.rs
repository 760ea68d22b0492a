//! The data folder of a private PostgreSQL, its password, and the client programs that need both.
//!
//! The folder is made under a temporary name and renamed when it is complete, so an interrupted `initdb` leaves nothing
//! that the next start would take for a database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{PostgresOptions, USER, newest_installed};
use crate::account::{Account, give, setpriv};
use crate::process::clean;
use crate::{Error, Place, secret};

/// A data folder that is ready to be started.
#[derive(Debug)]
pub(super) struct Cluster {
    version: u32,
    programs: PathBuf,
    data: PathBuf,
    password: String,
    pass_file: PathBuf,
}

impl Cluster {
    /// Finds the place's data folder of the newest installed version, or makes it.
    pub(super) fn prepare(
        place: &Place,
        account: Option<&Account>,
        options: PostgresOptions,
    ) -> Result<Self, Error> {
        let (version, programs) = newest_installed()?;
        let folder = place.path().join("postgres");
        let own = folder.join(format!("server-{version}"));
        fs::create_dir_all(&own).map_err(Error::file("create", &own))?;
        give(&own, account)?;
        fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).map_err(Error::file("protect", &own))?;
        let password = secret::kept_in(&folder.join(format!("password-{version}")))?;
        let pass_file = folder.join("pgpass");
        secret::write_private(&pass_file, &format!("127.0.0.1:*:*:{USER}:{password}\n"))?;
        let data = own.join("data");
        if !data.exists() {
            let partial = own.join("data.partial");
            if partial.exists() {
                fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
            }
            init(&programs, &partial, &own, &password, account, options)?;
            fs::rename(&partial, &data).map_err(Error::file("rename", &partial))?;
        }
        Ok(Self {
            version,
            programs,
            data,
            password,
            pass_file,
        })
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// One of the server's programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Whether the server on this port takes connections.
    pub(super) fn answers(&self, port: u16) -> bool {
        self.client("pg_isready", port)
            .arg("--quiet")
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Creates a database; `false` when it exists.
    pub(super) fn create_database(&self, port: u16, user: &str, database: &str) -> Result<bool, Error> {
        let mut command = self.client("createdb", port);
        command.args(["--username", user, "--no-password", "--", database]);
        match output(&mut command) {
            Ok(_) => Ok(true),
            Err(Error::Failed { output, .. }) if output.contains("already exists") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes all data; the password stays.
    pub(super) fn remove(&self) -> Result<(), Error> {
        fs::remove_dir_all(&self.data).map_err(Error::file("remove", &self.data))
    }

    fn client(&self, program: &str, port: u16) -> Command {
        let mut command = Command::new(self.program(program));
        // Without the caller's PGUSER, PGSERVICE and the like.
        clean(&mut command);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.env("PGPASSFILE", &self.pass_file);
        command
    }
}

/// Runs `initdb` into `data`. The password goes through a file that is removed again.
fn init(
    programs: &Path,
    data: &Path,
    own: &Path,
    password: &str,
    account: Option<&Account>,
    options: PostgresOptions,
) -> Result<(), Error> {
    let password_file = own.join("initdb-password");
    secret::write_private(&password_file, password)?;
    give(&password_file, account)?;
    let mut command = setpriv(account);
    clean(&mut command);
    command
        .arg("--")
        .arg(programs.join("initdb"))
        .arg("--pgdata")
        .arg(data);
    command.arg("--pwfile").arg(&password_file);
    command.args([
        "--username",
        USER,
        "--auth=scram-sha-256",
        "--locale=C.UTF-8",
        "--encoding=UTF8",
    ]);
    if !options.durable {
        command.arg("--no-sync");
    }
    command.current_dir(own);
    let result = output(&mut command);
    fs::remove_file(&password_file).map_err(Error::file("remove", &password_file))?;
    result.map(drop)
}

/// Runs a program to its end; what it wrote becomes part of the error where it fails.
fn output(command: &mut Command) -> Result<Output, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::Start {
        name: program.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let text = [
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    ]
    .concat();
    Err(Error::Failed {
        program,
        status: output.status,
        output: text.trim_end().to_owned(),
    })
}

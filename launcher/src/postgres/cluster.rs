//! The data folder of a private PostgreSQL, its password, and the client programs that need both.
//!
//! The folder is made under a temporary name and renamed when it is complete, so an interrupted `initdb` leaves nothing
//! that the next start would take for a database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use super::{PostgresOptions, USER, newest_installed};
use crate::account::{Account, give, setpriv};
use crate::process::clean;
use crate::process::tree::{self, Ident};
use crate::{Error, Place, secret};

/// How long children may take to notice that their server was killed; they usually do so within milliseconds.
const CHILDREN_LIMIT: Duration = Duration::from_secs(10);

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
    /// Finds the place's data folder of this name and of the newest installed version, or makes it.
    pub(super) fn prepare(
        place: &Place,
        name: &str,
        account: Option<&Account>,
        options: PostgresOptions,
    ) -> Result<Self, Error> {
        let (version, programs) = newest_installed()?;
        let folder = place.path().join(name);
        let own = own_folder(&folder, version, account)?;
        let password = secret::kept_in(&folder.join(format!("password-{version}")))?;
        let pass_file = folder.join("pgpass");
        secret::write_private(&pass_file, &format!("127.0.0.1:*:*:{USER}:{password}\n"))?;
        let data = own.join("data");
        if !data.exists() {
            let partial = partial(&own)?;
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

    /// Makes the data folder of this name a copy of this one, whose server runs on `port`, ready to be started as a
    /// server that follows it.
    pub(super) fn copied_by_its_server(
        &self,
        port: u16,
        place: &Place,
        name: &str,
        account: Option<&Account>,
        options: PostgresOptions,
    ) -> Result<Self, Error> {
        let folder = place.path().join(name);
        let own = own_folder(&folder, self.version, account)?;
        let password_file = folder.join(format!("password-{}", self.version));
        // The copy has the original's users, and so their passwords.
        secret::write_private(&password_file, &self.password)?;
        let partial = partial(&own)?;
        let mut command = setpriv(account);
        clean(&mut command);
        command
            .arg("--")
            .arg(self.program("pg_basebackup"))
            .arg("--pgdata")
            .arg(&partial)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--username", USER, "--no-password"])
            .args([
                "--write-recovery-conf",
                "--wal-method=stream",
                "--checkpoint=fast",
            ]);
        if !options.durable {
            command.arg("--no-sync");
        }
        // In the environment, so that it gets into the settings that the standby connects with.
        command.env("PGPASSWORD", &self.password).current_dir(&own);
        output(&mut command)?;
        let data = own.join("data");
        fs::rename(&partial, &data).map_err(Error::file("rename", &partial))?;
        Self::prepare(place, name, account, options)
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

    /// Removes the lock file of a server that was killed.
    ///
    /// The server would do that itself, but it takes a killed one for a running one as long as nobody has collected its
    /// exit status, and after a crash of the launcher that may be never: not every machine has an init that does.
    /// The file also guards against children of the killed server that still write; those are waited for.
    pub(super) fn clear_stale_lock(&self) -> Result<(), Error> {
        let lock = self.data.join("postmaster.pid");
        let Ok(text) = fs::read_to_string(&lock) else {
            return Ok(());
        };
        let owner = text
            .lines()
            .next()
            .and_then(|line| line.trim().parse().ok())
            .and_then(Ident::of);
        // A running one is not ours to judge: the server says so itself.
        if owner.is_some_and(Ident::runs) {
            return Ok(());
        }
        // Every process of a server has its data folder as its working directory.
        let here =
            |pid: &i32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == self.data);
        let children: Vec<Ident> = tree::processes()
            .into_iter()
            .filter(here)
            .filter_map(Ident::of)
            .collect();
        if !tree::wait_gone(&children, CHILDREN_LIMIT) {
            let name = "a child of a PostgreSQL server that was killed".to_owned();
            return Err(Error::StillRunning {
                name,
                waited: CHILDREN_LIMIT,
            });
        }
        fs::remove_file(&lock).map_err(Error::file("remove", &lock))
    }

    /// Deletes all data; the password stays.
    pub(super) fn remove(&self) -> Result<(), Error> {
        fs::remove_dir_all(&self.data).map_err(Error::file("remove", &self.data))
    }

    /// One of PostgreSQL's own clients, which will connect to this port.
    pub(super) fn client(&self, program: &str, port: u16) -> Command {
        let mut command = Command::new(self.program(program));
        // Without the caller's PGUSER, PGSERVICE and the like.
        clean(&mut command);
        command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        command.env("PGPASSFILE", &self.pass_file);
        command
    }
}

/// The folder beneath `folder` that the server's user owns.
fn own_folder(folder: &Path, version: u32, account: Option<&Account>) -> Result<PathBuf, Error> {
    let own = folder.join(format!("server-{version}"));
    fs::create_dir_all(&own).map_err(Error::file("create", &own))?;
    give(&own, account)?;
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).map_err(Error::file("protect", &own))?;
    Ok(own)
}

/// Where a data folder is made before it is complete; what an interrupted start left there is gone.
fn partial(own: &Path) -> Result<PathBuf, Error> {
    let partial = own.join("data.partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
    }
    Ok(partial)
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
pub(super) fn output(command: &mut Command) -> Result<Output, Error> {
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

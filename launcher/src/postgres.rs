//! A private PostgreSQL server.
//!
//! It listens on 127.0.0.1 only, on a port that stays the same as long as the value lives, has no Unix socket, and asks
//! for a random password.
//! Data files of each major version lie in a folder of their own, so an upgraded distribution starts afresh instead of
//! failing on the old files.

mod cluster;
mod standby;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::account::Account;
use crate::process::{Environment, Launch, Process};
use crate::{Error, Place, ports};
use cluster::Cluster;

/// How long a start may take: replaying the log after a kill takes seconds, a busy machine makes it more.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How long a fast shutdown may take before the server is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// The server's name in messages, its log's and its folder's name, and the system user that it runs as when we are root.
const NAME: &str = "postgres";

/// The superuser of a private server.
const USER: &str = "taskmanager";

/// The database that always exists, to connect to before any other does.
const MAINTENANCE_DATABASE: &str = "postgres";

/// What a private server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Whether commits survive the machine's death (`fsync`).
    /// Without it they still survive the death of every process, so `kill -9` tests mean what they say.
    pub durable: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { durable: true }
    }
}

/// A running private server. Dropping it ends it; the data stays where the place keeps it.
#[derive(Debug)]
pub struct Postgres {
    name: &'static str,
    place: Place,
    account: Option<Account>,
    cluster: Cluster,
    options: PostgresOptions,
    port: u16,
    process: Process,
}

impl Postgres {
    /// Starts the place's server and waits until it answers. The first start makes the data folder.
    ///
    /// # Errors
    /// [`Error::Missing`] when no PostgreSQL of version 15 or newer is installed; else what kept it from starting.
    pub fn start(place: &Place, options: PostgresOptions) -> Result<Self, Error> {
        let account = Account::for_server(NAME)?;
        let cluster = Cluster::prepare(place, NAME, account.as_ref(), options)?;
        Self::run(NAME, place, account, cluster, options)
    }

    /// Starts a server on a data folder that is ready for it.
    fn run(
        name: &'static str,
        place: &Place,
        account: Option<Account>,
        cluster: Cluster,
        options: PostgresOptions,
    ) -> Result<Self, Error> {
        let port = ports::free_port()?;
        let mut process = launch(name, place, &cluster, account.as_ref(), options, port, false)?;
        process.wait_until(START_LIMIT, || cluster.answers(port))?;
        Ok(Self {
            name,
            place: place.clone(),
            account,
            cluster,
            options,
            port,
            process,
        })
    }

    /// Whether a version that can be started is installed.
    pub fn is_installed() -> bool {
        newest_installed().is_ok()
    }

    /// The address of a database, with name and password; it need not exist yet.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{}@127.0.0.1:{}/{database}",
            self.cluster.password(),
            self.port
        )
    }

    /// The address of the database that always exists, for creating and dropping others.
    pub fn admin_url(&self) -> String {
        self.url(MAINTENANCE_DATABASE)
    }

    /// Creates an empty database; `false` when it exists already.
    ///
    /// # Errors
    /// [`Error::Failed`] when the server refuses it.
    pub fn create_database(&self, database: &str) -> Result<bool, Error> {
        self.cluster.create_database(self.port, USER, database)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `psql` on this port: the server's, or one that leads to it.
    pub(crate) fn psql(&self, port: u16) -> Command {
        let mut command = self.cluster.client("psql", port);
        command.args(["--username", USER, "--dbname", MAINTENANCE_DATABASE]);
        command.args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
        ]);
        command.envs([("PGSSLMODE", "disable"), ("PGGSSENCMODE", "disable")]);
        command
    }

    /// The major version, such as 15.
    pub fn version(&self) -> u32 {
        self.cluster.version()
    }

    /// The server's log.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }

    /// The process id of the postmaster.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Whether the server's main process runs.
    pub fn alive(&mut self) -> bool {
        self.process.alive()
    }

    /// Makes sure that the server runs.
    ///
    /// # Errors
    /// [`Error::Died`] with the end of its log when it has ended.
    pub fn expect_running(&mut self) -> Result<(), Error> {
        self.process.expect_running()
    }

    /// SIGKILL to the postmaster and all its children at once, as when the machine's memory runs out.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when one hangs in the kernel.
    pub fn kill9(&mut self) -> Result<(), Error> {
        self.process.kill9()
    }

    /// Stops all its processes where they are: connections stay open, nothing answers.
    ///
    /// # Errors
    /// [`Error::NotRunning`] when there is none.
    pub fn freeze(&mut self) -> Result<(), Error> {
        self.process.freeze()
    }

    /// Lets it go on after [`Postgres::freeze`].
    ///
    /// # Errors
    /// [`Error::File`] when the ledger can't be written.
    pub fn thaw(&mut self) -> Result<(), Error> {
        self.process.thaw()
    }

    /// Ends it as an administrator would: sessions are cut off, everything is written (SIGINT).
    ///
    /// # Errors
    /// [`Error::StillRunning`] when it had to be killed.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.process.end_with(Signal::INT, STOP_LIMIT).map(drop)
    }

    /// Starts it again on the same port, after stopping it where it runs.
    ///
    /// # Errors
    /// As for [`Postgres::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        if self.process.alive() {
            self.stop()?;
        }
        self.process = launch(
            self.name,
            &self.place,
            &self.cluster,
            self.account.as_ref(),
            self.options,
            self.port,
            true,
        )?;
        let port = self.port;
        self.process
            .wait_until(START_LIMIT, || self.cluster.answers(port))
    }

    /// Kills it, deletes all its data and makes an empty data folder; [`Postgres::restart`] starts it again.
    ///
    /// # Errors
    /// [`Error::File`] when the data can't be removed.
    pub fn wipe(&mut self) -> Result<(), Error> {
        self.process.kill9()?;
        self.cluster.remove()?;
        self.cluster = Cluster::prepare(&self.place, self.name, self.account.as_ref(), self.options)?;
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.place.keeps_data() {
            // Where stopping fails the process is killed; the next start replays the log.
            let _ = self.stop();
        }
    }
}

fn launch(
    name: &str,
    place: &Place,
    cluster: &Cluster,
    account: Option<&Account>,
    options: PostgresOptions,
    port: u16,
    continue_log: bool,
) -> Result<Process, Error> {
    cluster.clear_stale_lock()?;
    let mut command = Command::new(cluster.program("postgres"));
    let set = |command: &mut Command, setting: &str| {
        command.args(["-c", setting]);
    };
    command.arg("-D").arg(cluster.data()).current_dir(cluster.data());
    set(&mut command, &format!("port={port}"));
    set(&mut command, "listen_addresses=127.0.0.1");
    // A socket's path may be no longer than 107 bytes, which a work tree's easily is.
    set(&mut command, "unix_socket_directories=");
    // In the data folder, which is removed with a server that was killed; shared memory would stay for ever.
    set(&mut command, "dynamic_shared_memory_type=mmap");
    // Test runs use a database a test, each with a pool or two.
    set(&mut command, "max_connections=300");
    set(&mut command, "log_line_prefix=%m [%p] %q%d ");
    set(&mut command, "cluster_name=taskmanager");
    if !options.durable {
        // synchronous_commit stays on: a commit reaches the kernel before it is answered, and survives any kill.
        set(&mut command, "fsync=off");
        set(&mut command, "full_page_writes=off");
    }
    let launch = Launch {
        name,
        command: &command,
        account,
        environment: Environment::Clean,
        continue_log,
    };
    Process::launch(place, &launch)
}

/// The folder of the newest installed PostgreSQL's programs, and its major version.
fn newest_installed() -> Result<(u32, PathBuf), Error> {
    const OLDEST: u32 = 15;
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(version, programs)| *version >= OLDEST && programs.join("postgres").exists())
        .max()
        .ok_or_else(|| Error::Missing {
            what: format!("PostgreSQL {OLDEST} or newer"),
            advice: "install the package postgresql".into(),
        })
}

#[cfg(test)]
mod tests;

//! The system that is hurt: two coordinators, three workers, servers of its own, a proxy before each connection.
//!
//! Every program has a clock and a proxy before RabbitMQ of its own, every coordinator a proxy before PostgreSQL;
//! submitters and checker go to the servers directly. Targets and scratch folders are on small disks of their own, the
//! witness and all logs are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::MutexGuard;

use anyhow::{Context, Result};
use launcher::{Clock, Place, Postgres, PostgresOptions, Proxy, RabbitMq, SmallDisk, workspace};
use shared::mutant::Mutant;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::schedule::{COORDINATORS, WORKERS};
use crate::cluster::{Program, remains};
use crate::environment::program;
use crate::eventually::{LIMIT, eventually};
use crate::servers;

/// Short, so that faults outlast it; longer than a worker takes to find its way back to the broker.
pub(super) const LEASE_SECONDS: u32 = 10;

/// What workers run, and how many at once.
const PLUGINS: &str = "NOOP=4,SHELL=2";

const DATABASE: &str = "faults";

/// A command that leaves a child behind, which would outlast every run.
const TEMPLATES: &str = "[SHELL.faults]\ncommand = [\"sh\", \"-c\", \"sleep 100000 & sleep $1\", \"sh\", \
                         \"{parameters.seconds}\"]\n";

/// Fewer than workers have room for, so that the limit is what decides.
const RUNNING_MAX: i32 = 8;

/// Pages of a contract that no run uses up.
const CONTRACT: i64 = 1_000_000;

/// The running system. Fields are in the order in which they are dropped: programs before their servers.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) coordinators: Vec<Program>,
    pub(super) workers: Vec<Program>,
    pub(super) database_links: Vec<Proxy>,
    /// Coordinators first, then workers.
    pub(super) broker_links: Vec<Proxy>,
    pub(super) postgres: Postgres,
    pub(super) rabbitmq: RabbitMq,
    /// Coordinators' first, then workers'.
    pub(super) clocks: Vec<Clock>,
    /// `None` where this process may not mount anything.
    pub(super) disks: Option<Disks>,
    place: Place,
    _turn: MutexGuard<'static, ()>,
}

/// Disks that can be full.
#[derive(Debug)]
pub(super) struct Disks {
    pub(super) targets: SmallDisk,
    pub(super) scratch: SmallDisk,
}

/// More than all jobs of a run write, MiB.
const DISK_SIZE: u32 = 64;

impl Site {
    /// Starts everything and waits until jobs are taken.
    pub(super) fn start(mutant: Option<Mutant>) -> Result<Self> {
        let turn = servers::turn();
        let place = Place::temporary("faults")?;
        for folder in ["data", "data/out", "data/witness"] {
            fs::create_dir(place.path().join(folder)).with_context(|| format!("can't make {folder}"))?;
        }
        fs::write(place.path().join("templates.toml"), TEMPLATES)?;
        let disk = |folder| SmallDisk::mount(&place, &place.path().join(folder), DISK_SIZE);
        let disks = if SmallDisk::may_be_made() {
            Some(Disks {
                targets: disk("data/out")?,
                scratch: disk("scratch")?,
            })
        } else {
            None
        };
        let clocks = (0..COORDINATORS + WORKERS).map(|index| Clock::new(&place, &index.to_string()));
        let clocks = clocks.collect::<Result<Vec<_>, _>>()?;
        let rabbitmq = RabbitMq::start(&place)?;
        let postgres = Postgres::start(&place, PostgresOptions { durable: true })?;
        postgres.create_database(DATABASE)?;
        let proxies = |count, proxy: &dyn Fn() -> Result<Proxy, launcher::Error>| {
            (0..count).map(|_| proxy()).collect::<Result<Vec<_>, _>>()
        };
        let database_links = proxies(COORDINATORS, &|| Proxy::before_postgres(postgres.port()))?;
        let broker_links = proxies(COORDINATORS + WORKERS, &|| Proxy::before(rabbitmq.port()))?;
        let mut site = Self {
            coordinators: Vec::new(),
            workers: Vec::new(),
            database_links,
            broker_links,
            postgres,
            rabbitmq,
            clocks,
            disks,
            place,
            _turn: turn,
        };
        for index in 0..COORDINATORS {
            let program = site.coordinator(index, mutant)?;
            site.coordinators.push(program);
        }
        for index in 0..WORKERS {
            let program = site.worker(index, mutant)?;
            site.workers.push(program);
        }
        site.wait_for_workers();
        // Retries within the run, not after minutes.
        site.sql(
            "UPDATE plugins SET retry_first_seconds = 2, retry_longest_seconds = 4",
            &[],
        )
        .context("the plugins' settings")?;
        site.sql(
            "UPDATE plugins SET running_max = $1 WHERE name = 'NOOP'",
            &[&RUNNING_MAX],
        )
        .context("a limit")?;
        site.sql(
            "INSERT INTO quotas (plugin, pages_total) SELECT name, $1 FROM plugins",
            &[&CONTRACT],
        )
        .context("page contracts")?;
        Ok(site)
    }

    fn coordinator(&self, index: usize, mutant: Option<Mutant>) -> Result<Program> {
        let mut command = Command::new(program("coordinator"));
        let link = self.database_links[index].port();
        let database = through(&self.postgres.url(DATABASE), self.postgres.port(), link);
        command
            .env("DATABASE_URL", database)
            .env("TASKMANAGER_WITHOUT_LOGIN", "true")
            .env("TASKMANAGER_TEMPLATES", self.place.path().join("templates.toml"))
            .env("TASKMANAGER_LEASE_SECONDS", LEASE_SECONDS.to_string());
        self.launch(
            &format!("coordinator-{index}"),
            "TASKMANAGER_LISTEN",
            index,
            command,
            mutant,
        )
    }

    fn worker(&self, index: usize, mutant: Option<Mutant>) -> Result<Program> {
        let name = format!("worker-{index}");
        let mut command = Command::new(program("worker"));
        command
            .env_remove("DATABASE_URL")
            .env("TASKMANAGER_SCRATCH", self.scratch().join(&name))
            .env("TASKMANAGER_WORKER_NAME", &name)
            // Far less than the small disks have.
            .env("TASKMANAGER_SCRATCH_FREE_MIN", "4M")
            .env("TASKMANAGER_TARGET_FREE_MIN", "4M")
            .env("TASKMANAGER_PLUGINS", PLUGINS);
        self.launch(
            &name,
            "TASKMANAGER_WORKER_LISTEN",
            COORDINATORS + index,
            command,
            mutant,
        )
    }

    /// What coordinators and workers have in common.
    fn launch(
        &self,
        name: &str,
        listen: &str,
        position: usize,
        mut command: Command,
        mutant: Option<Mutant>,
    ) -> Result<Program> {
        let port = launcher::free_port()?;
        let broker = through(
            &self.rabbitmq.url("/"),
            self.rabbitmq.port(),
            self.broker_links[position].port(),
        );
        command
            .env_remove("AMQP_MANAGEMENT_URL")
            .env("AMQP_URL", broker)
            .env(listen, format!("127.0.0.1:{port}"))
            .env("TASKMANAGER_ROOTS", self.data())
            .env(
                "TASKMANAGER_LOG",
                "info,coordinator=debug,worker=debug,shared=debug",
            );
        self.clocks[position].give_to(&mut command);
        if let Some(mutant) = mutant {
            command.env("TASKMANAGER_MUTANT", mutant.as_str());
        }
        Ok(Program::start(&self.place, name, command, port))
    }

    fn wait_for_workers(&self) {
        eventually(LIMIT, "all workers' announcements", || {
            let served = self
                .sql("SELECT count(*) FROM worker_plugins", &[])
                .map_err(|error| error.to_string())?;
            let served: i64 = served[0].get(0);
            if usize::try_from(served) == Ok(2 * WORKERS) {
                Ok(())
            } else {
                Err(format!("{served} announced"))
            }
        });
    }

    /// The folder that jobs may use.
    pub(super) fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    fn scratch(&self) -> PathBuf {
        self.place.path().join("scratch")
    }

    /// Processes that attempts have left.
    pub(super) fn tool_processes(&self) -> Vec<String> {
        remains::processes_in(&self.scratch())
    }

    /// Where submitters find RabbitMQ.
    pub(super) fn amqp_url(&self) -> String {
        self.rabbitmq.url("/")
    }

    /// The ports of the coordinators' APIs.
    pub(super) fn api_ports(&self) -> Vec<u16> {
        self.coordinators.iter().map(Program::port).collect()
    }

    /// Asks the database, not through a proxy.
    pub(super) fn sql(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        servers::ask(&self.postgres.url(DATABASE), statement, parameters)
    }

    /// All programs, coordinators first.
    pub(super) fn programs(&mut self) -> impl Iterator<Item = &mut Program> {
        self.coordinators.iter_mut().chain(&mut self.workers)
    }

    /// The logs of all starts of all programs.
    pub(super) fn logs(&self) -> Vec<PathBuf> {
        let programs = self.coordinators.iter().chain(&self.workers);
        programs.flat_map(Program::logs).collect()
    }

    /// Copies all logs to where they outlive the run.
    pub(super) fn keep_logs(&self, run: &str) {
        let folder = workspace().join("target/faults").join(run);
        // What can't be kept is only missed by who looks for a defect's cause.
        let _gone = fs::remove_dir_all(&folder);
        let _made = fs::create_dir_all(&folder);
        let servers = [self.postgres.log_path(), self.rabbitmq.log_path()].map(Path::to_owned);
        for log in self.logs().iter().chain(&servers) {
            let _copied = fs::copy(log, folder.join(log.file_name().unwrap_or_default()));
        }
    }
}

/// Where the witness writes, a file a job.
pub(super) fn witness(data: &Path) -> PathBuf {
    data.join("witness")
}

/// Where this order's outputs go.
pub(super) fn target(data: &Path, number: u32) -> PathBuf {
    data.join("out").join(number.to_string())
}

/// The address with the proxy's port in the place of the server's.
fn through(url: &str, port: u16, proxy: u16) -> String {
    url.replacen(&format!("127.0.0.1:{port}/"), &format!("127.0.0.1:{proxy}/"), 1)
}

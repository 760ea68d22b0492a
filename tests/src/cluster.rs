//! The whole system for one test: servers, a coordinator, workers, a folder for data.
//!
//! When the test has passed, dropping the cluster ends everything as an operator would and looks for what must not be:
//! a program that does not end in time or not well, a process that is left over, a warning that nobody expected.
//! When the test has failed, everything is killed and the logs are shown and kept.

mod backup;
mod builder;
mod failpoints;
mod goobi;
mod logs;
mod program;
pub(crate) mod remains;
mod roles;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use launcher::{Place, Postgres, RabbitMq, SmallDisk};
use serde_json::Value;
use shared::job::JobId;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::amqp::Amqp;
use crate::api::{Api, Job};
use crate::browser::Browser;
use crate::environment;
use crate::eventually::{LIMIT, eventually};
use crate::foreign_bytes;
use crate::object_storage::ObjectStorage;
use crate::servers::Servers;
use crate::volume::Volume;
pub use backup::Backup;
pub use builder::Builder;
pub use program::Program;

/// Longer than any grace period that is set here.
const END_LIMIT: Duration = Duration::from_secs(40);

/// A running system. Fields are in the order in which they are dropped: programs before their servers.
#[derive(Debug)]
pub struct Cluster {
    /// The coordinator.
    pub coordinator: Program,
    /// A coordinator beside it; see [`Cluster::add_coordinator`].
    pub other_coordinator: Option<Program>,
    /// The workers; more can be added with [`Cluster::add_worker`].
    pub workers: Vec<Program>,
    /// How many workers there have been: each has a name of its own, also when others have gone.
    workers_made: usize,
    servers: Servers,
    small_disk: Option<SmallDisk>,
    objects: Option<ObjectStorage>,
    builder: Builder,
    data: PathBuf,
    place: Place,
}

impl Cluster {
    /// A system with this name (for folders and logs), to be set up and started.
    pub fn named(name: &str) -> Builder {
        Builder::new(name)
    }

    /// The folder that jobs may use.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A folder for whatever else a test needs.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    /// The object storage that jobs may use.
    pub fn objects(&self) -> &ObjectStorage {
        self.objects
            .as_ref()
            .expect("the test has asked for object storage")
    }

    /// A copy of the test volume.
    pub fn volume(&self, process: u32, title: &str) -> Volume {
        Volume::copy_to(&self.data, process, title)
    }

    /// The coordinator's API.
    pub fn api(&self) -> Api {
        Api::new(self.coordinator.port())
    }

    /// What a program says of itself over HTTP.
    pub fn api_of(&self, program: &Program) -> Api {
        Api::new(program.port())
    }

    /// A new connection to RabbitMQ, as some other program.
    pub fn amqp(&self) -> Amqp {
        Amqp::connect(&self.servers.amqp_url())
    }

    /// The same for a program that writes Latin-1 wherever [`MARK`](crate::foreign_bytes::MARK) stands.
    pub fn amqp_in_latin_1(&self) -> Amqp {
        Amqp::connect(&foreign_bytes::relay(&self.amqp_url()))
    }

    /// Where RabbitMQ is.
    pub fn amqp_url(&self) -> String {
        self.servers.amqp_url()
    }

    /// Asks the database.
    pub fn sql(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.servers
            .sql(statement, parameters)
            .unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    /// Asks the database for one number.
    pub fn count(&self, statement: &str) -> i64 {
        self.sql(statement, &[])[0].get(0)
    }

    /// The private PostgreSQL.
    pub fn postgres(&mut self) -> &mut Postgres {
        self.servers
            .postgres
            .as_mut()
            .expect("the test has asked for a private PostgreSQL")
    }

    /// The server that follows the private PostgreSQL.
    pub fn standby(&mut self) -> &mut Postgres {
        self.servers
            .standby
            .as_mut()
            .expect("the test has asked for a standby")
    }

    /// The small disk of the private server that was asked to be on one.
    pub fn small_disk(&self) -> &SmallDisk {
        self.small_disk
            .as_ref()
            .expect("the test has asked for a server on a small disk")
    }

    /// Puts the coordinator's and the workers' clocks so many seconds ahead, or behind.
    pub fn set_clocks(&self, coordinator: i64, workers: i64) {
        for (clock, seconds) in self.builder.clocks.iter().zip([coordinator, workers]) {
            clock.set(seconds).expect("a clock can be set");
        }
    }

    /// The private RabbitMQ.
    pub fn rabbitmq(&mut self) -> &mut RabbitMq {
        self.servers
            .rabbitmq
            .as_mut()
            .expect("the test has asked for a private RabbitMQ")
    }

    /// Starts one more worker and waits until it is ready; gives its index.
    pub fn add_worker(&mut self) -> usize {
        self.start_worker(&self.builder.clone());
        self.workers.len() - 1
    }

    /// Starts a worker for these plugins, which nobody has served before.
    pub fn add_worker_for(&mut self, plugins: &str) {
        self.start_worker(&self.builder.clone().plugins(plugins));
    }

    fn start_worker(&mut self, builder: &Builder) {
        let worker = builder.worker(&self.place, &self.servers, &self.data, self.workers_made);
        self.workers_made += 1;
        self.workers.push(worker);
    }

    /// Starts a second coordinator on the same servers and waits until it is ready. From now on it is the one that the
    /// test asks; the first one is the other.
    pub fn add_coordinator(&mut self) {
        self.start_second(&self.builder.clone());
    }

    /// The same with a variable of its own in its environment.
    pub fn add_coordinator_with(&mut self, name: &str, value: &str) {
        self.start_second(&self.builder.clone().coordinator_env(name, value));
    }

    fn start_second(&mut self, builder: &Builder) {
        let second = builder.start_coordinator(&self.place, &self.servers, &self.data, "second");
        self.other_coordinator = Some(std::mem::replace(&mut self.coordinator, second));
    }

    /// From now on the test asks the other coordinator.
    pub fn swap_coordinators(&mut self) {
        let other = self.other_coordinator.as_mut().expect("there are two");
        std::mem::swap(&mut self.coordinator, other);
    }

    /// Submits a job as an AMQP message; it has to be accepted.
    pub fn submit(&self, job: &Value) -> JobId {
        self.amqp().submit(job)
    }

    /// Waits until a job is as described.
    pub fn wait_until(&self, id: JobId, what: &str, condition: impl Fn(&Job) -> bool) -> Job {
        let api = self.api();
        eventually(LIMIT, &format!("job {id} {what}"), || {
            let job = api.job(id)?;
            if condition(&job) {
                Ok(job)
            } else {
                Err(format!("{job:?}"))
            }
        })
    }

    /// Waits until a job has ended.
    pub fn wait_for_end(&self, id: JobId) -> Job {
        self.wait_until(id, "has ended", Job::has_ended)
    }

    /// Waits until a job is DONE; any other end fails the test at once.
    pub fn wait_until_done(&self, id: JobId) -> Job {
        let job = self.wait_for_end(id);
        assert_eq!(
            job.state,
            "DONE",
            "{:?}; its log: {:#?}",
            job.error,
            self.api().log(id)
        );
        job
    }

    /// The command line program, set up for this system.
    pub fn taskmanager(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(environment::program("taskmanager"));
        command.env("TASKMANAGER_URL", self.api().base()).args(arguments);
        command
    }

    /// What `taskmanager doctor` finds wrong, a line each; but for the tests' common PostgreSQL, which does not outlast the
    /// death of its machine, for the sake of speed.
    pub fn findings(&self) -> Vec<String> {
        let said = self.doctor();
        let wrong = said.lines().filter(|line| line.starts_with('✗'));
        let wrong = wrong.filter(|line| !line.starts_with("✗ database durability: fsync"));
        wrong.map(str::to_owned).collect()
    }

    /// All that `taskmanager doctor` says.
    pub fn doctor(&self) -> String {
        let output = self.taskmanager(&["doctor"]).output().expect("taskmanager runs");
        let said = String::from_utf8(output.stdout).expect("text");
        assert!(said.contains(" checks "), "the doctor has not looked: {said}");
        said
    }

    /// The program that steps of Goobi call, with this system for its service.
    pub fn taskclient(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(environment::program("taskclient"));
        let service = format!("{}/itm/service", self.api().base());
        command.args(["-itm", &service]).args(arguments);
        command
    }

    /// A browser. It has to end before the cluster does.
    pub fn browser(&self) -> Browser {
        Browser::start(&self.place)
    }

    /// The images that Tesseract was started with, in that order; see [`Builder::recording_tesseract`].
    pub fn recognised(&self) -> Vec<String> {
        let record = std::fs::read_to_string(builder::recognised(&self.place));
        record.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The processes that tools of attempts consist of, and that are still there.
    pub fn tool_processes(&self) -> Vec<String> {
        remains::processes_in(&builder::scratch_base(&self.place))
    }

    /// Waits until no process of any attempt is left.
    pub fn wait_until_no_tool_runs(&self) {
        eventually(LIMIT, "the end of all tools", || {
            let left = self.tool_processes();
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?}"))
            }
        });
    }

    /// Ends all programs and looks for what must not be.
    fn end_well(&mut self) {
        for program in self
            .workers
            .iter_mut()
            .chain([&mut self.coordinator])
            .chain(&mut self.other_coordinator)
        {
            if program.alive() {
                let status = program.terminate(END_LIMIT);
                assert!(
                    status.success(),
                    "{} ended with {status} after SIGTERM",
                    program.name()
                );
            }
        }
        let armed = self.armed();
        assert!(armed.is_empty(), "nobody came to {armed:?}");
        let left = self.tool_processes();
        assert!(left.is_empty(), "processes are left over: {left:?}");
        let unexpected = logs::unexpected(&self.logs(), self.builder.expected());
        assert!(
            unexpected.is_empty(),
            "the logs have lines that nobody expected:\n{}",
            unexpected.join("\n")
        );
        self.servers
            .remove()
            .expect("the test's database and virtual host can be removed");
    }

    /// After a failure: shows what is known and cleans up as far as that goes.
    fn end_badly(&mut self) {
        logs::show_and_keep(self.builder.name(), &self.logs());
        for program in self
            .workers
            .iter_mut()
            .chain([&mut self.coordinator])
            .chain(&mut self.other_coordinator)
        {
            program.end_at_once();
        }
        remains::kill_processes_in(&builder::scratch_base(&self.place));
        // The test has failed already; with a server that is gone there is nothing to remove either.
        let _removed = self.servers.remove();
    }

    fn logs(&self) -> Vec<PathBuf> {
        let programs = self
            .workers
            .iter()
            .chain([&self.coordinator])
            .chain(&self.other_coordinator);
        programs.flat_map(Program::logs).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return self.end_badly();
        }
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.end_well()));
        if let Err(panic) = ended {
            self.end_badly();
            std::panic::resume_unwind(panic);
        }
    }
}

//! One of the project's own programs as a process that a test may hurt.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use launcher::{Place, Process};
use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::{LIMIT, eventually};

/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// A coordinator or a worker. It keeps its port and settings when it is started again; each start has a log of its own.
#[derive(Debug)]
pub struct Program {
    name: String,
    command: Command,
    port: u16,
    place: Place,
    process: Process,
    logs: Vec<PathBuf>,
}

impl Program {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(place: &Place, name: &str, command: Command, port: u16) -> Self {
        let process = Process::start(place, &format!("{name}-1"), &command).expect("a program starts");
        let mut program = Self {
            name: name.to_owned(),
            command,
            port,
            place: place.clone(),
            logs: vec![process.log_path().to_owned()],
            process,
        };
        program.wait_until_ready();
        program
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port of its pages or its health checks.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it runs.
    pub fn alive(&mut self) -> bool {
        self.process.alive()
    }

    /// Another value of a variable of its environment, or none, from its next start on.
    pub fn set_env(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.command.env(name, value),
            None => self.command.env_remove(name),
        };
    }

    /// Starts it again after it has ended, and waits until it is ready.
    pub fn start_again(&mut self) {
        self.start_without_waiting();
        self.wait_until_ready();
    }

    /// Starts it again after it has ended.
    pub fn start_without_waiting(&mut self) {
        assert!(!self.alive(), "{} still runs", self.name);
        let log = format!("{}-{}", self.name, self.logs.len() + 1);
        self.process = Process::start(&self.place, &log, &self.command).expect("a program starts");
        self.logs.push(self.process.log_path().to_owned());
    }

    /// SIGKILL to this one process, as by the kernel when memory is short; its children are left to themselves.
    pub fn kill9(&mut self) {
        assert!(self.alive(), "{} has ended before it was killed", self.name);
        let pid = Pid::from_raw(self.process.pid()).expect("a process id is not 0");
        kill_process(pid, Signal::KILL).expect("our own process can be killed");
        let status = self.process.wait(KILL_LIMIT).expect("it can be waited for");
        assert!(status.is_some(), "{} survived SIGKILL", self.name);
    }

    /// Stops it and its children where they are.
    pub fn freeze(&mut self) {
        self.process.freeze().expect("it can be frozen");
    }

    /// Lets what was frozen go on; where the process itself was killed meanwhile, its children.
    pub fn thaw(&mut self) {
        self.process.thaw().expect("it can be thawed");
    }

    /// SIGTERM; it has to end by itself within the time.
    pub fn terminate(&mut self, grace: Duration) -> ExitStatus {
        self.process
            .terminate(grace)
            .expect("it ends after SIGTERM in time")
    }

    /// SIGTERM; how it ended.
    ///
    /// # Errors
    /// When it had to be killed after the time.
    pub(crate) fn end_after_sigterm(&mut self, grace: Duration) -> Result<ExitStatus, launcher::Error> {
        self.process.terminate(grace)
    }

    /// The process id of its last start.
    pub(crate) fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// How many times it was started.
    pub(crate) fn starts(&self) -> usize {
        self.logs.len()
    }

    /// The last line of its log.
    pub(crate) fn last_line(&self) -> String {
        let tail = self.process.log_tail();
        tail.lines().last().unwrap_or_default().to_owned()
    }

    /// SIGTERM, without waiting.
    pub fn ask_to_end(&mut self) {
        self.process.ask_to_end().expect("a signal can be sent");
    }

    /// Waits until it has ended.
    pub fn wait_for_end(&mut self, limit: Duration) -> ExitStatus {
        let status = self.process.wait(limit).expect("it can be waited for");
        status.unwrap_or_else(|| panic!("{} still runs after {} s", self.name, limit.as_secs()))
    }

    /// Kills it with all its children, whatever state it is in.
    pub(super) fn end_at_once(&mut self) {
        // What survives is ended by the next launcher.
        let _ended = self.process.kill9();
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.process.log_path()).expect("its log can be read")
    }

    /// The logs of all its starts.
    pub(crate) fn logs(&self) -> Vec<PathBuf> {
        self.logs.clone()
    }

    fn wait_until_ready(&mut self) {
        let (name, port) = (self.name.clone(), self.port);
        eventually(LIMIT, &format!("{name} is ready"), || {
            assert!(
                self.process.alive(),
                "{name} has ended: {}",
                self.process.log_tail()
            );
            match launcher::http::get(port, "/readyz") {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(format!("{}: {}", answer.status, answer.body)),
                Err(error) => Err(error.to_string()),
            }
        });
    }
}

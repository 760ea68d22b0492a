//! A coordinator and a worker on top of the servers: what `up` and `demo` run.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use launcher::{Place, Process, free_port, free_port_near, http, run_in_foreground_while, workspace};

use crate::existing::Existing;
use crate::requirements::{Purpose, provide};
use crate::servers::{Database, Servers};
use crate::{cargo, interrupt, say};

/// The dashboard's port, where it is free.
const PORT: u16 = 8080;

/// How long a program may take until it is ready: migrations, connections, a plugin's announcement.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// How long a program may take to end; longer than the grace period that both have by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// The programs that are built, and the packages that hold them.
const BUILD: &str = "build --release -p coordinator -p worker -p cli -p tests \
    --bin coordinator --bin worker --bin taskmanager --bin publish-demo-job";

/// A running stack. Dropping it kills the programs; [`Stack::stop`] lets them end properly.
#[derive(Debug)]
pub(crate) struct Stack {
    // In this order: whoever depends on others ends first.
    worker: Process,
    coordinator: Process,
    servers: Servers,
    port: u16,
}

impl Stack {
    /// Installs, builds and starts everything; jobs may read and write below `root`.
    pub(crate) fn start(place: &Place, root: &Path) -> Result<Self> {
        let existing = Existing::from_environment();
        provide(place, &existing, Purpose::Stack)?;
        cargo::build(place, &BUILD.split_whitespace().collect::<Vec<_>>())?;
        std::fs::create_dir_all(root).with_context(|| format!("cannot create {}", root.display()))?;
        let servers = Servers::start(place, &existing, Database::Jobs)?;
        let port = free_port_near(PORT)?;
        let coordinator = start_coordinator(place, &servers, root, port)?;
        let worker = start_worker(place, &servers, root, port)?;
        Ok(Self {
            worker,
            coordinator,
            servers,
            port,
        })
    }

    /// The dashboard's address, which is the API's as well.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// One of the stack's programs, with the variables that it finds the others by.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self::program(program));
        command
            .envs(self.servers.variables())
            .env("TASKMANAGER_URL", self.url());
        command
    }

    /// Runs a program with our terminal, as long as the stack is all there.
    pub(crate) fn run_in_foreground(&mut self, place: &Place, command: &Command) -> Result<ExitStatus> {
        Ok(run_in_foreground_while(place, command, || self.expect_running())?)
    }

    fn expect_running(&mut self) -> Result<(), launcher::Error> {
        self.servers.expect_running()?;
        self.coordinator.expect_running()?;
        self.worker.expect_running()
    }

    /// Waits for Ctrl-C.
    ///
    /// # Errors
    /// When a program ends by itself meanwhile.
    pub(crate) fn run_until_interrupted(&mut self, place: &Place) -> Result<()> {
        while !interrupt::came(place) {
            self.expect_running()?;
        }
        Ok(())
    }

    /// Ends the programs as an operator would, then the servers.
    pub(crate) fn stop(mut self) -> Result<()> {
        say::progress("stopping");
        let worker = self.worker.terminate(STOP_LIMIT);
        let coordinator = self.coordinator.terminate(STOP_LIMIT);
        drop(self.servers);
        for (name, status) in [("worker", worker?), ("coordinator", coordinator?)] {
            if !status.success() {
                bail!("the {name} did not end cleanly ({status})");
            }
        }
        Ok(())
    }
}

fn start_coordinator(place: &Place, servers: &Servers, root: &Path, port: u16) -> Result<Process> {
    let since = Instant::now();
    let mut command = Command::new(program("coordinator"));
    command
        .envs(servers.variables())
        .env("TASKMANAGER_LISTEN", format!("127.0.0.1:{port}"))
        .env("TASKMANAGER_WITHOUT_LOGIN", "true")
        .env("TASKMANAGER_ROOTS", root)
        .env("TASKMANAGER_TEMPLATES", workspace().join("deploy/templates.toml"));
    let mut process = Process::start(place, "coordinator", &command)?;
    process.wait_until(READY_LIMIT, || {
        http::get(port, "/readyz").is_ok_and(|answer| answer.status == 200)
    })?;
    say::ready(&format!("coordinator on port {port}"), since);
    Ok(process)
}

fn start_worker(place: &Place, servers: &Servers, root: &Path, port: u16) -> Result<Process> {
    let since = Instant::now();
    let health = free_port()?;
    let mut command = Command::new(program("worker"));
    command
        .envs(servers.variables())
        // A worker has no business with the database, nor with the broker's management.
        .env_remove("DATABASE_URL")
        .env_remove("AMQP_MANAGEMENT_URL")
        .env("TASKMANAGER_WORKER_LISTEN", format!("127.0.0.1:{health}"))
        .env("TASKMANAGER_ROOTS", root)
        .env("TASKMANAGER_SCRATCH", place.path().join("scratch"));
    let mut process = Process::start(place, "worker", &command)?;
    process.wait_until(READY_LIMIT, || is_ready(health))?;
    // A job of a plugin that the coordinator has never heard of would be refused.
    let announced = || http::get(port, "/api/v1/plugins").is_ok_and(|answer| has_ocr_worker(&answer.body));
    process.wait_until(READY_LIMIT, announced)?;
    say::ready("worker", since);
    Ok(process)
}

/// Whether the program that listens on this port says that it can work.
fn is_ready(port: u16) -> bool {
    http::get(port, "/readyz").is_ok_and(|answer| answer.status == 200)
}

/// Whether the list of plugins has OCR with a worker. It is read as text: a parser would cost more than this look is worth.
fn has_ocr_worker(plugins: &str) -> bool {
    let plugins: String = plugins.split_whitespace().collect();
    let ocr = plugins
        .split('{')
        .find(|plugin| plugin.contains(r#""name":"OCR""#));
    ocr.is_some_and(|plugin| plugin.contains(r#""workers":"#) && !plugin.contains(r#""workers":0"#))
}

fn program(name: &str) -> PathBuf {
    cargo::programs("release").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worker_is_ready_once_its_plugin_counts_a_worker() {
        let list = |workers: u8| {
            format!(
                r#"{{"plugins": [{{"name": "NOOP", "workers": 1}}, {{"name": "OCR", "workers": {workers}}}]}}"#
            )
        };
        assert!(has_ocr_worker(&list(1)));
        assert!(!has_ocr_worker(&list(0)));
        assert!(!has_ocr_worker(r#"{"plugins": []}"#));
    }
}

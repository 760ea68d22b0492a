//! A private Prometheus, which reads the figures of programs on this machine.
//!
//! It listens on 127.0.0.1 only, on a port that stays the same as long as the value lives, and keeps what it reads in a
//! folder of the place.
//! Rules are copied there first: as root the server runs as a user of its own, which often may not enter the workspace.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::{Account, give};
use crate::process::{Environment, Launch, Process};
use crate::{Error, Place, http, ports, secret};

/// How long a start may take: it looks for its targets every five seconds, and a busy machine makes it more.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The server's name in messages, its log's and its folder's name, and the system user that it runs as when we are root.
const NAME: &str = "prometheus";

/// Where the distribution's package has the program.
const PROGRAM: &str = "/usr/bin/prometheus";

/// What a private Prometheus reads.
#[derive(Debug, Clone)]
pub struct PrometheusOptions {
    /// The programs, by the label `job` that their figures get, and their ports on 127.0.0.1.
    pub targets: Vec<(String, Vec<u16>)>,
    /// Files of rules.
    pub rules: Vec<PathBuf>,
    /// How often figures are read and rules are evaluated.
    pub interval: Duration,
}

/// A running Prometheus. Dropping it ends it; the data stays where the place keeps it.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    /// Ends with this value.
    _process: Process,
}

impl Prometheus {
    /// Starts it and waits until it is ready and knows what to read.
    ///
    /// # Errors
    /// [`Error::Missing`] when it is not installed; else what kept it from starting.
    pub fn start(place: &Place, options: &PrometheusOptions) -> Result<Self, Error> {
        if !Self::is_installed() {
            return Err(Error::Missing {
                what: "Prometheus".into(),
                advice: "install the package prometheus".into(),
            });
        }
        let account = Account::for_server(NAME)?;
        let folder = prepare(place, account.as_ref())?;
        let config = write_settings(&folder, options, account.as_ref())?;
        let port = ports::free_port()?;
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(&folder)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let launch = Launch {
            name: NAME,
            command: &command,
            account: account.as_ref(),
            environment: Environment::Clean,
            continue_log: false,
        };
        let mut process = Process::launch(place, &launch)?;
        process.wait_until(START_LIMIT, || is_ready(port, options))?;
        Ok(Self {
            port,
            _process: process,
        })
    }

    /// Whether it is installed.
    pub fn is_installed() -> bool {
        Path::new(PROGRAM).exists()
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn is_ready(port: u16, options: &PrometheusOptions) -> bool {
    let answer = |path| http::get(port, path).ok().filter(|answer| answer.status == 200);
    let mut ports = options.targets.iter().flat_map(|(_, ports)| ports);
    answer("/-/ready").is_some()
        && answer("/api/v1/targets")
            .is_some_and(|targets| ports.all(|port| targets.body.contains(&format!("127.0.0.1:{port}"))))
}

/// Its own folder in the place.
fn prepare(place: &Place, account: Option<&Account>) -> Result<PathBuf, Error> {
    let folder = place.path().join(NAME);
    fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
        .map_err(Error::file("protect", &folder))?;
    give(&folder, account)?;
    Ok(folder)
}

/// Copies the rules and writes the settings; gives their file.
fn write_settings(
    folder: &Path,
    options: &PrometheusOptions,
    account: Option<&Account>,
) -> Result<PathBuf, Error> {
    let mut rules = Vec::new();
    for file in &options.rules {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(file).map_err(Error::file("read", file))?;
        let copy = folder.join(&name);
        secret::write_private(&copy, &text)?;
        give(&copy, account)?;
        rules.push(name);
    }
    let config = folder.join("prometheus.yml");
    secret::write_private(&config, &settings(options, &rules))?;
    give(&config, account)?;
    Ok(config)
}

fn settings(options: &PrometheusOptions, rules: &[String]) -> String {
    let milliseconds = options.interval.as_millis();
    let mut text = format!(
        "\
# Written anew at every start.
global:
  scrape_interval: {milliseconds}ms
  scrape_timeout: {milliseconds}ms
  evaluation_interval: {milliseconds}ms
rule_files: {rules:?}
scrape_configs:
"
    );
    for (job, ports) in &options.targets {
        let targets: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "  - job_name: {job:?}\n    static_configs: [{{ targets: {targets:?} }}]"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_prometheus_reads_on_loopback_what_it_is_told_to_and_ends_with_its_value() {
        let place = Place::temporary("prometheus").unwrap();
        let rules = place.path().join("one.yml");
        fs::write(
            &rules,
            "groups: [{ name: one, rules: [{ record: one, expr: vector(1) }] }]\n",
        )
        .unwrap();
        let nobody = ports::free_port().unwrap();
        let options = PrometheusOptions {
            targets: vec![("nobody".to_owned(), vec![nobody])],
            rules: vec![rules],
            interval: Duration::from_secs(1),
        };
        let prometheus = Prometheus::start(&place, &options).unwrap();
        let targets = http::get(prometheus.port(), "/api/v1/targets").unwrap().body;
        assert!(targets.contains(&format!("127.0.0.1:{nobody}")), "{targets}");
        let rules = http::get(prometheus.port(), "/api/v1/rules").unwrap().body;
        assert!(rules.contains("\"query\":\"vector(1)\""), "{rules}");
        let port = prometheus.port();
        drop(prometheus);
        assert!(http::get(port, "/-/ready").is_err(), "it still answers");
    }
}

//! The launcher killed with SIGKILL in the middle: what it started is gone, at the latest after the next start.
//!
//! The launcher that dies is this test program itself, started once more to run [`crashing_launcher`] alone.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::process::tree::{self, Ident};
use crate::{Place, Postgres, PostgresOptions, Process, RabbitMq};

/// Far more than the kernel needs to kill a process.
const LIMIT: Duration = Duration::from_secs(20);

/// Names the place that [`crashing_launcher`] opens; without it that test does nothing.
const PLACE: &str = "LAUNCHER_TEST_CRASH_PLACE";

/// Runs only inside the program that the tests below start and kill.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a message from one test process to another"
)]
#[expect(clippy::print_stdout, reason = "the other test process reads it")]
fn crashing_launcher() {
    let Ok(name) = std::env::var(PLACE) else { return };
    let temporary = Place::temporary("crash-temporary").unwrap();
    let place = Place::open(&name).unwrap();
    let mut postgres = Postgres::start(&temporary, PostgresOptions { durable: false }).unwrap();
    let broker = RabbitMq::start(&place).unwrap();
    // Neither its parent's death nor the process group reaches this one.
    let mut command = Command::new("sh");
    command.args(["-c", "setsid sleep 600 & wait"]);
    let stray = Process::start(&place, "stray", &command).unwrap();
    let roots = [postgres.pid(), broker.pid(), stray.pid()].map(|pid| Ident::of(pid).unwrap());
    while tree::family(roots[2]).len() < 2 {
        std::thread::yield_now();
    }
    let all: Vec<Ident> = roots.iter().copied().flat_map(tree::family).collect();
    // Frozen, its children don't notice that the postmaster dies.
    postgres.freeze().unwrap();
    let ports = broker.ports().map(|port| port.to_string()).join(" ");
    println!(
        "\nREADY\n{}\n{ports}\n{}\n{}",
        temporary.path().display(),
        listed(&roots),
        listed(&all)
    );
    loop {
        std::thread::park();
    }
}

fn listed(idents: &[Ident]) -> String {
    idents
        .iter()
        .map(|ident| format!("{}:{}", ident.pid, ident.start))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What the other launcher told before it was killed.
struct Crashed {
    launcher: Child,
    temporary: PathBuf,
    ports: Vec<u16>,
    /// What it started itself.
    roots: Vec<Ident>,
    /// That and all that came of it.
    started: Vec<Ident>,
}

fn start_launcher(place: &str) -> Crashed {
    let mut launcher = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::crashing_launcher", "--nocapture"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(launcher.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    lines
        .find(|line| line == "READY")
        .expect("the other launcher started everything");
    let temporary = PathBuf::from(lines.next().unwrap());
    let ports = lines
        .next()
        .unwrap()
        .split(' ')
        .map(|port| port.parse().unwrap())
        .collect();
    let ident = |text: &str| {
        let (pid, start) = text.split_once(':').unwrap();
        Ident {
            pid: pid.parse().unwrap(),
            start: start.parse().unwrap(),
        }
    };
    let mut next_list = || lines.next().unwrap().split(' ').map(ident).collect();
    let (roots, started) = (next_list(), next_list());
    Crashed {
        launcher,
        temporary,
        ports,
        roots,
        started,
    }
}

/// Ends and removes what the other launcher left, also when the test fails half-way.
struct Remains(String);

impl Drop for Remains {
    fn drop(&mut self) {
        // A second panic would hide the first.
        if let Ok(place) = Place::open(&self.0) {
            let _ = fs::remove_dir_all(place.path());
        }
    }
}

/// A process that is nobody's leftover; ended with the test.
struct Bystander(Ident, Child);

impl Bystander {
    fn start() -> Self {
        let silent = Stdio::null;
        let child = Command::new("sleep")
            .arg("600")
            .stdout(silent())
            .stderr(silent())
            .spawn()
            .unwrap();
        Self(Ident::of(i32::try_from(child.id()).unwrap()).unwrap(), child)
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.1.kill().and_then(|()| self.1.wait()).unwrap();
    }
}

/// The addresses that this port is listened on, as `/proc/net` writes them.
fn listening_addresses(port: u16) -> BTreeSet<String> {
    let suffix = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| {
            fs::read_to_string(table)
                .unwrap()
                .lines()
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
            (state == "0A").then(|| local.strip_suffix(&suffix).map(str::to_owned))?
        })
        .collect()
}

#[test]
fn what_a_killed_launcher_started_is_ended_by_the_next_one_and_nothing_else_is() {
    let name = format!("crash-test-{}", std::process::id());
    let _remains = Remains(name.clone());
    let mut crashed = start_launcher(&name);

    // 127.0.0.1 and ::1 in the kernel's notation.
    let loopback = BTreeSet::from([
        "0100007F".to_owned(),
        "00000000000000000000000001000000".to_owned(),
    ]);
    for port in &crashed.ports {
        let addresses = listening_addresses(*port);
        assert!(!addresses.is_empty(), "nobody listens on port {port}");
        assert!(
            addresses.is_subset(&loopback),
            "port {port} is reachable from outside: {addresses:?}"
        );
    }

    let bystander = Bystander::start();
    crashed.launcher.kill().unwrap();
    crashed.launcher.wait().unwrap();
    assert!(
        tree::wait_gone(&crashed.roots, LIMIT),
        "the kernel did not kill what the launcher had started itself"
    );
    let survivors = |started: &[Ident]| -> Vec<i32> {
        started
            .iter()
            .filter(|ident| ident.runs())
            .map(|ident| ident.pid)
            .collect()
    };
    assert!(
        !survivors(&crashed.started).is_empty(),
        "nothing was left to be ended, so this test shows nothing"
    );

    let place = Place::open(&name).unwrap();

    assert_eq!(survivors(&crashed.started), Vec::<i32>::new());
    assert!(!place.ended_leftovers().is_empty());
    assert!(!crashed.temporary.exists(), "the temporary place is still there");
    for port in crashed.ports {
        assert_eq!(
            listening_addresses(port),
            BTreeSet::new(),
            "somebody still listens on port {port}"
        );
    }
    assert!(
        bystander.0.runs(),
        "a process that was not the launcher's was killed"
    );
}

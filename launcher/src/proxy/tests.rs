//! Each mode before a real server, seen by PostgreSQL's own client.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::*;
use crate::{Place, Postgres, PostgresOptions};

/// For what has no reason to take longer.
const LIMIT: Duration = Duration::from_secs(30);

/// Silence is shown by waiting for this long; an answer takes milliseconds.
const SILENCE: Duration = Duration::from_millis(700);

struct Site {
    proxy: Proxy,
    server: Postgres,
    _place: Place,
}

fn site(name: &str) -> Site {
    let place = Place::temporary(name).unwrap();
    let server = Postgres::start(&place, PostgresOptions { durable: false }).unwrap();
    let proxy = Proxy::before_postgres(server.port()).unwrap();
    Site {
        proxy,
        server,
        _place: place,
    }
}

/// A client with an open connection.
struct Session {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Site {
    fn session(&self) -> Session {
        let mut command = self.server.psql(self.proxy.port());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Session { child, input, lines }
    }

    /// What the server says to somebody who does not come through the proxy.
    fn directly(&self, statement: &str) -> String {
        let output = self
            .server
            .psql(self.server.port())
            .args(["--command", statement])
            .output()
            .unwrap();
        assert!(output.status.success(), "{statement}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Session {
    fn say(&mut self, statement: &str) {
        writeln!(self.input, "{statement}").unwrap();
    }

    fn hears(&self, expected: &str) {
        assert_eq!(self.lines.recv_timeout(LIMIT).as_deref(), Ok(expected));
    }

    fn hears_nothing(&self) {
        assert_eq!(
            self.lines.recv_timeout(SILENCE),
            Err(RecvTimeoutError::Timeout),
            "it has heard something, or has ended"
        );
    }

    /// Waits for the client's end, without another word.
    fn ends(&mut self) -> ExitStatus {
        assert_eq!(
            self.lines.recv_timeout(LIMIT),
            Err(RecvTimeoutError::Disconnected)
        );
        self.child.wait().unwrap()
    }
}

#[test]
fn a_network_that_passes_carries_questions_and_large_answers() {
    let site = site("proxy-pass");
    let mut session = site.session();
    session.say("SELECT length(repeat('x', 3000000)), repeat('x', 3000000) = repeat('x', 3000000);");
    session.hears("3000000|t");
    session.say("SELECT repeat('y', 300000);");
    session.hears(&"y".repeat(300_000));
}

#[test]
fn a_stalled_network_keeps_everything_and_delivers_it_later() {
    let site = site("proxy-stall");
    let mut session = site.session();
    session.say("SELECT 1;");
    session.hears("1");
    site.proxy.set(Mode::Stall);
    session.say("SELECT 2;");
    session.hears_nothing();
    site.proxy.set(Mode::Pass);
    session.hears("2");
    session.say("SELECT 3;");
    session.hears("3");
}

#[test]
fn a_cut_network_ends_connections_and_takes_new_ones_only_afterwards() {
    for mode in [Mode::Cut, Mode::Reset] {
        let site = site("proxy-cut");
        let mut session = site.session();
        session.say("SELECT 1;");
        session.hears("1");
        site.proxy.set(mode);
        session.say("SELECT 2;");
        assert!(!session.ends().success(), "{mode:?}");
        assert!(!site.session().ends().success(), "{mode:?}");
        site.proxy.set(Mode::Pass);
        let mut session = site.session();
        session.say("SELECT 3;");
        session.hears("3");
    }
}

#[test]
fn a_reset_network_says_so_and_a_cut_one_just_ends() {
    use std::io::Read;
    for (mode, expected) in [
        (Mode::Cut, Ok(0)),
        (Mode::Reset, Err(std::io::ErrorKind::ConnectionReset)),
    ] {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Proxy::before(server.local_addr().unwrap().port()).unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        client.write_all(b"a").unwrap();
        let mut byte = [0];
        accepted.read_exact(&mut byte).unwrap();
        proxy.set(mode);
        for stream in [&mut client, &mut accepted] {
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            assert_eq!(stream.read(&mut byte).map_err(|error| error.kind()), expected);
        }
    }
}

#[test]
fn a_black_hole_takes_everything_and_what_it_took_never_arrives() {
    let site = site("proxy-blackhole");
    site.directly("CREATE TABLE said (what text)");
    let mut session = site.session();
    session.say("SELECT 1;");
    session.hears("1");
    site.proxy.set(Mode::Blackhole);
    session.say("INSERT INTO said VALUES ('into the hole') RETURNING what;");
    session.hears_nothing();
    site.proxy.set(Mode::Pass);
    assert!(!session.ends().success());
    assert_eq!(site.directly("SELECT count(*) FROM said"), "0");
}

#[test]
fn the_answer_to_a_commit_is_cut_off_and_the_commit_has_happened() {
    let site = site("proxy-commit");
    site.directly("CREATE TABLE said (what text)");
    site.proxy.cut_after_commits(1);
    let mut session = site.session();
    session.say("BEGIN;\nINSERT INTO said VALUES ('rolled back');\nROLLBACK;");
    session.say("BEGIN;\nINSERT INTO said VALUES ('committed') RETURNING what;");
    for line in [
        "BEGIN",
        "INSERT 0 1",
        "ROLLBACK",
        "BEGIN",
        "committed",
        "INSERT 0 1",
    ] {
        session.hears(line);
    }
    assert_eq!(site.proxy.commits_cut(), 0);
    session.say("COMMIT;");
    assert!(!session.ends().success());
    assert_eq!(site.directly("SELECT what FROM said"), "committed");
    assert_eq!(site.proxy.commits_cut(), 1);

    let mut session = site.session();
    session.say("BEGIN;\nCOMMIT;");
    session.hears("BEGIN");
    session.hears("COMMIT");
}

//! One's own account without a browser.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use tests::Cluster;

use crate::door::{ANNA, PASSWORD, come_in};

/// Runs `taskmanager account` with these lines as its standard input.
fn account(cluster: &Cluster, arguments: &[&str], typed: &str) -> Output {
    let mut command = cluster.taskmanager(&["account"]);
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn says(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn people_change_their_own_password_and_end_their_own_sessions_by_the_command_line() {
    const NEW: &str = "fünf neue Seiten";
    let cluster = Cluster::named("account").with_login().start();
    let browser = cluster.browser();
    come_in(&cluster, &browser);
    let dashboard = format!("{}/", cluster.api().base());
    let sessions = |number: i64| assert_eq!(cluster.count("SELECT count(*) FROM sessions"), number);

    let file = cluster.folder().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let show = ["show", "--user", "anna bauer", "--password-file"];
    let shown = says(&account(
        &cluster,
        &[&show[..], &[file.to_str().unwrap()]].concat(),
        "",
    ));
    assert!(shown.starts_with("Anna Bauer: admin, plugins: all\n"), "{shown}");
    assert_eq!(shown.matches("Chrome").count(), 1, "{shown}");
    sessions(1);

    let set = ["set-password", "--user", ANNA];
    let wrong = account(&cluster, &set, &format!("geraten\n{NEW}\n"));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(
        (wrong.status.code(), told.as_str()),
        (Some(2), "taskmanager: name and password do not match\n")
    );
    let short = account(&cluster, &set, &format!("{PASSWORD}\nkurz\n"));
    assert!(
        String::from_utf8(short.stderr).unwrap().contains("too short"),
        "a new password is looked at as on the page"
    );
    sessions(1);
    browser.open(&dashboard);
    assert_eq!(browser.path(), "/");

    let new_file = cluster.folder().join("new-password");
    fs::write(&new_file, format!("{NEW}\n")).unwrap();
    let with_file = [&set[..], &["--new-password-file", new_file.to_str().unwrap()]].concat();
    let changed = account(&cluster, &with_file, &format!("{PASSWORD}\n"));
    assert_eq!(says(&changed), "the password was changed\n");
    browser.open(&dashboard);
    assert_eq!(browser.path(), "/login?next=/", "the browser is logged out");
    assert_eq!(
        account(&cluster, &["show", "--user", ANNA], &format!("{PASSWORD}\n"))
            .status
            .code(),
        Some(2)
    );
    let audit = "SELECT count(*) FROM audit_log
        WHERE action = 'change_own_password' AND actor = 'Anna Bauer' AND outcome = 'done'";
    assert_eq!(cluster.count(audit), 1);

    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", NEW);
    browser.follow("main form button");
    assert_eq!(browser.path(), "/");
    let shown = account(&cluster, &["show", "--json", "--user", ANNA], &format!("{NEW}\n"));
    let shown: serde_json::Value = serde_json::from_str(&says(&shown)).unwrap();
    let other = shown["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["is_this"] == false)
        .unwrap();
    let id = other["id"].as_str().unwrap();
    let ended = account(
        &cluster,
        &["end-sessions", "--user", ANNA, id],
        &format!("{NEW}\n"),
    );
    assert_eq!(says(&ended), format!("{id}: logged out\n"));
    browser.open(&dashboard);
    assert_eq!(browser.path(), "/login?next=/");
    sessions(0);
    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", NEW);
    browser.follow("main form button");
    let ended = account(&cluster, &["end-sessions", "--user", ANNA], &format!("{NEW}\n"));
    assert_eq!(says(&ended), "logged out everywhere\n");
    sessions(0);
    let nowhere = account(&cluster, &["show", "--user", ANNA], &format!("{NEW}\n"));
    assert!(says(&nowhere).contains("Logged in nowhere else."));
}

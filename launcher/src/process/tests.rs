//! Processes as such, with small shell scripts in the servers' stead.

use std::process::Command;
use std::time::Duration;

use super::*;

/// Far more than any of these scripts needs; reached only when something is broken.
const LIMIT: Duration = Duration::from_secs(20);

fn script(place: &Place, name: &str, text: &str) -> Process {
    let mut process = Process::start(place, name, Command::new("sh").args(["-c", text])).unwrap();
    wait_for_line(&mut process, "ready");
    process
}

/// Waits until the log has this line; the scripts print it when their traps and children are in place.
fn wait_for_line(process: &mut Process, line: &str) {
    let log = process.log_path().to_owned();
    let written = || fs::read_to_string(&log).is_ok_and(|text| text.lines().any(|found| found == line));
    process.wait_until(LIMIT, written).unwrap();
}

/// The state letters of the process and its descendants, as `/proc` shows them.
fn states(root: Ident) -> Vec<String> {
    let state = |ident: Ident| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", ident.pid)).unwrap();
        stat.rsplit_once(") ").unwrap().1[..1].to_owned()
    };
    tree::family(root).into_iter().map(state).collect()
}

#[test]
fn a_process_outlives_the_thread_that_started_it() {
    let place = Place::temporary("thread").unwrap();
    let thread = std::thread::spawn({
        let place = place.clone();
        move || script(&place, "long", "echo ready; exec sleep 600")
    });
    let mut process = thread.join().unwrap();
    assert_eq!(process.wait(Duration::from_millis(300)).unwrap(), None);
}

#[test]
fn a_process_that_heeds_sigterm_ends_with_its_own_exit_code() {
    let place = Place::temporary("term").unwrap();
    let mut process = script(
        &place,
        "polite",
        "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done",
    );
    let status = process.terminate(LIMIT).unwrap();
    assert_eq!(status.code(), Some(7));
    assert!(!process.alive());
}

#[test]
fn a_process_that_ignores_sigterm_is_killed_and_reported() {
    let place = Place::temporary("stubborn").unwrap();
    let mut process = script(
        &place,
        "stubborn",
        "trap '' TERM; echo ready; while :; do sleep 0.05; done",
    );
    let error = process.terminate(Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, Error::StillRunning { .. }), "{error}");
    assert!(!process.alive());
}

#[test]
fn kill_9_reaches_descendants_that_left_the_process_group() {
    let place = Place::temporary("tree").unwrap();
    let mut process = script(
        &place,
        "tree",
        "setsid sleep 600 & setsid sh -c 'sleep 600 & wait' & echo ready; wait",
    );
    let family = tree::family(process.ident);
    process.kill9().unwrap();
    assert!(family.len() > 3, "the script has children: {family:?}");
    let survivors: Vec<_> = family.into_iter().filter(|ident| ident.runs()).collect();
    assert_eq!(survivors, []);
}

#[test]
fn freezing_stops_the_whole_tree_and_thawing_lets_it_go_on() {
    let place = Place::temporary("ice").unwrap();
    let mut process = script(&place, "ice", "setsid sleep 600 & echo ready; wait");
    let root = process.ident;
    process.freeze().unwrap();
    // A signal acts when its process is next given a core.
    let all_stand = || states(root).iter().all(|state| state == "T");
    process.wait_until(LIMIT, all_stand).unwrap();
    assert!(process.alive());
    process.thaw().unwrap();
    let none_stands = || states(root).iter().all(|state| state != "T");
    process.wait_until(LIMIT, none_stands).unwrap();
}

#[test]
fn a_frozen_process_can_be_ended() {
    let place = Place::temporary("frozen").unwrap();
    let mut process = script(&place, "frozen", "echo ready; exec sleep 600");
    process.freeze().unwrap();
    process.terminate(LIMIT).unwrap();
    assert!(!process.alive());
}

#[test]
fn a_server_that_dies_while_it_is_waited_for_is_reported_with_the_end_of_its_log() {
    let place = Place::temporary("dead").unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo 'the disk is on fire' >&2; exit 3"]);
    let mut process = Process::start(&place, "dead", &command).unwrap();
    let error = process.wait_until(LIMIT, || false).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("dead ended by itself (exit status: 3)"),
        "{message}"
    );
    assert!(message.contains("| the disk is on fire"), "{message}");
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_the_start() {
    let place = Place::temporary("absent").unwrap();
    let error = Process::start(&place, "absent", &Command::new("/usr/bin/no such program")).unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
}

#[test]
fn the_log_of_the_last_run_is_kept_aside() {
    let place = Place::temporary("log").unwrap();
    drop(script(&place, "log", "echo first; echo ready; exec sleep 600"));
    drop(script(&place, "log", "echo second; echo ready; exec sleep 600"));
    let now = fs::read_to_string(place.log_path("log")).unwrap();
    let before = fs::read_to_string(place.log_path("log").with_added_extension("1")).unwrap();
    assert_eq!(
        (before.as_str(), now.as_str()),
        ("first\nready\n", "second\nready\n")
    );
}

#[test]
fn an_interrupt_ends_a_program_in_the_foreground_with_its_children() {
    let place = Place::temporary("front").unwrap();
    let marker = place.path().join("child");
    let text = format!("sleep 600 & echo $! >'{}'; wait", marker.display());
    let interrupt = place.interrupt_flag();
    let watcher = std::thread::spawn({
        let marker = marker.clone();
        move || {
            while fs::read_to_string(&marker).unwrap_or_default().is_empty() {
                std::thread::yield_now();
            }
            interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let result = run_in_foreground(&place, Command::new("sh").args(["-c", &text]));
    watcher.join().unwrap();
    assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    let child = fs::read_to_string(&marker).unwrap().trim().parse().unwrap();
    let gone = Ident::of(child).is_none_or(|ident| tree::wait_gone(&[ident], LIMIT));
    assert!(gone, "process {child} still runs");
}

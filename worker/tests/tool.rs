//! The tool runner and its wrapper with real processes: whatever happens, none of a tool's processes is left.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, with helpers outside their functions"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use worker::tool::{Ended, Error, Output, Tool, Wrapper};

/// How long a killed tree may take to be gone on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// Starts a grandchild in a session of its own that ignores SIGTERM, and goes on itself; both tell their ids.
const STUBBORN_TREE: &str = "setsid sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 60; done' & \
     echo pid $$; while :; do sleep 60; done";

fn wrapper() -> Wrapper {
    Wrapper::at(env!("CARGO_BIN_EXE_worker"))
}

fn script(scratch: &Path, script: &str) -> Tool {
    Tool::new(&wrapper(), "sh", scratch).args(["-c", script])
}

async fn run(script_text: &str) -> (Ended, Vec<(Output, String)>) {
    let (scratch, lines) = (tempfile::tempdir().unwrap(), Mutex::new(Vec::new()));
    let ended = script(scratch.path(), script_text)
        .run(&CancellationToken::new(), |output, line| {
            lines.lock().unwrap().push((output, line.to_owned()));
        })
        .await
        .unwrap();
    (ended, lines.into_inner().unwrap())
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < end, "not within {SOON:?}: {what}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn the_exit_code_and_both_outputs_arrive() {
    let (ended, mut lines) = run("echo out; echo problem >&2; exit 7").await;
    lines.sort_by_key(|(_, line)| line.clone());
    assert_eq!(
        lines,
        [
            (Output::Stdout, "out".to_owned()),
            (Output::Stderr, "problem".to_owned())
        ]
    );
    assert_eq!(ended.describe(), "exit code 7: problem");
    let (killed, _) = run("kill -SEGV $$").await;
    assert_eq!(killed.code, 128 + 11);
}

#[tokio::test]
async fn a_tool_sees_no_more_of_the_workers_surroundings_than_it_needs() {
    let scratch = tempfile::tempdir().unwrap();
    let ended = Tool::new(&wrapper(), "env", scratch.path())
        .env("OMP_THREAD_LIMIT", "1")
        .capture(10_000)
        .run(&CancellationToken::new(), |_, _| ())
        .await
        .unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "OMP_THREAD_LIMIT", "PATH", "TMPDIR"]);
    let (_, lines) = run("read x; echo \"input: $?\"; ulimit -c; grep NoNewPrivs /proc/self/status").await;
    let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["input: 1", "0", "NoNewPrivs:\t1"]);
}

#[tokio::test]
async fn arguments_reach_the_program_as_they_are() {
    let scratch = tempfile::tempdir().unwrap();
    let odd = ["a b", "$HOME", "; echo x", "", "--", "'\"", "-n"];
    let ended = Tool::new(&wrapper(), "printf", scratch.path())
        .args(["%s|"])
        .args(odd)
        .capture(1_000)
        .run(&CancellationToken::new(), |_, _| ())
        .await
        .unwrap();
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), odd.join("|") + "|");
}

#[tokio::test]
async fn a_chatty_tool_is_drained_and_bounded() {
    let scratch = tempfile::tempdir().unwrap();
    let ended = script(scratch.path(), "head -c 5000000 /dev/zero | tee /dev/stderr")
        .capture(1_000)
        .run(&CancellationToken::new(), |_, line| assert!(line.len() <= 12_000))
        .await
        .unwrap();
    assert_eq!((ended.code, ended.stdout.len()), (0, 1_000));
}

#[tokio::test]
async fn what_a_tool_leaves_behind_is_killed_before_it_counts_as_ended() {
    let (ended, lines) = run("setsid sh -c 'trap \"\" TERM; while :; do sleep 60; done' & echo $!").await;
    assert_eq!(ended.code, 0);
    let [(_, pid)] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert!(!alive(pid), "process {pid} has outlived its tool");
}

#[tokio::test]
async fn after_a_stop_no_process_is_left_not_even_one_that_ignores_sigterm_in_its_own_session() {
    let (scratch, stop, pids) = (
        tempfile::tempdir().unwrap(),
        CancellationToken::new(),
        Mutex::new(Vec::new()),
    );
    let outcome = script(scratch.path(), STUBBORN_TREE)
        .grace(Duration::from_millis(200))
        .run(&stop, |_, line| {
            let mut pids = pids.lock().unwrap();
            pids.push(line.trim_start_matches("pid ").to_owned());
            if pids.len() == 2 {
                stop.cancel();
            }
        })
        .await;
    assert!(matches!(outcome, Err(Error::Stopped)), "{outcome:?}");
    for pid in pids.lock().unwrap().iter() {
        assert!(!alive(pid), "process {pid} has outlived the stop");
    }
}

#[tokio::test]
async fn a_tool_that_ends_on_sigterm_is_given_the_time_to() {
    let (scratch, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let said = Mutex::new(Vec::new());
    let tool = script(
        scratch.path(),
        "trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
    );
    let outcome = tool
        .grace(SOON)
        .run(&stop, |_, line| {
            said.lock().unwrap().push(line.to_owned());
            stop.cancel();
        })
        .await;
    assert!(matches!(outcome, Err(Error::Stopped)), "{outcome:?}");
    assert_eq!(said.lock().unwrap().last().map(String::as_str), Some("tidied"));
}

#[tokio::test]
async fn a_tool_that_runs_too_long_is_ended_and_named() {
    let scratch = tempfile::tempdir().unwrap();
    let tool = script(scratch.path(), "exec sleep 600").limit(Duration::from_millis(100));
    let error = tool.run(&CancellationToken::new(), |_, _| ()).await.unwrap_err();
    assert_eq!(error.to_string(), "sh was ended because it ran longer than 0 s");
}

#[tokio::test]
async fn a_missing_program_is_named_with_what_to_do() {
    let scratch = tempfile::tempdir().unwrap();
    let tool = Tool::new(&wrapper(), "no-such-program", scratch.path());
    let error = tool.run(&CancellationToken::new(), |_, _| ()).await.unwrap_err();
    assert!(
        error.to_string().contains("no-such-program is not installed"),
        "{error}"
    );
}

#[tokio::test]
async fn when_the_future_is_dropped_the_tree_dies() {
    let (scratch, stop, pids) = (
        tempfile::tempdir().unwrap(),
        CancellationToken::new(),
        Mutex::new(Vec::new()),
    );
    let both = tokio::sync::Notify::new();
    let tool = script(scratch.path(), STUBBORN_TREE);
    tokio::select! {
        _ = tool.run(&stop, |_, line| {
            let mut pids = pids.lock().unwrap();
            pids.push(line.trim_start_matches("pid ").to_owned());
            if pids.len() == 2 {
                both.notify_one();
            }
        }) => panic!("it never ends by itself"),
        () = both.notified() => {}
    }
    let pids = pids.into_inner().unwrap();
    eventually("the tree is gone", || pids.iter().all(|pid| !alive(pid)));
}

/// Set for the process that the next test starts and kills.
const PARENT_FOLDER: &str = "TOOL_TEST_PARENT_FOLDER";

/// Not a test by itself: the body of the process that the next one kills.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "how a test tells its own child process what to do"
)]
async fn parent_to_be_killed() {
    let Some(folder) = std::env::var_os(PARENT_FOLDER) else {
        return;
    };
    let pids = Path::new(&folder).join("pids");
    let told = Mutex::new(Vec::new());
    let tool = script(Path::new(&folder), STUBBORN_TREE);
    let outcome = tool
        .run(&CancellationToken::new(), |_, line| {
            let mut told = told.lock().unwrap();
            told.push(line.trim_start_matches("pid ").to_owned());
            if told.len() == 2 {
                std::fs::write(pids.with_extension("new"), told.join(" ")).unwrap();
                std::fs::rename(pids.with_extension("new"), &pids).unwrap();
            }
        })
        .await;
    panic!("it never ends by itself: {outcome:?}");
}

#[test]
fn after_kill_9_of_the_worker_no_process_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "parent_to_be_killed"])
        .env(PARENT_FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let file = folder.path().join("pids");
    eventually("the tree has started", || file.exists());
    let told = std::fs::read_to_string(&file).unwrap();
    let pids: Vec<&str> = told.split(' ').collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| alive(pid)), "{pids:?}");
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the tree is gone", || pids.iter().all(|pid| !alive(pid)));
}

#[test]
fn when_the_wrapper_itself_is_killed_the_program_dies_with_it() {
    let mut wrapper = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["tool-wrapper", "--", "sh", "-c", "echo $$; exec sleep 600"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(wrapper.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    assert!(alive(line.trim()));
    wrapper.kill().unwrap();
    wrapper.wait().unwrap();
    eventually("the program is gone", || !alive(line.trim()));
}

#[test]
fn the_wrapper_refuses_to_run_without_its_lifeline() {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["tool-wrapper", "--", "echo", "x"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(output.stdout.is_empty());
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("must be a pipe")
    );
}

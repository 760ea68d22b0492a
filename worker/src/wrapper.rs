//! The process that stands between the worker and each tool, so that no process of a job outlives the job.
//!
//! ```text
//!  worker ── pipe (lifeline) ──► stage 1 `worker tool-wrapper -- program …`     own process group, subreaper
//!                                   └─ stage 2, becomes the program             own process group, no new rights
//!                                        └─ whatever the program starts
//! ```
//!
//! Invariant: stage 1 ends only when no descendant of it is left. It kills all of them when the program has
//! ended, and when the lifeline (its standard input, which nobody writes to) is closed: by the worker, or by the
//! kernel when the worker has died. The kernel's parent-death signal can't do that part, because it is sent at
//! the end of the *thread* that started the child, and the runtime's threads come and go. It is used one stage
//! further down: when stage 1 itself is killed, the kernel kills the program.
//!
//! SIGTERM and SIGINT are passed on to all descendants. The exit code is the program's; 128 + the signal when
//! one ended it; 127 when there is no such program, 126 when it can't be started, 125 when the wrapper failed.

mod tree;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid, getppid, set_child_subreaper,
    set_parent_process_death_signal, setrlimit, wait,
};
use rustix::thread::set_no_new_privs;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};

/// The hidden subcommand that makes the worker's executable the wrapper.
pub const SUBCOMMAND: &str = "tool-wrapper";
/// The hidden subcommand of its second stage.
const SECOND_STAGE: &str = "tool-wrapper-exec";
/// This process's own executable, also after an upgrade has replaced the file.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

const WRAPPER_FAILED: u8 = 125;
const NOT_STARTED: u8 = 126;
const NO_PROGRAM: u8 = 127;
/// Added to the number of the signal that ended the program.
const SIGNALLED: u8 = 128;

/// Does the wrapper's part when this process was started for it; else `None`.
///
/// To be called first in `main`, before any thread is started.
pub fn dispatch() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let subcommand = arguments.next()?;
    let rest: Vec<OsString> = arguments.collect();
    let code = if subcommand == SUBCOMMAND {
        first_stage(&rest).unwrap_or_else(|error| complain(WRAPPER_FAILED, "the wrapper failed", &error))
    } else if subcommand == SECOND_STAGE {
        second_stage(&rest)
    } else {
        return None;
    };
    Some(ExitCode::from(code))
}

fn first_stage(arguments: &[OsString]) -> io::Result<u8> {
    let [dashes, program @ ..] = arguments else {
        return Err(usage());
    };
    if dashes != "--" || program.is_empty() {
        return Err(usage());
    }
    set_child_subreaper(Some(getpid()))?;
    // One thread: the program's parent-death signal belongs to it, and it lives as long as the process.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let ended = runtime.block_on(watch(program))?;
    let killed = end_descendants(ended.pid);
    Ok(ended.code.or(killed).unwrap_or(WRAPPER_FAILED))
}

/// The program, and its exit code if it has ended.
struct Watched {
    pid: Pid,
    code: Option<u8>,
}

/// Starts the program and waits for its end or the lifeline's.
async fn watch(program: &[OsString]) -> io::Result<Watched> {
    let mut lifeline =
        pipe::Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?).map_err(|_| {
            io::Error::other(
                "its standard input must be a pipe, which the worker holds open as long as the tool may run",
            )
        })?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut children = signal(SignalKind::child())?;
    let own = getpid();
    let child = Command::new(OWN_EXECUTABLE)
        .arg(SECOND_STAGE)
        .arg(own.as_raw_pid().to_string())
        .args(program)
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()?;
    let pid = Pid::from_child(&child);
    loop {
        // Adopted orphans are reaped on the way.
        while let Some((reaped, status)) = none_left(wait(WaitOptions::NOHANG))? {
            if reaped == pid {
                return Ok(Watched {
                    pid,
                    code: Some(code_of(status)),
                });
            }
        }
        tokio::select! {
            _ = children.recv() => {}
            _ = terminate.recv() => tree::signal_descendants(own, Signal::TERM),
            _ = interrupt.recv() => tree::signal_descendants(own, Signal::TERM),
            () = closed(&mut lifeline) => return Ok(Watched { pid, code: None }),
        }
    }
}

/// Returns when nobody holds the other end any more.
async fn closed(lifeline: &mut pipe::Receiver) {
    let mut ignored = [0; 16];
    while lifeline.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}

/// Kills until no descendant is left; gives the program's exit code when it was among them.
///
/// Every descendant whose parent dies becomes a child of this process. So while there is a descendant there is
/// a child to wait for, and each one's end is an occasion to look for what was forked meanwhile.
fn end_descendants(program: Pid) -> Option<u8> {
    let mut code = None;
    loop {
        tree::signal_descendants(getpid(), Signal::KILL);
        match none_left(wait(WaitOptions::empty())) {
            Ok(Some((pid, status))) if pid == program => code = Some(code_of(status)),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return code,
        }
    }
}

/// "No children" as an answer instead of an error.
fn none_left(answer: rustix::io::Result<Option<(Pid, WaitStatus)>>) -> io::Result<Option<(Pid, WaitStatus)>> {
    match answer {
        Ok(found) => Ok(found),
        Err(Errno::CHILD) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn code_of(status: WaitStatus) -> u8 {
    let signalled = status
        .terminating_signal()
        .and_then(|signal| u8::try_from(signal).ok());
    let exited = status.exit_status().and_then(|code| u8::try_from(code).ok());
    exited
        .or(signalled.map(|signal| SIGNALLED.saturating_add(signal)))
        .unwrap_or(WRAPPER_FAILED)
}

/// Becomes the program; comes back only when that fails.
fn second_stage(arguments: &[OsString]) -> u8 {
    let [parent, program, rest @ ..] = arguments else {
        return complain(WRAPPER_FAILED, "the wrapper failed", &usage());
    };
    if let Err(error) = give_up_rights(parent) {
        return complain(WRAPPER_FAILED, "the wrapper failed", &error);
    }
    let error = Command::new(program).args(rest).exec();
    let code = if error.kind() == io::ErrorKind::NotFound {
        NO_PROGRAM
    } else {
        NOT_STARTED
    };
    complain(code, &format!("{} can't be started", program.display()), &error)
}

fn give_up_rights(parent: &OsStr) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before that.
    if getppid().map(|pid| pid.as_raw_pid().to_string()).as_deref() != parent.to_str() {
        return Err(io::Error::other("the first stage has died"));
    }
    set_no_new_privs(true)?;
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    Ok(())
}

fn usage() -> io::Error {
    io::Error::other(format!(
        "it is started by the worker only: {SUBCOMMAND} -- program [argument]…"
    ))
}

/// Says on standard error what is wrong, which the worker keeps as the tool's last line.
fn complain(code: u8, what: &str, error: &io::Error) -> u8 {
    // Where standard error is closed, the exit code has to do.
    let _ = writeln!(io::stderr(), "{what}: {error}");
    code
}

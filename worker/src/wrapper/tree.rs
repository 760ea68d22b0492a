//! Signals to all descendants of a process.
//!
//! Invariant: a process that is no descendant is never hit. Ids are given anew, so each one is opened as a pidfd,
//! and only signalled when the same process (by its start time) still has the id after that.

use std::collections::HashMap;
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process, for as long as the machine runs, and its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: Pid,
    /// Clock ticks from the machine's start to the process's.
    started: u64,
    parent: i32,
}

/// Sends the signal to every living descendant; the process itself is left out.
pub(super) fn signal_descendants(ancestor: Pid, signal: Signal) {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in all() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut parents = vec![ancestor.as_raw_pid()];
    while let Some(parent) = parents.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            parents.push(process.pid.as_raw_pid());
            send(process, signal);
        }
    }
}

fn send(process: Process, signal: Signal) {
    let Ok(pidfd) = pidfd_open(process.pid, PidfdFlags::empty()) else {
        return;
    };
    if read(process.pid.as_raw_pid()).is_some_and(|now| now.started == process.started) {
        // It can only fail because the process is gone, or because it was given other rights than ours,
        // which no_new_privs rules out.
        let _ = pidfd_send_signal(&pidfd, signal);
    }
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// What `/proc/<pid>/stat` says; `None` when there is no such process.
fn read(pid: i32) -> Option<Process> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let line = String::from_utf8_lossy(&line);
    // The second field, the program's name, stands in parentheses and may contain anything.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Process {
        pid: Pid::from_raw(pid)?,
        started,
        parent,
    })
}

#[cfg(test)]
mod tests {
    use rustix::process::{getpid, getppid};

    use super::*;

    #[test]
    fn the_own_process_is_found_with_its_parent() {
        let own = read(getpid().as_raw_pid()).unwrap();
        assert_eq!(Some(own.parent), getppid().map(Pid::as_raw_pid));
        assert!(own.started > 0);
        assert!(all().contains(&own));
    }
}

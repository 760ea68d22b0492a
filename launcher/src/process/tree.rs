//! Which processes belong together, and signals to exactly those.
//!
//! A process is named by its id *and* its start time, since ids are given anew.
//! A signal goes through a pidfd whose start time was checked after it was opened, so it can't hit a stranger.
//!
//! PostgreSQL's children are session leaders of their own, so a signal to the process group would miss them: the tree is
//! walked by parent ids, and the group is added for descendants whose parent has died.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// One process, for as long as the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ident {
    pub(crate) pid: i32,
    /// Clock ticks between the machine's start and the process's, as in `/proc/<pid>/stat`.
    pub(crate) start: u64,
}

impl Ident {
    /// The process that has this id now; `None` when there is none.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Entry::read(pid).map(|entry| entry.ident)
    }

    /// Whether it still does something. One that has ended but that its parent has not noticed yet does not.
    pub(crate) fn runs(self) -> bool {
        Entry::read(self.pid).is_some_and(|entry| entry.ident == self && !entry.zombie)
    }

    /// The name of the program that it runs, for messages.
    pub(crate) fn program(self) -> String {
        let name = fs::read_to_string(format!("/proc/{}/comm", self.pid)).unwrap_or_default();
        if name.is_empty() {
            "a program".to_owned()
        } else {
            name.trim_end().to_owned()
        }
    }

    pub(crate) fn raw(self) -> Pid {
        Pid::from_raw(self.pid).expect("process ids read from /proc are positive")
    }

    /// A handle that can only mean this process; `None` when it is gone.
    fn open(self) -> Option<OwnedFd> {
        let pidfd = pidfd_open(self.raw(), PidfdFlags::empty()).ok()?;
        (Self::of(self.pid) == Some(self)).then_some(pidfd)
    }
}

/// The name of a child that was just started, and a handle on it. A child that can't be watched is ended.
pub(crate) fn adopt(child: &mut Child) -> io::Result<(Ident, OwnedFd)> {
    let adopted = i32::try_from(child.id())
        .ok()
        .and_then(Ident::of)
        .and_then(|ident| Some((ident, ident.open()?)))
        .ok_or_else(|| {
            io::Error::other("the kernel gives no handle on it (are /proc and pidfds available?)")
        });
    if adopted.is_err() {
        child.kill().and_then(|()| child.wait())?;
    }
    adopted
}

/// What one line of `/proc/<pid>/stat` tells.
struct Entry {
    ident: Ident,
    parent: i32,
    group: i32,
    zombie: bool,
}

impl Entry {
    fn read(pid: i32) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The program's name may hold spaces and parentheses; what follows the last one is regular.
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            ident: Ident {
                pid,
                start: fields.get(19)?.parse().ok()?,
            },
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            zombie: fields.first()? == &"Z",
        })
    }

    /// All processes of the machine that still do something.
    fn all() -> Vec<Self> {
        processes()
            .into_iter()
            .filter_map(Self::read)
            .filter(|entry| !entry.zombie)
            .collect()
    }
}

/// All process ids of the machine.
pub(crate) fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid > 0)
        .collect()
}

/// The process, its descendants, and the members of its process group.
pub(crate) fn family(root: Ident) -> Vec<Ident> {
    collect(root, true)
}

/// The process and its descendants, for one that shares the launcher's process group.
pub(crate) fn descendants(root: Ident) -> Vec<Ident> {
    collect(root, false)
}

fn collect(root: Ident, with_group: bool) -> Vec<Ident> {
    // A root that has died but is not yet waited for still keeps its id from being given anew.
    if Ident::of(root.pid) != Some(root) {
        return Vec::new();
    }
    let all = Entry::all();
    let mut family = vec![root];
    loop {
        let before = family.len();
        for entry in &all {
            let related = family.iter().any(|member| member.pid == entry.parent)
                || (with_group && entry.group == root.pid);
            if related && !family.contains(&entry.ident) {
                family.push(entry.ident);
            }
        }
        if family.len() == before {
            return family;
        }
    }
}

/// Stops the whole family, the root first, until a look finds nobody new; gives those that were stopped.
pub(crate) fn freeze(root: Ident) -> Vec<Ident> {
    let mut frozen = Vec::new();
    loop {
        let new: Vec<Ident> = family(root)
            .into_iter()
            .filter(|ident| !frozen.contains(ident))
            .collect();
        if new.is_empty() {
            return frozen;
        }
        signal_all(&new, Signal::STOP);
        frozen.extend(new);
    }
}

/// Lets stopped processes go on, the youngest first, so that no parent finds its child still stopped.
pub(crate) fn thaw(frozen: &[Ident]) {
    for ident in frozen.iter().rev() {
        signal(*ident, Signal::CONT);
    }
}

/// SIGKILL to each of them; those that are gone are passed over.
pub(crate) fn kill(idents: &[Ident]) {
    signal_all(idents, Signal::KILL);
}

/// A signal to each of them; those that are gone are passed over.
pub(crate) fn signal_all(idents: &[Ident], which: Signal) {
    for ident in idents {
        signal(*ident, which);
    }
}

fn signal(ident: Ident, which: Signal) {
    if let Some(pidfd) = ident.open() {
        // The only refusals are "it is gone", which is what we want to hear, and "not yours", which
        // can't be for a process that we started and did not give more rights than we have.
        let _ = pidfd_send_signal(&pidfd, which);
    }
}

/// Waits until all of them are gone, at most for `limit` in all; whether they are.
pub(crate) fn wait_gone(idents: &[Ident], limit: Duration) -> bool {
    let end = super::deadline(limit);
    idents.iter().all(|ident| {
        ident.open().is_none_or(|pidfd| {
            ended_within(&pidfd, end.saturating_duration_since(Instant::now())).unwrap_or(false)
        })
    })
}

/// Whether the process of this pidfd ended within the limit.
pub(crate) fn ended_within(pidfd: &OwnedFd, limit: Duration) -> io::Result<bool> {
    let end = super::deadline(limit);
    loop {
        let mut fds = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut fds, Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            // Some signal of the launcher's own, which says nothing about this process.
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

//! The one thread that starts every process.
//!
//! The kernel's parent-death signal is bound to the *thread* that forked, not to its process: a server started by a
//! test's thread would be killed as soon as that test is over.
//! So all starting is done by a thread that lives until the launcher process ends.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

struct Request {
    command: Command,
    answer: Sender<io::Result<Child>>,
}

static OWNER: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// Starts the command on the owner thread.
pub(super) fn spawn(command: Command) -> io::Result<Child> {
    let (answer, result) = channel();
    owner()?.send(Request { command, answer }).map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}

/// The way to the owner thread, which is started by the first call.
fn owner() -> io::Result<Sender<Request>> {
    let mut owner = OWNER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*owner {
        return Ok(sender.clone());
    }
    let (sender, requests) = channel::<Request>();
    thread::Builder::new()
        .name("process-owner".into())
        .spawn(move || {
            for Request { mut command, answer } in requests {
                // A caller that is gone drops its end; the child then has no handle, and dies with this process.
                let _ = answer.send(command.spawn());
            }
        })?;
    Ok(owner.insert(sender).clone())
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts processes has ended")
}

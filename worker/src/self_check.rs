//! What this worker finds out about its own surroundings: it tells so with each announcement, for `doctor`.
//!
//! Invariant: a look takes a bounded time. What does not answer is a finding, and nobody looks at it anew before the look
//! that hangs has ended, so that a dead file server costs one thread and no more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::amqp::refusals::{ADVICE, Refusals};
use shared::message::worker::Check;
use shared::secret_files;
use tokio::task::JoinHandle;

use crate::consume::Bench;
use crate::free_space::FreeSpace;
use crate::objects::Buckets;
use crate::roots::{self, Roots};
use crate::tool;

/// Longest time that a look may take. A file server that is well answers much sooner.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// What is looked at.
#[derive(Debug)]
pub struct SelfCheck {
    /// The plugins.
    pub benches: Vec<Bench>,
    /// Folders that jobs may use.
    pub roots: Arc<Roots>,
    /// Places on object storage that they may use.
    pub buckets: Buckets,
    /// The room that attempts need.
    pub space: FreeSpace,
    /// Files that hold its secrets.
    pub secret_files: Vec<PathBuf>,
    /// What RabbitMQ has refused.
    pub refusals: Refusals,
    /// Looks that have begun, by folder.
    pub looks: Looks,
}

/// Looks at folders that have not ended yet.
#[derive(Debug, Default)]
pub struct Looks(HashMap<PathBuf, JoinHandle<Check>>);

impl SelfCheck {
    /// Where jobs may read and write: folders, and places on object storage.
    pub fn roots(&self) -> Vec<String> {
        let folders = self.roots.all().iter().map(|root| root.display().to_string());
        let places = self.buckets.all().iter().map(|root| root.location.to_string());
        folders.chain(places).collect()
    }

    /// Looks at everything. `programs` are those that templates of SHELL call.
    pub async fn look(&mut self, programs: &[String]) -> Vec<Check> {
        let mut checks = vec![
            permissions(&self.refusals),
            secret_files::check(&self.secret_files),
        ];
        let space = self.space.clone();
        let room = move || scratch_room(&space);
        checks.push(self.looks.at(&self.space.scratch, LOOK_MAX, room).await);
        for root in self.roots.all().to_vec() {
            let (folder, space) = (root.clone(), self.space.clone());
            let look = move || roots::check(&folder, &space);
            checks.push(self.looks.at(&root, LOOK_MAX, look).await);
        }
        checks.extend(self.buckets.checks().await);
        for bench in &self.benches {
            checks.extend(standing(bench));
        }
        let own = join_all(self.benches.iter().map(own_checks)).await;
        checks.extend(own.into_iter().flatten());
        checks.extend(self.programs(programs));
        checks
    }

    /// Looks for the programs that templates call, where jobs with templates come here.
    pub fn programs(&self, programs: &[String]) -> Vec<Check> {
        if self
            .benches
            .iter()
            .any(|bench| bench.plugin.offer().needs_template)
        {
            programs.iter().map(|name| program(name)).collect()
        } else {
            Vec::new()
        }
    }
}

impl Looks {
    /// Looks at a folder on a thread of its own, for so long at most. One look that still hangs is waited for again.
    async fn at(
        &mut self,
        folder: &Path,
        patience: Duration,
        look: impl FnOnce() -> Check + Send + 'static,
    ) -> Check {
        let handle = self
            .0
            .entry(folder.to_owned())
            .or_insert_with(|| tokio::task::spawn_blocking(look));
        let Ok(ended) = tokio::time::timeout(patience, handle).await else {
            return failed(
                name_of(folder),
                format!(
                    "its file system has not answered within {} s: is the file server there? Jobs that use it hang",
                    patience.as_secs()
                ),
            );
        };
        self.0.remove(folder);
        ended.unwrap_or_else(|error| failed(name_of(folder), format!("it can't be looked at: {error}")))
    }
}

/// What the check of a folder is called.
pub(crate) fn name_of(folder: &Path) -> String {
    format!("folder {}", folder.display())
}

fn permissions(refusals: &Refusals) -> Check {
    let name = "broker permissions".to_owned();
    match refusals.lately() {
        None => passed(name, "nothing is refused"),
        Some(said) => failed(
            name,
            format!("RabbitMQ has just refused this worker's user something: {said}; {ADVICE}"),
        ),
    }
}

fn standing(bench: &Bench) -> Option<Check> {
    let plugin = bench.plugin.offer().name;
    bench.standing.is_refused().then(|| {
        failed(
            format!("serving {plugin}"),
            format!(
                "coordinators do not let this worker's RabbitMQ user serve {plugin}: list it with their --worker-user, or \
                 give the worker its own group's user"
            ),
        )
    })
}

async fn own_checks(bench: &Bench) -> Vec<Check> {
    let looked = tokio::time::timeout(LOOK_MAX, bench.plugin.checks()).await;
    looked.unwrap_or_else(|_| {
        let name = format!("plugin {}", bench.plugin.offer().name);
        let problem = format!("its tools have not answered within {} s", LOOK_MAX.as_secs());
        vec![failed(name, format!("{problem}: look into the worker's log"))]
    })
}

fn scratch_room(space: &FreeSpace) -> Check {
    let name = name_of(&space.scratch);
    match space.check_scratch(0) {
        Ok(()) => passed(name, "has room for work in hand"),
        Err(full) => failed(name, format!("attempts wait: {}", full.lack())),
    }
}

fn program(program: &str) -> Check {
    let name = format!("program {program}");
    if tool::is_installed(program) {
        passed(name, "is there")
    } else {
        failed(
            name,
            "a template of SHELL calls it, and this worker does not have it: install it, or leave SHELL out of the \
             worker's --plugin",
        )
    }
}

fn passed(name: String, message: impl Into<String>) -> Check {
    let message = message.into();
    Check {
        name,
        ok: true,
        message,
    }
}

fn failed(name: String, message: impl Into<String>) -> Check {
    let message = message.into();
    Check {
        name,
        ok: false,
        message,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_folder_that_hangs_is_a_finding_and_is_not_looked_at_twice_at_once() {
        let folder = Path::new("/data");
        let (release, held) = mpsc::channel::<()>();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut looks = Looks::default();
        let counting = |begun: &Arc<AtomicUsize>| {
            let begun = Arc::clone(begun);
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                passed(name_of(Path::new("/data")), "is there")
            }
        };
        let first = Arc::clone(&begun);
        let hanging = move || {
            first.fetch_add(1, Ordering::SeqCst);
            let _released = held.recv();
            passed(name_of(Path::new("/data")), "was slow")
        };
        let found = looks.at(folder, Duration::ZERO, hanging).await;
        assert!(
            !found.ok && found.message.contains("is the file server there?"),
            "{found:?}"
        );
        let found = looks.at(folder, Duration::ZERO, counting(&begun)).await;
        assert!(!found.ok, "{found:?}");
        drop(release);
        let found = looks.at(folder, LOOK_MAX, counting(&begun)).await;
        assert!(found.ok && found.message == "was slow", "{found:?}");
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        let found = looks.at(folder, LOOK_MAX, counting(&begun)).await;
        assert_eq!(found.message, "is there");
    }

    #[tokio::test]
    async fn a_look_that_panics_is_a_finding() {
        let found = Looks::default()
            .at(Path::new("/data"), LOOK_MAX, || panic!("no such luck"))
            .await;
        assert!(!found.ok && found.name == "folder /data", "{found:?}");
    }

    #[test]
    fn a_program_that_a_template_calls_is_looked_for() {
        assert!(program("sh").ok);
        let missing = program("/opt/kitodo/import");
        assert!(
            !missing.ok && missing.message.contains("install it"),
            "{missing:?}"
        );
    }
}

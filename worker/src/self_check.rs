//! What this worker finds out about its own surroundings: it tells so with each announcement, for `doctor`.
//!
//! Invariant: a look takes a bounded time. What does not answer is a finding, and nobody looks at it anew before the look
//! that hangs has ended, so that a dead file server costs one thread and no more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shared::amqp::refusals::{ADVICE, Refusals};
use shared::exposure::{self, OpenSecret};
use shared::message::worker::Check;
use tokio::task::JoinHandle;

use crate::consume::Bench;
use crate::free_space::FreeSpace;
use crate::objects::Buckets;
use crate::roots::{self, Roots};
use crate::tool;

/// Longest time that a look may take. A file server that is well answers much sooner.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// How the checks of programs begin.
const PROGRAM: &str = "program ";

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
    /// Secrets that were given themselves.
    pub open_secrets: Vec<OpenSecret>,
    /// What RabbitMQ has refused.
    pub refusals: Refusals,
    /// Looks that have begun.
    pub looks: Looks,
}

/// Looks at file systems that have not ended yet, by the name of their check.
#[derive(Debug, Default)]
pub struct Looks(BTreeMap<String, JoinHandle<Check>>);

impl SelfCheck {
    /// Where jobs may read and write: folders, and places on object storage.
    pub fn roots(&self) -> Vec<String> {
        let folders = self.roots.all().iter().map(|root| root.display().to_string());
        let places = self.buckets.all().iter().map(|root| root.location.to_string());
        folders.chain(places).collect()
    }

    /// Looks at everything. `programs` are those that templates of SHELL call.
    pub async fn look(&mut self, programs: &[String]) -> Vec<Check> {
        let (files, open) = (self.secret_files.clone(), self.open_secrets.clone());
        self.looks
            .begin("secrets".to_owned(), move || exposure::secrets(&files, &open));
        let space = self.space.clone();
        self.looks
            .begin(scratch_name(&self.space), move || scratch_room(&space));
        for root in self.roots.all() {
            let (folder, space) = (root.clone(), self.space.clone());
            self.looks.begin(format!("folder {}", root.display()), move || {
                roots::look(&folder, &space)
            });
        }
        self.begin_programs(programs);
        let own = join_all(self.benches.iter().map(own_checks));
        let (found, objects, own) = tokio::join!(self.looks.ended(LOOK_MAX), self.buckets.checks(), own);
        let mut checks = vec![permissions(&self.refusals), exposure::privileges()];
        checks.extend(found);
        checks.extend(objects);
        checks.extend(own.into_iter().flatten());
        checks
    }

    /// Whether it lacks a program that templates call.
    pub async fn lacks(&mut self, programs: &[String]) -> bool {
        self.begin_programs(programs);
        let found = self.looks.ended(LOOK_MAX).await;
        found
            .iter()
            .any(|check| !check.ok && check.name.starts_with(PROGRAM))
    }

    /// Looks for programs, where jobs with templates come here.
    fn begin_programs(&mut self, programs: &[String]) {
        if self
            .benches
            .iter()
            .any(|bench| bench.plugin.offer().needs_template)
        {
            for name in programs {
                let name = name.clone();
                self.looks
                    .begin(format!("{PROGRAM}{name}"), move || program(&name));
            }
        }
    }
}

impl Looks {
    /// Begins a look on a thread of its own, unless one of that name hangs.
    fn begin(&mut self, name: String, look: impl FnOnce() -> Check + Send + 'static) {
        self.0
            .entry(name)
            .or_insert_with(|| tokio::task::spawn_blocking(look));
    }

    /// What all of them have found, in so long at most. Those that hang are waited for again the next time.
    async fn ended(&mut self, patience: Duration) -> Vec<Check> {
        let waiting = self.0.iter_mut().map(async |(name, handle)| {
            let Ok(ended) = tokio::time::timeout(patience, handle).await else {
                let seconds = patience.as_secs();
                let problem = format!("its file system has not answered within {seconds} s");
                let check = Check::failed(
                    name,
                    format!("{problem}: is the file server there? Jobs that use it hang"),
                );
                return (None, check);
            };
            let check =
                ended.unwrap_or_else(|error| Check::failed(name, format!("it can't be looked at: {error}")));
            (Some(name.clone()), check)
        });
        let (ended, checks): (Vec<_>, Vec<_>) = join_all(waiting).await.into_iter().unzip();
        for name in ended.into_iter().flatten() {
            self.0.remove(&name);
        }
        checks
    }
}

fn permissions(refusals: &Refusals) -> Check {
    let name = "broker permissions".to_owned();
    match refusals.lately() {
        None => Check::passed(name, "nothing is refused"),
        Some(said) => Check::failed(
            name,
            format!("RabbitMQ has just refused this worker's user something: {said}; {ADVICE}"),
        ),
    }
}

async fn own_checks(bench: &Bench) -> Vec<Check> {
    let looked = tokio::time::timeout(LOOK_MAX, bench.plugin.checks()).await;
    looked.unwrap_or_else(|_| {
        let name = format!("plugin {}", bench.plugin.offer().name);
        let problem = format!("its tools have not answered within {} s", LOOK_MAX.as_secs());
        vec![Check::failed(
            name,
            format!("{problem}: look into the worker's log"),
        )]
    })
}

/// Its own: a root may be the same folder.
fn scratch_name(space: &FreeSpace) -> String {
    format!("scratch {}", space.scratch.display())
}

fn scratch_room(space: &FreeSpace) -> Check {
    let name = scratch_name(space);
    match space.check_scratch(0) {
        Ok(()) => Check::passed(name, "has room for work in hand"),
        Err(full) => Check::failed(name, format!("attempts wait: {}", full.lack())),
    }
}

fn program(program: &str) -> Check {
    let name = format!("{PROGRAM}{program}");
    if tool::is_installed(program) {
        Check::passed(name, "is there")
    } else {
        Check::failed(
            name,
            "a template of SHELL calls it, and this worker does not have it: install it, or leave SHELL out of the \
             worker's --plugin",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_folder_that_hangs_is_a_finding_and_is_not_looked_at_twice_at_once() {
        let (release, held) = mpsc::channel::<()>();
        let begun = Arc::new(AtomicUsize::new(0));
        let mut looks = Looks::default();
        let look = |begun: &Arc<AtomicUsize>, said: &'static str, held: Option<mpsc::Receiver<()>>| {
            let begun = Arc::clone(begun);
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                let _released = held.map(|held| held.recv());
                Check::passed("folder /data", said)
            }
        };
        let name = || "folder /data".to_owned();
        looks.begin(name(), look(&begun, "was slow", Some(held)));
        let found = looks.ended(Duration::ZERO).await;
        assert!(
            !found[0].ok && found[0].message.contains("is the file server there?"),
            "{found:?}"
        );
        looks.begin(name(), look(&begun, "is there", None));
        assert!(!looks.ended(Duration::ZERO).await[0].ok);
        drop(release);
        assert_eq!(looks.ended(LOOK_MAX).await, [Check::passed(name(), "was slow")]);
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        looks.begin(name(), look(&begun, "is there", None));
        assert_eq!(looks.ended(LOOK_MAX).await, [Check::passed(name(), "is there")]);
        assert_eq!(looks.ended(LOOK_MAX).await, []);
    }

    #[tokio::test]
    async fn a_look_that_panics_is_a_finding() {
        let mut looks = Looks::default();
        looks.begin("folder /data".to_owned(), || panic!("no such luck"));
        let found = looks.ended(LOOK_MAX).await;
        assert!(!found[0].ok && found[0].name == "folder /data", "{found:?}");
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

//! Item stores, versions and pointers on object storage that is in memory: see `uneven` for what may happen there.

mod items;
mod stage;
mod uneven;
mod version;

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use shared::job::decide::ErrorClass;
use shared::job::{ClaimId, JobId};
use shared::message::manifest::{FileEntry, Manifest};
use shared::message::worker::Outcome;

use super::*;
use crate::plugin::AttemptError;
use crate::progress::Progress;
use uneven::Uneven;

/// A root on object storage, and a folder for files.
struct Fixture {
    memory: Arc<InMemory>,
    folder: tempfile::TempDir,
    store: JobId,
}

impl Fixture {
    fn new() -> Self {
        Self {
            memory: Arc::default(),
            folder: tempfile::tempdir().unwrap(),
            store: JobId::generate(),
        }
    }

    fn buckets(&self) -> Buckets {
        Self::over(Arc::clone(&self.memory) as Arc<dyn ObjectStore>)
    }

    fn over(store: Arc<dyn ObjectStore>) -> Buckets {
        Buckets::over(vec![("s3://scans/goobi".parse().unwrap(), store)])
    }

    /// A hand on the item store of the fixture's job.
    fn attempt(&self) -> Objects {
        Self::attempt_of(self.store, &self.buckets())
    }

    fn attempt_of(job: JobId, buckets: &Buckets) -> Objects {
        Objects::new(buckets.open("s3://scans/goobi/27/ocr").unwrap(), job, job)
    }

    fn file(&self, content: &str) -> PathBuf {
        let path = self.folder.path().join(ClaimId::generate().to_string());
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The keys of all objects, without the names of jobs.
    async fn keys(&self) -> Vec<String> {
        let found = self.memory.list(None);
        let mut found: Vec<String> = futures_util::TryStreamExt::try_collect::<Vec<_>>(found)
            .await
            .unwrap()
            .into_iter()
            .map(|found| found.location.to_string().replace(&self.store.to_string(), "JOB"))
            .collect();
        found.sort();
        found
    }
}

/// What comes of work that has to end whatever a service does. The clock has to be paused: an hour is over once nothing moves.
async fn ends<T>(work: impl Future<Output = T>) -> T {
    let an_hour = std::time::Duration::from_hours(1);
    let ended = tokio::time::timeout(an_hour, work).await;
    ended.expect("it waits for ever for a service that hangs")
}

async fn publish(objects: &Objects, files: &[FileEntry]) -> Result<(), AttemptError> {
    let outcome = Outcome::Done {
        summary: serde_json::Map::new(),
    };
    let manifest = Manifest {
        files: files.to_vec(),
        outcome,
    };
    objects.publish(&manifest, &Progress::new(Arc::default())).await
}

#[tokio::test]
async fn what_lies_in_no_root_is_refused_with_advice_and_the_deepest_root_counts() {
    let memory = || Arc::new(InMemory::new()) as Arc<dyn ObjectStore>;
    let buckets = Buckets::over(vec![
        ("s3://scans".parse().unwrap(), memory()),
        ("s3://scans/goobi".parse().unwrap(), memory()),
    ]);
    let inner = buckets.open("s3://scans/goobi/27").unwrap();
    assert_eq!(
        (inner.inside.as_str(), inner.shown("a.txt").as_str()),
        ("27", "s3://scans/goobi/27/a.txt")
    );
    assert_eq!(inner.root.location.to_string(), "s3://scans/goobi");
    for outside in ["s3://other/goobi", "/data"] {
        let said = buckets.open(outside).unwrap_err().to_string();
        assert!(
            said.contains("(s3://scans, s3://scans/goobi): add it with --root"),
            "{said}"
        );
    }
    assert!(buckets.open("s3://scans/../x").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ignores_conditions_is_told_from_one_that_keeps_them() {
    let fixture = Fixture::new();
    assert!(fixture.buckets().checks().await[0].ok);
    let careless = Fixture::over(Arc::new(Uneven::careless(&fixture.memory)));
    let check = &careless.checks().await[0];
    assert!(
        !check.ok && check.message.contains("If-Match"),
        "{}",
        check.message
    );
    let attempt = Fixture::attempt_of(fixture.store, &careless);
    let file = attempt.put("1.xml", &fixture.file("abc")).await.unwrap();
    let refused = publish(&attempt, &[file]).await.unwrap_err();
    assert!(refused.to_string().contains("If-Match"), "{refused}");
    let hanging = Fixture::over(Arc::new(Uneven::that_hangs(&fixture.memory)));
    let check = &ends(hanging.checks()).await[0];
    assert!(
        !check.ok && check.message.contains("does not answer"),
        "{}",
        check.message
    );
    let away = Fixture::over(Arc::new(Uneven::that_fails_from(&fixture.memory, 0)));
    let check = &away.checks().await[0];
    assert!(!check.ok && check.message.contains("away"), "{}", check.message);
}

#[tokio::test]
async fn a_key_that_may_not_do_all_that_jobs_need_is_told_with_what_it_may_not() {
    let fixture = Fixture::new();
    for right in ["read", "write", "list", "delete"] {
        let buckets = Fixture::over(Arc::new(Uneven::that_forbids(&fixture.memory, right)));
        let check = &buckets.checks().await[0];
        assert!(
            !check.ok
                && check
                    .message
                    .starts_with(&format!("the worker can't {right} there:"))
                && check.message.contains("give the worker's access key the rights"),
            "{check:?}"
        );
    }
}

#[tokio::test]
async fn a_service_that_ignores_conditions_is_known_as_such_whatever_its_key_may_not_do() {
    let fixture = Fixture::new();
    let mut uneven = Uneven::careless(&fixture.memory);
    uneven.forbids = "delete";
    let careless = Fixture::over(Arc::new(uneven));
    assert!(!careless.checks().await[0].ok);
    let attempt = Fixture::attempt_of(fixture.store, &careless);
    let file = attempt.put("1.xml", &fixture.file("abc")).await.unwrap();
    let refused = publish(&attempt, &[file]).await.unwrap_err();
    assert!(refused.to_string().contains("If-Match"), "{refused}");
}

#[test]
fn credentials_are_two_lines_and_a_refusal_does_not_repeat_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s3");
    std::fs::write(&file, "key\n  secret \n").unwrap();
    assert_eq!(
        credentials(&file).unwrap(),
        ("key".to_owned(), "secret".to_owned())
    );
    for bad in ["", "key", "key:hidden", "key\nhidden\nmore\n"] {
        std::fs::write(&file, bad).unwrap();
        let said = credentials(&file).unwrap_err().to_string();
        assert!(said.contains("two lines") && !said.contains("hidden"), "{said}");
    }
    assert!(credentials(&folder.path().join("gone")).is_err());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_service_that_hangs_can_be_stopped() {
    let fixture = Fixture::new();
    let file = fixture
        .attempt()
        .put("1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    let buckets = Fixture::over(Arc::new(Uneven::that_hangs(&fixture.memory)));
    let stop = tokio_util::sync::CancellationToken::new();
    let attempt = Fixture::attempt_of(fixture.store, &buckets).stopped_by(stop.clone());
    let (content, copy) = (fixture.file("abc"), fixture.folder.path().join("copy"));
    let work = async {
        let put = attempt.put("1.xml", &content).await;
        assert!(matches!(put, Err(crate::item_store::Error::Stopped)));
        let fetched = attempt.fetch(&file, &copy).await;
        assert!(matches!(fetched, Err(crate::item_store::Error::Stopped)));
        assert!(attempt.has(&file).await.is_err());
        assert_eq!(
            publish(&attempt, std::slice::from_ref(&file)).await,
            Err(AttemptError::Stopped)
        );
    };
    ends(async { tokio::join!(work, async { stop.cancel() }) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_root_that_hangs_is_left_alone_for_a_while_by_what_is_no_attempts() {
    let fixture = Fixture::new();
    let hanging = Fixture::over(Arc::new(Uneven::that_hangs(&fixture.memory)));
    let root = &hanging.all()[0];
    let hangs = || std::future::pending::<Result<(), String>>();
    let said = ends(root.patiently(hangs())).await.unwrap_err();
    assert!(said.contains("s3://scans/goobi does not answer"), "{said}");
    // Not even begun.
    let work = async { panic!("it was tried again at once") };
    assert_eq!(root.patiently::<()>(work).await, Err(said));
    let other = &fixture.buckets().all()[0].clone();
    assert_eq!(other.patiently(async { Ok(1) }).await, Ok(1));
}

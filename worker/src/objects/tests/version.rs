//! What readers of a target see, whatever happens to those who publish.

use futures_util::future::join_all;
use proptest::prelude::*;

use super::*;
use crate::objects::version::{POINTER, Pointer};

impl Fixture {
    async fn pointer(&self) -> Option<Pointer> {
        let target = self.buckets().open("s3://scans/goobi/27/ocr").unwrap();
        target.pointer().await.unwrap().map(|(pointer, _)| pointer)
    }

    /// Puts the outputs of a job into its store.
    async fn outputs(&self, job: JobId) -> Vec<FileEntry> {
        let attempt = Self::attempt_of(job, &self.buckets());
        let mut files = Vec::new();
        for name in ["alto/1.xml", "alto/2.xml", "volume.pdf"] {
            let content = self.file(&format!("{name} of {job}"));
            files.push(attempt.put(name, &content).await.unwrap());
        }
        files
    }

    /// What a reader finds who begins at the pointer: the job, if all its files are there and as described.
    async fn seen(&self) -> Option<JobId> {
        let pointer = self.pointer().await?;
        let target = self.buckets().open("s3://scans/goobi/27/ocr").unwrap();
        assert_eq!(pointer.files.len(), 3);
        for file in &pointer.files {
            let place = format!("{}/{}", pointer.folder, file.path);
            let (text, _) = target
                .read(&place, 1 << 20)
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("{place} is missing"));
            let expected = format!("{} of {}", file.path, pointer.job);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        Some(pointer.job)
    }
}

#[tokio::test]
async fn the_pointer_names_a_version_with_all_outputs_in_the_documented_format() {
    let fixture = Fixture::new();
    let attempt = fixture.attempt();
    let file = attempt.put("alto/1.xml", &fixture.file("<alto/>")).await.unwrap();
    publish(&attempt, &[file]).await.unwrap();
    attempt.remove().await.unwrap();
    assert_eq!(
        fixture.keys().await,
        [
            "goobi/27/ocr/current.json",
            "goobi/27/ocr/versions/JOB/alto/1.xml"
        ]
    );
    let target = fixture.buckets().open("s3://scans/goobi/27/ocr").unwrap();
    let (text, _) = target.read(POINTER, 1 << 20).await.unwrap().unwrap();
    let text = String::from_utf8(text)
        .unwrap()
        .replace(&fixture.store.to_string(), "JOB");
    assert_eq!(
        text,
        r#"{
  "format": 1,
  "job": "JOB",
  "folder": "versions/JOB",
  "files": [
    {
      "path": "alto/1.xml",
      "size": 7,
      "sha256": "b2a2aef50b9996e4cd0058124a4ea7ec576f26f9d531338945256acdf7b6574b"
    }
  ],
  "replaced": []
}"#
    );
}

#[tokio::test]
async fn whoever_is_cut_off_at_any_request_is_completed_by_the_next_and_nobody_sees_a_part_meanwhile() {
    let fixture = Fixture::new();
    let before = JobId::generate();
    let files = fixture.outputs(before).await;
    publish(&Fixture::attempt_of(before, &fixture.buckets()), &files)
        .await
        .unwrap();
    for request in 0.. {
        let job = JobId::generate();
        let files = fixture.outputs(job).await;
        let service = Arc::new(Uneven::that_fails_from(&fixture.memory, request));
        let seen = fixture.seen().await;
        let cut_off = publish(
            &Fixture::attempt_of(job, &Fixture::over(Arc::clone(&service) as _)),
            &files,
        )
        .await;
        if !service.has_failed() {
            assert!(cut_off.is_ok());
            assert!(request > 6, "it was never cut off: {request}");
            return;
        }
        assert!(matches!(cut_off, Err(AttemptError::Failed { .. })));
        assert_eq!(fixture.seen().await, seen, "request {request}");
        publish(&Fixture::attempt_of(job, &fixture.buckets()), &files)
            .await
            .unwrap();
        assert_eq!(fixture.seen().await, Some(job));
    }
}

#[tokio::test]
async fn an_attempt_that_was_frozen_does_not_take_the_place_of_a_later_job() {
    let fixture = Fixture::new();
    let later = JobId::generate();
    let (files, later_files) = (fixture.outputs(fixture.store).await, fixture.outputs(later).await);
    publish(&fixture.attempt(), &files).await.unwrap();
    fixture.attempt().remove().await.unwrap();
    publish(&Fixture::attempt_of(later, &fixture.buckets()), &later_files)
        .await
        .unwrap();
    publish(&fixture.attempt(), &files).await.unwrap();
    assert_eq!(fixture.seen().await, Some(later));
}

#[tokio::test]
async fn an_attempt_of_the_job_whose_store_a_retry_goes_on_in_does_not_take_its_place() {
    let fixture = Fixture::new();
    let files = fixture.outputs(fixture.store).await;
    let retry = JobId::generate();
    let target = fixture.buckets().open("s3://scans/goobi/27/ocr").unwrap();
    publish(&Objects::new(target, fixture.store, retry), &files)
        .await
        .unwrap();
    publish(&fixture.attempt(), &files).await.unwrap();
    assert_eq!(fixture.pointer().await.map(|pointer| pointer.job), Some(retry));
}

#[tokio::test]
async fn a_file_of_somebody_else_in_the_pointers_place_is_left_alone() {
    let fixture = Fixture::new();
    let files = fixture.outputs(fixture.store).await;
    let target = fixture.buckets().open("s3://scans/goobi/27/ocr").unwrap();
    for (theirs, advice) in [
        ("{}", "move it away"),
        ("not even JSON", "move it away"),
        (r#"{"format":2,"job":"x"}"#, "update the worker"),
    ] {
        let key = target.key(POINTER).unwrap();
        target.store().put(&key, theirs.into()).await.unwrap();
        let refused = publish(&fixture.attempt(), &files).await.unwrap_err();
        let AttemptError::Failed { class, message, .. } = refused else {
            panic!("{refused:?}")
        };
        // What was granted waits.
        assert_eq!(class, ErrorClass::Retryable);
        assert!(message.contains(advice), "{message}");
        assert_eq!(
            target.read(POINTER, 1 << 20).await.unwrap().unwrap().0,
            theirs.as_bytes()
        );
    }
}

#[tokio::test]
async fn outputs_that_are_nowhere_are_told_as_permanent_and_nothing_is_published() {
    let fixture = Fixture::new();
    let files = fixture.outputs(fixture.store).await;
    fixture.attempt().remove().await.unwrap();
    let refused = publish(&fixture.attempt(), &files).await.unwrap_err();
    assert!(refused.to_string().contains("submit the job again"), "{refused}");
    assert_eq!(fixture.pointer().await, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn however_attempts_overtake_each_other_each_job_counts_once_and_readers_see_whole_versions(
        waits in proptest::collection::vec(0u8..6, 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new();
            let (before, jobs) = (JobId::generate(), [fixture.store, JobId::generate()]);
            let files = fixture.outputs(before).await;
            publish(&Fixture::attempt_of(before, &fixture.buckets()), &files).await.unwrap();
            let service = Arc::new(Uneven::that_waits(&fixture.memory, waits));
            let buckets = Fixture::over(Arc::clone(&service) as _);
            let mut publishing = Vec::new();
            // Two attempts of each: one of them believes to be the only one.
            for job in jobs.into_iter().chain(jobs) {
                let (files, attempt) = (fixture.outputs(job).await, Fixture::attempt_of(job, &buckets));
                publishing.push(async move { publish(&attempt, &files).await.unwrap() });
            }
            let mut seen = Vec::new();
            let all = join_all(publishing);
            tokio::pin!(all);
            loop {
                let ended = futures_util::poll!(&mut all).is_ready();
                if service.has_changed() || ended {
                    let now = fixture.seen().await;
                    if seen.last() != now.as_ref() {
                        seen.extend(now);
                    }
                }
                if ended {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let pointer = fixture.pointer().await.unwrap();
            assert_eq!(seen.last(), Some(&pointer.job));
            let mut counted: Vec<JobId> = [pointer.job].into_iter().chain(pointer.replaced).collect();
            counted.sort_unstable();
            let mut expected = [before, jobs[0], jobs[1]];
            expected.sort_unstable();
            assert_eq!(counted, expected, "each has counted once");
            assert!(seen.len() <= 3, "one has counted again: {seen:?}");
        });
    }
}

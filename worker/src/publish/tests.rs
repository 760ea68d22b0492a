use std::path::PathBuf;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use shared::job::decide::ErrorClass;
use shared::job::{ClaimId, JobId};
use shared::message::worker::Outcome;

use super::*;

struct Fixture {
    folder: tempfile::TempDir,
    store: ItemStore,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        let target = Dir::open_ambient_dir(folder.path().join("target"), ambient_authority()).unwrap();
        let store = ItemStore::open(target, JobId::generate(), ClaimId::generate());
        Self { folder, store }
    }

    async fn put(&self, path: &str, content: &str) -> FileEntry {
        let scratch = self.folder.path().join("scratch");
        std::fs::write(&scratch, content).unwrap();
        self.store.put(path, &scratch).await.unwrap()
    }

    async fn complete(&self, files: &[FileEntry]) -> Result<(), AttemptError> {
        let outcome = Outcome::Done {
            summary: serde_json::Map::new(),
        };
        let manifest = Manifest {
            files: files.to_vec(),
            outcome,
        };
        complete(&self.store, &manifest, &Progress::new(Arc::default())).await
    }

    fn target(&self, path: &str) -> PathBuf {
        self.folder.path().join("target").join(path)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.target(path)).unwrap()
    }
}

#[tokio::test]
async fn every_file_appears_in_its_place_and_an_older_one_is_replaced() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.target("txt")).unwrap();
    std::fs::write(fixture.target("txt/1.txt"), "old").unwrap();
    let files = [
        fixture.put("txt/1.txt", "one").await,
        fixture.put("top.pdf", "pdf").await,
    ];
    fixture.complete(&files).await.unwrap();
    assert_eq!(
        (fixture.read("txt/1.txt"), fixture.read("top.pdf")),
        ("one".to_owned(), "pdf".to_owned())
    );
}

#[tokio::test]
async fn publishing_that_was_ended_anywhere_is_completed_by_doing_it_again() {
    for done_before in 0..=3 {
        let fixture = Fixture::new();
        let mut files = Vec::new();
        for number in 1..=3 {
            files.push(
                fixture
                    .put(&format!("a/{number}.txt"), &format!("page {number}"))
                    .await,
            );
        }
        fixture.complete(&files[..done_before]).await.unwrap();
        fixture.complete(&files).await.unwrap();
        fixture.complete(&files).await.unwrap();
        assert_eq!(std::fs::read_dir(fixture.target("a")).unwrap().count(), 3);
        assert_eq!(fixture.read("a/3.txt"), "page 3");
    }
}

#[tokio::test]
async fn the_file_of_the_manifest_is_published_even_when_another_has_its_name_in_the_store() {
    let fixture = Fixture::new();
    let _other = fixture.put("1.txt", "of an attempt that was cut off").await;
    let granted = fixture.put("1.txt", "granted").await;
    fixture.complete(&[granted]).await.unwrap();
    assert_eq!(fixture.read("1.txt"), "granted");
}

#[tokio::test]
async fn a_file_that_is_nowhere_is_a_permanent_failure_that_names_it() {
    let fixture = Fixture::new();
    let file = fixture.put("a/1.txt", "one").await;
    fixture.store.remove().await.unwrap();
    let Err(AttemptError::Failed { class, message, .. }) = fixture.complete(&[file]).await else {
        panic!()
    };
    assert_eq!(class, ErrorClass::Permanent);
    assert!(
        message.contains(fixture.target("a/1.txt").to_str().unwrap()),
        "{message}"
    );
}

#[tokio::test]
async fn a_file_that_was_altered_in_the_store_is_not_published() {
    let fixture = Fixture::new();
    let file = fixture.put("1.txt", "one").await;
    let store = std::fs::read_dir(fixture.target(""))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(store.join("1.txt"), "two").unwrap();
    assert!(fixture.complete(&[file]).await.is_err());
    assert!(!fixture.target("1.txt").exists());
}

#[tokio::test]
async fn a_folder_in_the_place_of_a_file_is_named() {
    let fixture = Fixture::new();
    std::fs::create_dir(fixture.target("1.txt")).unwrap();
    let file = fixture.put("1.txt", "one").await;
    let Err(AttemptError::Failed { class, message, .. }) = fixture.complete(&[file]).await else {
        panic!()
    };
    assert_eq!(class, ErrorClass::Permanent);
    assert!(message.contains("something else has its name"), "{message}");
}

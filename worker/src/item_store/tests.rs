use std::path::PathBuf;

use cap_std::ambient_authority;

use super::*;

struct Fixture {
    folder: tempfile::TempDir,
    job_id: JobId,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("target")).unwrap();
        Self {
            folder,
            job_id: JobId::generate(),
        }
    }

    /// A hand on the store, as a new attempt gets it.
    fn attempt(&self) -> ItemStore {
        let target = Dir::open_ambient_dir(self.folder.path().join("target"), ambient_authority()).unwrap();
        ItemStore::open(target, self.job_id, ClaimId::generate())
    }

    fn scratch(&self, content: &str) -> PathBuf {
        let path = self.folder.path().join("scratch");
        std::fs::write(&path, content).unwrap();
        path
    }

    fn in_store(&self, path: &str) -> PathBuf {
        self.folder
            .path()
            .join(format!("target/.taskmanager-{}/{path}", self.job_id))
    }
}

fn item(files: &[FileEntry]) -> DoneItem {
    DoneItem {
        name: "0001.jpg".to_owned(),
        files: files.to_vec(),
    }
}

#[tokio::test]
async fn a_file_lies_in_the_hidden_folder_as_it_will_in_the_target() {
    let fixture = Fixture::new();
    let store = fixture.attempt();
    let file = store
        .put("ocr/x_alto/0001.xml", &fixture.scratch("<alto/>"))
        .await
        .unwrap();
    assert_eq!((file.path.as_str(), file.size), ("ocr/x_alto/0001.xml", 7));
    assert_eq!(
        std::fs::read_to_string(fixture.in_store("ocr/x_alto/0001.xml")).unwrap(),
        "<alto/>"
    );
    assert_eq!(
        std::fs::read_dir(fixture.in_store(".new")).unwrap().count(),
        0,
        "nothing half-written is left"
    );
    assert!(
        !fixture.folder.path().join("target/ocr").exists(),
        "nothing is visible yet"
    );
}

#[tokio::test]
async fn another_attempt_finds_the_files_and_can_read_them() {
    let fixture = Fixture::new();
    let file = fixture
        .attempt()
        .put("a/1.txt", &fixture.scratch("one"))
        .await
        .unwrap();
    let next = fixture.attempt();
    assert!(next.verify(&item(std::slice::from_ref(&file))).await.unwrap());
    let copy = fixture.folder.path().join("copy");
    next.fetch(&file, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(copy).unwrap(), "one");
}

#[tokio::test]
async fn a_file_that_was_altered_shortened_or_lost_does_not_verify() {
    let fixture = Fixture::new();
    let store = fixture.attempt();
    let file = store.put("1.txt", &fixture.scratch("one")).await.unwrap();
    for broken in [Some("two"), Some("on"), None] {
        let path = fixture.in_store("1.txt");
        broken
            .map_or_else(
                || std::fs::remove_file(&path),
                |content| std::fs::write(&path, content),
            )
            .unwrap();
        assert!(
            !store.verify(&item(std::slice::from_ref(&file))).await.unwrap(),
            "{broken:?}"
        );
        let fetched = store.fetch(&file, &fixture.folder.path().join("copy")).await;
        assert!(matches!(fetched, Err(Error::Missing(_))));
    }
    let nothing_yet = Fixture::new().attempt();
    assert!(!nothing_yet.verify(&item(&[file])).await.unwrap());
    assert!(
        nothing_yet.verify(&item(&[])).await.unwrap(),
        "an item without files has none to lose"
    );
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_can_not_spoil_the_next_ones_files() {
    let fixture = Fixture::new();
    let (cut_off, next) = (fixture.attempt(), fixture.attempt());
    let first = next
        .put("a/1.txt", &fixture.scratch("the next attempt's"))
        .await
        .unwrap();
    let second = cut_off
        .put("a/1.txt", &fixture.scratch("the old one's"))
        .await
        .unwrap();
    assert!(
        next.verify(&item(&[first.clone(), second.clone()]))
            .await
            .unwrap(),
        "each finds its own"
    );
    let copy = fixture.folder.path().join("copy");
    next.fetch(&first, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "the next attempt's");
    next.fetch(&second, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "the old one's");
}

#[tokio::test]
async fn putting_the_same_file_twice_changes_nothing() {
    let fixture = Fixture::new();
    let first = fixture
        .attempt()
        .put("1.txt", &fixture.scratch("one"))
        .await
        .unwrap();
    let again = fixture
        .attempt()
        .put("1.txt", &fixture.scratch("one"))
        .await
        .unwrap();
    assert_eq!(first, again);
    assert!(!fixture.in_store(".other").exists());
}

#[tokio::test]
async fn the_store_is_removed_with_what_others_left_and_is_not_made_again_by_them() {
    let fixture = Fixture::new();
    let (cut_off, last) = (fixture.attempt(), fixture.attempt());
    cut_off.put("a/1.txt", &fixture.scratch("one")).await.unwrap();
    std::fs::write(fixture.in_store(".new/half"), "ha").unwrap();
    last.remove().await.unwrap();
    assert!(!fixture.in_store("").exists());
    let late = cut_off.put("a/2.txt", &fixture.scratch("two")).await;
    assert!(matches!(late, Err(Error::Io { .. })), "{late:?}");
    assert!(!fixture.in_store("").exists());
    last.remove().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_in_scratch_and_a_forbidden_path_are_named() {
    let fixture = Fixture::new();
    let store = fixture.attempt();
    let missing = store
        .put("1.txt", Path::new("/nowhere/at/all"))
        .await
        .unwrap_err();
    assert_eq!(missing.to_string(), "can't read /nowhere/at/all");
    let scratch = fixture.scratch("one");
    assert!(matches!(
        store.put("../1.txt", &scratch).await,
        Err(Error::InvalidPath { .. })
    ));
    assert!(
        !fixture.in_store("").exists(),
        "a store that was not needed was not made"
    );
}

use std::fs;
use std::path::PathBuf;
use std::sync::Barrier;

use cap_std::ambient_authority;
use shared::job::ClaimId;

use shared::message::worker::FoundStore;

use super::*;
use crate::item_store::ItemStore;
use crate::roots::Roots;

mod whole;

struct Fixture {
    folder: tempfile::TempDir,
    roots: Roots,
    store: JobId,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("27/out")).unwrap();
        let roots = Roots::new(vec![folder.path().to_owned()]).unwrap();
        Self {
            folder,
            roots,
            store: JobId::generate(),
        }
    }

    fn target(&self) -> String {
        self.folder.path().join("27/out").to_str().unwrap().to_owned()
    }

    fn entry(&self) -> StoreEntry {
        self.roots.entry(&self.target(), self.store).unwrap()
    }

    /// A hand on the store, as an attempt has it.
    fn attempt(&self) -> ItemStore {
        let target = self.roots.open(&self.target()).unwrap();
        ItemStore::indexed(target, self.entry(), ClaimId::generate())
    }

    fn file(&self) -> PathBuf {
        let file = self.folder.path().join("scratch");
        fs::write(&file, "x").unwrap();
        file
    }

    fn entry_file(&self) -> PathBuf {
        self.folder.path().join(FOLDER).join(self.store.to_string())
    }

    fn store_folder(&self) -> PathBuf {
        self.folder.path().join("27/out").join(store_name(self.store))
    }

    /// Puts an entry there that somebody else has written.
    fn plant(&self, name: &str, content: &str) {
        let index = self.folder.path().join(FOLDER);
        fs::create_dir_all(&index).unwrap();
        fs::write(index.join(name), content).unwrap();
    }

    fn found(&self) -> Vec<(String, bool)> {
        let (found, problems) = list(self.folder.path());
        assert!(problems.is_empty(), "{problems:?}");
        found
            .into_iter()
            .map(|store| (store.target, store.there))
            .collect()
    }
}

/// All pages together.
fn list(root: &Path) -> (Vec<FoundStore>, Vec<String>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut lister = Lister::new(root);
    loop {
        let (rest, page) = lister.page();
        lister = rest;
        found.extend(page.found);
        problems.extend(page.problems);
        if page.last {
            return (found, problems);
        }
    }
}

#[tokio::test]
async fn a_store_stands_in_the_index_from_its_first_file_until_it_is_removed() {
    let fixture = Fixture::new();
    let attempt = fixture.attempt();
    assert_eq!(fixture.found(), []);
    attempt.put("ocr/1.txt", &fixture.file()).await.unwrap();
    assert_eq!(fixture.found(), [(fixture.target(), true)]);
    // Another attempt goes on in it, and its entry has come to harm meanwhile.
    fs::write(fixture.entry_file(), "{").unwrap();
    fixture.attempt().put("ocr/2.txt", &fixture.file()).await.unwrap();
    assert_eq!(fixture.found(), [(fixture.target(), true)]);
    attempt.remove().await.unwrap();
    assert!(!fixture.store_folder().exists() && !fixture.entry_file().exists());
    assert_eq!(fixture.found(), []);
}

#[tokio::test]
async fn a_store_of_an_older_release_is_entered_by_whoever_goes_on_in_it() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.store_folder()).unwrap();
    assert_eq!(fixture.found(), []);
    let attempt = fixture.attempt();
    let nothing = shared::message::reply::DoneItem {
        name: "1".to_owned(),
        files: vec![shared::message::manifest::FileEntry {
            path: "ocr/1.txt".to_owned(),
            size: 1,
            sha256: "0".repeat(64),
        }],
    };
    assert!(!attempt.verify(&nothing).await.unwrap(), "its folder is open now");
    attempt.put("ocr/1.txt", &fixture.file()).await.unwrap();
    assert_eq!(fixture.found(), [(fixture.target(), true)]);
}

#[test]
fn of_who_makes_a_store_and_who_removes_it_at_the_same_moment_one_sees_the_other() {
    let fixture = Fixture::new();
    let file = fixture.file();
    for round in 0..400 {
        let barrier = Barrier::new(2);
        let (maker, remover) = (fixture.attempt(), fixture.attempt());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                // It may be removed beneath its hands.
                let _made = maker.put_blocking("1.txt", &file);
            });
            scope.spawn(|| {
                barrier.wait();
                let _removed = remover.remove_blocking();
            });
        });
        assert!(
            !fixture.store_folder().exists() || fixture.entry_file().exists(),
            "round {round}: the store stands in no index"
        );
        fixture.attempt().remove_blocking().unwrap();
    }
}

#[test]
fn what_is_no_entry_is_left_alone_and_leads_nowhere() {
    let fixture = Fixture::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let secret = elsewhere.path().join(store_name(fixture.store));
    fs::create_dir(&secret).unwrap();
    let index = fixture.folder.path().join(FOLDER);
    fixture.plant("README", "not ours");
    fixture.plant(
        &fixture.store.to_string().to_uppercase(),
        r#"{"folder":"27/out"}"#,
    );
    let out = elsewhere.path().to_str().unwrap();
    let up = format!("../{}", elsewhere.path().file_name().unwrap().to_str().unwrap());
    for bad in [
        format!(r#"{{"folder":"{out}"}}"#),
        format!(r#"{{"folder":"{up}"}}"#),
        r#"{"folder":"27/../27"}"#.to_owned(),
        r#"{"folder":"27\u0000"}"#.to_owned(),
        format!(r#"{{"folder":"{}"}}"#, "x/".repeat(3_000)),
        String::new(),
        "x".repeat(100_000),
    ] {
        fixture.plant(&fixture.store.to_string(), &bad);
        let (found, problems) = list(fixture.folder.path());
        assert_eq!((found.len(), problems.len()), (0, 1), "{bad:.80}: {problems:?}");
        assert!(problems[0].contains("look for .taskmanager-"), "{problems:?}");
        fixture.entry().forget().unwrap();
        assert!(fixture.entry_file().exists(), "{bad:.80}");
    }
    // Links, pipes and folders of that name.
    fs::remove_file(fixture.entry_file()).unwrap();
    let sound = elsewhere.path().join("sound");
    fs::write(&sound, r#"{"folder":"27/out"}"#).unwrap();
    std::os::unix::fs::symlink(&sound, fixture.entry_file()).unwrap();
    let dir = Dir::open_ambient_dir(&index, ambient_authority()).unwrap();
    let pipe = JobId::generate().to_string();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(&dir, pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(index.join(JobId::generate().to_string())).unwrap();
    let (found, problems) = list(fixture.folder.path());
    assert_eq!((found.len(), problems.len()), (0, 3), "{problems:?}");
    // A way that leads out of the root by a link is not gone.
    fs::remove_file(fixture.entry_file()).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), fixture.folder.path().join("out")).unwrap();
    fixture.plant(&fixture.store.to_string(), r#"{"folder":"out"}"#);
    let (found, _) = list(fixture.folder.path());
    assert_eq!(found, [], "the store outside was seen");
    assert!(secret.exists() && index.join("README").exists());
}

#[test]
fn many_entries_that_say_nothing_are_told_in_a_few_lines() {
    let fixture = Fixture::new();
    for _ in 0..20 {
        fixture.plant(&JobId::generate().to_string(), "");
    }
    let (_, problems) = list(fixture.folder.path());
    assert_eq!(problems.len(), 6);
    assert!(problems[5].contains("15 more"), "{problems:?}");
}

#[tokio::test]
async fn where_no_index_can_be_written_a_job_goes_on_without() {
    let fixture = Fixture::new();
    fs::write(fixture.folder.path().join(FOLDER), "somebody else's").unwrap();
    let attempt = fixture.attempt();
    attempt.put("ocr/1.txt", &fixture.file()).await.unwrap();
    assert!(fixture.store_folder().exists());
    assert_eq!(fixture.found(), []);
    attempt.remove().await.unwrap();
    assert!(!fixture.store_folder().exists());
}

#[test]
fn only_the_entry_of_a_store_that_is_not_there_is_forgotten() {
    let fixture = Fixture::new();
    fixture.entry().write().unwrap();
    fs::create_dir(fixture.store_folder()).unwrap();
    fixture.entry().forget().unwrap();
    assert_eq!(fixture.found(), [(fixture.target(), true)]);
    fs::remove_dir(fixture.store_folder()).unwrap();
    assert_eq!(fixture.found(), [(fixture.target(), false)]);
    let elsewhere = fixture
        .roots
        .entry(fixture.folder.path().to_str().unwrap(), fixture.store);
    elsewhere.unwrap().forget().unwrap();
    assert!(fixture.entry_file().exists(), "it is about another folder");
    fixture.entry().forget().unwrap();
    assert!(!fixture.entry_file().exists());
    fixture.entry().forget().unwrap();
}

#[test]
fn a_store_whose_file_system_is_not_mounted_is_neither_gone_nor_forgotten() {
    let fixture = Fixture::new();
    // Written when something was mounted at 27.
    fixture.plant(
        &fixture.store.to_string(),
        r#"{"folder":"27/out","file_system":"27"}"#,
    );
    assert_eq!(
        fixture.entry().look().unwrap(),
        Sight::NotMounted("27".to_owned())
    );
    fixture.entry().forget().unwrap();
    let (found, problems) = list(fixture.folder.path());
    assert_eq!(found, []);
    assert!(
        problems[0].contains("no file system is mounted at"),
        "{problems:?}"
    );
    fs::remove_dir_all(fixture.folder.path().join("27")).unwrap();
    assert_eq!(
        fixture.entry().look().unwrap(),
        Sight::NotMounted("27".to_owned())
    );
}

#[test]
fn the_deepest_file_system_on_the_way_counts() {
    let device = |folder: &str| {
        Ok(match folder {
            "" | "a" => 1,
            "a/b" | "a/b/c" => 2,
            "a/b/c/d" => 3,
            _ => return Err(io::ErrorKind::NotFound.into()),
        })
    };
    let found = |folder| entry::file_system(folder, device).unwrap();
    assert_eq!(found(""), None);
    assert_eq!(found("a"), None);
    assert_eq!(found("a/b/c").as_deref(), Some("a/b"));
    assert_eq!(found("a/b/c/d").as_deref(), Some("a/b/c/d"));
    for (folder, mounted) in [("a/b", true), ("a/b/c", false), ("a", false), ("a/b/x", false)] {
        assert_eq!(entry::is_mounted(folder, device).unwrap(), mounted, "{folder}");
    }
}

//! Inputs that come from object storage.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;

use super::*;
use crate::free_space::FreeSpace;

impl Fixture {
    async fn staged(&self, place: &str) -> Result<Vec<(String, String)>, AttemptError> {
        let to = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(to.path(), ambient_authority()).unwrap();
        let from = self.buckets().open(place).unwrap();
        let space = FreeSpace {
            scratch: to.path().into(),
            scratch_min: 0,
            target_min: 0,
        };
        from.stage(&dir, &space, &Progress::new(Arc::default())).await?;
        let mut files = Vec::new();
        let mut folders = vec![to.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(to.path()).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
        files.sort();
        Ok(files)
    }

    async fn put(&self, key: &str, content: &'static str) {
        self.memory
            .put(&Key::parse(key).unwrap(), content.into())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn all_that_lies_there_is_fetched_but_what_is_this_programs_own() {
    let fixture = Fixture::new();
    fixture.put("goobi/27/images/1.jpg", "one").await;
    fixture.put("goobi/27/images/deep/Ä 2.jpg", "two").await;
    fixture.put("goobi/27/images/.taskmanager-x/0000", "item").await;
    fixture
        .put("goobi/27/images/deep/.taskmanager-x/0000", "item")
        .await;
    fixture.put("goobi/27/images2/3.jpg", "another's").await;
    // What consoles make to have a folder; the library drops the slash at its end.
    fixture.put("goobi/27/images/deep", "").await;
    fixture.put("goobi/27/images/deep.txt", "three").await;
    let expected = [("1.jpg", "one"), ("deep.txt", "three"), ("deep/Ä 2.jpg", "two")];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(
        fixture.staged("s3://scans/goobi/27/images").await.unwrap(),
        expected
    );
}

#[tokio::test]
async fn what_a_job_has_published_is_fetched_as_its_pointer_says_and_checked() {
    let fixture = Fixture::new();
    let attempt = fixture.attempt();
    let file = attempt.put("alto/1.xml", &fixture.file("<alto/>")).await.unwrap();
    publish(&attempt, &[file]).await.unwrap();
    fixture.put("goobi/27/ocr/versions/older/alto/1.xml", "old").await;
    let place = "s3://scans/goobi/27/ocr";
    let files = fixture.staged(place).await.unwrap();
    assert_eq!(files, [("alto/1.xml".to_owned(), "<alto/>".to_owned())]);
    let published = format!("goobi/27/ocr/versions/{}/alto/1.xml", fixture.store);
    fixture.put(&published, "<other/>").await;
    let altered = fixture.staged(place).await.unwrap_err().to_string();
    assert!(altered.contains("its content was changed"), "{altered}");
    fixture
        .memory
        .delete(&Key::parse(&published).unwrap())
        .await
        .unwrap();
    let gone = fixture.staged(place).await.unwrap_err().to_string();
    assert!(gone.contains("was a version removed"), "{gone}");
}

#[tokio::test]
async fn an_empty_place_is_told_with_its_address() {
    let fixture = Fixture::new();
    let said = fixture
        .staged("s3://scans/goobi/28")
        .await
        .unwrap_err()
        .to_string();
    assert!(said.contains("s3://scans/goobi/28"), "{said}");
}

#[tokio::test]
async fn a_file_of_somebody_else_in_the_pointers_place_is_an_input_and_a_later_releases_pointer_is_not_guessed_at()
 {
    let fixture = Fixture::new();
    fixture.put("goobi/27/current.json", "{}").await;
    let files = fixture.staged("s3://scans/goobi/27").await.unwrap();
    assert_eq!(files, [("current.json".to_owned(), "{}".to_owned())]);
    fixture.put("goobi/27/current.json", r#"{"format":2}"#).await;
    let later = fixture
        .staged("s3://scans/goobi/27")
        .await
        .unwrap_err()
        .to_string();
    assert!(later.contains("update the worker"), "{later}");
}

#[tokio::test]
async fn what_is_larger_than_any_pointer_is_not_read_and_what_has_no_room_is_not_begun() {
    let fixture = Fixture::new();
    let key = Key::parse("goobi/27/current.json").unwrap();
    fixture
        .memory
        .put(&key, vec![b' '; 40 << 20].into())
        .await
        .unwrap();
    let large = fixture
        .staged("s3://scans/goobi/27")
        .await
        .unwrap_err()
        .to_string();
    assert!(large.contains("larger than what this program writes"), "{large}");
    // What a pointer says may be anything; with a sum that has no number, there is no room either.
    for size in [1_u64 << 60, u64::MAX] {
        let file = |path| json!({"path": path, "size": size, "sha256": "0".repeat(64)});
        let pointer = json!({
            "format": 1, "job": fixture.store, "folder": "versions/x", "replaced": [],
            "files": [file("1.jpg"), file("2.jpg")],
        });
        let key = Key::parse("goobi/28/current.json").unwrap();
        fixture
            .memory
            .put(&key, pointer.to_string().into())
            .await
            .unwrap();
        let full = fixture
            .staged("s3://scans/goobi/28")
            .await
            .unwrap_err()
            .to_string();
        assert!(full.contains("waits for free space"), "{full}");
    }
}

//! The item store and its index.

use proptest::prelude::*;

use super::*;
use crate::item_store::{Error, ItemStore};
use shared::message::reply::DoneItem;

#[tokio::test]
async fn a_file_lies_under_its_checksum_stands_in_the_index_and_can_be_fetched() {
    let fixture = Fixture::new();
    let store = ItemStore::on_objects(fixture.attempt());
    let file = store.put("alto/1.xml", &fixture.file("abc")).await.unwrap();
    assert_eq!(
        fixture.keys().await,
        [
            "goobi/.taskmanager.stores/JOB".to_owned(),
            format!("goobi/27/ocr/.taskmanager-JOB/{}", file.sha256),
        ]
    );
    let copy = fixture.folder.path().join("copy");
    store.fetch(&file, &copy).await.unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "abc");
    let again = store.put("alto/1.xml", &fixture.file("abc")).await.unwrap();
    assert_eq!((again, fixture.keys().await.len()), (file, 2));
}

#[tokio::test]
async fn a_file_of_many_parts_arrives_whole() {
    let fixture = Fixture::new();
    let content = "0123456789abcdef".repeat((20 << 20) / 16);
    let file = fixture
        .attempt()
        .put("volume.pdf", &fixture.file(&content))
        .await
        .unwrap();
    let copy = fixture.folder.path().join("copy");
    fixture.attempt().fetch(&file, &copy).await.unwrap();
    assert_eq!(file.size, 20 << 20);
    assert!(std::fs::read_to_string(&copy).unwrap() == content);
}

#[tokio::test]
async fn an_item_counts_as_kept_only_if_all_its_files_are_there_and_unaltered() {
    let fixture = Fixture::new();
    let store = ItemStore::on_objects(fixture.attempt());
    let file = store.put("alto/1.xml", &fixture.file("abc")).await.unwrap();
    let item = |files: &[FileEntry]| DoneItem {
        name: "1".to_owned(),
        files: files.to_vec(),
    };
    assert!(store.verify(&item(std::slice::from_ref(&file))).await.unwrap());
    let other = FileEntry {
        sha256: "0".repeat(64),
        ..file.clone()
    };
    assert!(!store.verify(&item(&[file.clone(), other])).await.unwrap());
    let key = Key::parse(format!(
        "goobi/27/ocr/.taskmanager-{}/{}",
        fixture.store, file.sha256
    ))
    .unwrap();
    fixture.memory.put(&key, "abd".into()).await.unwrap();
    assert!(
        !store.verify(&item(std::slice::from_ref(&file))).await.unwrap(),
        "its content was altered"
    );
    let copy = fixture.folder.path().join("copy");
    assert!(matches!(store.fetch(&file, &copy).await, Err(Error::Missing(_))));
    store.put("alto/1.xml", &fixture.file("abc")).await.unwrap();
    assert!(
        store.verify(&item(&[file])).await.unwrap(),
        "what is done again is right again"
    );
}

#[tokio::test]
async fn paths_that_no_output_may_have_are_refused() {
    let fixture = Fixture::new();
    for bad in ["../1.xml", "/1.xml", ".taskmanager-1/x", ""] {
        let refused = fixture.attempt().put(bad, &fixture.file("abc")).await;
        assert!(matches!(refused, Err(Error::InvalidPath { .. })), "{bad}");
    }
    assert_eq!(fixture.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn removing_takes_the_whole_store_and_its_entry_and_nothing_else() {
    let fixture = Fixture::new();
    let other = JobId::generate();
    fixture
        .attempt()
        .put("alto/1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    fixture
        .attempt()
        .put("alto/2.xml", &fixture.file("abd"))
        .await
        .unwrap();
    Fixture::attempt_of(other, &fixture.buckets())
        .put("1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    for _ in 0..2 {
        fixture.attempt().remove().await.unwrap();
    }
    let left = fixture.keys().await;
    assert_eq!(left.len(), 2);
    assert!(
        left.iter().all(|key| key.contains(&other.to_string())),
        "{left:?}"
    );
}

#[tokio::test]
async fn the_index_is_read_to_its_end_in_pages_and_tells_which_stores_are_there() {
    let fixture = Fixture::new();
    fixture
        .attempt()
        .put("1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    let target = fixture.buckets().open("s3://scans/goobi/27/ocr").unwrap();
    for _ in 0..250 {
        target.enter(JobId::generate()).await.unwrap();
    }
    let index = |name: &str| Key::parse(format!("goobi/.taskmanager.stores/{name}")).unwrap();
    fixture
        .memory
        .put(&index("README"), "not ours".into())
        .await
        .unwrap();
    let odd = JobId::generate().to_string();
    fixture
        .memory
        .put(&index(&odd), r#"{"folder":"../up"}"#.into())
        .await
        .unwrap();
    let buckets = fixture.buckets();
    let root = &buckets.all()[0];
    let (mut after, mut found, mut problems, mut pages) = (None, Vec::new(), Vec::new(), 0);
    loop {
        let page = root.stores(after).await.unwrap();
        pages += 1;
        assert!(pages < 10, "it begins again and again");
        found.extend(page.found);
        problems.extend(page.problems);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found.len(), pages, problems.len()), (251, 6, 1));
    assert!(problems[0].contains(&odd), "{problems:?}");
    assert!(
        found
            .iter()
            .all(|found| found.target == "s3://scans/goobi/27/ocr")
    );
    let there: Vec<JobId> = found
        .iter()
        .filter(|found| found.there)
        .map(|found| found.store)
        .collect();
    assert_eq!(there, [fixture.store]);
    found.sort_unstable_by_key(|found| found.store);
    found.dedup_by_key(|found| found.store);
    assert_eq!(found.len(), 251, "one was told twice");
}

#[tokio::test]
async fn an_entry_goes_only_when_its_store_is_not_there() {
    let fixture = Fixture::new();
    fixture
        .attempt()
        .put("1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    fixture.attempt().forget().await.unwrap();
    assert_eq!(fixture.keys().await.len(), 2);
    fixture.attempt().remove().await.unwrap();
    let target = fixture.buckets().open("s3://scans/goobi/27/ocr").unwrap();
    target.enter(fixture.store).await.unwrap();
    fixture.attempt().forget().await.unwrap();
    assert_eq!(fixture.keys().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_store_that_somebody_goes_on_writing_to_stands_in_the_index_afterwards() {
    let fixture = Fixture::new();
    fixture
        .attempt()
        .put("1.xml", &fixture.file("abc"))
        .await
        .unwrap();
    let buckets = Fixture::over(Arc::new(Uneven::that_refills(&fixture.memory)));
    let refused = Fixture::attempt_of(fixture.store, &buckets).remove().await;
    assert!(matches!(refused, Err(Error::InUse(_))), "{refused:?}");
    assert_eq!(fixture.keys().await.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn of_who_puts_and_who_removes_at_the_same_moment_one_sees_the_other(
        waits in proptest::collection::vec(0u8..6, 1..40),
        removed_after in 0usize..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new();
            let service = Arc::new(Uneven::that_waits(&fixture.memory, waits));
            let buckets = Fixture::over(Arc::clone(&service) as _);
            let (maker, remover) = (
                Fixture::attempt_of(fixture.store, &buckets),
                Fixture::attempt_of(fixture.store, &buckets),
            );
            let (one, two) = (fixture.file("1"), fixture.file("2"));
            let is_put = std::cell::Cell::new(false);
            let puts = async {
                maker.put("1.xml", &one).await.unwrap();
                maker.put("2.xml", &two).await.unwrap();
                is_put.set(true);
            };
            let removes = async {
                while service.requests() < removed_after && !is_put.get() {
                    tokio::task::yield_now().await;
                }
                remover.remove().await
            };
            // What can't be removed stands in the index, too.
            let (_removed, ()) = tokio::join!(removes, puts);
            let keys = fixture.keys().await;
            let is_there = keys.iter().any(|key| key.contains(".taskmanager-JOB/"));
            let entered = keys.iter().any(|key| key == "goobi/.taskmanager.stores/JOB");
            assert!(!is_there || entered, "the store stands in no index");
        });
    }
}

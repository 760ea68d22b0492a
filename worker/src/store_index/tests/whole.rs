//! Entries are whole or not there; what was begun goes; an index is read to its end.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::*;
use crate::store_index::list::{BYTES_MAX, STORES_MAX};

/// The names in the index that are no store's.
fn others(fixture: &Fixture) -> Vec<String> {
    let files = fs::read_dir(fixture.folder.path().join(FOLDER)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.parse::<JobId>().is_err()).collect()
}

#[test]
fn an_entry_is_replaced_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new();
    let (before, kept) = (r#"{"folder":"elsewhere"}"#, fixture.folder.path().join("kept"));
    fixture.plant(&fixture.store.to_string(), before);
    fs::hard_link(fixture.entry_file(), &kept).unwrap();
    fixture.entry().write().unwrap();
    let after = fs::read_to_string(fixture.entry_file()).unwrap();
    assert_eq!(after, r#"{"folder":"27/out"}"#);
    let old = fs::read_to_string(kept).unwrap();
    assert_eq!(old, before, "it was written in place");
    // Something is in the way.
    fs::remove_file(fixture.entry_file()).unwrap();
    fs::create_dir(fixture.entry_file()).unwrap();
    let index = Dir::open_ambient_dir(fixture.folder.path().join(FOLDER), ambient_authority()).unwrap();
    let entry = entry::Entry {
        folder: "27/out".to_owned(),
        file_system: None,
    };
    assert!(entry::write(&index, &fixture.store.to_string(), &entry).is_err());
    assert_eq!(others(&fixture), Vec::<String>::new(), "what was begun is left");
}

#[test]
fn an_entry_that_nobody_goes_on_writing_goes_with_the_next_listing() {
    let fixture = Fixture::new();
    let number = uuid::Uuid::new_v4();
    let (old, young, foreign) = (
        format!(".new-{number}"),
        format!(".new-{}", uuid::Uuid::new_v4()),
        ".new-x",
    );
    // The storage's clock counts, whatever this one says.
    let index = fixture.folder.path().join(FOLDER);
    fixture.plant("clock", "");
    let now = fs::metadata(index.join("clock")).unwrap().modified().unwrap();
    let at = |name: &str, time: SystemTime| {
        File::options()
            .write(true)
            .open(index.join(name))
            .unwrap()
            .set_modified(time)
    };
    let hours = |hours| now - Duration::from_hours(hours);
    for name in [old.as_str(), &young, foreign] {
        fixture.plant(name, r#"{"fol"#);
    }
    at(&old, hours(25)).unwrap();
    at(&young, hours(23)).unwrap();
    at(foreign, hours(1000)).unwrap();
    assert_eq!(fixture.found(), []);
    let mut left = others(&fixture);
    left.sort();
    let mut expected = [young.as_str(), foreign, "clock"];
    expected.sort_unstable();
    assert_eq!(left, expected);
}

#[test]
fn what_an_older_release_has_begun_goes_with_its_store_where_it_can_be_nothing_else() {
    let fixture = Fixture::new();
    let plant = |text: &str| fixture.plant(&fixture.store.to_string(), text);
    let begun = [
        "",
        "\0\0\0",
        r#"{"folder":"27"#,
        "{\"folder\":\"27/out\0\0",
        r#"{"folder":"27/out","file_sys"#,
    ];
    let other = [
        "x",
        r#"{"folder":"28"#,
        r#"{"folder":"27/outer"#,
        r#"{"folder":"/27/out"}"#,
    ];
    // The target is quite empty: it may be a mount point whose storage is not there.
    for text in begun.into_iter().chain(other) {
        plant(text);
        fixture.attempt().remove_blocking().unwrap();
        assert!(fixture.entry_file().exists(), "{text:?}");
    }
    fs::write(fixture.folder.path().join("27/out/1.tif"), "x").unwrap();
    for text in other {
        plant(text);
        fixture.attempt().remove_blocking().unwrap();
        assert!(fixture.entry_file().exists(), "{text:?}");
    }
    for text in begun {
        plant(text);
        fixture.attempt().remove_blocking().unwrap();
        assert!(!fixture.entry_file().exists(), "{text:?}");
    }
    // The store itself was there.
    fs::remove_file(fixture.folder.path().join("27/out/1.tif")).unwrap();
    plant("");
    fs::create_dir(fixture.store_folder()).unwrap();
    fixture.attempt().remove_blocking().unwrap();
    assert!(!fixture.entry_file().exists() && !fixture.store_folder().exists());
}

#[test]
fn an_index_is_read_in_bounded_pages_to_its_end_however_slow_its_storage_is() {
    let fixture = Fixture::new();
    let long = "x/".repeat(BYTES_MAX / 40);
    for folder in std::iter::repeat_n("27/out", 2 * STORES_MAX + 1).chain([long.as_str(); 60]) {
        let text = format!(r#"{{"folder":"{folder}"}}"#);
        fixture.plant(&JobId::generate().to_string(), &text);
    }
    for time in [Duration::from_hours(1), Duration::ZERO] {
        let (mut stores, mut pages) = (Vec::new(), 0);
        let mut lister = Lister::new(fixture.folder.path());
        loop {
            let (rest, page) = lister.page_within(time);
            lister = rest;
            pages += 1;
            assert_eq!(page.problems, Vec::<String>::new());
            let bytes: usize = page.found.iter().map(|found| found.target.len()).sum();
            let longest = page.found.iter().map(|found| found.target.len()).max();
            assert!(page.found.len() <= STORES_MAX && bytes < BYTES_MAX + longest.unwrap_or(0));
            stores.extend(page.found.into_iter().map(|found| found.store));
            if page.last {
                break;
            }
        }
        let number = 2 * STORES_MAX + 61;
        stores.sort_unstable();
        stores.dedup();
        assert_eq!(stores.len(), number);
        // Without any time there is one in each, and the end.
        assert!(
            if time.is_zero() {
                pages == number + 1
            } else {
                pages > 3
            },
            "{pages}"
        );
    }
}

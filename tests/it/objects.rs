//! Jobs whose inputs and outputs lie on object storage: outputs appear at once, whoever dies meanwhile.

use std::fs;

use launcher::Mode;
use serde_json::{Value, json};
use shared::failpoint::Failpoint;
use shared::job::JobId;
use tests::object_storage::ObjectStorage;
use tests::volume::{PAGES, page_bytes};
use tests::{Builder, Cluster, LIMIT, eventually};

/// Items of each job that writes.
const ITEMS: usize = 3;

/// A job that notes what really ran and writes to a target of this name.
fn writes(cluster: &Cluster, name: &str) -> Value {
    let seen = cluster.data().join("seen");
    fs::create_dir_all(&seen).unwrap();
    json!({
        "plugin": "NOOP", "title": name, "source": seen, "target": format!("{}/{name}", ObjectStorage::ROOT),
        "parameters": {"items": ITEMS, "write": true, "witness": "witness"},
    })
}

/// What a reader finds who begins at the pointer: each file and who wrote it.
fn read(objects: &ObjectStorage, name: &str, id: JobId) -> Vec<(String, i32)> {
    let pointer = objects.pointer(name).expect("something is published");
    assert_eq!(pointer["job"], id.to_string());
    let files = pointer["files"].as_array().unwrap();
    let read = files.iter().map(|file| {
        let path = file["path"].as_str().unwrap();
        let text = objects.text(&format!("{name}/{}/{path}", pointer["folder"].as_str().unwrap()));
        let text = text.unwrap_or_else(|| panic!("{path} is missing"));
        let attempt = text
            .split_whitespace()
            .nth(2)
            .and_then(|number| number.parse().ok());
        (path.to_owned(), attempt.expect("each file names its attempt"))
    });
    read.collect()
}

/// What is of an item store, or of the index.
fn hidden(objects: &ObjectStorage) -> Vec<String> {
    let keys = objects.keys().into_iter();
    let is_ours = |key: &String| key.contains(".taskmanager-") || key.contains(".taskmanager.stores");
    keys.filter(is_ours).collect()
}

fn named(name: &str) -> Builder {
    Cluster::named(name).plugins("NOOP=2").object_storage()
}

#[test]
fn a_volume_is_read_from_object_storage_and_all_its_outputs_appear_there_at_once() {
    let cluster = Cluster::named("objects-ocr")
        .plugins("OCR=1")
        .object_storage()
        .start();
    let objects = cluster.objects();
    for page in PAGES {
        objects.put(&format!("27/images/{page}"), &page_bytes(page));
    }
    let target = format!("{}/27/ocr", ObjectStorage::ROOT);
    let id = cluster.submit(&json!({
        "plugin": "OCR", "title": "faust", "source": format!("{}/27/images", ObjectStorage::ROOT), "target": target,
        "parameters": {"languages": ["deu"]},
    }));
    eventually(LIMIT, "pages in the item store", || match hidden(objects).len() {
        0..=2 => Err("none".to_owned()),
        _ => Ok(()),
    });
    assert_eq!(objects.pointer("27/ocr"), None, "a part of them appeared");
    let job = cluster.wait_until_done(id);
    let pointer = objects.pointer("27/ocr").expect("they are published");
    let published: Vec<&str> = pointer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        job.outputs
            .iter()
            .map(|file| file.path.as_str())
            .collect::<Vec<_>>(),
        published
    );
    let alto = published
        .iter()
        .filter(|path| path.contains("_alto/"))
        .map(|path| {
            let text = objects
                .text(&format!("27/ocr/versions/{id}/{path}"))
                .expect("a file of the version");
            assert!(
                text.contains("<alto") && text.contains("CONTENT="),
                "{path}: {text}"
            );
        });
    assert_eq!(alto.count(), PAGES.len());
    assert_eq!(hidden(objects), Vec::<String>::new());
}

#[test]
fn what_was_granted_on_object_storage_is_completed_wherever_its_worker_dies() {
    let mut cluster = named("objects-death")
        .failpoints()
        .lease_seconds(2)
        .expecting("have lost their worker")
        .start();
    // The point, whether the outputs are to be seen then, and whether the item store is there.
    for (point, visible, store) in [
        (Failpoint::GrantBeforeRename, false, true),
        (Failpoint::BetweenRenames, false, true),
        (Failpoint::VersionBeforePointer, false, true),
        (Failpoint::RenameBeforeRemoval, true, true),
        (Failpoint::RemovalBeforeEntry, true, false),
    ] {
        let name = point.as_str();
        cluster.arm(point);
        let id = cluster.submit(&writes(&cluster, name));
        cluster.worker_dies_at(0, point);
        let keys = cluster.objects().keys();
        let versions = keys
            .iter()
            .filter(|key| key.starts_with(&format!("{name}/versions/")))
            .count();
        match point {
            Failpoint::GrantBeforeRename => assert_eq!(versions, 0),
            Failpoint::BetweenRenames => assert!(versions >= 1),
            _ => assert_eq!(versions, ITEMS, "{name}"),
        }
        assert_eq!(cluster.objects().pointer(name).is_some(), visible, "{name}");
        assert_eq!(
            keys.iter().any(|key| key.contains("/.taskmanager-")),
            store,
            "{name}"
        );
        cluster.workers[0].start_again();
        let job = cluster.wait_until_done(id);
        assert_eq!(job.outcomes(), ["lost", "done"], "{name}");
        // The second attempt did no item and published the first one's files.
        let files = read(cluster.objects(), name, id);
        assert_eq!(
            files.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(),
            [1; ITEMS],
            "{name}"
        );
        eventually(LIMIT, "nothing of the item store", || {
            match hidden(cluster.objects()) {
                left if left.is_empty() => Ok(()),
                left => Err(format!("{left:?}")),
            }
        });
    }
}

#[test]
fn items_that_are_done_are_kept_on_object_storage_for_the_next_attempt() {
    let mut cluster = named("objects-kept")
        .lease_seconds(2)
        .expecting("have lost their worker")
        .start();
    let mut order = writes(&cluster, "kept");
    order["parameters"]["items"] = json!(60);
    order["parameters"]["item_ms"] = json!(50);
    let id = cluster.submit(&order);
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    cluster.workers[0].kill9();
    cluster.workers[0].start_again();
    assert_eq!(cluster.wait_until_done(id).outcomes(), ["lost", "done"]);
    let files = read(cluster.objects(), "kept", id);
    let kept = files.iter().filter(|(_, attempt)| *attempt == 1).count();
    assert_eq!(files.len(), 60);
    assert!((3..60).contains(&kept), "{kept} were kept");
}

#[test]
fn object_storage_that_is_away_fails_the_attempt_with_the_reason_and_the_next_one_goes_on() {
    let cluster = named("objects-away").expecting("can't").start();
    let soon = json!({"action": "configure", "retries_max": 1, "retry_first_seconds": 1});
    let (status, answer) = cluster.api().act("/api/v1/plugins/NOOP/actions", &soon);
    assert_eq!(status, 200, "{answer}");
    cluster.objects().network(Mode::Reset);
    let id = cluster.submit(&writes(&cluster, "away"));
    cluster.wait_until(id, "waits for its retry", |job| job.state == "SCHEDULED");
    let rows = cluster.sql(
        "SELECT error FROM attempts WHERE job_id = $1 ORDER BY attempt LIMIT 1",
        &[&id.0],
    );
    let said: String = rows[0].get(0);
    assert!(
        said.starts_with(&format!("can't read {}", ObjectStorage::ROOT)),
        "{said}"
    );
    cluster.objects().network(Mode::Pass);
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), ["failed", "done"]);
    assert_eq!(read(cluster.objects(), "away", id).len(), ITEMS);
}

#[test]
fn the_item_store_of_a_job_that_is_given_up_goes_from_object_storage() {
    let cluster = named("objects-given-up").start();
    let mut order = writes(&cluster, "given-up");
    order["parameters"]["fail"] = json!("permanent");
    let id = cluster.submit(&order);
    cluster.wait_for_end(id);
    assert_eq!(hidden(cluster.objects()).len(), ITEMS + 1, "it stays for a retry");
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "delete"}),
    );
    assert_eq!(status, 200, "{answer}");
    eventually(LIMIT, "nothing of the item store", || {
        match hidden(cluster.objects()) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("{left:?}")),
        }
    });
    assert_eq!(cluster.objects().pointer("given-up"), None);
}

#[test]
fn a_job_that_waits_for_object_storage_that_hangs_can_be_cancelled_and_its_worker_ends_in_time() {
    let mut cluster = named("objects-hang")
        .expecting("left to be removed later")
        .start();
    cluster.objects().network(Mode::Stall);
    let id = cluster.submit(&writes(&cluster, "hangs"));
    let other = cluster.submit(&writes(&cluster, "hangs-too"));
    for job in [id, other] {
        cluster.wait_until(job, "runs", |job| job.state == "PROCESSING");
    }
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    assert_eq!(cluster.wait_for_end(id).outcomes(), ["cancelled"]);
    assert!(cluster.workers[0].terminate(LIMIT).success());
    cluster.wait_until(other, "is given back", |job| job.state == "QUEUED");
    cluster.objects().network(Mode::Pass);
    cluster.workers[0].start_again();
    assert_eq!(cluster.wait_until_done(other).outcomes(), ["interrupted", "done"]);
    assert_eq!(cluster.objects().pointer("hangs"), None);
}

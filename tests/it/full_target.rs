//! Full disks: jobs wait with the reason or are tried again, go on by themselves when there is room, and nobody sees half
//! a file.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Cluster, LIMIT, SmallTarget, eventually};

fn writes(target: &Path, items: u32, item_ms: u32) -> Value {
    json!({"plugin": "NOOP", "title": "writes", "target": target,
           "parameters": {"items": items, "item_ms": item_ms, "write": true}})
}

fn act(cluster: &Cluster, id: JobId, action: &str) {
    let (status, answer) = cluster
        .api()
        .act(&format!("/api/v1/jobs/{id}/actions"), &json!({"action": action}));
    assert_eq!(status, 200, "{answer}");
}

/// What a list shows of a running job.
fn detail(cluster: &Cluster, id: JobId) -> String {
    let row = cluster.sql("SELECT detail FROM leases WHERE job_id = $1", &[&id.0]);
    row.first().map_or_else(String::new, |row| row.get(0))
}

/// Waits until the job says that it waits for room in this folder.
fn wait_until_it_waits(cluster: &Cluster, id: JobId, folder: &str) {
    cluster.wait_until(id, "waits for space", |job| job.state == "WAITINGFORUPLOAD");
    eventually(LIMIT, "it says where", || match detail(cluster, id) {
        detail if detail.contains("waits for free space") && detail.contains(folder) => Ok(()),
        other => Err(other),
    });
}

/// All outputs are there and whole, and nothing else is left.
#[track_caller]
fn assert_published(target: &Path, items: usize) {
    let files = fs::read_dir(target.join("noop")).unwrap();
    let contents: Vec<String> = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(contents.len(), items);
    assert!(
        contents
            .iter()
            .all(|content| content.starts_with("item 0") && content.ends_with('\n'))
    );
    let hidden = fs::read_dir(target)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let hidden: Vec<_> = hidden
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn a_job_whose_target_is_full_waits_can_be_held_and_cancelled_and_goes_on_when_there_is_room() {
    let cluster = Cluster::named("disk-target")
        .plugins("NOOP=2")
        .worker_env("TASKMANAGER_TARGET_FREE_MIN", "512K")
        .expecting("waits for free space")
        .start();
    let folder = cluster.data().join("small");
    let Some(disk) = SmallTarget::mount(&folder, "1m", 1_000) else {
        return;
    };
    disk.fill(800 << 10);
    let target = disk.folder().join("out");
    let shown = target.to_str().unwrap();
    let id = cluster.submit(&writes(&target, 3, 0));
    let unwanted = cluster.submit(&writes(&target, 3, 0));
    wait_until_it_waits(&cluster, id, shown);
    wait_until_it_waits(&cluster, unwanted, "512.0 KiB are needed");
    act(&cluster, unwanted, "cancel");
    assert_eq!(cluster.wait_for_end(unwanted).outcomes(), ["cancelled"]);
    act(&cluster, id, "hold");
    cluster.wait_until(id, "has given way", |job| job.state == "PAUSED");
    act(&cluster, id, "release");
    wait_until_it_waits(&cluster, id, shown);
    disk.make_room();
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"], "waiting is no failure");
    assert_published(&target, 3);
}

#[test]
fn a_job_whose_scratch_folder_is_full_waits_and_goes_on_when_there_is_room() {
    let scratch = std::env::temp_dir().join(format!("taskmanager-small-scratch-{}", std::process::id()));
    let Some(disk) = SmallTarget::mount(&scratch, "1m", 1_000) else {
        return;
    };
    let cluster = Cluster::named("disk-scratch")
        .plugins("NOOP=1")
        .worker_env("TASKMANAGER_SCRATCH", scratch.to_str().unwrap())
        .worker_env("TASKMANAGER_SCRATCH_FREE_MIN", "512K")
        .expecting("waits for free space")
        .start();
    disk.fill(800 << 10);
    let target = cluster.data().join("out");
    let id = cluster.submit(&writes(&target, 3, 0));
    wait_until_it_waits(&cluster, id, scratch.to_str().unwrap());
    disk.make_room();
    assert_eq!(cluster.wait_until_done(id).outcomes(), ["done"]);
    assert_published(&target, 3);
    drop(cluster);
    drop(disk);
    fs::remove_dir(&scratch).unwrap();
}

#[test]
fn a_target_that_becomes_full_in_the_middle_costs_no_page_and_shows_no_half_file() {
    let cluster = Cluster::named("disk-middle")
        .plugins("NOOP=1")
        .worker_env("TASKMANAGER_TARGET_FREE_MIN", "64K")
        .expecting("waits for free space")
        .start();
    let set = json!({"action": "configure", "retry_first_seconds": 1, "retries_max": 1});
    assert_eq!(cluster.api().act("/api/v1/plugins/NOOP/actions", &set).0, 200);
    let folder = cluster.data().join("small");
    let Some(disk) = SmallTarget::mount(&folder, "1m", 2_000) else {
        return;
    };
    let target = disk.folder().join("out");
    // Each file takes a page of memory: some 250 of them have room.
    let id = cluster.submit(&writes(&target, 400, 0));
    wait_until_it_waits(&cluster, id, target.to_str().unwrap());
    let waiting = cluster.api().job(id).unwrap();
    assert_eq!(waiting.outcomes(), ["failed", "running"]);
    let error = waiting
        .attempts
        .iter()
        .find_map(|attempt| attempt.error.clone())
        .unwrap();
    assert!(error.contains("make room"), "{error}");
    let kept = waiting.items_in("done").len();
    assert!((100..400).contains(&kept), "{kept} items are done");
    assert!(!target.join("noop").exists(), "something is visible already");
    disk.grow("8m");
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["failed", "done"]);
    let first = done.items.iter().filter(|item| item.attempt == 1).count();
    assert_eq!(first, kept, "items were done twice");
    assert_published(&target, 400);
}

#[test]
fn a_target_that_is_full_after_the_publish_grant_is_waited_for() {
    let mut cluster = Cluster::named("disk-publish")
        .plugins("NOOP=1")
        .worker_env("TASKMANAGER_TARGET_FREE_MIN", "64K")
        .expecting("publishing waits")
        .expecting("heartbeat without an answer")
        .expecting("a request to publish has no answer yet")
        .start();
    let folder = cluster.data().join("small");
    let Some(disk) = SmallTarget::mount(&folder, "1m", 100) else {
        return;
    };
    let target = disk.folder().join("out");
    let id = cluster.submit(&writes(&target, 3, 500));
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
    // Nobody agrees to publish until the disk is full.
    cluster.coordinator.freeze();
    let store = target.join(format!(".taskmanager-{id}/noop"));
    eventually(LIMIT, "all items are in the store", || {
        match fs::read_dir(&store).map_or(0, Iterator::count) {
            3 => Ok(()),
            items => Err(items.to_string()),
        }
    });
    let many = disk.use_up_files();
    cluster.coordinator.thaw();
    cluster.wait_until(id, "publishes", |job| job.state == "DOWNLOAD");
    eventually(LIMIT, "it says what it waits for", || {
        match detail(&cluster, id) {
            detail if detail.contains("can't publish") && detail.contains("make room") => Ok(()),
            other => Err(other),
        }
    });
    assert!(!target.join("noop").exists());
    fs::remove_dir_all(many).unwrap();
    assert_eq!(cluster.wait_until_done(id).outcomes(), ["done"]);
    assert_published(&target, 3);
}

//! Item stores that nobody would know of: their job is lost with a database that was put back, or an attempt that is
//! never heard of again has made them anew. Workers find them in the indexes of their roots.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::failpoint::Failpoint;
use shared::job::JobId;
use tests::{Cluster, LIMIT, eventually};

fn job(title: &str, target: &Path, parameters: &Value) -> Value {
    json!({"plugin": "NOOP", "title": title, "target": target, "parameters": parameters})
}

fn recover(cluster: &Cluster, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["recover"].into_iter().chain(arguments.iter().copied()).collect();
    let output = cluster.taskmanager(&arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn store(target: &Path, id: JobId) -> PathBuf {
    target.join(format!(".taskmanager-{id}"))
}

fn entry(cluster: &Cluster, id: JobId) -> PathBuf {
    cluster.data().join(".taskmanager.stores").join(id.to_string())
}

fn wait_until_gone(path: &Path) {
    eventually(LIMIT, &format!("{} is gone", path.display()), || {
        if path.exists() {
            Err("it is there".to_owned())
        } else {
            Ok(())
        }
    });
}

fn check(cluster: &Cluster) -> Value {
    let report = cluster.api().json("/api/v1/doctor").unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "unknown item stores");
    check.unwrap().clone()
}

#[test]
fn a_store_of_a_job_that_a_restored_database_has_lost_is_named_and_goes_by_a_persons_command_only() {
    let mut cluster = Cluster::named("store-lost")
        .plugins("NOOP=1")
        .lease_seconds(5)
        .expecting("was put back from a copy")
        .expecting("have lost their worker")
        .expecting("is fenced: the job is another's now")
        .expecting("no answer yet")
        .expecting("without an answer")
        .start();
    let targets = ["fails", "lost"].map(|name| cluster.data().join(name));
    let fails = cluster.submit(&job(
        "fails",
        &targets[0],
        &json!({"items": 3, "write": true, "fail": "permanent"}),
    ));
    assert_eq!(cluster.wait_for_end(fails).state, "ERROR");
    let backup = cluster.back_up();
    let lost = cluster.submit(&job(
        "lost",
        &targets[1],
        &json!({"items": 1_000, "item_ms": 50, "write": true}),
    ));
    cluster.wait_until(lost, "has done items", |job| job.items_done > 2);
    let [kept, left] = [store(&targets[0], fails), store(&targets[1], lost)];
    assert!(kept.exists() && left.exists());

    cluster.coordinator.kill9();
    cluster.put_back(&backup);
    cluster.coordinator.start_again();
    let report = eventually(LIMIT, "the store of the lost job is named", || {
        let (code, report) = recover(&cluster, &[]);
        if report.contains(&left.display().to_string()) {
            assert_eq!(code, Some(1));
            Ok(report)
        } else {
            Err(report)
        }
    });
    assert!(report.contains(&format!("Item store {lost}: ")), "{report}");
    assert!(!report.contains(&fails.to_string()), "{report}");
    // The notice of the restore ends, and what was found stays told.
    recover(&cluster, &["--apply"]);
    let (code, report) = recover(&cluster, &[]);
    assert_eq!(code, Some(1), "{report}");
    assert!(report.contains(&format!("Item store {lost}: ")), "{report}");
    let found = check(&cluster);
    assert_eq!(found["ok"], false, "{found}");
    assert_eq!(cluster.api().json("/api/v1/stores").unwrap()["total"], 1);
    eventually(LIMIT, "the attempt of the lost job has ended", || {
        let log = cluster.workers[0].log();
        log.contains("is fenced").then_some(()).ok_or(log)
    });
    assert_eq!(cluster.count("SELECT count(*) FROM stores_to_remove"), 0);
    assert!(left.exists(), "it went without a person's command");

    let (code, said) = recover(&cluster, &["--remove-store", &lost.to_string()]);
    assert_eq!(code, Some(0), "{said}");
    wait_until_gone(&left);
    wait_until_gone(&entry(&cluster, lost));
    let (code, said) = recover(
        &cluster,
        &["--remove-store", &lost.to_string(), &fails.to_string()],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no worker has found such"), "{said}");
    assert!(said.contains("a job of this database has it"), "{said}");
    assert!(kept.exists() && entry(&cluster, fails).exists());
    let (code, report) = recover(&cluster, &[]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(check(&cluster)["ok"], true);
    let audit = cluster.sql(
        "SELECT actor || ' ' || outcome FROM audit_log WHERE action = 'remove_stores' AND job_id = $1 ORDER BY id",
        &[&lost.0],
    );
    let audit: Vec<String> = audit.iter().map(|row| row.get(0)).collect();
    assert_eq!(audit.len(), 2, "{audit:?}");
    assert!(
        audit[0].ends_with(" done") && audit[1].ends_with(" refused"),
        "{audit:?}"
    );
}

#[test]
fn a_store_that_an_attempt_has_made_anew_and_that_is_never_heard_of_again_is_found_and_removed() {
    let mut cluster = Cluster::named("store-anew")
        .failpoints()
        .plugins("NOOP=1")
        .lease_seconds(3)
        .expecting("have lost their worker")
        .start();
    let target = cluster.data().join("out");
    cluster.arm(Failpoint::EntryBeforeStore);
    let id = cluster.submit(&job("anew", &target, &json!({"items": 3, "write": true})));
    cluster.worker_dies_at(0, Failpoint::EntryBeforeStore);
    let (store, entry) = (store(&target, id), entry(&cluster, id));
    assert!(entry.exists() && !store.exists(), "the entry comes first");
    let written = fs::read(&entry).unwrap();
    cluster.wait_until(id, "has lost its worker", |job| job.outcomes() == ["lost"]);
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    cluster.add_worker();
    wait_until_gone(&entry);
    eventually(LIMIT, "the removal is recorded", || {
        match cluster.count("SELECT count(*) FROM stores_to_remove WHERE removed_at IS NULL") {
            0 => Ok(()),
            listed => Err(listed.to_string()),
        }
    });
    // As if its worker had only been cut off, had gone on then, and had died before it reached anybody.
    fs::write(&entry, &written).unwrap();
    fs::create_dir(&store).unwrap();
    fs::write(store.join("1.txt"), "x").unwrap();
    // And as if another one had died between the entry and the store of a job that was lost later.
    let stray = self::entry(&cluster, JobId::generate());
    fs::write(&stray, &written).unwrap();
    let (code, said) = recover(&cluster, &["--look"]);
    assert_eq!(code, Some(0), "{said}");
    for path in [&store, &entry, &stray] {
        wait_until_gone(path);
    }
    assert_eq!(cluster.count("SELECT count(*) FROM unknown_stores"), 0);
}

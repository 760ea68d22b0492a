//! The database is put back from an older copy: nothing starts by itself, a person is told what that means, and then
//! everything ends well once more.

use std::fs;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::receiver::{Manner, Receiver};
use tests::{Cluster, LIMIT, eventually};

fn files(target: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let folder = target.join("noop");
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn job(title: &str, items: u32, item_ms: u32, target: &std::path::Path, receiver: &Receiver) -> Value {
    json!({"plugin": "NOOP", "title": title, "target": target, "callback_url": receiver.address(),
           "parameters": {"items": items, "item_ms": item_ms, "write": true}})
}

fn plugin_states(cluster: &Cluster) -> Vec<String> {
    let rows = cluster.sql(
        "SELECT state || ': ' || coalesce(state_reason, '') FROM plugins ORDER BY name",
        &[],
    );
    rows.iter().map(|row| row.get(0)).collect()
}

fn recover(cluster: &Cluster, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = ["recover"].into_iter().chain(arguments.iter().copied()).collect();
    let output = cluster.taskmanager(&arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn doctor(cluster: &Cluster) -> Value {
    let report = cluster.api().json("/api/v1/doctor").unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == "database restore")
        .unwrap()
        .clone()
}

/// The plugins, the doctor and the dashboard say it.
fn everything_is_stopped(cluster: &Cluster) {
    eventually(LIMIT, "all plugins are stopped", || {
        let states = plugin_states(cluster);
        if states
            .iter()
            .all(|state| state.starts_with("stopped: the database was put back"))
        {
            Ok(())
        } else {
            Err(format!("{states:?}"))
        }
    });
    let check = doctor(cluster);
    assert_eq!(check["ok"], false, "{check}");
    let dashboard = cluster.api().get("/?lang=de").unwrap().body;
    assert!(dashboard.contains("aus einer Kopie vom"), "{dashboard}");
}

#[test]
fn a_database_from_yesterday_starts_nothing_until_a_person_has_read_what_is_lost() {
    let receiver = Receiver::answering(Manner::Status(200, String::new()));
    let mut cluster = Cluster::named("restore")
        .plugins("NOOP=1")
        .lease_seconds(5)
        .coordinator_env("TASKMANAGER_CALLBACK_ALLOW", receiver.host())
        // Messages of the time after the copy are gone, and those from before it are stale.
        .coordinator_env("TASKMANAGER_RESEND_AFTER_SECONDS", "2")
        .expecting("are sent again")
        .expecting("was put back from a copy")
        .expecting("have lost their worker")
        .expecting("no answer yet")
        .expecting("without an answer")
        .start();
    let targets = ["runs", "waits", "later"].map(|name| {
        let target = cluster.data().join(name);
        fs::create_dir(&target).unwrap();
        target
    });
    let runs = cluster.submit(&job("runs", 4, 700, &targets[0], &receiver));
    let waits = cluster.submit(&job("waits", 2, 0, &targets[1], &receiver));
    cluster.wait_until(runs, "has done an item and not all", |job| {
        assert!(
            job.items_done < 4,
            "the job was too fast to be copied in its middle"
        );
        job.items_done > 0
    });
    let backup = cluster.back_up();

    // What happens after the copy was made.
    let later = cluster.submit(&job("later", 1, 0, &targets[2], &receiver));
    for id in [runs, waits, later] {
        cluster.wait_until_done(id);
    }
    let before = targets.each_ref().map(|target| files(target));
    assert_eq!(before.each_ref().map(Vec::len), [4, 2, 1]);
    receiver.wait_for(3);

    cluster.coordinator.kill9();
    cluster.put_back(&backup);
    cluster.coordinator.start_again();

    // Nothing starts, everybody says so, and the process is ready all the same.
    everything_is_stopped(&cluster);
    for id in [runs, waits] {
        let job = cluster.api().job(id).unwrap();
        assert!(!job.has_ended(), "{job:?}");
    }
    // What was submitted after the copy is lost, and only its submitter knows it.
    assert!(cluster.api().job(later).unwrap_err().contains("404"));
    let (code, report) = recover(&cluster, &[]);
    assert_eq!(code, Some(1), "{report}");
    assert!(
        report.contains("Jobs that were submitted since are lost"),
        "{report}"
    );
    assert!(
        report.contains("Plugin NOOP is stopped; unfinished jobs: 2"),
        "{report}"
    );
    assert!(
        report.contains(&format!("Job {runs} (NOOP runs, now")),
        "{report}"
    );
    assert!(
        !report.contains(&waits.to_string()) && !report.contains(&later.to_string()),
        "{report}"
    );
    assert_eq!(plugin_audit(&cluster), ["coordinator stop done"]);

    let (code, report) = recover(&cluster, &["--apply"]);
    assert_eq!(code, Some(0), "{report}");
    let (code, report) = recover(&cluster, &[]);
    assert_eq!(code, Some(0));
    assert!(report.contains("nothing to recover"), "{report}");
    assert_eq!(doctor(&cluster)["ok"], true);
    assert!(
        plugin_states(&cluster)[0].starts_with("stopped"),
        "recover has started a plugin"
    );
    assert_eq!(cluster.api().job(waits).unwrap().attempts.len(), 0);

    let (status, answer) = cluster
        .api()
        .act("/api/v1/plugins/actions", &json!({"action": "start"}));
    assert_eq!(status, 200, "{answer}");
    for id in [runs, waits] {
        let job = cluster.wait_until_done(id);
        assert_eq!(job.outcomes().last(), Some(&"done"), "{job:?}");
    }
    let after = targets.each_ref().map(|target| files(target));
    assert_eq!(
        after, before,
        "outputs are whole once more, and those of the lost job are left alone"
    );
    assert!(
        !targets.iter().any(|target| store_in(target)),
        "an item store is left over"
    );
    // Each end is told: the second one with an id of its own, for the same job.
    let told: Vec<JobId> = receiver
        .wait_for(5)
        .iter()
        .map(|request| request.body["job_id"].as_str().unwrap().parse().unwrap())
        .collect();
    let times = |id| told.iter().filter(|told| **told == id).count();
    assert_eq!([times(runs), times(waits), times(later)], [2, 2, 1]);
}

fn plugin_audit(cluster: &Cluster) -> Vec<String> {
    let rows = cluster.sql(
        "SELECT actor || ' ' || action || ' ' || outcome FROM audit_log WHERE plugin IS NOT NULL ORDER BY id",
        &[],
    );
    rows.iter().map(|row| row.get(0)).collect()
}

fn store_in(target: &std::path::Path) -> bool {
    fs::read_dir(target).unwrap().any(|entry| {
        entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".taskmanager-")
    })
}

#[test]
fn a_restart_is_no_restore_and_a_person_can_say_that_it_is_one() {
    let mut cluster = Cluster::named("no-restore")
        .plugins("NOOP=1")
        .expecting("no answer yet")
        .expecting("without an answer")
        .start();
    cluster.coordinator.kill9();
    cluster.coordinator.start_again();
    assert_eq!(plugin_states(&cluster), ["running: "]);
    assert_eq!(doctor(&cluster)["ok"], true);
    let (code, report) = recover(&cluster, &["--declare"]);
    assert_eq!(code, Some(1), "{report}");
    eventually(LIMIT, "the plugin is stopped", || {
        let states = plugin_states(&cluster);
        if states[0].starts_with("stopped") {
            Ok(())
        } else {
            Err(states[0].clone())
        }
    });
    assert!(report.contains("a person has said so"), "{report}");
    let audit = "SELECT count(*) FROM audit_log WHERE action = 'recover' AND outcome = 'done'";
    assert_eq!(cluster.count(audit), 1);
}

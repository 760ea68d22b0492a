//! What people do with plugins: stops, autostart, limits.

use super::*;

#[test]
fn a_stopped_plugins_running_job_yields_with_its_items_and_goes_on_after_the_start() {
    let cluster = Cluster::named("stop")
        .plugins("NOOP=1,SHELL=1")
        .templates(TEMPLATES)
        .start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&noop("long", 200, 20, Some(&target)));
    let waiting = cluster.submit(&noop("next", 1, 0, None));
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    act_on_plugin(
        &cluster,
        "NOOP",
        &json!({"action": "stop", "reason": "new disks"}),
    );
    eventually(LIMIT, "NOOP stopped", || {
        match plugin_state(&cluster, "NOOP").as_str() {
            "stopped" => Ok(()),
            other => Err(other.to_owned()),
        }
    });
    let stopped = cluster.api().job(id).unwrap();
    assert_eq!(
        (stopped.state.as_str(), stopped.outcomes()),
        ("PAUSED", vec!["interrupted"])
    );
    let kept = stopped.items_in("done").len();
    assert!((3..200).contains(&kept), "{kept} items are done");
    // Another plugin's jobs go on meanwhile.
    let gate = cluster.folder().join("gate");
    fs::write(&gate, "").unwrap();
    cluster.wait_until_done(cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "other", "parameters": {"until": gate}}),
    ));
    assert_eq!(cluster.api().job(waiting).unwrap().state, "PAUSED");
    act_on_plugin(&cluster, "NOOP", &json!({"action": "start"}));
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"]);
    let first: Vec<_> = done.items.iter().filter(|item| item.attempt == 1).collect();
    assert_eq!(first.len(), kept, "items were done twice");
    assert_eq!(published(&target), 200);
    cluster.wait_until_done(waiting);
}

#[test]
fn a_job_without_items_is_interrupted_at_the_deadline_and_a_plugin_starts_again_at_its_time() {
    let cluster = Cluster::named("deadline")
        .plugins("SHELL=1")
        .templates(TEMPLATES)
        .start();
    let gate = cluster.folder().join("gate");
    let id = cluster.submit(
        &json!({"plugin": "SHELL", "template": "wait", "title": "long", "parameters": {"until": gate}}),
    );
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
    let soon = "SELECT to_char(tm_now() + interval '4 s', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
    let resume_at: String = cluster.sql(soon, &[])[0].get(0);
    act_on_plugin(
        &cluster,
        "SHELL",
        &json!({"action": "stop", "deadline_seconds": 1, "resume_at": resume_at}),
    );
    cluster.wait_until(id, "was interrupted", |job| job.outcomes() == ["interrupted"]);
    fs::write(&gate, "").unwrap();
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"]);
    assert_eq!(plugin_state(&cluster, "SHELL"), "running");
    let started = cluster.count(
        "SELECT count(*) FROM audit_log WHERE actor = 'coordinator' AND action = 'start' AND plugin = 'SHELL'",
    );
    assert_eq!(started, 1);
}

#[test]
fn a_plugin_whose_worker_does_not_answer_is_stopped_once_its_lease_has_ended() {
    let mut cluster = Cluster::named("stop-frozen")
        .plugins("NOOP=1")
        .lease_seconds(2)
        .expecting("have lost their worker")
        .start();
    let id = cluster.submit(&noop("long", 200, 20, Some(&cluster.data().join("out"))));
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    cluster.workers[0].freeze();
    let stop = json!({"action": "stop", "deadline_seconds": 0});
    act_on_plugin(&cluster, "NOOP", &stop);
    // Nobody knows whether it still runs: only when nothing of it counts any more may its storage be moved.
    // In one look: a lease may end between two.
    let look = "SELECT state, (SELECT count(*) FROM leases) FROM plugins WHERE name = 'NOOP'";
    eventually(LIMIT, "NOOP stopped", || {
        let row = &cluster.sql(look, &[])[0];
        match (row.get(0), row.get::<_, i64>(1)) {
            ("stopped", 0) => Ok(()),
            ("stopped", _) => panic!("it is said to be stopped, and something of it runs"),
            (other, _) => Err(other.to_owned()),
        }
    });
    cluster.workers[0].thaw();
    act_on_plugin(&cluster, "NOOP", &json!({"action": "start"}));
    // Whether its worker comes back before somebody else has claimed the job is a matter of moments.
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes().last(), Some(&"done"));
    assert_eq!(published(&cluster.data().join("out")), 200);
}

#[test]
fn with_autostart_off_only_jobs_that_are_started_by_hand_run() {
    let cluster = Cluster::named("autostart").plugins("NOOP=2").start();
    let (status, _) = cluster.api().act(
        "/api/v1/plugins/actions",
        &json!({"action": "autostart", "on": false}),
    );
    assert_eq!(status, 200);
    let left = cluster.submit(&noop("left", 1, 0, None));
    let wanted = cluster.submit(&noop("wanted", 1, 0, None));
    assert_eq!(act(&cluster, wanted, &json!({"action": "start_now"})).0, 200);
    cluster.wait_until_done(wanted);
    let job = cluster.api().job(left).unwrap();
    assert_eq!((job.state.as_str(), job.attempts.len()), ("QUEUED", 0));
    cluster.api().act(
        "/api/v1/plugins/actions",
        &json!({"action": "autostart", "on": true}),
    );
    cluster.wait_until_done(left);
}

#[test]
fn a_plugin_runs_no_more_jobs_at_once_than_its_limit_and_started_by_hand_is_more() {
    let cluster = Cluster::named("limit")
        .plugins("SHELL=6")
        .templates(TEMPLATES)
        .start();
    act_on_plugin(
        &cluster,
        "SHELL",
        &json!({"action": "configure", "running_max": 2}),
    );
    let gate = cluster.folder().join("gate");
    let ids: Vec<JobId> = (0..5)
        .map(|n| {
            cluster.submit(
                &json!({"plugin": "SHELL", "template": "wait", "title": format!("job {n}"),
                                   "parameters": {"until": gate}}),
            )
        })
        .collect();
    let running = || cluster.count("SELECT count(*) FROM leases");
    eventually(LIMIT, "two jobs run", || match running() {
        2 => Ok(()),
        other => Err(other.to_string()),
    });
    assert_eq!(act(&cluster, ids[4], &json!({"action": "start_now"})).0, 200);
    cluster.wait_until(ids[4], "runs", |job| job.state == "PROCESSING");
    assert_eq!(running(), 3);
    assert_eq!(
        cluster.count("SELECT running::bigint FROM limit_keys WHERE key = 'plugin:SHELL'"),
        3
    );
    fs::write(&gate, "").unwrap();
    for id in ids {
        cluster.wait_until_done(id);
    }
    assert_eq!(
        cluster.count("SELECT running::bigint FROM limit_keys WHERE key = 'plugin:SHELL'"),
        0
    );
}

//! What people have decided outlives every process: it stands in the database, and nothing that starts again takes it back.

use tests::Volume;

use super::*;

/// What people have decided about jobs, plugins, storages and all plugins, and how much of the page contract is used.
/// Whole rows, so that no setting is left out.
const DECIDED: &str = "
    SELECT concat_ws(' ', 'job', title, state, priority, position, held, start_now) FROM jobs
    UNION ALL
    SELECT concat_ws(' ', 'plugin', to_jsonb(plugins)) FROM plugins
    UNION ALL
    SELECT concat_ws(' ', 'contract', to_jsonb(quotas)) FROM quotas
    UNION ALL
    SELECT concat_ws(' ', 'storage', to_jsonb(storages)) FROM storages
    UNION ALL
    SELECT concat_ws(' ', 'all', to_jsonb(settings)) FROM settings
    UNION ALL
    SELECT concat_ws(' ', 'audit', at, actor, action, plugin, job_id, details, outcome) FROM audit_log
    ORDER BY 1";

fn decided(cluster: &Cluster) -> Vec<String> {
    let rows = cluster.sql(DECIDED, &[]);
    rows.iter().map(|row| row.get(0)).collect()
}

fn announced_at(cluster: &Cluster) -> String {
    cluster.sql("SELECT max(announced_at)::text FROM workers", &[])[0].get(0)
}

/// kill -9 of the coordinator and both servers; all is there again when this returns, the worker's announcement, too.
fn kill_all_but_the_worker(cluster: &mut Cluster) {
    let announced = announced_at(cluster);
    cluster.coordinator.kill9();
    cluster.postgres().kill9().unwrap();
    cluster.rabbitmq().kill9().unwrap();
    cluster.postgres().restart().unwrap();
    cluster.rabbitmq().restart().unwrap();
    cluster.coordinator.start_again();
    eventually(LIMIT, "the worker announces itself again", || {
        let now = announced_at(cluster);
        (now != announced).then_some(()).ok_or(now)
    });
}

fn autostart(cluster: &Cluster, on: bool) {
    let action = json!({"action": "autostart", "on": on});
    assert_eq!(cluster.api().act("/api/v1/plugins/actions", &action).0, 200);
}

/// Starts a job by hand and waits for its end: whatever could start by itself has been asked for by then.
fn start_by_hand(cluster: &Cluster, id: JobId) {
    assert_eq!(act(cluster, id, &json!({"action": "start_now"})).0, 200);
    cluster.wait_until_done(id);
}

#[track_caller]
fn none_has_begun(cluster: &Cluster, jobs: &[JobId]) {
    for id in jobs {
        let job = cluster.api().job(*id).unwrap();
        assert!(job.attempts.is_empty(), "{} has begun", job.title);
    }
}

/// A job of OCR with one page.
fn submit_page(cluster: &Cluster, process: u32, title: &str) -> JobId {
    let volume = Volume::empty(cluster.data(), process, title);
    volume.add_page("00000001.jpg", "00000001.jpg");
    cluster.submit(&volume.goobi_message())
}

#[test]
fn what_people_have_decided_outlives_the_death_of_coordinator_postgresql_and_rabbitmq() {
    let mut cluster = Cluster::named("decided")
        .private_postgres()
        .private_rabbitmq()
        .plugins("SHELL=4,NOOP=1,OCR=2")
        .templates(TEMPLATES)
        .expecting("to RabbitMQ at")
        .expecting("without an answer")
        .start();
    let gate = cluster.folder().join("gate");
    let shell = |title: &str, until: &Path| json!({"plugin": "SHELL", "template": "wait", "title": title, "parameters": {"until": until}});

    act_on_plugin(&cluster, "NOOP", &json!({"action": "quota", "pages_total": 3}));
    cluster.wait_until_done(cluster.submit(&noop("uses the contract up", 3, 0, None)));
    autostart(&cluster, false);
    for (plugin, action) in [
        ("SHELL", json!({"action": "autostart", "on": false})),
        // The lease is also what a coordinator gives to new plugins by itself.
        (
            "SHELL",
            json!({"action": "configure", "running_max": 1, "lease_seconds": 90, "retries_max": 7}),
        ),
        ("OCR", json!({"action": "autostart", "on": false})),
        (
            "OCR",
            json!({"action": "stop", "reason": "new disks", "resume_at": "2199-01-01T12:00:00Z"}),
        ),
    ] {
        act_on_plugin(&cluster, plugin, &action);
    }
    let limit = json!({"action": "set", "path": cluster.folder().join("nas"), "running_max": 3});
    assert_eq!(cluster.api().act("/api/v1/storages/actions", &limit).0, 200);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|title| cluster.submit(&shell(title, &gate)));
    let [first, second, third] = ["first", "second", "third"]
        .map(|title| cluster.submit(&shell(title, &cluster.folder().join("data"))));
    let counted = cluster.submit(&noop("counted", 1, 0, None));
    let [stopped, left] =
        [(7, "stopped"), (8, "left")].map(|(process, title)| submit_page(&cluster, process, title));
    for (id, action) in [
        (b, json!({"action": "hold"})),
        (d, json!({"action": "set_priority", "priority": 9})),
        (c, json!({"action": "move", "to": "top"})),
        (stopped, json!({"action": "start_now"})),
    ] {
        assert_eq!(act(&cluster, id, &action).0, 200);
    }
    eventually(LIMIT, "OCR stopped", || {
        match plugin_state(&cluster, "OCR").as_str() {
            "stopped" => Ok(()),
            other => Err(other.to_owned()),
        }
    });

    let before = decided(&cluster);
    for part in [
        "job stopped QUEUED 5 ",
        "\"state\": \"stopped\"",
        "\"state_reason\": \"new disks\"",
        "\"resume_at\": \"2199-01-01",
        "\"lease_seconds\": 90",
        "\"used_total\": 3",
        "/nas\"",
    ] {
        assert!(before.iter().any(|row| row.contains(part)), "{part}: {before:#?}");
    }
    kill_all_but_the_worker(&mut cluster);
    assert_eq!(decided(&cluster), before);

    // Neither switch (SHELL's own, that for all) lets anything start by itself; then each waits for its own reason.
    let waiting = [a, b, c, d, counted, stopped, left];
    start_by_hand(&cluster, first);
    none_has_begun(&cluster, &waiting);
    act_on_plugin(&cluster, "SHELL", &json!({"action": "autostart", "on": true}));
    start_by_hand(&cluster, second);
    none_has_begun(&cluster, &waiting);

    autostart(&cluster, true);
    cluster.wait_until(d, "runs", |job| job.state == "PROCESSING");
    start_by_hand(&cluster, third);
    none_has_begun(&cluster, &[a, b, c, counted, stopped, left]);
    act_on_plugin(&cluster, "NOOP", &json!({"action": "quota"}));
    cluster.wait_until_done(counted);
    none_has_begun(&cluster, &[a, b, c, stopped, left]);
    fs::write(&gate, "").unwrap();
    for id in [d, c, a] {
        cluster.wait_until_done(id);
    }
    let order =
        "SELECT string_agg(title, ' ' ORDER BY started_at) FROM job_history WHERE title IN ('a', 'c', 'd')";
    assert_eq!(cluster.sql(order, &[])[0].get::<_, &str>(0), "d c a");
    let overlaps = "SELECT count(*) FROM job_history AS one JOIN job_history AS other
        ON one.started_at < other.started_at AND other.started_at < one.finished_at
        WHERE one.title IN ('a', 'c', 'd') AND other.title IN ('a', 'c', 'd')";
    assert_eq!(cluster.count(overlaps), 0, "jobs of SHELL ran side by side");

    none_has_begun(&cluster, &[b, stopped, left]);
    for id in [b, stopped, left] {
        assert_eq!(cluster.api().job(id).unwrap().state, "PAUSED");
    }
    assert_eq!(act(&cluster, b, &json!({"action": "release"})).0, 200);
    cluster.wait_until_done(b);
    none_has_begun(&cluster, &[stopped, left]);
    // With OCR's autostart off only that one starts which a person wanted to before all died; there is room for both.
    act_on_plugin(&cluster, "OCR", &json!({"action": "start"}));
    cluster.wait_until_done(stopped);
    none_has_begun(&cluster, &[left]);
    act_on_plugin(&cluster, "OCR", &json!({"action": "autostart", "on": true}));
    cluster.wait_until_done(left);
}

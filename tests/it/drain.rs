//! A worker that is drained from outside gives its jobs back with what is done, takes no new ones, and ends well.

use serde_json::json;
use tests::{Cluster, LIMIT};

#[test]
fn a_drained_worker_gives_its_job_back_takes_no_other_and_ends_and_the_job_goes_on_elsewhere() {
    let mut cluster = Cluster::named("drain").plugins("NOOP=1").start();
    let target = cluster.data().join("out");
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "long", "target": target,
                                    "parameters": {"items": 100, "item_ms": 50, "write": true}}));
    let next = cluster.submit(&json!({"plugin": "NOOP", "title": "next", "parameters": {"items": 1}}));
    cluster.wait_until(id, "has done items", |job| job.items_done > 2);
    let drained: String = cluster.sql("SELECT id FROM workers", &[])[0].get(0);

    let output = cluster
        .taskmanager(&["worker", "drain", "worker-0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("worker-0: draining"),
        "{output:?}"
    );

    let status = cluster.workers[0].wait_for_end(LIMIT);
    assert!(status.success(), "{status}");
    let job = cluster.api().job(id).unwrap();
    assert_eq!(
        (job.state.as_str(), job.outcomes()),
        ("QUEUED", vec!["interrupted"])
    );
    let kept = job.items_in("done").len();
    assert!((3..100).contains(&kept), "{kept} items are done");
    assert_eq!(
        cluster.api().job(next).unwrap().attempts.len(),
        0,
        "it has taken another job"
    );
    let audit = cluster.sql(
        "SELECT action || ' ' || outcome FROM audit_log WHERE worker_id = $1",
        &[&drained],
    );
    assert_eq!(audit[0].get::<_, &str>(0), "drain done");
    let list = cluster.taskmanager(&["worker", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("worker-0") && list.contains(&drained), "{list}");

    cluster.add_worker();
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes(), ["interrupted", "done"]);
    let first = done.items.iter().filter(|item| item.attempt == 1).count();
    assert_eq!(first, kept, "items were done twice");
    cluster.wait_until_done(next);
    let others = cluster.sql(
        "SELECT DISTINCT worker_id FROM attempts WHERE attempt > 1 OR job_id = $1",
        &[&next.0],
    );
    assert!(others.iter().all(|row| row.get::<_, &str>(0) != drained));

    let unknown = cluster
        .taskmanager(&["worker", "drain", "nobody"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let (status, answer) = cluster
        .api()
        .act("/api/v1/workers/no%2Fbody/actions", &json!({"action": "drain"}));
    assert_eq!(status, 404, "{answer}");
}

//! A worker without contact to any coordinator: usually it goes on, unless its plugin says for how long at most.

use serde_json::json;
use tests::{Cluster, LIMIT, eventually};

#[test]
fn without_contact_for_longer_than_allowed_a_job_is_broken_off_and_goes_on_later() {
    let mut cluster = Cluster::named("contact")
        .plugins("NOOP=1")
        .expecting("without an answer")
        .expecting("no answer")
        .expecting("a result is not recorded yet")
        .expecting("is broken off")
        .start();
    // Shorter than anybody may set it.
    cluster.sql("UPDATE plugins SET disconnect_limit_seconds = 5", &[]);
    let volume = cluster.data().join("contact");
    std::fs::create_dir(&volume).unwrap();
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "long", "target": volume,
        "parameters": {"items": 120, "item_ms": 100, "write": true}}));
    cluster.wait_until(id, "a page done", |job| job.items_done > 0);
    cluster.coordinator.freeze();
    let worker = &cluster.workers[0];
    eventually(LIMIT, "the worker breaks the job off", || {
        if worker.log().contains("is broken off") {
            Ok(())
        } else {
            Err(String::new())
        }
    });
    cluster.coordinator.thaw();
    let done = cluster.wait_until_done(id);
    assert_eq!(done.outcomes()[0], "interrupted");
    assert_eq!(std::fs::read_dir(volume.join("noop")).unwrap().count(), 120);
    let said = cluster.sql(
        "SELECT error FROM attempts WHERE job_id = $1 AND attempt = 1",
        &[&id.0],
    );
    assert_eq!(said[0].get::<_, &str>(0), "it had no contact for too long");
}

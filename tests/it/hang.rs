//! An attempt that nothing ends: it hangs in a system call, as in a dead file server.
//!
//! A named pipe without a reader does that to whoever opens it for writing, without any special file system.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;
use tests::{Cluster, LIMIT, eventually};

#[test]
fn an_attempt_that_hangs_beyond_its_run_budget_ends_and_its_slot_is_not_used_again() {
    let mut cluster = Cluster::named("hang").plugins("NOOP=1").start();
    let set = json!({"action": "configure", "run_budget_seconds": 1, "retries_max": 0});
    let (status, answer) = cluster.api().act("/api/v1/plugins/NOOP/actions", &set);
    assert_eq!(status, 200, "{answer}");
    let source = cluster.data().join("in");
    fs::create_dir(&source).unwrap();
    mknodat(CWD, source.join("dead"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "hangs", "source": source,
                                    "parameters": {"items": 1, "witness": "dead"}}));
    let ended = cluster.wait_for_end(id);
    assert_eq!(
        (ended.state.as_str(), ended.outcomes()),
        ("ERROR", vec!["failed"])
    );
    let error = ended.error.unwrap();
    assert!(error.contains("could not be ended"), "{error}");

    let next = cluster.submit(&json!({"plugin": "NOOP", "title": "next", "parameters": {"items": 1}}));
    let metrics = launcher::http::get(cluster.workers[0].port(), "/metrics")
        .unwrap()
        .body;
    assert!(
        metrics.contains("taskmanager_worker_slots_used{plugin=\"NOOP\"} 1"),
        "{metrics}"
    );
    cluster.add_worker();
    let done = cluster.wait_until_done(next);
    assert!(
        done.attempts[0].worker_id.starts_with("worker-1/"),
        "{:?}",
        done.attempts
    );
    // It still ends when it is told to, although a thread of it hangs for ever.
    let status = cluster.workers[0].terminate(LIMIT);
    assert!(status.success(), "{status}");
    eventually(LIMIT, "nobody speaks for the hanging attempt", || {
        match cluster.count("SELECT count(*) FROM leases") {
            0 => Ok(()),
            leases => Err(leases.to_string()),
        }
    });
}

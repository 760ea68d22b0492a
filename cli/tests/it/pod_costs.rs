//! `taskmanager worker pod-costs` between a coordinator and Kubernetes' API.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Run, run};
use crate::stand_in::{Request, Response, StandIn};

/// A coordinator with these workers.
fn coordinator() -> StandIn {
    let worker = |host: &str, alive: bool, busy: Option<u64>| {
        json!({"id": host, "name": host, "host": host, "version": "0", "alive": alive, "draining": false, "running": 0,
               "plugins": ["OCR=1"], "heartbeat_at": "2026-11-23T00:00:00Z", "rss_bytes": null,
               "busy_seconds": busy, "jobs": []})
    };
    let workers = json!({"now": "2026-11-23T00:00:00Z", "workers": [
        worker("ocr-idle", true, None), worker("ocr-new", true, Some(5)), worker("ocr-long", true, Some(7_200)),
        worker("ocr-gone", false, None), worker("Under a desk", true, None),
    ]});
    StandIn::start(move |_, _| Response::json(200, &workers))
}

/// Looks once.
fn look(coordinator: &StandIn, kubernetes: &StandIn) -> Run {
    let account = tempfile::tempdir().unwrap();
    for (name, text) in [("token", "a-pods-token\n"), ("namespace", "library\n")] {
        fs::write(account.path().join(name), text).unwrap();
    }
    let folder = account.path().display().to_string();
    let url = kubernetes.url();
    let command = [
        "worker",
        "pod-costs",
        "--once",
        "--kubernetes",
        &url,
        "--service-account",
        &folder,
    ];
    run(&coordinator.url(), &command)
}

#[test]
fn idle_workers_cost_least_and_only_living_ones_that_are_pods_are_told_of() {
    let coordinator = coordinator();
    let kubernetes = StandIn::start(|_, _| Response::json(200, &json!({})));
    let looked = look(&coordinator, &kubernetes);
    assert_eq!(looked.code, Some(0), "{}", looked.stderr);
    assert!(
        looked
            .stderr
            .contains("worker on Under a desk: there is no such pod"),
        "{}",
        looked.stderr
    );
    let mut told: Vec<(String, Value)> = kubernetes
        .requests()
        .iter()
        .map(|request: &Request| {
            assert_eq!(request.header("authorization"), Some("Bearer a-pods-token"));
            assert_eq!(
                request.header("content-type"),
                Some("application/merge-patch+json")
            );
            (request.line.clone(), request.json())
        })
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let costs = |cost: &str| json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": cost}}});
    let pod = |name: &str| format!("PATCH /api/v1/namespaces/library/pods/{name}");
    assert_eq!(
        told,
        [
            (pod("ocr-idle"), costs("0")),
            (pod("ocr-long"), costs("7")),
            (pod("ocr-new"), costs("1")),
        ]
    );
}

#[test]
fn a_service_account_without_the_right_is_told_so_and_shows_no_token() {
    let coordinator = coordinator();
    let kubernetes = StandIn::start(|_, _| Response::json(403, &json!({"reason": "Forbidden"})));
    let looked = look(&coordinator, &kubernetes);
    assert_eq!(looked.code, Some(2));
    assert!(
        looked.stderr.contains("needs the verb `patch` on pods"),
        "{}",
        looked.stderr
    );
    assert!(!looked.stderr.contains("a-pods-token"), "{}", looked.stderr);
}

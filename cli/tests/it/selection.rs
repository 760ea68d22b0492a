//! Actions on all jobs that fit.

use serde_json::{Value, json};

use crate::program::run;
use crate::stand_in::{Request, Response, StandIn};

#[test]
fn a_dry_run_says_how_many_jobs_would_be_acted_on() {
    let server = StandIn::start(|_, request| {
        let dry = request.json()["dry_run"] == true;
        let done = if dry { 0 } else { 27 };
        Response::json(200, &json!({"found": 27, "done": done, "more": false}))
    });
    let chosen = [
        "--process",
        "1234",
        "--state",
        "paused",
        "--finished-to",
        "2026-11-22T08:00:00Z",
    ];
    run(&server.url(), &[&["cancel", "--dry-run"], &chosen[..]].concat())
        .gives("27 jobs would be cancelled where that is possible; nothing was done\n");
    run(&server.url(), &[&["cancel"], &chosen[..]].concat()).gives("27 jobs: cancelled\n");
    let jobs = json!({"jobs": [], "states": ["QUEUED"], "paused": true, "process": "1234",
                      "finished_to": "2026-11-22T08:00:00Z"});
    let sent: Vec<Value> = server.requests().iter().map(Request::json).collect();
    assert_eq!(
        sent,
        [
            json!({"jobs": jobs, "what": {"action": "cancel"}, "dry_run": true}),
            json!({"jobs": jobs, "what": {"action": "cancel"}}),
        ]
    );
}

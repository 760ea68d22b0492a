//! What concerns the system as a whole: figures, statistics, settings, the audit log.

use serde_json::{Value, json};

use crate::program::run;
use crate::stand_in::{Response, StandIn};

#[test]
fn statistics_are_asked_for_as_long_as_wished_and_printed_for_a_spreadsheet() {
    let server = StandIn::start(|_, _| {
        Response::json(
            200,
            &json!({"months": [{"month": "2026-07", "plugin": "OCR", "done": 2, "failed": 1, "cancelled": 0,
                                "pages": 40, "bytes": 900, "seconds": 8.4}]}),
        )
    });
    run(&server.url(), &["statistics", "--csv", "--last", "12"])
        .gives("month,plugin,done,failed,cancelled,pages,bytes,seconds\r\n2026-07,OCR,2,1,0,40,900,8\r\n");
    let table = run(&server.url(), &["statistics"]);
    assert!(
        table.stdout.contains("2026-07  OCR        2       1"),
        "{}",
        table.stdout
    );
    assert_eq!(
        server.lines(),
        [
            "GET /api/v1/statistics/months?last=12",
            "GET /api/v1/statistics/months"
        ]
    );
}

#[test]
fn status_passes_on_what_a_newer_coordinator_says() {
    let document = json!({"safe_to_shut_down": false, "not_stopped": ["OCR"], "newer": 7,
                          "all": {"today": {"done": 1, "failed": 0, "pages": 1}}, "plugins": []});
    let server = StandIn::start(move |_, _| Response::json(200, &document));
    let page = run(&server.url(), &["status"]);
    assert!(
        page.stdout.contains("Ended today: 1 job done, 0 failed; 1 page."),
        "{}",
        page.stdout
    );
    assert!(page.stdout.contains("not stopped: OCR."), "{}", page.stdout);
    let json: Value = serde_json::from_str(&run(&server.url(), &["status", "--json"]).stdout).unwrap();
    assert_eq!(json["newer"], 7);
    assert_eq!(server.lines(), ["GET /api/v1/figures", "GET /api/v1/figures"]);
}

#[test]
fn a_setting_that_is_not_named_stays() {
    let server = StandIn::start(|_, request| {
        if request.line.starts_with("GET") {
            Response::json(
                200,
                &json!({"autostart": true, "pages": {"refresh_seconds": 5, "jobs_on_dashboard": true}}),
            )
        } else {
            Response::json(200, &json!({"outcome": "done"}))
        }
    });
    run(&server.url(), &["settings", "set", "--refresh", "17"]).gives("set\n");
    run(&server.url(), &["settings", "set", "--jobs-on-dashboard", "off"]).gives("set\n");
    let sent: Vec<Value> = server
        .requests()
        .iter()
        .filter(|request| request.line == "POST /api/v1/settings/actions")
        .map(crate::stand_in::Request::json)
        .collect();
    assert_eq!(
        sent,
        [
            json!({"action": "set_pages", "refresh_seconds": 17, "jobs_on_dashboard": true}),
            json!({"action": "set_pages", "refresh_seconds": 5, "jobs_on_dashboard": false}),
        ]
    );
    assert_eq!(
        run(&server.url(), &["settings", "set"]).code,
        Some(2),
        "nothing is named"
    );
}

/// An audit log of 250 lines, 100 of which are an answer.
fn audit_log() -> StandIn {
    StandIn::start(|_, request| {
        let before = request.line.split("before=").nth(1);
        let before: i64 = before.map_or(251, |number| number.parse().unwrap());
        let lines: Vec<Value> = (1..before)
            .rev()
            .take(100)
            .map(|id| json!({"id": id, "actor": "anna", "action": "hold", "outcome": "done"}))
            .collect();
        let mut answer = json!({"lines": lines});
        if lines.len() == 100 {
            answer["next"] = lines[99]["id"].clone();
        }
        Response::json(200, &answer)
    })
}

#[test]
fn the_audit_log_is_fetched_in_parts_until_it_ends_or_is_enough() {
    let numbers = |arguments: &[&str]| {
        let server = audit_log();
        let run = run(&server.url(), arguments);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        let lines = json["lines"].as_array().unwrap();
        let ends = [lines.first(), lines.last()].map(|line| line.unwrap()["id"].as_i64().unwrap());
        (ends, json["next"].as_i64(), server.lines().len())
    };
    assert_eq!(numbers(&["audit", "--json"]), ([250, 201], Some(201), 1));
    assert_eq!(
        numbers(&["audit", "--json", "--limit", "100"]),
        ([250, 151], Some(151), 1)
    );
    assert_eq!(
        numbers(&["audit", "--json", "--limit", "150"]),
        ([250, 101], Some(101), 2)
    );
    assert_eq!(
        numbers(&["audit", "--json", "--limit", "1000"]),
        ([250, 1], None, 3)
    );
    assert_eq!(
        numbers(&["audit", "--json", "--before", "40", "--limit", "1000"]),
        ([39, 1], None, 1)
    );
}

#[test]
fn of_the_audit_log_only_what_is_wished_for_is_asked_for_and_the_rest_is_pointed_to() {
    let server = audit_log();
    let words = [
        "audit", "--who", "anna", "--plugin", "ocr", "--job", "0198c0de", "--limit", "1",
    ];
    let run = run(&server.url(), &words);
    assert!(
        run.stdout.contains("250") && run.stdout.contains("anna"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("--before 250"), "{}", run.stderr);
    assert_eq!(
        server.lines(),
        ["GET /api/v1/audit?actor=anna&plugin=ocr&job=0198c0de"]
    );
}

//! Looking at jobs, plugins and the installation.

use serde_json::{Value, json};

use crate::program::run;
use crate::stand_in::{Response, StandIn, nobody};

const ID: &str = "0198c0de-0000-7000-8000-000000000001";

fn job(number: usize) -> Value {
    json!({"id": format!("0198c0de-0000-7000-8000-{number:012}"), "plugin": "OCR", "title": format!("job {number}"),
           "state": "QUEUED", "priority": 5, "percent": 0, "submitted_at": "2026-07-01T06:14:32Z"})
}

#[test]
fn a_list_follows_the_pages_up_to_the_limit() {
    let server = StandIn::start(|number, _| {
        let jobs: Vec<Value> = (number * 100..number * 100 + 100).map(job).collect();
        Response::json(
            200,
            &json!({"jobs": jobs, "next": format!("page {}&", number + 1)}),
        )
    });
    let run = run(
        &server.url(),
        &["list", "--plugin", "O R", "--limit", "150", "--tab", "done"],
    );
    assert_eq!(run.code, Some(0));
    assert_eq!(
        server.lines(),
        [
            "GET /api/v1/jobs?tab=done&limit=100&plugin=O%20R",
            "GET /api/v1/jobs?tab=done&limit=50&plugin=O%20R&after=page%201%26",
        ]
    );
    assert!(run.stderr.contains("--limit shows more"), "{}", run.stderr);
    assert!(
        run.stdout
            .starts_with("ID                                    STATE   PRIO  PROGRESS  PLUGIN"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_search_is_about_all_jobs_unless_a_tab_is_named_and_says_when_older_ones_may_be_missing() {
    let server = StandIn::start(|_, _| {
        Response::json(200, &json!({"jobs": [job(1)], "next": null, "incomplete": true}))
    });
    let found = run(
        &server.url(),
        &[
            "list",
            "--title",
            "Köche",
            "--process",
            "27",
            "--finished-to",
            "2026-11-22",
        ],
    );
    assert_eq!(found.code, Some(0));
    assert!(
        found.stderr.contains("older ones may be missing"),
        "{}",
        found.stderr
    );
    run(
        &server.url(),
        &["list", "--error", "full", "--tab", "error", "--plugin", "OCR"],
    );
    assert_eq!(
        server.lines(),
        [
            "GET /api/v1/jobs?limit=50&title=K%C3%B6che&process=27&finished_to=2026-11-22",
            "GET /api/v1/jobs?tab=error&limit=50&error=full&plugin=OCR",
        ]
    );
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"jobs": [], "next": null})));
    run(&server.url(), &["list", "--step", "7"]).gives("No jobs match.\n");
}

#[test]
fn an_empty_list_says_so() {
    let server = StandIn::start(|_, _| Response::json(200, &json!({"jobs": [], "next": null})));
    run(&server.url(), &["list"]).gives("No unfinished jobs.\n");
    run(&server.url(), &["list", "--tab", "error"]).gives("No jobs that ended in ERROR or CANCELLED.\n");
}

#[test]
fn json_keeps_fields_that_this_release_does_not_know() {
    let document = json!({"jobs": [{"id": ID, "state": "NEW", "mood": "good"}], "next": null});
    let answer = document.clone();
    let server = StandIn::start(move |_, _| Response::json(200, &answer));
    let run = run(&server.url(), &["list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), document);
}

#[test]
fn show_prints_the_job_and_all_of_its_log() {
    let server = StandIn::start(|_, request| match request.line.as_str() {
        line if line.ends_with("/log?after=0") => Response::json(
            200,
            &json!({"lines": [{"number": 1, "attempt": 1, "text": "first"}], "next": 1}),
        ),
        line if line.ends_with("/log?after=1") => Response::json(
            200,
            &json!({"lines": [{"number": 2, "attempt": 1, "text": "second"}], "next": 2}),
        ),
        line if line.contains("/log?") => Response::json(200, &json!({"lines": [], "next": 2})),
        _ => Response::json(
            200,
            &json!({"id": ID, "plugin": "NOOP", "title": "x", "state": "QUEUED", "priority": 5}),
        ),
    });
    run(&server.url(), &["show", ID, "--log"]).gives(&format!(
        "NOOP x\nId         {ID}\nState      QUEUED, 0 %\nPriority   5\n\nLog\n  first\n  second\n"
    ));
    let json: Value =
        serde_json::from_str(&run(&server.url(), &["show", ID, "--log", "--json"]).stdout).unwrap();
    assert_eq!(json["title"], "x");
    assert_eq!(json["log"][1]["text"], "second");
}

#[test]
fn a_job_that_does_not_exist_is_an_error_in_one_line() {
    let server =
        StandIn::start(|_, _| Response::problem(404, "there is no job 0198;\nit may have been removed"));
    run(&server.url(), &["show", ID]).fails(2, &["there is no job 0198;; it may have been removed"]);
}

#[test]
fn plugins_are_shown_and_their_absence_explained() {
    let server = StandIn::start(|_, _| {
        Response::json(
            200,
            &json!({"plugins": [{"name": "OCR", "title_en": "Text", "state": "running", "queued": 2,
                                                 "running": 1, "slots": 4, "workers": 1}]}),
        )
    });
    run(&server.url(), &["plugins"]).gives(
        "PLUGIN  STATE    QUEUED  RUNNING  SLOTS  WORKERS  TITLE\nOCR     running       2        1      4        1  Text\n",
    );
    let empty = StandIn::start(|_, _| Response::json(200, &json!({"plugins": []})));
    let run = run(&empty.url(), &["plugins"]);
    assert!(run.stdout.starts_with("No plugins: "), "{}", run.stdout);
}

#[test]
fn doctor_ends_with_one_as_soon_as_a_check_is_not_fine() {
    let answer = |ok: bool| {
        StandIn::start(move |_, _| {
            Response::json(
                200,
                &json!({"checks": [{"name": "database", "ok": ok, "message": "version 14: needs 15"}]}),
            )
        })
    };
    let (good, bad) = (answer(true), answer(false));
    assert_eq!(run(&good.url(), &["doctor"]).code, Some(0));
    let run = run(&bad.url(), &["doctor"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    assert!(
        run.stdout.contains("✓ coordinator: http://127.0.0.1"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("✗ database: version 14: needs 15\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn doctor_says_how_to_start_a_coordinator_that_does_not_answer() {
    let url = format!("http://{}", nobody());
    let words = run(&url, &["doctor"]);
    assert_eq!(words.code, Some(1));
    assert!(
        words
            .stdout
            .starts_with("✗ coordinator: can't reach the coordinator at"),
        "{}",
        words.stdout
    );
    assert!(words.stdout.contains("cargo xtask up"), "{}", words.stdout);
    let json = run(&url, &["doctor", "--json"]);
    assert_eq!(json.code, Some(1));
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["checks"][0]["name"], &json["checks"][0]["ok"]),
        (&json!("coordinator"), &json!(false))
    );
}

#[test]
fn plugin_show_is_about_one_plugin_and_says_so_where_there_is_none() {
    let server = StandIn::start(|_, _| {
        Response::json(
            200,
            &json!({"autostart": true, "plugins": [
                {"name": "JP2", "state": "running"}, {"name": "OCR", "state": "stopped", "reason": "new disks"}]}),
        )
    });
    let page = run(&server.url(), &["plugin", "show", "ocr"]);
    assert!(
        page.stdout.starts_with("OCR\n") && page.stdout.contains("new disks") && !page.stdout.contains("JP2"),
        "{}",
        page.stdout
    );
    let json = run(&server.url(), &["plugin", "show", "OCR", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["name"], "OCR");
    run(&server.url(), &["plugin", "show", "none"]).fails(2, &["no plugin NONE", "taskmanager plugins"]);
    assert!(server.lines().iter().all(|line| line == "GET /api/v1/plugins"));
}

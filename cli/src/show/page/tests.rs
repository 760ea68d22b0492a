//! What a job looks like in a terminal.

use serde_json::json;

use super::*;

fn failed_job() -> Job {
    serde_json::from_value(json!({
        "id": "0198c0de-0000-7000-8000-000000000001", "plugin": "OCR", "title": "Kochbuch 1884", "state": "ERROR",
        "priority": 5, "percent": 75.0, "items_done": 3, "items_failed": 1, "items_total": 4, "bytes": 4_000_000,
        "detail": "page 4 of 4", "error": "1 of 4 pages failed\n00000002.jpg: not an image",
        "submitted_at": "2026-07-01T06:14:32Z", "started_at": "2026-07-01T06:14:33Z",
        "finished_at": "2026-07-01T06:14:41.500Z", "process_id": "27", "step_id": "6519",
        "template": "gothic", "step_name": "OCR", "project": "Kochbücher", "source": "/data/27/images",
        "target": "/data/27", "parameters": {"language": "ger,lat", "dpi": 300},
        "extra": {"serverType": "intranda-tesseract"}, "callback_url": null, "submitted_by": "amqp:goobi",
        "summary": {}, "waits_for": null,
        "items": [
            {"name": "00000001.jpg", "position": 1, "state": "done", "attempt": 1, "duration_ms": 3210, "error": null,
             "files": []},
            {"name": "00000002.jpg", "position": 2, "state": "failed", "attempt": 2, "duration_ms": 12,
             "error": "not an image", "files": []},
        ],
        "attempts": [
            {"attempt": 1, "worker_id": "w1", "started_at": "2026-07-01T06:14:33Z",
             "ended_at": "2026-07-01T06:14:37Z", "outcome": "lost", "error_class": null, "error": null,
             "exit_code": null},
            {"attempt": 2, "worker_id": "w2", "started_at": "2026-07-01T06:14:38Z",
             "ended_at": "2026-07-01T06:14:41Z", "outcome": "failed", "error_class": "permanent",
             "error": "1 of 4 pages failed", "exit_code": 1},
        ],
        "outputs": [{"path": "ocr/Kochbuch_alto/00000001.xml", "size": 48_213, "sha256": "00"}]
    }))
    .unwrap()
}

#[test]
fn a_failed_job_shows_why_and_where() {
    insta::assert_snapshot!(render(&failed_job(), Look::PLAIN, &TimeZone::UTC));
}

#[test]
fn a_waiting_job_says_what_it_waits_for_and_leaves_out_what_is_not_known() {
    let job: Job = serde_json::from_value(json!({
        "id": "0198c0de-0000-7000-8000-000000000002", "plugin": "NOOP", "title": "x", "state": "QUEUED",
        "priority": 10, "waits_for": "a worker: none that is alive has this plugin",
        "submitted_at": "2026-07-01T06:14:32Z"
    }))
    .unwrap();
    insta::assert_snapshot!(render(&job, Look::PLAIN, &TimeZone::UTC));
}

#[test]
fn of_many_items_only_those_that_need_attention_are_listed() {
    let mut job = failed_job();
    let done = job.items[0].clone();
    job.items.extend(std::iter::repeat_n(done, 30));
    job.outputs = vec![job.outputs[0].clone(); 25];
    let page = render(&job, Look::PLAIN, &TimeZone::UTC);
    assert!(
        page.contains("00000002.jpg") && !page.contains("00000001.jpg"),
        "{page}"
    );
    assert!(
        page.contains("(31 done ones are not listed; --json has them)"),
        "{page}"
    );
    assert!(
        page.contains("(25 files, 1.2 MB in all; 5 are not listed; --json has them)"),
        "{page}"
    );
}

#[test]
fn titles_and_logs_of_others_can_not_steer_the_terminal() {
    let mut job = failed_job();
    job.summary.title = "\u{1b}[2J".to_owned();
    job.parameters.insert("\u{7}".to_owned(), json!("\u{1b}c"));
    let line = LogLine {
        attempt: 1,
        at: None,
        text: "\u{1b}[31mred".to_owned(),
    };
    let page = render(&job, Look::PLAIN, &TimeZone::UTC) + &log(&[line], Look::PLAIN, &TimeZone::UTC);
    assert!(!page.contains(['\u{1b}', '\u{7}']), "{page:?}");
}

#[test]
fn log_lines_name_their_attempt_where_there_was_more_than_one() {
    let line = |attempt, text: &str| LogLine {
        attempt,
        at: Some("2026-07-01T06:14:33Z".parse().unwrap()),
        text: text.to_owned(),
    };
    let said = |lines: &[LogLine]| log(lines, Look::PLAIN, &TimeZone::UTC);
    assert_eq!(said(&[line(1, "a")]), "\nLog\n  06:14:33 a\n");
    assert_eq!(
        said(&[line(1, "a"), line(2, "b")]),
        "\nLog\n  06:14:33 #1 a\n  06:14:33 #2 b\n"
    );
    assert_eq!(said(&[]), "\nLog\n  (no lines)\n");
}

//! The pages in a real browser: what happens is seen without reloading.

use serde_json::{Value, json};
use shared::job::JobId;
use tests::browser::Screen;
use tests::{Cluster, LIMIT, eventually};

/// Shows that a page was not loaded again: such a mark would be gone.
const MARK: &str = "window.stillTheSamePage = true";

fn not_reloaded(browser: &tests::Browser) {
    let marked = browser.run("return window.stillTheSamePage === true");
    assert_eq!(marked, true, "the page was loaded again");
}

fn no_complaints(browser: &tests::Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
}

/// The value of a progress bar, 0 to 100; none where there is no such bar.
fn bar(browser: &tests::Browser, selector: &str) -> Option<f64> {
    browser
        .run(&format!(
            "return document.querySelector('{selector} progress')?.value ?? null"
        ))
        .as_f64()
}

/// Notes each new value of a bar until `end` says that it is enough.
fn watch_bar(
    browser: &tests::Browser,
    selector: &str,
    what: &str,
    end: impl Fn(Option<f64>) -> bool,
) -> Vec<f64> {
    let mut seen: Vec<f64> = Vec::new();
    eventually(LIMIT, what, || {
        let value = bar(browser, selector);
        if let Some(value) = value
            && seen.last() != Some(&value)
        {
            seen.push(value);
        }
        if end(value) {
            Ok(())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    assert!(seen.is_sorted(), "the bar went back: {seen:?}");
    seen
}

fn slow_ocr(cluster: &Cluster, process: u32) -> Value {
    let mut job = cluster
        .volume(process, &format!("volume {process}"))
        .goobi_message();
    job["language"] = json!("eng,ger,lat");
    job
}

#[test]
fn a_browser_sees_a_jobs_progress_bar_move_to_its_end_without_reloading() {
    let cluster = Cluster::named("dashboard")
        .plugins("OCR=1,NOOP=1")
        .one_page_at_a_time()
        .start();
    let browser = cluster.browser();
    let api = cluster.api();
    browser.use_screen(Screen::DESKTOP);
    browser.open(api.base());
    browser.run(MARK);

    // On the dashboard: the job appears, its bar moves, and it goes when it is done.
    let id = cluster.submit(&slow_ocr(&cluster, 1));
    let row = format!("#job-{id}");
    eventually(LIMIT, "the bar in the job's row", || {
        bar(&browser, &row).map(drop).ok_or_else(|| "no bar".to_owned())
    });
    let seen = watch_bar(&browser, &row, "the job has left the queue", |value| {
        value.is_none()
    });
    let moving = seen
        .iter()
        .filter(|value| **value > 0.0 && **value < 100.0)
        .count();
    assert!(moving >= 2, "the bar was hardly seen to move: {seen:?}");
    cluster.wait_until_done(id);
    not_reloaded(&browser);
    no_complaints(&browser);

    // On the job's own page: to 100 % and DONE.
    let id = cluster.submit(&slow_ocr(&cluster, 2));
    browser.open(&format!("{}/jobs/{id}", api.base()));
    browser.run(MARK);
    let seen = watch_bar(&browser, "#now", "the bar is full", |value| value == Some(100.0));
    assert!(seen.len() >= 3, "the bar was hardly seen to move: {seen:?}");
    eventually(LIMIT, "the page says that the job is done", || {
        let now = browser.text("#now").unwrap_or_default();
        if now.to_uppercase().contains("DONE") {
            Ok(())
        } else {
            Err(now)
        }
    });
    let pages = browser.text("#items").unwrap();
    assert!(pages.contains("00000004.jpg"), "{pages}");
    not_reloaded(&browser);
    no_complaints(&browser);
    browser.take_picture("job-done");
}

/// A queue with something of everything in it; gives a job with an error.
fn fill(cluster: &Cluster) -> JobId {
    let api = cluster.api();
    let failing = json!({"plugin": "NOOP", "title": "Kochbuch 1884", "process_id": 12, "priority": 8,
        "parameters": {"items": 3, "fail": "permanent"}});
    let failed = api.submit(&failing);
    cluster.wait_for_end(failed);
    cluster.wait_until_done(api.submit(&json!({"plugin": "NOOP", "title": "Intelligenzblatt"})));
    for (number, title) in ["Faust I", "Simplicissimus", "Leipziger Zeitung 1813", "Atlas"]
        .iter()
        .enumerate()
    {
        api.submit(
            &json!({"plugin": "NOOP", "title": title, "process_id": number + 30, "priority": number + 3,
            "parameters": {"items": 500, "item_ms": 200}}),
        );
    }
    eventually(LIMIT, "jobs that run and jobs that wait", || {
        let running = cluster.count("SELECT count(*) FROM jobs WHERE state = 'PROCESSING'");
        if running == 2 {
            Ok(())
        } else {
            Err(running.to_string())
        }
    });
    failed
}

#[test]
fn the_pages_say_everything_without_a_script() {
    let cluster = Cluster::named("no-script").plugins("NOOP=2").start();
    let failed = fill(&cluster);
    let page = |path: &str| cluster.api().get(path).unwrap();
    for (address, texts) in [
        (
            "/",
            // Which of the jobs run is a matter of moments.
            &["Active jobs", "NOOP", "<progress", "Stop all plugins"][..],
        ),
        ("/?tab=queue", &["Faust I", "Leipziger Zeitung 1813", "<progress"]),
    ] {
        let shown = page(address);
        assert_eq!(shown.status, 200);
        for text in texts {
            assert!(shown.body.contains(text), "\"{text}\" is not on {address}");
        }
    }
    assert!(page("/?tab=done").body.contains("Intelligenzblatt"));
    assert!(page("/?tab=error").body.contains("Kochbuch 1884"));
    assert!(
        page(&format!("/jobs/{failed}"))
            .body
            .contains("failed because parameter")
    );
    assert_eq!(page("/jobs/no-such-job").status, 404);
    assert_eq!(page("/nothing-here").status, 404);
}

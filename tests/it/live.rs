//! How an open page keeps itself up to date in a real browser: not too often, not while nobody looks, not under the
//! pointer, and again after the coordinator was away.

use serde_json::json;
use shared::job::JobId;
use tests::browser::Screen;
use tests::{Browser, Cluster, LIMIT, eventually};

/// Notes when each update begins, by the page's own clock.
const NOTE_UPDATES: &str = "
    window.began = [];
    const real = window.fetch;
    window.fetch = (address, ...rest) => {
        if (String(address).includes('fragment=1')) window.began.push(performance.now());
        return real(address, ...rest);
    };";

/// Notes the streams that are opened from now on, and lets the page be hidden.
const NOTE_STREAMS: &str = "
    window.streams = [];
    const Real = window.EventSource;
    window.EventSource = class extends Real {
        constructor(...rest) { super(...rest); window.streams.push(this); }
    };
    window.isHidden = false;
    Object.defineProperty(document, 'hidden', { get: () => window.isHidden });";

/// The pace of the first test, in seconds: slower than the server tells of changes.
const PACE: i32 = 3;

/// By how much a browser's timer may be early by its own clock, in milliseconds.
const TIMER_GRAIN: f64 = 10.0;

/// Shows that a page was not loaded again: such a mark would be gone.
const MARK: &str = "window.stillTheSamePage = true";

fn not_reloaded(browser: &Browser) {
    assert_eq!(
        browser.run("return window.stillTheSamePage === true"),
        true,
        "the page was loaded again"
    );
}

fn submit(cluster: &Cluster, title: &str, priority: u8) -> JobId {
    cluster
        .submit(&json!({"plugin": "NOOP", "title": title, "priority": priority, "parameters": {"items": 1}}))
}

/// Waits until a text is there.
fn comes_to_say(browser: &Browser, selector: &str, words: &str) {
    eventually(LIMIT, &format!("\"{words}\" in {selector}"), || {
        let said = browser.text(selector).unwrap_or_default();
        if said.contains(words) { Ok(()) } else { Err(said) }
    });
}

#[test]
fn an_open_page_updates_no_more_often_than_its_pace_says() {
    let cluster = Cluster::named("pace").plugins("NOOP=1").start();
    cluster.sql("UPDATE settings SET refresh_seconds = $1", &[&PACE]);
    let browser = cluster.browser();
    browser.use_screen(Screen::DESKTOP);
    browser.open(&format!("{}/?tab=queue", cluster.api().base()));
    browser.run(NOTE_UPDATES);
    // Something changes all the time.
    let job = cluster
        .submit(&json!({"plugin": "NOOP", "title": "moves", "parameters": {"items": 2000, "item_ms": 50}}));
    let began = eventually(LIMIT, "four updates", || {
        let began = browser.run("return window.began");
        let began: Vec<f64> = began
            .as_array()
            .unwrap()
            .iter()
            .filter_map(serde_json::Value::as_f64)
            .collect();
        if began.len() >= 4 {
            Ok(began)
        } else {
            Err(format!("{began:?}"))
        }
    });
    assert!(
        browser.text(&format!("#job-{job}")).is_some(),
        "the page is up to date"
    );
    let least = f64::from(PACE) * 1000.0 - TIMER_GRAIN;
    for pair in began.windows(2) {
        assert!(pair[1] - pair[0] >= least, "updates began at {began:?}");
    }
}

#[test]
fn an_open_page_rests_while_hidden_keeps_still_under_the_pointer_and_comes_back_by_itself() {
    rests_keeps_still_and_comes_back("live-english", "en", "No connection");
}

#[test]
fn a_german_page_rests_while_hidden_keeps_still_under_the_pointer_and_comes_back_by_itself() {
    rests_keeps_still_and_comes_back("live-german", "de", "Keine Verbindung");
}

fn rests_keeps_still_and_comes_back(name: &str, language: &str, no_connection: &str) {
    let mut cluster = Cluster::named(name).plugins("NOOP=1").start();
    cluster.sql("UPDATE settings SET autostart = false", &[]);
    let first = submit(&cluster, "Almanach", 5);
    submit(&cluster, "Bibel", 5);
    let browser = cluster.browser();
    browser.use_screen(Screen::DESKTOP);
    browser.open(&format!("{}/?tab=queue&lang={language}", cluster.api().base()));
    browser.run(MARK);
    browser.run(NOTE_STREAMS);
    comes_to_say(&browser, "#connection .word", "Live");

    rests_while_hidden(&cluster, &browser);
    keeps_still(&cluster, &browser, first);
    comes_back(&mut cluster, &browser, no_connection);
    not_reloaded(&browser);
}

fn hide(browser: &Browser, hidden: bool) {
    browser.run(&format!(
        "window.isHidden = {hidden}; document.dispatchEvent(new Event('visibilitychange'))"
    ));
}

fn rests_while_hidden(cluster: &Cluster, browser: &Browser) {
    let states = || browser.run("return window.streams.map(stream => stream.readyState)");
    let comes_to_be = |wanted: serde_json::Value| {
        eventually(LIMIT, &format!("streams that are {wanted}"), || {
            let states = states();
            if states == wanted {
                Ok(())
            } else {
                Err(states.to_string())
            }
        });
    };
    // The page's first stream was there before anybody counted.
    hide(browser, true);
    assert_eq!(states(), json!([]));
    hide(browser, false);
    comes_to_be(json!([1]));
    hide(browser, true);
    assert_eq!(states(), json!([2]), "a hidden page has closed its stream");
    submit(cluster, "Chronik", 5);
    assert_eq!(states(), json!([2]), "a hidden page opens none");
    hide(browser, false);
    comes_to_be(json!([2, 1]));
    comes_to_say(browser, "#rows", "Chronik");
}

fn keeps_still(cluster: &Cluster, browser: &Browser, first: JobId) {
    let row = format!("#job-{first}");
    let top = || {
        browser.run(&format!(
            "return document.querySelector('{row}').getBoundingClientRect().top"
        ))
    };
    let rows = || browser.run("return document.querySelectorAll('#rows tr').length");
    browser.point_at(&format!("{row} td.title"));
    let (before, number) = (top(), rows());
    assert_eq!(number, 3);
    submit(cluster, "Dissertation", 9);
    submit(cluster, "Einblattdruck", 9);
    // The number of jobs stands above the list and is brought up to date.
    comes_to_say(browser, "#sums dd", "5");
    assert_eq!(
        (top(), rows()),
        (before, number),
        "the row under the pointer has moved"
    );
    browser.point_at("h1");
    comes_to_say(browser, "#rows tr:first-child", "Dissertation");
    assert_eq!(rows(), 5);
}

fn comes_back(cluster: &mut Cluster, browser: &Browser, no_connection: &str) {
    cluster.coordinator.kill9();
    comes_to_say(browser, "#connection .word", no_connection);
    cluster.coordinator.start_again();
    submit(cluster, "Festschrift", 9);
    comes_to_say(browser, "#rows", "Festschrift");
    comes_to_say(browser, "#connection .word", "Live");
}

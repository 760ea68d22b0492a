//! Searching and acting on several jobs in a real browser, by pointing and clicking, in both languages, on both screens.

use tests::browser::Screen;
use tests::{Browser, Cluster, LIMIT, eventually};

/// Jobs of every kind, as if they had been there for some time.
const JOBS: &str = "
    WITH made AS (
        INSERT INTO jobs (id, plugin, title, state, priority, held, submitted_at)
        SELECT gen_random_uuid(), 'NOOP', 'kirchenbuch_' || n, 'QUEUED', 5, n = 2, now() - make_interval(mins => n)
        FROM generate_series(1, 3) AS n RETURNING id, title),
    details AS (
        INSERT INTO job_details (job_id, process_id, step_id, parameters, extra, submitted_by)
        SELECT id, '27', '6519', '{}', '{}', 'goobi' FROM made)
    INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at, finished_at, items_done,
        items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by, process_id, step_id)
    SELECT gen_random_uuid(), 'NOOP', 'kirchenbuch_taufen_' || n,
        (ARRAY['DONE', 'DONE', 'ERROR', 'CANCELLED'])[1 + n % 4], 5, 1, now() - interval '1 hour',
        now() - interval '50 min', now() - make_interval(mins => n), 111 - n % 4 * 20, n % 4 / 2, 111, 2400000,
        CASE WHEN n % 4 = 2 THEN 'page 00000042.tif is unreadable: the file ends in the middle of a strip' END,
        '{}', '{}', '{}', 'goobi', '28', '6520'
    FROM generate_series(1, 8) AS n";

fn pictures(browser: &Browser, address: &str, name: &str) {
    for language in ["de", "en"] {
        let joint = if address.contains('?') { '&' } else { '?' };
        for (screen, width) in [(Screen::DESKTOP, "1280"), (Screen::PHONE, "390")] {
            for (screen, scheme) in [(screen, "light"), (screen.dark(), "dark")] {
                browser.use_screen(screen);
                browser.open(&format!("{address}{joint}lang={language}"));
                let wider = "return document.documentElement.scrollWidth > window.innerWidth";
                assert_eq!(
                    browser.run(wider),
                    false,
                    "{name} is wider than {width} in {language}"
                );
                let barriers = browser.barriers();
                assert!(barriers.is_empty(), "{name}, {width} {scheme}: {barriers:#?}");
                browser.take_picture(&format!("{name}-{language}-{width}-{scheme}"));
            }
        }
    }
    browser.use_screen(Screen::DESKTOP);
}

#[test]
fn jobs_are_searched_for_chosen_and_acted_on_by_pointing_and_clicking() {
    let cluster = Cluster::named("lists").plugins("NOOP=1").start();
    eventually(LIMIT, "the worker to announce its plugin", || {
        let plugins = cluster.count("SELECT count(*) FROM plugins");
        (plugins > 0).then_some(()).ok_or_else(|| "none".to_owned())
    });
    cluster.sql("UPDATE plugins SET autostart = false", &[]);
    cluster.sql(JOBS, &[]);
    let browser = cluster.browser();
    let base = cluster.api().base().to_owned();
    pictures(&browser, &format!("{base}/search?title=kirchenbuch"), "search");
    pictures(&browser, &format!("{base}/search?title=ki"), "search-short");
    pictures(&browser, &format!("{base}/?plugin=NOOP"), "list");

    browser.open(&format!("{base}/search?title=kirchenbuch&state=queue&lang=de"));
    browser.click("tr:nth-child(1) input[name=job]");
    browser.click("tr:nth-child(3) input[name=job]");
    browser.run("document.getElementById('bulk-action').value = 'cancel'");
    browser.follow("#bulk button");
    assert_eq!(browser.text("h1").as_deref(), Some("Abbrechen: 2 Aufgaben?"));
    browser.take_picture("bulk-question");
    browser.follow("#confirm button");
    assert_eq!(browser.text(".tally dt").as_deref(), Some("2"));
    browser.take_picture("bulk-outcome");
    let cancelled = "SELECT count(*) FROM job_history WHERE state = 'CANCELLED' AND title IN ('kirchenbuch_1', 'kirchenbuch_3')";
    assert_eq!(cluster.count(cancelled), 2);

    // A row's own button, and back at the list.
    browser.open(&format!("{base}/search?title=kirchenbuch&state=queue&lang=de"));
    browser.follow("button[value=start]");
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs WHERE NOT start_now AND title = 'kirchenbuch_2'"),
        0
    );
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
}

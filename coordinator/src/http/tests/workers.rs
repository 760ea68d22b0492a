//! The workers' page: what it says of each, and the button that lets one end.

use axum::http::header::LOCATION;

use super::*;
use crate::control::{Actor, Role};
use crate::db::pages::sample::{Sample, id};
use crate::http::tests::comers::bearer_of;
use crate::http::tests::who::with_login;

/// Three workers: one that runs a job, one that has fallen silent, one that drains.
async fn ready() -> TestDatabase {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("JP2")
        .worker("worker", "OCR", 4, 1, false)
        .worker("gone", "JP2", 2, 3600, false)
        .worker("leaves", "JP2", 1, 1, true)
        .running("OCR", "volume 1", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let more = "UPDATE workers SET rss_bytes = 1500000 WHERE id = 'worker';
        INSERT INTO worker_plugins VALUES ('worker', 'JP2', 1)";
    database.execute(more).await;
    database
}

/// The row of the table that is about a worker.
fn row<'a>(page: &'a str, worker: &str) -> &'a str {
    let begin = format!("id=\"worker-{worker}\"");
    let (_, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no row for {worker}: {page}"));
    rest.split("</tr>").next().unwrap()
}

#[tokio::test]
async fn the_workers_page_says_in_both_languages_what_each_worker_is_and_does() {
    let database = ready().await;
    let router = router(app(database.db()));
    for (language, works, gone, leaves) in [
        (
            "en",
            ["alive", "JP2\u{a0}× 1, OCR\u{a0}× 4", "1.5\u{a0}MB", " ago"],
            ["silent", "not known", "none", "1\u{a0}h ago"],
            ["draining", "JP2\u{a0}× 1", "not known", " ago"],
        ),
        (
            "de",
            ["aktiv", "JP2\u{a0}× 1, OCR\u{a0}× 4", "1,5\u{a0}MB", "vor "],
            ["verstummt", "nicht bekannt", "keine", "vor 1\u{a0}h"],
            ["läuft aus", "JP2\u{a0}× 1", "nicht bekannt", "vor "],
        ),
    ] {
        let page = browse(&router, &format!("/workers?lang={language}")).await;
        assert_eq!(page.status, StatusCode::OK);
        for (worker, words) in [("worker", works), ("gone", gone), ("leaves", leaves)] {
            let row = row(&page.body, worker);
            assert!(words.iter().all(|word| row.contains(word)), "{worker}: {row}");
        }
        let link = format!("<a href=\"/jobs/{}\">volume 1</a>", id("volume 1"));
        assert!(row(&page.body, "worker").contains(&link), "{}", page.body);
        assert!(row(&page.body, "worker").contains("value=\"drain\""));
        for other in ["gone", "leaves"] {
            assert!(
                !row(&page.body, other).contains("<form"),
                "{other} can't be drained"
            );
        }
    }
    let fragment = browse(&router, "/workers?fragment=1").await;
    assert!(fragment.body.contains("id=\"workers\" data-live") && !fragment.body.contains("<html"));
}

#[tokio::test]
async fn draining_by_the_button_stands_in_the_row_in_the_audit_log_and_on_the_page() {
    let database = ready().await;
    let router = router(app(database.db()));
    let drain = |worker: &str, fields: &'static str| {
        request(&Method::POST, &format!("/workers/{worker}/actions"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(fields))
            .unwrap()
    };
    for (leads_to, english, german) in [
        ("/workers?said=drained", "was told to drain", "soll auslaufen"),
        (
            "/workers?said=drains_already",
            "It drains already.",
            "Er läuft schon aus.",
        ),
    ] {
        let answer = send(&router, drain("worker", "action=drain")).await;
        assert_eq!(
            (answer.status, answer.header(LOCATION)),
            (StatusCode::SEE_OTHER, leads_to)
        );
        for (language, words) in [("en", english), ("de", german)] {
            let page = browse(&router, &format!("{leads_to}&lang={language}")).await;
            assert!(page.body.contains(words), "{}", page.body);
        }
    }
    let wanted = "SELECT id FROM workers WHERE drain_requested";
    assert_eq!(database.texts(wanted).await, ["worker"]);
    let audit = "SELECT concat_ws(' ', actor, action, worker_id, outcome) FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        ["local drain worker done", "local drain worker unchanged"]
    );
    let page = browse(&router, "/workers").await;
    assert!(row(&page.body, "worker").contains("draining") && !row(&page.body, "worker").contains("<form"));
    let unknown = send(&router, drain("nobody", "action=drain")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let nonsense = send(&router, drain("gone", "action=explode")).await;
    assert_eq!(nonsense.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_whoever_may_drain_a_worker_is_shown_the_button() {
    let database = ready().await;
    let app = with_login(database.db());
    let router = router(app.clone());
    for (role, plugins, may) in [
        (Role::Viewer, None, false),
        (Role::Operator, Some(vec!["OCR".to_owned()]), false),
        (Role::Operator, None, true),
        (Role::Admin, None, true),
    ] {
        let actor = Actor {
            plugins,
            ..Actor::with("somebody".to_owned(), role)
        };
        let bearer = bearer_of(&app, &actor).await;
        let look = request(&Method::GET, "/workers")
            .header(axum::http::header::AUTHORIZATION, &bearer)
            .body(Body::empty())
            .unwrap();
        let page = send(&router, look).await;
        assert_eq!(page.status, StatusCode::OK, "{role:?}");
        assert_eq!(page.body.contains("value=\"drain\""), may, "{actor:?}");
    }
}

#[tokio::test]
async fn the_api_says_of_each_worker_what_its_row_says() {
    let database = ready().await;
    let since = "UPDATE attempts SET started_at = '2020-01-01T00:00:00Z'";
    database.execute(since).await;
    let answer = ask(&router(app(database.db())), "/api/v1/workers").await.json();
    let workers = answer["workers"].as_array().unwrap();
    let find = |id: &str| workers.iter().find(|worker| worker["id"] == id).unwrap();
    let (works, gone) = (find("worker"), find("gone"));
    let job = serde_json::json!([
        {"id": id("volume 1"), "title": "volume 1", "started_at": "2020-01-01T00:00:00Z"}
    ]);
    assert_eq!((&works["jobs"], &works["running"]), (&job, &1.into()));
    assert_eq!(
        (&works["rss_bytes"], &works["version"]),
        (&1_500_000.into(), &"0".into())
    );
    assert_eq!(gone["jobs"], serde_json::json!([]));
    assert_eq!(
        gone["rss_bytes"],
        serde_json::Value::Null,
        "not known is not nothing"
    );
    let at = |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let years = works["busy_seconds"].as_i64().unwrap() / (365 * 24 * 3600);
    assert!((1..1000).contains(&years), "{years}");
    assert_eq!(gone["busy_seconds"], serde_json::Value::Null, "it is idle");
    let silent = at(&answer["now"]).duration_since(at(&gone["heartbeat_at"]));
    assert!(silent.as_secs() >= 3_600, "{silent}");
    assert!(at(&works["heartbeat_at"]) > at(&gone["heartbeat_at"]));
}

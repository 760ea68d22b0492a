//! Actions over HTTP: what is understood, what is refused and how.

use super::*;
use crate::db::pages::sample::{Sample, id};

async fn act(router: &Router, path: &str, body: &'static str) -> (StatusCode, serde_json::Value) {
    let answer = send(
        router,
        request(&Method::POST, path).body(Body::from(body)).unwrap(),
    )
    .await;
    (answer.status, answer.json())
}

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5).waiting("OCR", "b", 5);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

#[tokio::test]
async fn an_action_that_nobody_knows_is_refused_with_its_name() {
    let (_database, router) = ready().await;
    let path = format!("/api/v1/jobs/{}/actions", id("a"));
    for (body, words) in [
        (r#"{"action": "explode"}"#, "explode"),
        (
            r#"{"action": "set_priority", "priority": 11}"#,
            "priority 11 is out of range",
        ),
        (r#"{"action": "move", "to": "the moon"}"#, "the moon"),
        ("", "can't be understood"),
    ] {
        let (status, problem) = act(&router, &path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{detail} lacks {words}");
    }
    let (status, problem) = act(
        &router,
        "/api/v1/plugins/ocr/actions",
        r#"{"action": "configure", "running_max": 0, "retries_max": 101}"#,
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("running_max") && detail.contains("retries_max"),
        "{detail}"
    );
}

#[tokio::test]
async fn what_does_not_exist_can_not_be_acted_on() {
    let (_database, router) = ready().await;
    let nobody = format!("/api/v1/jobs/{NOBODY}/actions");
    assert_eq!(
        act(&router, &nobody, r#"{"action": "hold"}"#).await.0,
        StatusCode::NOT_FOUND
    );
    let (status, _) = act(&router, "/api/v1/plugins/MAGIC/actions", r#"{"action": "start"}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_job_that_is_named_twice_ends_once() {
    let (database, router) = ready().await;
    let body = format!(
        r#"{{"jobs": {{"jobs": ["{0}", "{0}"]}}, "what": {{"action": "cancel"}}}}"#,
        id("a")
    );
    let request = request(&Method::POST, "/api/v1/jobs/actions")
        .body(Body::from(body))
        .unwrap();
    let answer = send(&router, request).await;
    assert_eq!(answer.json()["done"], 1, "{}", answer.body);
    let counts = "SELECT (SELECT count(*) FROM job_history) || ' ' || (SELECT sum(jobs) FROM statistics)";
    assert_eq!(database.texts(counts).await, ["1 1"]);
}

#[tokio::test]
async fn an_action_on_many_needs_to_say_on_which_and_counts_what_became_of_them() {
    let (database, router) = ready().await;
    let all = "/api/v1/jobs/actions";
    let (status, _) = act(&router, all, r#"{"jobs": {}, "what": {"action": "cancel"}}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "every job would be cancelled");
    let (status, answer) = act(
        &router,
        all,
        r#"{"jobs": {"plugin": "OCR"}, "what": {"action": "hold"}}"#,
    )
    .await;
    assert_eq!((status, &answer["done"]), (StatusCode::OK, &2.into()));
    let (_, answer) = act(
        &router,
        all,
        r#"{"jobs": {"title": "A"}, "what": {"action": "hold"}}"#,
    )
    .await;
    assert_eq!((&answer["done"], &answer["unchanged"]), (&0.into(), &1.into()));
    let held = database
        .texts("SELECT title FROM jobs WHERE held ORDER BY title")
        .await;
    assert_eq!(held, ["a", "b"]);
}

#[tokio::test]
async fn a_nul_character_is_the_askers_mistake_and_changes_nothing() {
    let (database, router) = ready().await;
    for (path, body) in [
        (
            "/api/v1/plugins/OCR/actions",
            r#"{"action": "stop", "reason": "a\u0000b"}"#,
        ),
        (
            "/api/v1/jobs/actions",
            r#"{"jobs": {"title": "a\u0000"}, "what": {"action": "cancel"}}"#,
        ),
    ] {
        let (status, problem) = act(&router, path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
    }
    let running = "SELECT count(*)::text FROM plugins WHERE state = 'running'";
    assert_eq!(database.texts(running).await, ["1"]);
    let (status, _) = act(&router, "/api/v1/plugins/%00/actions", r#"{"action": "start"}"#).await;
    assert!(!status.is_server_error(), "{status}");
}

#[tokio::test]
async fn a_dry_run_says_how_many_jobs_are_meant_and_does_nothing() {
    let (database, router) = ready().await;
    let named = format!(
        r#"{{"jobs": {{"jobs": ["{0}", "{0}"]}}, "what": {{"action": "cancel"}}, "dry_run": true}}"#,
        id("a")
    );
    for (body, found) in [
        (
            r#"{"jobs": {"plugin": "OCR"}, "what": {"action": "cancel"}, "dry_run": true}"#.to_owned(),
            2,
        ),
        (
            r#"{"jobs": {"title": "A"}, "what": {"action": "cancel"}, "dry_run": true}"#.to_owned(),
            1,
        ),
        (
            r#"{"jobs": {"plugin": "OCR"}, "what": {"action": "retry"}, "dry_run": true}"#.to_owned(),
            0,
        ),
        (named, 1),
    ] {
        let request = request(&Method::POST, "/api/v1/jobs/actions")
            .body(Body::from(body.clone()))
            .unwrap();
        let answer = send(&router, request).await.json();
        assert_eq!(
            (&answer["found"], &answer["done"]),
            (&found.into(), &0.into()),
            "{body}"
        );
    }
    let untouched = "SELECT (SELECT count(*) FROM jobs) || ' ' || (SELECT count(*) FROM audit_log)";
    assert_eq!(database.texts(untouched).await, ["2 0"]);
    let (_, answer) = act(
        &router,
        "/api/v1/jobs/actions",
        r#"{"jobs": {"plugin": "OCR"}, "what": {"action": "hold"}}"#,
    )
    .await;
    assert_eq!((&answer["found"], &answer["done"]), (&2.into(), &2.into()));
}

#[tokio::test]
async fn jobs_move_by_filter_and_by_their_names_and_nothing_else_does() {
    for (to, line) in [
        ("up", "b! a d! c e"),
        ("down", "a c b! e d!"),
        ("top", "b! d! a c e"),
        ("bottom", "a c e b! d!"),
    ] {
        let named = format!(r#""jobs": ["{}", "{}"]"#, id("b!"), id("d!"));
        for selection in [r#""title": "!", "plugin": "OCR""#, &named] {
            let mut sample = Sample::default();
            sample.plugin("OCR").plugin("SHELL");
            for title in ["a", "b!", "c", "d!", "e"] {
                sample.waiting("OCR", title, 5);
            }
            for title in ["x", "y!", "z"] {
                sample.waiting("SHELL", title, 5);
            }
            let database = TestDatabase::create().await;
            database.execute(&sample.sql()).await;
            let router = router(app(database.db()));
            let body = format!(r#"{{"jobs": {{{selection}}}, "what": {{"action": "move", "to": "{to}"}}}}"#);
            let asked = request(&Method::POST, "/api/v1/jobs/actions").body(Body::from(body));
            let answer = send(&router, asked.unwrap()).await;
            assert_eq!(answer.json()["done"], 2, "{to}: {}", answer.body);
            let lines = "SELECT string_agg(title, ' ' ORDER BY position, id) FROM jobs GROUP BY plugin ORDER BY plugin";
            assert_eq!(
                database.texts(lines).await,
                [line, "x y! z"],
                "{to} of {selection}"
            );
            let audit = "SELECT concat_ws(' ', action, plugin, outcome, job_id) FROM audit_log ORDER BY id";
            let mut audit = database.texts(audit).await;
            audit.sort();
            let mut expected = ["b!", "d!"].map(|title| format!("move OCR done {}", id(title)));
            expected.sort();
            assert_eq!(audit, expected);
        }
    }
}

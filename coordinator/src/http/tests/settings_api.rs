//! The settings' page for programs: what it shows, what it sets, and who may.

use axum::http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::*;
use crate::control::Role;
use crate::db::pages::sample::Sample;
use crate::http::tests::who::{token, with_login};

async fn ready() -> (TestDatabase, App) {
    let mut sample = Sample::default();
    sample.plugin("JP2").plugin("OCR");
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let app = with_login(database.db());
    (database, app)
}

/// Comes in with this role: reads without a body, acts with one.
async fn come(app: &App, role: Role, body: Option<Value>) -> Answer {
    let token = token(app, role, None).await;
    let (method, address) = match &body {
        None => (Method::GET, "/api/v1/settings"),
        Some(_) => (Method::POST, "/api/v1/settings/actions"),
    };
    let asked = request(&method, address)
        .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .unwrap();
    send(&router(app.clone()), asked).await
}

fn set_pages(seconds: i32) -> Value {
    json!({"action": "set_pages", "refresh_seconds": seconds, "jobs_on_dashboard": false})
}

#[tokio::test]
async fn settings_of_the_pages_are_set_once_shown_again_and_stand_in_the_audit_log() {
    let (database, app) = ready().await;
    for outcome in ["done", "unchanged"] {
        let answer = come(&app, Role::Admin, Some(set_pages(17))).await;
        assert_eq!(
            (answer.status, answer.json()),
            (StatusCode::OK, json!({"outcome": outcome}))
        );
    }
    let shown = come(&app, Role::Admin, None).await.json();
    assert_eq!(
        shown["pages"],
        json!({"refresh_seconds": 17, "jobs_on_dashboard": false})
    );
    let lines = "SELECT concat_ws(' ', action, details->>'refresh_seconds', outcome) FROM audit_log
        WHERE action = 'set_pages' ORDER BY id";
    assert_eq!(
        database.texts(lines).await,
        ["set_pages 17 done", "set_pages 17 unchanged"]
    );
}

#[tokio::test]
async fn what_can_not_be_set_changes_nothing_and_says_what_could() {
    let (database, app) = ready().await;
    let before = come(&app, Role::Admin, None).await.json();
    for seconds in [0, 3_601] {
        let answer = come(&app, Role::Admin, Some(set_pages(seconds))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains("refresh_seconds") && answer.body.contains("from 1 to 3600"));
    }
    let unknown = Some(json!({"action": "set_pages", "refresh_seconds": 5}));
    assert_eq!(
        come(&app, Role::Admin, unknown).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(come(&app, Role::Admin, None).await.json(), before);
    let lines = "SELECT count(*)::text FROM audit_log WHERE action = 'set_pages'";
    assert_eq!(database.texts(lines).await, ["0"]);
}

#[tokio::test]
async fn the_settings_of_each_plugin_and_the_switch_for_all_are_shown() {
    let (database, app) = ready().await;
    database
        .execute(
            "UPDATE settings SET autostart = false, autostart_by = 'anna';
             UPDATE plugins SET running_max = 4, autostart = false WHERE name = 'OCR';
             INSERT INTO quotas (plugin, pages_total, period, used_total) VALUES ('OCR', 1000, 'year', 250)",
        )
        .await;
    let shown = come(&app, Role::Admin, None).await.json();
    assert_eq!(
        (&shown["autostart"], &shown["autostart_by"]),
        (&json!(false), &json!("anna"))
    );
    let (jp2, ocr) = (&shown["plugins"][0], &shown["plugins"][1]);
    assert_eq!((&jp2["name"], &jp2["autostart"]), (&json!("JP2"), &json!(true)));
    assert_eq!(
        (&jp2["pages_total"], &jp2["used_total"]),
        (&json!(null), &json!(null))
    );
    assert_eq!((&ocr["name"], &ocr["autostart"]), (&json!("OCR"), &json!(false)));
    assert_eq!(ocr["settings"]["running_max"], 4);
    assert_eq!(
        [&ocr["pages_total"], &ocr["used_total"]],
        [&json!(1000), &json!(250)]
    );
    assert_eq!(ocr["period"], "year");
}

#[tokio::test]
async fn who_may_not_configure_neither_sees_settings_nor_sets_them() {
    let (database, app) = ready().await;
    for role in [Role::Submitter, Role::Viewer, Role::Operator] {
        for body in [None, Some(set_pages(17))] {
            let answer = come(&app, role, body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role:?}");
        }
    }
    let kept = "SELECT count(*)::text FROM settings WHERE refresh_seconds = 17";
    assert_eq!(database.texts(kept).await, ["0"]);
}

//! The API's list of plugins says what the pages say: how each stands, what it may do, and what is set.

use axum::http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::*;
use crate::control::{Actor, PluginAction, Role};
use crate::db::pages::sample::Sample;
use crate::http::tests::who::{token, with_login};

async fn ready() -> (TestDatabase, App) {
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2").waiting("OCR", "a", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let app = with_login(database.db());
    let admin = Actor::with("anna".to_owned(), Role::Admin);
    for (plugin, action) in [
        (
            Some("OCR"),
            json!({"action": "stop", "reason": "new disks", "deadline_seconds": 600,
                   "resume_at": "2099-01-01T06:00:00Z"}),
        ),
        (Some("OCR"), json!({"action": "autostart", "on": false})),
        (Some("OCR"), json!({"action": "configure", "running_max": 4})),
        (
            Some("OCR"),
            json!({"action": "quota", "pages_total": 1000, "period": "year"}),
        ),
        (None, json!({"action": "autostart", "on": false})),
    ] {
        let action: PluginAction = serde_json::from_value(action).unwrap();
        app.control.act_on_plugins(&admin, plugin, &action).await.unwrap();
    }
    (database, app)
}

async fn list(app: &App, role: Role) -> Value {
    let token = token(app, role, None).await;
    let asked = request(&Method::GET, "/api/v1/plugins")
        .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
        .body(Body::empty())
        .unwrap();
    let answer = send(&router(app.clone()), asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn the_list_of_plugins_says_how_each_stands_and_what_its_contract_leaves() {
    let (database, app) = ready().await;
    database.execute("UPDATE quotas SET used_total = 250").await;
    let answer = list(&app, Role::Viewer).await;
    assert_eq!(
        (&answer["autostart"], &answer["autostart_by"]),
        (&json!(false), &json!("anna"))
    );
    let (jp2, ocr) = (&answer["plugins"][0], &answer["plugins"][1]);
    let facts = [
        ("name", json!("OCR")),
        ("state", json!("stopped")),
        ("by", json!("anna")),
        ("reason", json!("new disks")),
        ("resume_at", json!("2099-01-01T06:00:00Z")),
        ("autostart", json!(false)),
        ("queued", json!(1)),
        ("paused", json!(1)),
        ("longest_wait_seconds", json!(0.0)),
    ];
    for (name, value) in facts {
        assert_eq!(ocr[name], value, "{name}: {ocr}");
    }
    assert!(ocr["since"].is_string() && jp2["since"].is_string());
    for (name, value) in [
        ("pages_total", json!(1000)),
        ("used_total", json!(250)),
        ("pages_a_period", json!(null)),
        ("used_in_period", json!(null)),
        ("period", json!("year")),
    ] {
        assert_eq!(ocr["contract"][name], value, "{name}");
    }
    assert_eq!(
        (&jp2["state"], &jp2["autostart"]),
        (&json!("running"), &json!(true))
    );
    assert_eq!(
        (&jp2["contract"], &jp2["by"], &jp2["reason"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn a_plugins_settings_are_told_only_to_whoever_may_see_their_page() {
    let (_database, app) = ready().await;
    for (role, may) in [
        (Role::Viewer, false),
        (Role::Operator, false),
        (Role::Admin, true),
    ] {
        let answer = list(&app, role).await;
        let (jp2, ocr) = (
            &answer["plugins"][0]["settings"],
            &answer["plugins"][1]["settings"],
        );
        assert_eq!((jp2.is_object(), ocr.is_object()), (may, may), "{role:?}");
        if may {
            assert_eq!(ocr["running_max"], 4);
            assert_eq!(jp2["running_max"], Value::Null);
            assert_eq!(ocr.as_object().unwrap().len(), 13, "each setting is named: {ocr}");
        }
    }
}

#[tokio::test]
async fn how_long_a_job_has_waited_is_told_of_a_plugin_whose_jobs_may_start() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database.advance("1 hour").await;
    let answer = ask(&router(app(database.db())), "/api/v1/plugins").await.json();
    let waited = answer["plugins"][0]["longest_wait_seconds"].as_f64().unwrap();
    assert!((3_605.0..7_200.0).contains(&waited), "{waited}");
}

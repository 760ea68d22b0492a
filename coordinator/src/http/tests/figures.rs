//! What there is and was to do, in numbers, for programs.

use serde_json::json;

use super::*;
use crate::db::pages::sample::Sample;

async fn ready() -> (TestDatabase, Router) {
    let mut sample = Sample::default();
    sample
        .plugin("JP2")
        .plugin("OCR")
        .running("OCR", "runs", 5)
        .waiting("OCR", "waits", 5)
        .ended("OCR", "done", "DONE", 1)
        .ended("JP2", "failed", "ERROR", 1);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds) VALUES
                 ((tm_now() AT TIME ZONE 'UTC')::date, 'OCR', '', 'done', 3, 30, 300, 7.5),
                 ('2020-02-29', 'OCR', '', 'done', 1, 10, 100, 2.5),
                 ('2020-02-01', 'OCR', '', 'error', 2, 20, 200, 3.5),
                 ('2020-02-01', 'JP2', '', 'cancelled', 4, 0, 0, 0)",
        )
        .await;
    let router = router(app(database.db()));
    (database, router)
}

#[tokio::test]
async fn the_figures_say_what_each_list_comes_to_and_what_ended_today() {
    let (_database, router) = ready().await;
    let answer = ask(&router, "/api/v1/figures").await.json();
    assert_eq!(
        answer["all"]["today"],
        json!({"done": 3, "failed": 0, "pages": 30})
    );
    assert_eq!(answer["all"]["queue"]["jobs"], 2);
    let (jp2, ocr) = (&answer["plugins"][0], &answer["plugins"][1]);
    assert_eq!((&jp2["name"], &ocr["name"]), (&json!("JP2"), &json!("OCR")));
    assert_eq!(
        ocr["queue"],
        json!({"jobs": 2, "files": 4, "bytes": 0, "pages": 2})
    );
    assert_eq!(ocr["done"]["jobs"], 1);
    assert_eq!(ocr["done"]["bytes"], 2400);
    assert_eq!(ocr["error"]["jobs"], 0);
    assert_eq!(
        (&jp2["error"]["jobs"], &jp2["done"]["jobs"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(jp2["today"], json!({"done": 0, "failed": 0, "pages": 0}));
}

#[tokio::test]
async fn it_is_safe_to_shut_down_once_every_plugin_is_stopped() {
    let (database, router) = ready().await;
    for (change, safe, others) in [
        ("SELECT 1", false, json!(["JP2", "OCR"])),
        (
            "UPDATE plugins SET state = 'stopping' WHERE name = 'OCR'",
            false,
            json!(["JP2", "OCR"]),
        ),
        (
            "UPDATE plugins SET state = 'stopped' WHERE name = 'JP2'",
            false,
            json!(["OCR"]),
        ),
        ("UPDATE plugins SET state = 'stopped'", true, json!([])),
    ] {
        database.execute(change).await;
        let answer = ask(&router, "/api/v1/figures").await.json();
        assert_eq!(
            (&answer["safe_to_shut_down"], &answer["not_stopped"]),
            (&json!(safe), &others),
            "{change}"
        );
    }
}

#[tokio::test]
async fn each_month_says_what_the_exported_table_says() {
    let (_database, router) = ready().await;
    let months = ask(&router, "/api/v1/statistics/months").await.json();
    let months = months["months"].as_array().unwrap();
    let as_csv = |month: &serde_json::Value| {
        let texts = ["month", "plugin"].map(|name| month[name].as_str().unwrap().to_owned());
        let numbers = ["done", "failed", "cancelled", "pages", "bytes"];
        let numbers = numbers.map(|name| month[name].as_i64().unwrap().to_string());
        let seconds = format!("{:.0}", month["seconds"].as_f64().unwrap());
        [&texts[..], &numbers, &[seconds]].concat().join(",")
    };
    let exported = ask(&router, "/statistics/months.csv").await.body;
    let rows: Vec<&str> = exported.lines().skip(1).collect();
    assert_eq!(months.iter().map(as_csv).collect::<Vec<_>>(), rows);
    assert_eq!(
        rows[..2],
        ["2020-02,JP2,0,0,4,0,0,0", "2020-02,OCR,1,2,0,30,300,6"]
    );
    assert_eq!(rows.len(), 3);
}

#[tokio::test]
async fn the_last_months_can_be_asked_for_and_nonsense_is_refused() {
    let (_database, router) = ready().await;
    let last = ask(&router, "/api/v1/statistics/months?last=1").await.json();
    assert_eq!(last["months"].as_array().unwrap().len(), 1);
    assert_eq!(last["months"][0]["done"], 3);
    for wrong in ["0", "-1", "12001", "x", "99999999999"] {
        let answer = ask(&router, &format!("/api/v1/statistics/months?last={wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(answer.body.contains("parameter last"), "{}", answer.body);
    }
}

//! The figure that autoscalers follow.

use serde_json::json;

use super::*;
use crate::db::pages::sample::Sample;

async fn demand(router: &Router, plugins: &str) -> serde_json::Value {
    ask(router, &format!("/api/v1/demand{plugins}")).await.json()
}

#[tokio::test]
async fn there_is_use_for_a_slot_for_each_job_that_runs_or_could_start() {
    let mut sample = Sample::default();
    sample.plugin("JP2").plugin("OCR").running("OCR", "runs", 5);
    sample
        .waiting("OCR", "a", 5)
        .waiting("OCR", "b", 5)
        .waiting("OCR", "not sent", 5);
    sample.waiting("JP2", "c", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    database
        .execute("UPDATE jobs SET published_dispatch = dispatch WHERE title <> 'not sent'")
        .await;
    let (jp2, ocr) = (
        json!({"name": "JP2", "running": 0, "waiting": 1}),
        json!({"name": "OCR", "running": 1, "waiting": 2}),
    );
    assert_eq!(
        demand(&router, "").await,
        json!({"demand": 4, "plugins": [jp2, ocr]})
    );
    assert_eq!(
        demand(&router, "?plugins=OCR").await,
        json!({"demand": 3, "plugins": [ocr]})
    );
    let pool = "?plugins=OCR,%20JP2,PDF";
    assert_eq!(
        demand(&router, pool).await["demand"],
        4,
        "nobody has heard of PDF yet"
    );
    assert_eq!(
        demand(&router, "?plugins=PDF").await,
        json!({"demand": 0, "plugins": []})
    );
    for (what, change) in [
        ("a person holds it", "UPDATE jobs SET held = title IN ('a', 'b')"),
        (
            "jobs start by hand",
            "UPDATE jobs SET held = false; UPDATE plugins SET autostart = false WHERE name = 'OCR'",
        ),
        (
            "of all plugins",
            "UPDATE plugins SET autostart = true; UPDATE settings SET autostart = false",
        ),
        (
            "its plugin stops",
            "UPDATE settings SET autostart = true; UPDATE plugins SET state = 'stopping' WHERE name = 'OCR'",
        ),
        (
            "its pages are used up",
            "UPDATE plugins SET state = 'running' WHERE name = 'OCR';
             INSERT INTO quotas (plugin, pages_total, used_total) VALUES ('OCR', 1, 1)",
        ),
    ] {
        database.execute(change).await;
        assert_eq!(demand(&router, "?plugins=OCR").await["demand"], 1, "{what}");
    }
    let by_hand = "DELETE FROM quotas; UPDATE plugins SET autostart = false;
        UPDATE jobs SET start_now = true WHERE title = 'a'";
    database.execute(by_hand).await;
    assert_eq!(
        demand(&router, "?plugins=OCR").await["demand"],
        2,
        "a person starts it"
    );
}

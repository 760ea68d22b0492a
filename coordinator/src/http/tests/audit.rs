//! The audit log's page and its part of the API: the newest first, part by part, and only what was asked for.

use super::*;
use crate::db::pages::sample::{Sample, id};

/// A line about a job of JP2, then 130 about OCR, by somebody else.
async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2").waiting("JP2", "map", 5);
    database.execute(&sample.sql()).await;
    database
        .execute(&format!(
            "INSERT INTO audit_log (actor, action, plugin, job_id, details, outcome)
             VALUES ('ben', 'set_priority', 'JP2', '{}', '{{\"action\": \"set_priority\", \"priority\": 9}}', 'forbidden');
             INSERT INTO audit_log (actor, action, plugin, details, outcome)
             SELECT 'anna', 'stop', 'OCR', jsonb_build_object('action', 'stop', 'reason', 'no. ' || n), 'done'
             FROM generate_series(1, 130) AS n",
            id("map")
        ))
        .await;
    let router = router(app(database.db()));
    (database, router)
}

/// The lines of a page, and where its next part is.
async fn lines(router: &Router, address: &str) -> (Vec<String>, Option<String>) {
    let page = browse(router, address).await;
    assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.body);
    let rows = page.body.split("<tr role=\"row\" id=\"line-").skip(1);
    let rows = rows.map(|row| row.split("</tr>").next().unwrap().to_owned());
    let next = page.body.split("<nav class=\"pager\"").nth(1).map(|nav| {
        let href = nav.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        href.replace("&#38;", "&")
    });
    (rows.collect(), next)
}

#[tokio::test]
async fn the_audit_log_is_read_part_by_part_the_newest_first() {
    let (_database, router) = ready().await;
    let (first, next) = lines(&router, "/audit?lang=de").await;
    assert_eq!(first.len(), 100);
    assert!(first[0].contains("Plugin anhalten"), "{}", first[0]);
    assert!(
        first[0].contains("Grund: no. 130") && first[99].contains("no. 31<"),
        "{}",
        first[99]
    );
    let (second, next) = lines(&router, &next.expect("there are more")).await;
    assert_eq!((second.len(), next), (31, None));
    assert!(
        second[0].contains("no. 30<") && second[29].contains("no. 1<"),
        "{}",
        second[29]
    );
    assert!(
        second[30].contains("priority: 9") || second[30].contains("Priorität: 9"),
        "{}",
        second[30]
    );

    let part = ask(&router, "/api/v1/audit").await.json();
    let next = &part["next"];
    let rest = ask(&router, &format!("/api/v1/audit?before={next}")).await.json();
    assert_eq!(
        (
            part["lines"].as_array().unwrap().len(),
            rest["lines"].as_array().unwrap().len()
        ),
        (100, 31)
    );
    assert!(rest.get("next").is_none());
}

#[tokio::test]
async fn the_audit_log_shows_only_what_was_asked_for_also_on_later_pages() {
    let (_database, router) = ready().await;
    for (query, number) in [
        ("actor=ben".to_owned(), 1),
        ("actor=nobody".to_owned(), 0),
        ("plugin=jp2".to_owned(), 1),
        (format!("job={}", id("map")), 1),
        ("actor=anna&plugin=JP2".to_owned(), 0),
        ("actor=&plugin=&job=".to_owned(), 100),
    ] {
        let (found, _) = lines(&router, &format!("/audit?{query}")).await;
        assert_eq!(found.len(), number, "{query}");
        let listed = ask(&router, &format!("/api/v1/audit?{query}")).await.json();
        assert_eq!(listed["lines"].as_array().unwrap().len(), number, "{query}");
    }
    let (_, next) = lines(&router, "/audit?actor=anna").await;
    let (rest, _) = lines(&router, &next.unwrap()).await;
    assert_eq!(rest.len(), 30, "another actor's line is not among them");
}

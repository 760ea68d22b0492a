//! A job's page: its timeline, who did what with it, and identifiers that lead into Goobi.

use super::*;
use crate::control::{Actor, Role};
use crate::db::pages::sample::{Sample, id};
use crate::deliveries::GoobiWeb;
use crate::http::tests::comers::bearer_of;
use crate::http::tests::who::with_login;

/// The words of a part of a page, without its tags.
fn words(page: &str, begin: &str, end: &str) -> Vec<String> {
    let (_, rest) = page
        .split_once(begin)
        .unwrap_or_else(|| panic!("no {begin}: {page}"));
    let part = rest.split(end).next().unwrap();
    let lines = part.split("<li>").skip(1);
    lines
        .map(|line| {
            let texts = line.split('<').map(|part| part.rsplit('>').next().unwrap());
            texts
                .collect::<Vec<_>>()
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

async fn timeline(router: &Router, title: &str, language: &str) -> Vec<String> {
    let page = browse(router, &format!("/jobs/{}?lang={language}", id(title))).await;
    words(&page.body, "<ol class=\"timeline\">", "</ol>")
        .into_iter()
        // Times of day are the machine's; their order is what counts.
        .map(|line| {
            line.split_once(' ')
                .map_or(String::new(), |(_, rest)| rest.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_timeline_tells_in_order_what_has_happened_and_what_comes_next() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "again", 5)
        .ended("OCR", "failed", "ERROR", 1);
    database.execute(&sample.sql()).await;
    let attempt = |title: &str, number: i32, from: i32, rest: &str| {
        format!(
            "INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at, ended_at, outcome, error_class, error)
             VALUES ('{}', {number}, gen_random_uuid(), 'ocr-{number}', tm_now() - interval '{from} min', {rest});",
            id(title)
        )
    };
    let ended = |minutes: i32, how: &str| format!("tm_now() - interval '{minutes} min', {how}");
    let lost = ended(8, "'lost', NULL, NULL");
    let failed = ended(3, "'failed', 'retryable', 'the storage is away'");
    let rows = [
        format!(
            "UPDATE jobs SET submitted_at = tm_now() - interval '20 min', state = 'SCHEDULED', failures = 1,
                 run_at = tm_now() + interval '2 min' WHERE id = '{}';",
            id("again")
        ),
        attempt("again", 1, 10, &lost),
        attempt("again", 2, 6, &failed),
    ];
    database.execute(&rows.concat()).await;
    let router = router(app(database.db()));
    assert_eq!(
        timeline(&router, "again", "en").await,
        [
            "Submitted by test",
            "Started attempt 1 on ocr-1",
            "its worker was lost attempt 1",
            "Started attempt 2 on ocr-2",
            "failed attempt 2 the storage is away",
            "Will start retry 1 of 3"
        ]
    );
    assert_eq!(
        timeline(&router, "again", "de").await[3..],
        [
            "Gestartet Versuch 2 auf ocr-2",
            "fehlgeschlagen Versuch 2 the storage is away",
            "Wird starten Wiederholung 1 von 3"
        ]
    );
    let page = browse(&router, &format!("/jobs/{}", id("again"))).await.body;
    assert!(page.contains("id=\"timeline\" data-live"), "{page}");
    let (_, ended) = page.split_once("<ol class=\"timeline\">").unwrap();
    assert_eq!(
        ended
            .split("</ol>")
            .next()
            .unwrap()
            .matches("<time datetime=")
            .count(),
        6
    );
    let ended = timeline(&router, "failed", "en").await;
    assert!(
        ended[0].ends_with("by test") && ended.last().unwrap().contains("ERROR Failed"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn the_page_says_who_did_what_with_the_job_to_those_who_may_read_it() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5).waiting("OCR", "b", 5);
    database.execute(&sample.sql()).await;
    let app = with_login(database.db());
    let router = router(app.clone());
    let operator = bearer_of(&app, &Actor::with("anna".to_owned(), Role::Operator)).await;
    let viewer = bearer_of(&app, &Actor::with("ben".to_owned(), Role::Viewer)).await;
    for (title, action) in [
        ("a", r#"{"action": "set_priority", "priority": 9}"#),
        ("b", r#"{"action": "hold"}"#),
    ] {
        let act = request(&Method::POST, &format!("/api/v1/jobs/{}/actions", id(title)))
            .header("authorization", &operator)
            .body(Body::from(action))
            .unwrap();
        assert_eq!(send(&router, act).await.status, StatusCode::OK);
    }
    let english = (
        "Who did what with it",
        "<b>change the priority</b><small>priority: 9</small>",
    );
    let german = (
        "Wer was damit getan hat",
        "<b>Priorität ändern</b><small>Priorität: 9</small>",
    );
    for (bearer, language, (heading, line), may) in [
        (&operator, "en", english, true),
        (&operator, "de", german, true),
        (&viewer, "en", english, false),
    ] {
        let look = request(&Method::GET, &format!("/jobs/{}?lang={language}", id("a")));
        let page = send(
            &router,
            look.header("authorization", bearer).body(Body::empty()).unwrap(),
        )
        .await
        .body;
        assert_eq!(page.contains(heading), may, "{page}");
        assert_eq!(page.contains(line), may, "{page}");
        assert_eq!(page.contains(&format!("/audit?job={}", id("a"))), may, "{page}");
        let of_another_job = ["<b>hold back</b>", "<b>anhalten</b>"];
        assert!(!of_another_job.iter().any(|line| page.contains(line)), "{page}");
    }
    let nothing = browse(
        &super::router(super::app(database.db())),
        &format!("/jobs/{}?lang=de", id("a")),
    )
    .await;
    assert!(nothing.body.contains("token a operator"), "{}", nothing.body);
}

#[tokio::test]
async fn identifiers_lead_into_goobi_where_it_is_known_and_to_the_job_that_is_done_again() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "a", 5)
        .ended("OCR", "old", "ERROR", 1);
    database.execute(&sample.sql()).await;
    let rows = format!(
        "UPDATE job_details SET step_id = '6519'; UPDATE jobs SET retry_of = '{}'",
        id("old")
    );
    database.execute(&rows).await;
    let address = format!("/jobs/{}", id("a"));
    let plain = browse(&router(app(database.db())), &address).await.body;
    assert!(
        plain.contains("<code>6519</code>") && !plain.contains("goobi.example"),
        "{plain}"
    );
    let retry = format!("<a href=\"/jobs/{0}\"><code>{0}</code></a>", id("old"));
    assert!(plain.contains(&retry), "{plain}");
    let app = app(database.db());
    let goobi = GoobiWeb::new("https://goobi.example/goobi", None)
        .and_then(|goobi| goobi.with_page("https://goobi.example/goobi/edit?id={process}"))
        .unwrap();
    let linked = App {
        control: app.control.clone().with_goobi(Some(goobi)),
        ..app
    };
    let linked = router(linked);
    let page = browse(&linked, &address).await.body;
    let process = "https://goobi.example/goobi/edit?id=27";
    assert!(
        page.contains(&format!("<a href=\"{process}\"><code>27</code></a>")),
        "{page}"
    );
    database
        .execute("UPDATE job_details SET process_id = 'x', step_id = '6519'")
        .await;
    let page = browse(&linked, &address).await.body;
    assert!(
        page.contains("<code>x</code>") && !page.contains("goobi.example"),
        "{page}"
    );
}

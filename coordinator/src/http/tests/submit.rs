//! Submitting over HTTP, and reading the job back.

use serde_json::json;
use shared::message::submit::BODY_MAX_BYTES;

use super::*;
use crate::db::pages::sample::Sample;

const JOB: &str = r#"{"plugin":"NOOP","title":"Volume <1>","goobiId":27,"stepId":"6519","parameters":{"items":3},
    "serverType":"intranda-tesseract"}"#;

async fn post(router: &Router, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    post_to(router, "/api/v1/jobs", headers, body).await
}

async fn post_to(router: &Router, address: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut builder = request(&Method::POST, address);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    send(router, builder.body(body.into()).unwrap()).await
}

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("NOOP");
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

#[tokio::test]
async fn a_submission_becomes_a_job_that_can_be_read_back() {
    let (_database, router) = ready().await;
    let answer = post(&router, &[], JOB).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.json()["status"], "accepted");
    assert_eq!(answer.json()["version"], 1);
    let id = answer.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{id}"));

    let job = ask(&router, &format!("/api/v1/jobs/{id}")).await.json();
    let expected = [
        ("title", "Volume <1>".into()),
        ("state", "QUEUED".into()),
        ("process_id", "27".into()),
        ("step_id", "6519".into()),
        ("submitted_by", "http: local".into()),
        ("waits_for", "No worker for NOOP is running".into()),
        ("finished_at", serde_json::Value::Null),
        ("outputs", serde_json::json!([])),
    ];
    for (field, value) in expected {
        assert_eq!(job[field], value, "{field}");
    }
    assert_eq!(job["parameters"]["items"], 3);
    assert_eq!(job["extra"]["serverType"], "intranda-tesseract");

    let list = ask(&router, "/api/v1/jobs?plugin=noop&limit=1").await.json();
    assert_eq!(list["jobs"][0]["id"], id);
    assert_eq!(list["next"], serde_json::Value::Null);
    let log = ask(&router, &format!("/api/v1/jobs/{id}/log?after=7"))
        .await
        .json();
    assert_eq!(log, serde_json::json!({"lines": [], "next": 7}));
    let plugins = ask(&router, "/api/v1/plugins").await.json();
    assert_eq!(plugins["plugins"][0]["queued"], 1);

    let page = browse(&router, &format!("/jobs/{id}?lang=de")).await;
    for words in [
        "Volume &#60;1&#62;",
        "Kein Worker für NOOP läuft",
        "intranda-tesseract",
        "6519",
    ] {
        assert!(page.body.contains(words), "{words} is not in {}", page.body);
    }
}

#[tokio::test]
async fn the_same_key_is_the_same_job_in_the_header_and_in_the_body() {
    let (_database, router) = ready().await;
    let first = post(
        &router,
        &[("idempotency-key", "k1")],
        r#"{"plugin":"NOOP","title":"a"}"#,
    )
    .await
    .json();
    let body = r#"{"plugin":"NOOP","title":"a","idempotency_key":"k1"}"#;
    for headers in [&[][..], &[("idempotency-key", "k1")][..]] {
        let again = post(&router, headers, body).await;
        assert_eq!(again.status, StatusCode::OK);
        assert_eq!(again.json()["status"], "duplicate");
        assert_eq!(again.json()["job_id"], first["job_id"]);
    }
    let contradiction = post(&router, &[("idempotency-key", "k2")], body).await;
    assert_eq!(contradiction.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_key_is_its_plugins_only() {
    let (database, router) = ready().await;
    let mut sample = Sample::default();
    sample.plugin("SHELL");
    database.execute(&sample.sql()).await;
    let submit = async |body: &'static str| post(&router, &[("idempotency-key", "volume 27")], body).await;
    let first = submit(r#"{"plugin":"NOOP","title":"a"}"#).await.json();
    let other = submit(r#"{"plugin":"SHELL","title":"a"}"#).await.json();
    assert_eq!(
        (&first["status"], &other["status"]),
        (&json!("accepted"), &json!("accepted"))
    );
    assert_ne!(first["job_id"], other["job_id"]);
    let again = submit(r#"{"plugin":"NOOP","title":"a"}"#).await.json();
    assert_eq!(again["job_id"], first["job_id"]);
}

#[tokio::test]
async fn a_refused_submission_says_why() {
    let (_database, router) = ready().await;
    let cases = [
        ("nonsense", "not valid JSON"),
        (r#"{"plugin":"NOPE","title":"t"}"#, "NOPE"),
        (r#"{"plugin":"NOOP"}"#, "title"),
        (
            r#"{"plugin":"NOOP","title":"t","priority":11}"#,
            "0 (lowest) to 10 (highest)",
        ),
        (r#"{"plugin":"NOOP","title":"t","source":"/etc"}"#, "/data"),
    ];
    for (body, words) in cases {
        let answer = post(&router, &[], body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{detail} lacks {words}");
    }
    let large = post(&router, &[], vec![b'x'; BODY_MAX_BYTES + 1]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        large.json()["detail"]
            .as_str()
            .unwrap()
            .contains("folders, not contents")
    );
}

#[tokio::test]
async fn bad_queries_and_unknown_jobs_are_named() {
    let (_database, router) = ready().await;
    for (address, status, words) in [
        ("/api/v1/jobs?tab=all", 400, "queue, done or error"),
        ("/api/v1/jobs?limit=1000", 400, "1 to 200"),
        ("/api/v1/jobs?after=x", 400, "parameter after"),
        ("/api/v1/jobs/17", 404, "no job has this id"),
        (
            "/api/v1/jobs/01900000-0000-7000-8000-000000000000",
            404,
            "no job has this id",
        ),
        ("/api/v1/jobs/17/log", 404, "no job has this id"),
        (
            "/api/v1/jobs/01900000-0000-7000-8000-000000000000/log?after=x",
            400,
            "parameter after",
        ),
    ] {
        let answer = ask(&router, address).await;
        assert_eq!(answer.status.as_u16(), status, "{address}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(words),
            "{address}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn of_a_batch_each_job_is_answered_for_itself_and_a_repeated_batch_is_the_same_jobs() {
    let (database, router) = ready().await;
    let job = |title: &str| json!({"plugin": "NOOP", "title": title});
    // Something that only the database finds.
    database
        .execute("ALTER TABLE jobs ADD CHECK (title <> 'poison')")
        .await;
    let jobs = [
        job("first"),
        json!({"title": "no plugin"}),
        job("poison"),
        job("last"),
    ];
    let batch = json!({ "jobs": jobs }).to_string();
    let key = [("idempotency-key", "night-7")];
    let answer = post_to(&router, "/api/v1/jobs/batch", &key, batch.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let statuses = |answer: &Answer| -> Vec<String> {
        let replies = answer.json()["replies"].as_array().unwrap().clone();
        replies
            .iter()
            .map(|reply| reply["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        statuses(&answer),
        ["accepted", "rejected", "rejected", "accepted"]
    );
    let again = post_to(&router, "/api/v1/jobs/batch", &key, batch).await;
    assert_eq!(
        statuses(&again),
        ["duplicate", "rejected", "rejected", "duplicate"]
    );
    assert_eq!(
        again.json()["replies"][3]["job_id"],
        answer.json()["replies"][3]["job_id"]
    );
    let titles = database.texts("SELECT title FROM jobs ORDER BY position").await;
    assert_eq!(titles, ["first", "last"]);
}

#[tokio::test]
async fn a_batch_that_is_none_or_too_large_is_refused_with_the_reason() {
    let (_database, router) = ready().await;
    let many = json!({"jobs": vec![json!({"plugin": "NOOP", "title": "x"}); 201]}).to_string();
    for (body, phrase) in [
        ("[]", "the body must be"),
        ("{}", "missing field `jobs`"),
        (&many, "at most 200"),
    ] {
        let answer = post_to(&router, "/api/v1/jobs/batch", &[], body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{phrase}");
        assert!(answer.body.contains(phrase), "{}", answer.body);
    }
}

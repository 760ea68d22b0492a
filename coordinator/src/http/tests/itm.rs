//! What callers of the intranda `TaskManager` are answered.

use serde_json::{Value, json};
use shared::message::itm::KNOWN_ALREADY;

use super::*;
use crate::db::pages::sample::Sample;
use shared::message::submit::BODY_MAX_BYTES;

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR");
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

async fn post(router: &Router, body: impl Into<Body>) -> Answer {
    let request = request(&Method::POST, "/itm/service").body(body.into()).unwrap();
    send(router, request).await
}

/// What Goobi's OCR step sends, without a callback, as nobody may be called here.
fn ocr() -> Value {
    json!({
        "goobiId": "27", "sourceDir": "/data/27/images/x_media/", "targetDir": "/data/27/ocr_partial_12/antiqua",
        "fontType": "antiqua", "priority": 10, "postOCR": "6519", "titleprefix": "x_antiqua", "jobtype": "OCR",
        "serverType": "intranda-tesseract", "title": "http://goobi/goobi/api/plugins/ocr/12/done",
        "goobiTitle": "x", "language": "ger,lat"
    })
}

#[tokio::test]
async fn the_job_of_an_itm_caller_is_recorded_with_a_number_and_unknown_fields() {
    let (_database, router) = ready().await;
    let answer = post(&router, ocr().to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.json()["STATUS"], "OK");
    assert_eq!(answer.json()["ERRORMESSAGE"], Value::Null);
    let number = answer.json()["ID"].as_i64().expect("a whole number");
    let id = answer.json()["JOBID"].as_str().unwrap().to_owned();
    let job = ask(&router, &format!("/api/v1/jobs/{id}")).await.json();
    for (field, value) in [
        ("itm_id", json!(number)),
        ("step_id", json!("6519")),
        ("process_id", json!("27")),
        ("title", json!("x")),
        ("priority", json!(10)),
        ("submitted_by", json!("itm: local")),
        (
            "parameters",
            json!({"language": "ger,lat", "font_type": "antiqua"}),
        ),
    ] {
        assert_eq!(job[field], value, "{field}");
    }
    assert_eq!(job["extra"]["serverType"], "intranda-tesseract");
}

#[tokio::test]
async fn a_job_that_comes_twice_is_answered_as_itm_did() {
    let (_database, router) = ready().await;
    let first = post(&router, ocr().to_string()).await.json();
    let again = post(&router, ocr().to_string()).await;
    assert_eq!(again.status, StatusCode::OK);
    let expected = json!({"STATUS": "ERROR", "ERRORMESSAGE": "Job already in DB, not adding it!",
        "ID": first["ID"], "JOBID": first["JOBID"]});
    assert_eq!(again.json(), expected);
    let mut other = ocr();
    other["postOCR"] = "6520".into();
    let other = post(&router, other.to_string()).await.json();
    assert_eq!(other["STATUS"], "OK");
    assert_ne!(other["ID"], first["ID"]);
}

#[tokio::test]
async fn a_refusal_names_all_problems_in_itms_form() {
    let (_database, router) = ready().await;
    let body =
        json!({"jobtype": "OCR", "goobiTitle": "x", "sourceDir": "/etc", "callbackUrl": "http://goobi/done"});
    let answer = post(&router, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert_eq!(answer.header(CONTENT_TYPE), "application/json");
    assert_eq!(answer.json()["STATUS"], "ERROR");
    let said = answer.json()["ERRORMESSAGE"].as_str().unwrap().to_owned();
    for problem in ["\"source\"", "\"callback_url\""] {
        assert!(said.contains(problem), "{problem} is not in {said}");
    }
    for (body, status) in [
        (b"nonsense".to_vec(), 422),
        (b"".to_vec(), 422),
        (br#"{"jobtype":"VIEWERPDF","goobiId":"1"}"#.to_vec(), 422),
        (vec![b'x'; BODY_MAX_BYTES + 1], 413),
    ] {
        let answer = post(&router, body).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        assert_eq!(answer.json()["STATUS"], "ERROR");
        assert_ne!(answer.json()["ERRORMESSAGE"], KNOWN_ALREADY);
    }
}

#[tokio::test]
async fn itms_address_says_whether_jobs_are_taken() {
    let (_database, working) = ready().await;
    let well = ask(&working, "/itm/service").await;
    assert_eq!(
        (well.status, well.json()),
        (StatusCode::OK, json!({"STATUS": "OK"}))
    );
    let away = router(app(away::nowhere()));
    for answer in [
        // As a browser, too: ITM's address has no pages.
        browse(&away, "/itm/service").await,
        post(&away, ocr().to_string()).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert_eq!(answer.json()["STATUS"], "ERROR");
        assert!(!answer.body.contains("127.0.0.1:1"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_job_keeps_its_number_in_history() {
    let (database, router) = ready().await;
    let answer = post(&router, ocr().to_string()).await.json();
    let id = answer["JOBID"].as_str().unwrap();
    let cancel = request(&Method::POST, &format!("/api/v1/jobs/{id}/actions"))
        .body(Body::from(r#"{"action": "cancel"}"#))
        .unwrap();
    assert_eq!(send(&router, cancel).await.status, StatusCode::OK);
    let active = database.texts("SELECT count(*)::text FROM jobs").await;
    assert_eq!(active, ["0"]);
    let job = ask(&router, &format!("/api/v1/jobs/{id}")).await.json();
    assert_eq!(
        (&job["state"], &job["itm_id"]),
        (&json!("CANCELLED"), &answer["ID"])
    );
}

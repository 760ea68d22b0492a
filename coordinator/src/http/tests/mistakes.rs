//! What people get to see after a mistake, and on ways that no button leads along.

use axum::http::header::LOCATION;

use super::*;
use crate::db::pages::sample::{Sample, id};

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "a", 5)
        .ended("OCR", "well", "DONE", 1);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

async fn post(router: &Router, address: &str, fields: &str) -> Answer {
    let form = request(&Method::POST, address)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(router, form.body(Body::from(fields.to_owned())).unwrap()).await
}

#[tokio::test]
async fn whoever_comes_to_a_forms_address_by_a_link_gets_the_page_of_the_form() {
    let (_database, router) = ready().await;
    let job = id("a");
    for (form, page) in [
        (
            "/settings/actions?lang=de".to_owned(),
            "/settings?lang=de".to_owned(),
        ),
        ("/accounts/actions".to_owned(), "/accounts".to_owned()),
        (
            format!("/jobs/{job}/actions?lang=en"),
            format!("/jobs/{job}?lang=en"),
        ),
        ("/jobs/actions".to_owned(), "/".to_owned()),
        ("/plugins/OCR/actions".to_owned(), "/".to_owned()),
    ] {
        let answer = browse(&router, &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{form}");
        assert_eq!(answer.header(LOCATION), page);
    }
    let program = ask(&router, &format!("/api/v1/jobs/{job}/actions")).await;
    assert_eq!(program.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_mistake_in_a_form_or_an_address_is_named() {
    let (database, router) = ready().await;
    let address = format!("/jobs/{}/actions", id("a"));
    let answer = post(&router, &address, "action=set_priority&priority=77").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.body.contains("Something in the form is wrong"),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("use a whole number from 0 (lowest) to 10"),
        "{}",
        answer.body
    );
    assert_eq!(database.texts("SELECT priority::text FROM jobs").await, ["5"]);
    let search = browse(&router, "/search?finished_from=yesterday").await;
    assert_eq!(search.status, StatusCode::BAD_REQUEST);
    assert!(search.body.contains("finished_from"), "{}", search.body);
}

#[tokio::test]
async fn a_deleted_jobs_reader_is_led_to_the_list_where_it_stood_and_told() {
    let (_database, router) = ready().await;
    let page = browse(&router, &format!("/jobs/{}", id("well"))).await.body;
    assert!(
        page.contains("name=\"back\" value=\"/?tab=done&#38;plugin=OCR\""),
        "{page}"
    );
    let address = format!("/jobs/{}/actions", id("well"));
    let answer = post(
        &router,
        &address,
        "action=delete&back=%2F%3Ftab%3Ddone%26plugin%3DOCR",
    )
    .await;
    assert_eq!(answer.header(LOCATION), "/?tab=done&plugin=OCR&said=deleted");
    let list = browse(&router, answer.header(LOCATION)).await;
    assert!(list.body.contains("The job is deleted."), "{}", list.body);
}

#[tokio::test]
async fn the_form_for_another_role_keeps_an_operators_plugins() {
    let (database, router) = ready().await;
    let new = "action=add_user&name=Bert&role=operator&plugins=OCR&password=vier+alte+Seiten";
    assert_eq!(
        post(&router, "/accounts/actions", new).await.status,
        StatusCode::SEE_OTHER
    );
    let page = browse(&router, "/accounts").await.body;
    assert!(
        page.contains("name=\"plugins\" id=\"plugins-1\" value=\"OCR\""),
        "{page}"
    );
    let plugins = "SELECT plugins::text FROM users";
    assert_eq!(database.texts(plugins).await, ["{OCR}"]);
}

#[tokio::test]
async fn secrets_in_parameters_and_addresses_are_shown_to_nobody() {
    let (database, router) = ready().await;
    database
        .execute(
            "UPDATE job_details SET parameters = '{\"language\": \"deu\", \"ftpPassword\": \"geheim1\"}',
                template_parameters = '{\"api_key\": \"geheim2\"}',
                callback_url = 'https://kitodo.example/hook?token=geheim3&step=7'",
        )
        .await;
    let job = id("a");
    let page = browse(&router, &format!("/jobs/{job}")).await.body;
    let answer = ask(&router, &format!("/api/v1/jobs/{job}")).await.body;
    for shown in [page, answer] {
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(
            shown.contains("deu") && shown.contains("step=7") && shown.contains("(secret)"),
            "{shown}"
        );
    }
}

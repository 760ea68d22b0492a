//! What the pages' forms do: the row, the audit log, and what the page then says; without a script.

use axum::http::header::LOCATION;

use super::*;
use crate::db::pages::sample::{Sample, id};

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5).waiting("OCR", "b", 5);
    sample
        .ended("OCR", "well", "DONE", 1)
        .ended("OCR", "badly", "ERROR", 2)
        .ended("OCR", "dropped", "CANCELLED", 3);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

/// Sends a form and follows it to its page.
async fn fill_in(router: &Router, address: &str, fields: &str) -> (String, Answer) {
    let form = request(&Method::POST, address)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields.to_owned()))
        .unwrap();
    let answer = send(router, form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields}: {}", answer.body);
    let leads_to = answer.header(LOCATION).to_owned();
    let page = browse(router, &leads_to).await;
    assert_eq!(page.status, StatusCode::OK, "{leads_to}");
    (leads_to, page)
}

/// The forms of a page, each with the fields of each of its buttons, as a browser would send them.
fn forms(page: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        // As a browser sends it.
        Some(rest.split('"').next().unwrap().replace("&#38;", "%26"))
    };
    let mut found = Vec::new();
    for form in page.split("<form ").skip(1) {
        let form = form.split("</form>").next().unwrap();
        // These ask before they do anything: `bulk.rs` presses them.
        if ["bulk", "delete-finished", "delete-all"]
            .iter()
            .any(|id| form.contains(&format!("id=\"{id}\"")))
        {
            continue;
        }
        let action = attribute(&format!(" {form}"), "action").unwrap();
        let tags = || form.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        let mut hidden = String::new();
        for tag in tags().filter(|tag| tag.contains("type=\"hidden\"")) {
            hidden += &attribute(tag, "name").unwrap();
            hidden += "=";
            hidden += &attribute(tag, "value").unwrap();
            hidden += "&";
        }
        let chosen = if form.contains("<select") {
            "priority=9&"
        } else if form.contains("name=\"confirm\"") {
            "confirm=OCR&"
        } else {
            ""
        };
        for button in tags().filter(|tag| tag.starts_with("button")) {
            let own = attribute(button, "name")
                .map(|name| format!("{name}={}", attribute(button, "value").unwrap()));
            found.push((
                action.clone(),
                format!("{hidden}{chosen}{}", own.unwrap_or_default()),
            ));
        }
    }
    found
}

#[tokio::test]
async fn every_button_of_every_page_does_something_that_stands_in_the_audit_log() {
    let (database, router) = ready().await;
    let mut pressed = 0;
    let jobs = ["a", "well", "badly", "dropped"].map(|title| format!("/jobs/{}", id(title)));
    database
        .execute("UPDATE jobs SET held = true WHERE title = 'b'")
        .await;
    let pages = ["/", "/?plugin=OCR", "/"];
    for address in jobs.iter().map(String::as_str).chain(pages) {
        let page = browse(&router, address).await;
        let buttons = forms(&page.body);
        assert!(!buttons.is_empty(), "{address} offers nothing");
        for (action, fields) in buttons {
            let lines = "SELECT count(*)::text FROM audit_log";
            let before: u32 = database.texts(lines).await[0].parse().unwrap();
            let open = "SELECT count(*)::text FROM jobs WHERE plugin = 'OCR'";
            let open: u32 = database.texts(open).await[0].parse().unwrap();
            fill_in(&router, &action, &fields).await;
            let after: u32 = database.texts(lines).await[0].parse().unwrap();
            // What is done with all jobs of a plugin is noted for each of them.
            let lines_wanted = if action.ends_with("/cancel") { open } else { 1 };
            assert_eq!(after, before + lines_wanted, "{action} {fields}");
            pressed += 1;
        }
    }
    assert!(pressed > 17, "only {pressed} buttons were found");
}

#[tokio::test]
async fn what_a_form_does_stands_in_the_row_and_on_the_page() {
    let (database, router) = ready().await;
    let job = id("a");
    let address = format!("/jobs/{job}/actions");
    let row = |columns: &'static str| format!("SELECT ({columns})::text FROM jobs WHERE title = 'a'");
    let (_, page) = fill_in(&router, &address, "action=hold").await;
    assert_eq!(database.texts(&row("held")).await, ["true"]);
    assert!(page.body.contains("Is held by a person") && page.body.contains(">Let it go on<"));
    let (_, page) = fill_in(&router, &address, "action=hold").await;
    assert!(page.body.contains("It was so already."), "{}", page.body);
    fill_in(&router, &address, "action=release").await;
    fill_in(&router, &address, "action=set_priority&priority=9").await;
    fill_in(&router, &address, "action=start_now").await;
    assert_eq!(
        database.texts(&row("held, priority, start_now")).await,
        ["(f,9,t)"]
    );
    let (_, page) = fill_in(&router, &address, "action=cancel").await;
    assert!(page.body.contains("Cancelled"), "{}", page.body);
    assert_eq!(database.texts(&row("id")).await, [""; 0]);
    let (_, page) = fill_in(&router, &address, "action=hold").await;
    assert!(page.body.contains("It has ended."), "{}", page.body);

    let (leads_to, page) = fill_in(
        &router,
        &format!("/jobs/{}/actions", id("badly")),
        "action=retry&items=all",
    )
    .await;
    assert!(!leads_to.contains(&id("badly").to_string()) && page.body.contains("This is the new job"));
    fill_in(&router, &format!("/jobs/{}/actions", id("well")), "action=delete").await;
    assert_eq!(
        database
            .texts("SELECT title FROM job_history WHERE title = 'well'")
            .await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_priority_of_a_running_job_is_changed_from_its_page_which_says_when_it_counts() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5).running("OCR", "b", 5);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    let later = "Counts once the job is back in its queue";
    let waits = browse(&router, &format!("/jobs/{}", id("a"))).await.body;
    assert!(
        waits.contains(r#"id="place""#) && !waits.contains(later),
        "{waits}"
    );
    let address = format!("/jobs/{}/actions", id("b"));
    let (_, page) = fill_in(&router, &address, "action=set_priority&priority=6").await;
    assert!(
        page.body.contains(r#"id="order""#) && page.body.contains(later),
        "{}",
        page.body
    );
    assert!(
        !page.body.contains(r#"id="place""#),
        "what runs has no place in the queue"
    );
    let priority = "SELECT priority::text FROM jobs WHERE title = 'b'";
    assert_eq!(database.texts(priority).await, ["6"]);
}

#[tokio::test]
async fn a_plugin_is_stopped_with_a_reason_and_started_from_its_page() {
    let (database, router) = ready().await;
    let state = "SELECT concat_ws(' ', state, state_by, state_reason) FROM plugins";
    let (_, page) = fill_in(
        &router,
        "/plugins/OCR/actions",
        "action=stop&reason=the+storage+moves",
    )
    .await;
    assert_eq!(database.texts(state).await, ["stopped local the storage moves"]);
    assert!(page.body.contains(">Start plugin<"), "{}", page.body);
    let (_, page) = fill_in(&router, "/plugins/OCR/actions", "action=start").await;
    assert!(page.body.contains(">Stop plugin"), "{}", page.body);
    assert_eq!(database.texts(state).await, ["running local"]);
}

#[tokio::test]
async fn a_form_that_nobody_understands_changes_nothing() {
    let (_database, router) = ready().await;
    for fields in [
        "",
        "action=explode",
        "action=set_priority&priority=11",
        "action=hold&action=cancel&x=1",
    ] {
        let form = request(&Method::POST, &format!("/jobs/{}/actions", id("a")))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(fields))
            .unwrap();
        assert_eq!(
            send(&router, form).await.status,
            StatusCode::BAD_REQUEST,
            "{fields}"
        );
    }
}

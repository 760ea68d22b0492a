//! Several jobs at once: the rows, the audit log, and what pages say.

mod rows;

use axum::http::header::LOCATION;

use super::*;
use crate::control::{AccountAction, Actor, Role};
use crate::db::pages::sample::{Sample, id};

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2");
    sample
        .waiting("OCR", "a", 5)
        .waiting("OCR", "b", 5)
        .waiting("JP2", "c", 5)
        .running("OCR", "runs", 5);
    sample
        .ended("OCR", "well", "DONE", 1)
        .ended("JP2", "well too", "DONE", 1)
        .ended("OCR", "badly", "ERROR", 2)
        .ended("OCR", "dropped", "CANCELLED", 3);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

async fn post(router: &Router, address: &str, fields: &str, language: &str) -> Answer {
    let form = request(&Method::POST, address)
        .header(ACCEPT, "text/html")
        .header("accept-language", language)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields.to_owned()))
        .unwrap();
    send(router, form).await
}

/// The page that an answer leads to.
async fn follow(router: &Router, answer: &Answer, language: &str) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = request(&Method::GET, answer.header(LOCATION))
        .header(ACCEPT, "text/html")
        .header("accept-language", language);
    let page = send(router, page.body(Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", answer.header(LOCATION));
    page
}

/// The hidden fields of the question's form, as a browser sends them.
fn fields_of(question: &str) -> String {
    let form = question
        .split("id=\"confirm\"")
        .nth(1)
        .expect("a question with a form");
    let form = form.split("</form>").next().unwrap();
    let value = |tag: &str, name: &str| {
        let begin = format!(" {name}=\"");
        tag.split(&begin)
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let hidden = form.split("<input ").skip(1);
    let pairs = hidden.map(|tag| {
        let tag = format!(" {tag}");
        let text = value(&tag, "value").replace("&#38;", "&");
        format!("{}={}", value(&tag, "name"), crate::http::who::escape(&text))
    });
    pairs.collect::<Vec<_>>().join("&")
}

async fn lines(database: &TestDatabase) -> Vec<String> {
    database
        .texts("SELECT concat_ws(' ', action, plugin, outcome) FROM audit_log ORDER BY id")
        .await
}

/// Asks, checks the question, carries it out; gives the page that says what became of it.
async fn ask_and_do(router: &Router, fields: &str, language: &str, words: &[&str]) -> Answer {
    let question = post(router, "/jobs/actions", fields, language).await;
    assert_eq!(question.status, StatusCode::OK, "{}", question.body);
    for word in words {
        assert!(
            question.body.contains(word),
            "{fields}: {word}: {}",
            question.body
        );
    }
    let done = post(router, "/jobs/actions", &fields_of(&question.body), language).await;
    follow(router, &done, language).await
}

#[tokio::test]
async fn every_action_on_chosen_jobs_asks_with_their_number_then_does_it_and_tells_the_outcome() {
    for (action, chosen, question, outcome, row, audit) in [
        (
            "hold",
            ["a", "b"],
            "Hold: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM jobs WHERE held",
            ("a b", "hold OCR done"),
        ),
        (
            "set_priority&priority=9",
            ["a", "b"],
            "New priority: 9.",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM jobs WHERE priority = 9",
            ("a b", "set_priority OCR done"),
        ),
        (
            "start_now",
            ["a", "b"],
            "Start now: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM jobs WHERE start_now",
            ("a b", "start_now OCR done"),
        ),
        (
            "release",
            ["a", "b"],
            "Let it go on: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM jobs WHERE NOT held",
            ("a b runs", "release OCR done"),
        ),
        (
            "cancel",
            ["a", "b"],
            "Cancel: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM job_history WHERE state = 'CANCELLED'",
            ("a b dropped", "cancel OCR done"),
        ),
        (
            "retry",
            ["well", "badly"],
            "Retry: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM jobs WHERE retry_of IS NOT NULL",
            ("badly well", "retry OCR done"),
        ),
        (
            "delete",
            ["well", "badly"],
            "Delete: 2 jobs?",
            "Done.",
            "SELECT string_agg(title, ' ' ORDER BY title) FROM job_history",
            ("dropped well too", "delete OCR done"),
        ),
    ] {
        let (database, router) = ready().await;
        if action == "release" {
            let hold = "UPDATE jobs SET held = true WHERE state = 'QUEUED'";
            database.execute(hold).await;
        }
        let ids = chosen.map(|title| format!("job={}", id(title))).join("&");
        let fields = format!("{ids}&action={action}&back=/search%3Ftitle%3Dxyz");
        let page = ask_and_do(&router, &fields, "en", &[question, &format!(">{}<", chosen[0])]).await;
        assert!(
            page.body.contains("<dt>2</dt>") && page.body.contains(outcome),
            "{action}: {}",
            page.body
        );
        assert!(page.body.contains("href=\"/search?title=xyz\""), "{}", page.body);
        assert_eq!(database.texts(row).await, [audit.0], "{action}");
        assert_eq!(lines(&database).await, [audit.1, audit.1], "{action}");
    }
}

#[tokio::test]
async fn all_that_the_filter_finds_is_counted_and_acted_on_and_nothing_else() {
    let (database, router) = ready().await;
    let list = browse(&router, "/search?plugin=OCR&state=queue").await;
    assert!(list.body.contains("All that are found (3)"), "{}", list.body);
    let fields = "all=1&plugin=OCR&state=queue&action=cancel&priority=5&back=/";
    let page = ask_and_do(
        &router,
        fields,
        "de",
        &["Abbrechen: 3 Aufgaben?", "nicht rückgängig"],
    )
    .await;
    assert!(
        page.body.contains("<dt>3</dt><dd>Erledigt.</dd>"),
        "{}",
        page.body
    );
    assert_eq!(
        database
            .texts("SELECT title FROM jobs WHERE NOT cancel_requested")
            .await,
        ["c"]
    );
    assert_eq!(lines(&database).await, ["cancel OCR done"; 3]);
}

#[tokio::test]
async fn a_question_changes_nothing_and_jobs_with_which_it_can_not_be_done_are_told() {
    let (database, router) = ready().await;
    let [a, well] = ["a", "well"].map(|title| format!("job={}", id(title)));
    let fields = format!("{a}&{well}&action=hold&back=/");
    let question = post(&router, "/jobs/actions", &fields, "en").await;
    assert!(
        question.body.contains("Hold: 1 job?") && question.body.contains("1 of the chosen ones"),
        "{}",
        question.body
    );
    assert_eq!(lines(&database).await, [""; 0]);
    let done = post(&router, "/jobs/actions", &fields_of(&question.body), "en").await;
    let page = follow(&router, &done, "en").await;
    assert!(page.body.contains("<dt>1</dt><dd>Done.</dd>"), "{}", page.body);
    assert!(
        page.body
            .contains("class=\"bad\"><dt>1</dt><dd>It has ended.</dd>"),
        "{}",
        page.body
    );
    assert_eq!(lines(&database).await.len(), 2);
    // Looking at the outcome again does nothing again.
    follow(&router, &done, "de").await;
    assert_eq!(lines(&database).await.len(), 2);
}

#[tokio::test]
async fn without_a_choice_nothing_is_done_and_it_is_said_what_is_missing() {
    let (database, router) = ready().await;
    let job = format!("job={}", id("well"));
    for (fields, english, german) in [
        (
            "action=cancel".to_owned(),
            "No job was chosen",
            "Keine Aufgabe war ausgewählt",
        ),
        (
            "action=cancel&confirmed=1".to_owned(),
            "No job was chosen",
            "Keine Aufgabe war ausgewählt",
        ),
        (
            format!("{job}&action=&confirmed=1"),
            "No action was chosen",
            "Keine Aktion war gewählt",
        ),
        (
            "all=1&state=done&action=cancel".to_owned(),
            "With none of these jobs",
            "Mit keiner dieser Aufgaben",
        ),
    ] {
        for (language, words) in [("en", english), ("de", german)] {
            let page = post(&router, "/jobs/actions", &fields, language).await;
            assert_eq!(page.status, StatusCode::OK, "{fields}: {}", page.body);
            assert!(page.body.contains(words), "{fields}: {}", page.body);
            assert!(!page.body.contains("id=\"confirm\""));
        }
    }
    for wrong in [
        "action=explode",
        "action=set_priority&priority=11",
        "action=hold&all=1&title=x",
    ] {
        let page = post(&router, "/jobs/actions", &format!("{job}&{wrong}"), "en").await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(lines(&database).await, [""; 0]);
}

#[tokio::test]
async fn what_an_operator_of_another_plugin_may_not_touch_is_told_and_stands_in_the_audit_log() {
    let (database, _) = ready().await;
    let app = App {
        door: Door::Login { secure: false },
        ..app(database.db())
    };
    let action = AccountAction::AddToken {
        title: "anna".to_owned(),
        role: Role::Operator,
        plugins: Some(vec!["JP2".to_owned()]),
        days: 10,
    };
    let admin = Actor::with("test".to_owned(), Role::Admin);
    let token = app
        .control
        .act_on_accounts(&admin, &action)
        .await
        .unwrap()
        .1
        .unwrap();
    database.execute("DELETE FROM audit_log").await;
    let router = router(app);
    let with_token = |request: axum::http::request::Builder| {
        request
            .header(ACCEPT, "text/html")
            .header("authorization", format!("Bearer {}", token.reveal()))
    };
    let form = with_token(request(&Method::POST, "/jobs/actions"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let fields = format!("job={}&job={}&action=hold&confirmed=1", id("a"), id("c"));
    let done = send(&router, form.body(Body::from(fields)).unwrap()).await;
    let page = with_token(request(&Method::GET, done.header(LOCATION)));
    let page = send(&router, page.body(Body::empty()).unwrap()).await;
    assert!(page.body.contains("<dt>1</dt><dd>Done.</dd>"), "{}", page.body);
    assert!(
        page.body
            .contains("<dt>1</dt><dd>You may not do that with it.</dd>"),
        "{}",
        page.body
    );
    let list = with_token(request(&Method::GET, "/search"));
    let list = send(&router, list.body(Body::empty()).unwrap()).await.body;
    for (title, offered) in [("a", false), ("c", true)] {
        assert_eq!(
            list.contains(&format!("/jobs/{}/row", id(title))),
            offered,
            "{title}"
        );
    }
    // Of all that are found, only those are counted and done that may be.
    let all = with_token(request(&Method::POST, "/jobs/actions"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let all = all.body(Body::from("all=1&state=queue&action=hold")).unwrap();
    let question = send(&router, all).await.body;
    assert!(
        question.contains("Hold: 1 job?") && !question.contains(">a<"),
        "{question}"
    );
    let mut said = lines(&database).await;
    said.sort();
    assert_eq!(said, ["hold JP2 done", "hold OCR forbidden"]);
    assert_eq!(database.texts("SELECT title FROM jobs WHERE held").await, ["c"]);
}

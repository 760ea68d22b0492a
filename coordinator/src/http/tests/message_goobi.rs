//! "Send message to Goobi", from the form to a Goobi that answers as the real one does.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::*;
use crate::background::deliveries::Sender;
use crate::control::{Actor, JobAction, Role};
use crate::db::pages::sample::{Sample, id};
use crate::deliveries::{Allowed, GoobiWeb, Patience, Post};
use crate::http::tests::{comers::bearer_of, who::with_login};

const TOKEN: &str = "a-token-of-goobi-rest-xml";

/// A Goobi: what it has been told, and what it answers next instead of what it would.
#[derive(Debug, Clone, Default)]
struct StandIn {
    journal: Arc<Mutex<Vec<(String, Value)>>>,
    ill: Arc<Mutex<Vec<StatusCode>>>,
}

/// `POST /goobi/api/process/{id}/journal`
async fn journal(
    State(goobi): State<StandIn>,
    Path(process): Path<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    if headers.get("token").is_none_or(|token| token != TOKEN) {
        return (StatusCode::UNAUTHORIZED, "No valid token".to_owned());
    }
    if let Some(status) = goobi.ill.lock().unwrap().pop() {
        // One that repeats what it was sent, secrets included.
        return (status, format!("can't be done with {TOKEN}"));
    }
    if process != "27" {
        return (StatusCode::NOT_FOUND, "Process not found".to_owned());
    }
    let entry = serde_json::from_str(&body).unwrap();
    goobi.journal.lock().unwrap().push((process, entry));
    (StatusCode::OK, String::new())
}

/// Starts the stand-in; gives where it is, and what it lives in.
async fn stand_in(goobi: &StandIn) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/goobi", listener.local_addr().unwrap());
    let route = Router::new().route("/goobi/api/process/{id}/journal", post(journal));
    let server = axum::serve(listener, route.with_state(goobi.clone()));
    let mut runs = JoinSet::new();
    runs.spawn(async move { server.await.unwrap() });
    (address, runs)
}

fn with_goobi(app: App, url: &str, token: Option<&str>) -> App {
    let goobi = GoobiWeb::new(url, token).unwrap();
    App {
        control: app.control.clone().with_goobi(Some(goobi)),
        ..app
    }
}

/// A waiting and an ended job, both of process 27.
async fn database() -> TestDatabase {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "waits", 5)
        .ended("OCR", "ended", "ERROR", 1);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database.execute("UPDATE job_history SET process_id = '27'").await;
    database
}

async fn say(router: &Router, title: &str, fields: &str) -> Answer {
    let form = request(&Method::POST, &format!("/jobs/{}/actions", id(title)))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("action=message_goobi&{fields}")))
        .unwrap();
    send(router, form).await
}

/// Sends what is due until nothing is, as the coordinator's task does.
async fn deliver(app: &App, token: &str) {
    let url = app.control.goobi().unwrap().process("0").unwrap();
    let url = url.trim_end_matches("/api/process/0");
    let goobi = GoobiWeb::new(url, Some(token)).unwrap();
    let post = Post::new(Allowed::default(), Duration::from_secs(20)).unwrap();
    let sender = Sender {
        db: app.db.clone(),
        changes: app.changes.clone(),
        post: post.with_goobi(Some(goobi)).unwrap(),
        goobi: None,
        secrets: Arc::default(),
        patience: Patience {
            first_pause: Duration::from_hours(1),
            give_up_after: Duration::from_hours(72),
        },
    };
    let stop = CancellationToken::new();
    let mut changes = app.changes.subscribe();
    let settled = async {
        // Told of as soon as an answer is recorded.
        changes.changed().await.unwrap();
        stop.cancel();
    };
    tokio::time::timeout(Duration::from_mins(1), async {
        tokio::join!(sender.run(stop.clone()), settled)
    })
    .await
    .expect("nothing was sent");
}

const ROWS: &str =
    "SELECT concat_ws(' ', number, kind, state, tries, coalesce(token, 'no token'), last_answer)
    FROM deliveries ORDER BY job_id, number";

#[tokio::test]
async fn a_message_is_recorded_audited_sent_with_goobis_token_and_shown() {
    let database = database().await;
    let goobi = StandIn::default();
    let (url, _runs) = stand_in(&goobi).await;
    let app = with_goobi(app(database.db()), &url, Some(TOKEN));
    let router = router(app.clone());
    for (title, number) in [("waits", "1"), ("ended", "2")] {
        for (language, button, kind) in [
            ("en", "Send message to Goobi", ">Important<"),
            ("de", "Nachricht an Goobi senden", ">Wichtig<"),
        ] {
            let page = browse(&router, &format!("/jobs/{}?lang={language}", id(title)))
                .await
                .body;
            assert!(page.contains(button) && page.contains(kind), "{page}");
        }
        let answer = say(
            &router,
            title,
            &format!("type=important&text={number}%0D%0Atwo+%26+%3Cb%3E"),
        )
        .await;
        let leads_to = format!("/jobs/{}?said=messaged", id(title));
        assert_eq!(
            (answer.status, answer.header(LOCATION)),
            (StatusCode::SEE_OTHER, leads_to.as_str())
        );
        let row = format!(
            "SELECT concat_ws(' ', number, kind, target, repeatable) FROM deliveries WHERE job_id = '{}'",
            id(title)
        );
        let target = format!("1001 goobi_message {url}/api/process/27/journal t");
        assert_eq!(database.texts(&row).await, [target]);
        for (language, said, pending) in [
            ("en", "The message is recorded", "to be delivered"),
            ("de", "Die Nachricht ist vermerkt", "wird zugestellt"),
        ] {
            let page = browse(&router, &format!("{leads_to}&lang={language}")).await.body;
            assert!(page.contains(said) && page.contains(pending), "{page}");
            assert!(
                page.contains(&format!("<q>{number}\ntwo &#38; &#60;b&#62;</q>")),
                "{page}"
            );
        }
        deliver(&app, TOKEN).await;
        for (language, delivered) in [("en", ">delivered<"), ("de", ">zugestellt<")] {
            let page = browse(&router, &format!("/jobs/{}?lang={language}", id(title)))
                .await
                .body;
            assert!(page.contains(delivered), "{page}");
        }
    }
    let entry = |text: &str| {
        let entry = json!({"userName": "local", "type": "important", "message": text});
        ("27".to_owned(), entry)
    };
    assert_eq!(
        *goobi.journal.lock().unwrap(),
        [entry("1\ntwo & <b>"), entry("2\ntwo & <b>")]
    );
    let audit = "SELECT concat_ws(' ', actor, action, plugin, outcome, details->>'type', details->>'text')
        FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        [
            "local message_goobi OCR done important 1\ntwo & <b>",
            "local message_goobi OCR done important 2\ntwo & <b>"
        ]
    );
    let everything = "SELECT (SELECT string_agg(a::text, ' ') FROM audit_log a) || (SELECT string_agg(d::text, ' ') FROM deliveries d)";
    assert!(!database.texts(everything).await[0].contains(TOKEN));
}

#[tokio::test]
async fn what_goobi_answers_decides_whether_a_message_is_sent_again() {
    let database = database().await;
    let goobi = StandIn::default();
    let (url, _runs) = stand_in(&goobi).await;
    let app = with_goobi(app(database.db()), &url, Some(TOKEN));
    let router = router(app.clone());
    assert_eq!(
        say(&router, "ended", "type=info&text=7").await.status,
        StatusCode::SEE_OTHER
    );
    goobi.ill.lock().unwrap().push(StatusCode::INTERNAL_SERVER_ERROR);
    deliver(&app, TOKEN).await;
    let ill = "1001 goobi_message pending 1 no token 500 Internal Server Error can't be done with (secret)";
    assert_eq!(database.texts(ROWS).await, [ill]);
    // A token that Goobi does not take is for people to put right; then it is sent again at their word.
    database.advance("2 hours").await;
    deliver(&app, "another-token").await;
    let refused = "1001 goobi_message failed 2 no token 401 Unauthorized No valid token";
    assert_eq!(database.texts(ROWS).await, [refused]);
    let again = request(&Method::POST, &format!("/api/v1/jobs/{}/actions", id("ended")))
        .body(Body::from(r#"{"action": "send_again"}"#))
        .unwrap();
    assert_eq!(send(&router, again).await.status, StatusCode::OK);
    deliver(&app, TOKEN).await;
    assert_eq!(
        database.texts(ROWS).await,
        ["1001 goobi_message delivered 1 no token 200 OK"]
    );
    assert_eq!(goobi.journal.lock().unwrap()[0].1["message"], "7");

    // A process that Goobi does not know: it may be starting, so it is asked again.
    database.execute("UPDATE job_history SET process_id = '28'").await;
    say(&router, "ended", "type=info&text=8").await;
    deliver(&app, TOKEN).await;
    let unknown = "1002 goobi_message pending 1 no token 404 Not Found Process not found";
    assert_eq!(database.texts(ROWS).await[1], unknown);
    // Goobi has moved since: the token goes to no address of the past.
    database.execute("UPDATE deliveries SET target = 'http://old.example/goobi/api/process/28/journal', next_try_at = tm_now() WHERE number = 1002").await;
    deliver(&app, TOKEN).await;
    let moved = database.texts(ROWS).await.remove(1);
    assert!(
        moved.starts_with("1002 goobi_message failed 2 no token") && moved.contains("--goobi-url"),
        "{moved}"
    );
}

#[tokio::test]
async fn a_message_and_the_callback_of_a_jobs_end_do_not_wait_for_each_other() {
    let database = database().await;
    let goobi = StandIn::default();
    let (url, _runs) = stand_in(&goobi).await;
    let app = with_goobi(app(database.db()), &url, Some(TOKEN));
    let router = router(app.clone());
    database
        .execute("UPDATE job_details SET callback_url = 'http://away.example/done'")
        .await;
    say(&router, "waits", "type=info&text=before").await;
    let actor = Actor::on_this_machine();
    let ended = app
        .control
        .act_on_jobs(&actor, &[id("waits")], &JobAction::Cancel)
        .await
        .unwrap();
    assert_eq!(
        ended.outcomes[0].1,
        crate::db::control::JobOutcome::Done,
        "the job can end"
    );
    say(&router, "waits", "type=info&text=after").await;
    let order = "SELECT concat_ws(' ', number, kind, state) FROM deliveries ORDER BY number";
    let order_before = [
        "1 callback pending",
        "1001 goobi_message pending",
        "1002 goobi_message pending",
    ];
    assert_eq!(database.texts(order).await, order_before);
    let hosts = std::collections::HashMap::new();
    let take = crate::db::deliveries::Take {
        limit: 10,
        limit_per_host: 10,
        under_way: &hosts,
        lease_seconds: 30.0,
    };
    let mut taken: Vec<String> = app
        .db
        .run(&take)
        .await
        .unwrap()
        .into_iter()
        .map(|due| due.kind)
        .collect();
    taken.sort();
    assert_eq!(
        taken,
        ["callback", "goobi_message"],
        "one of each, and the second message waits for the first"
    );
}

#[tokio::test]
async fn without_a_goobi_or_a_process_the_page_says_so_and_nothing_is_recorded() {
    let database = database().await;
    let plain = router(app(database.db()));
    let linked = router(with_goobi(app(database.db()), "http://goobi:8080/goobi", None));
    for router in [&plain, &linked] {
        for (language, words) in [
            ("en", "the coordinator needs the settings"),
            ("de", "braucht der Coordinator"),
        ] {
            let page = browse(router, &format!("/jobs/{}?lang={language}", id("waits")))
                .await
                .body;
            assert!(
                page.contains(words) && page.contains("--goobi-token-file"),
                "{page}"
            );
            assert!(!page.contains("message_goobi"), "{page}");
        }
        let answer = say(router, "waits", "type=info&text=a").await;
        assert!(answer.header(LOCATION).ends_with("?said=no_goobi"), "{answer:?}");
        let page = browse(router, answer.header(LOCATION)).await.body;
        assert!(page.contains("No message can be sent to Goobi"), "{page}");
    }
    let able = router(with_goobi(
        app(database.db()),
        "http://goobi:8080/goobi",
        Some(TOKEN),
    ));
    for process in ["NULL", "'../28'"] {
        database
            .execute(&format!("UPDATE job_details SET process_id = {process}"))
            .await;
        let page = browse(&able, &format!("/jobs/{}", id("waits"))).await.body;
        assert!(!page.contains("id=\"message\""), "{page}");
        let answer = say(&able, "waits", "type=info&text=a").await;
        let said = browse(&able, &format!("{}&lang=de", answer.header(LOCATION)))
            .await
            .body;
        assert!(said.contains("Sie hat keinen Vorgang in Goobi."), "{said}");
        let over_http = request(&Method::POST, &format!("/api/v1/jobs/{}/actions", id("waits")))
            .body(Body::from(
                r#"{"action": "message_goobi", "type": "info", "text": "a"}"#,
            ))
            .unwrap();
        let refused = send(&able, over_http).await;
        assert_eq!(
            (refused.status, &refused.json()["detail"]),
            (StatusCode::CONFLICT, &json!("it has no process in Goobi"))
        );
    }
    for wrong in ["type=status&text=a", "type=info&text=+", "type=info", "text=a"] {
        assert_eq!(
            say(&able, "waits", wrong).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    assert_eq!(database.texts("SELECT kind FROM deliveries").await, [""; 0]);
    let audit = "SELECT DISTINCT action || ' ' || outcome FROM audit_log";
    assert_eq!(database.texts(audit).await, ["message_goobi refused"]);
}

#[tokio::test]
async fn only_whoever_controls_the_plugins_jobs_sends_messages_about_them() {
    let database = database().await;
    let app = with_goobi(with_login(database.db()), "http://goobi:8080/goobi", Some(TOKEN));
    let router = router(app.clone());
    for (role, plugin, status) in [
        (Role::Viewer, None, StatusCode::FORBIDDEN),
        (Role::Operator, Some("JP2"), StatusCode::FORBIDDEN),
        (Role::Operator, Some("OCR"), StatusCode::OK),
    ] {
        let plugins = plugin.map(|plugin: &str| vec![plugin.to_owned()]);
        let actor = Actor {
            plugins,
            ..Actor::with("a".to_owned(), role)
        };
        let bearer = bearer_of(&app, &actor).await;
        let asked = |builder: axum::http::request::Builder| builder.header("authorization", &bearer);
        let look = asked(request(&Method::GET, &format!("/jobs/{}", id("waits"))));
        let page = send(&router, look.body(Body::empty()).unwrap()).await;
        assert_eq!(
            page.body.contains("message_goobi"),
            status == StatusCode::OK,
            "{actor:?}"
        );
        let say = asked(request(
            &Method::POST,
            &format!("/api/v1/jobs/{}/actions", id("waits")),
        ));
        let body = Body::from(r#"{"action": "message_goobi", "type": "user", "text": "27"}"#);
        assert_eq!(
            send(&router, say.body(body).unwrap()).await.status,
            status,
            "{actor:?}"
        );
    }
    let row = "SELECT (payload->>'userName') || ': ' || (payload->>'message') FROM deliveries";
    assert_eq!(database.texts(row).await, ["token a operator: 27"]);
    let audit = "SELECT outcome FROM audit_log WHERE action = 'message_goobi' ORDER BY id";
    assert_eq!(database.texts(audit).await, ["forbidden", "done"]);
}

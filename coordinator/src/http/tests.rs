//! What holds for every route, walked through the routes' own list, and what each of them answers.

mod actions;
mod audit;
mod away;
mod bulk;
mod comers;
mod demand;
mod described;
mod figures;
mod forms;
mod itm;
mod job_page;
mod message_goobi;
mod metrics;
mod mistakes;
mod openapi;
mod own_account;
mod pages;
mod plugins;
mod route_table;
mod search;
mod sections;
mod settings;
mod settings_api;
mod submit;
mod who;
mod workers;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusBuilder;
use shared::amqp::publisher::publisher;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;

use super::*;
use crate::broker::Status;
use crate::control::Control;
use crate::db::Db;
use crate::db::notify::Changes;
use crate::intake::{Intake, PathRules, Templates};
use crate::notifications::notifications;
use crate::testing::TestDatabase;

/// An id that no job has.
const NOBODY: &str = "01900000-0000-7000-8000-000000000000";

/// An application on `db` without a broker.
fn app(db: Db) -> App {
    let changes = Changes::default();
    let (publisher, _) = publisher();
    let (notifier, _) = notifications(publisher.clone());
    let control = Control::new(db.clone(), changes.clone(), notifier.clone(), publisher.clone());
    let paths = PathRules::new(vec!["/data".parse().unwrap()], Vec::new());
    App {
        intake: Intake::new(db.clone(), changes.clone(), notifier, paths, Templates::default()),
        control,
        db,
        door: Door::Open,
        changes,
        broker: Status::new(publisher),
        goobi: None,
        stop: CancellationToken::new(),
        prometheus: PrometheusBuilder::new().build_recorder().handle(),
        figures: LastFigures::default(),
        schema_ready: Arc::new(AtomicBool::new(true)),
        deployment: Arc::default(),
    }
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: impl axum::http::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks; an answer of the API has to be as its document says.
async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (method, address) = (request.method().clone(), request.uri().to_string());
    let answer = read(router.clone().oneshot(request).await.unwrap()).await;
    described::check(&method, &address, &answer);
    answer
}

async fn read(response: Response<Body>) -> Answer {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn request(method: &Method, address: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(address)
        .header(HOST, "localhost:8080")
}

/// What a browser asks.
async fn browse(router: &Router, address: &str) -> Answer {
    let request = request(&Method::GET, address).header(ACCEPT, "text/html,*/*;q=0.8");
    send(router, request.body(Body::empty()).unwrap()).await
}

/// What a program asks.
async fn ask(router: &Router, address: &str) -> Answer {
    send(
        router,
        request(&Method::GET, address).body(Body::empty()).unwrap(),
    )
    .await
}

/// An address for each route.
fn sample_address(route: &Route) -> String {
    route.path.replace("{id}", NOBODY).replace("{name}", "app.css")
}

/// A body that each route that takes one understands.
fn sample_body(route: &Route) -> &'static str {
    match route.path {
        "/api/v1/account/actions" => r#"{"action": "end_other_sessions"}"#,
        "/api/v1/accounts/actions" => r#"{"action": "disable", "name": "nobody"}"#,
        "/api/v1/jobs/actions" => r#"{"jobs": {"plugin": "OCR"}, "what": {"action": "cancel"}}"#,
        "/api/v1/jobs/batch" => r#"{"jobs": [{"plugin": "OCR", "title": "t"}]}"#,
        "/api/v1/jobs/{id}/actions" => r#"{"action": "cancel"}"#,
        "/api/v1/recovery/actions" => r#"{"action": "apply"}"#,
        "/api/v1/stores/actions" => r#"{"action": "look"}"#,
        "/api/v1/login" => r#"{"name": "nobody", "password": "guessed"}"#,
        "/api/v1/plugins/actions" | "/api/v1/plugins/{name}/actions" => r#"{"action": "start"}"#,
        "/api/v1/settings/actions" => {
            r#"{"action": "set_pages", "refresh_seconds": 5, "jobs_on_dashboard": true}"#
        }
        "/api/v1/storages/actions" => r#"{"action": "set", "path": "/data", "running_max": 4}"#,
        "/api/v1/workers/{id}/actions" => r#"{"action": "drain"}"#,
        _ => r#"{"plugin": "OCR", "title": "t"}"#,
    }
}

#[tokio::test]
async fn every_route_answers_without_failing_and_with_the_protecting_headers() {
    let database = TestDatabase::create().await;
    let router = router(app(database.db()));
    for route in routes() {
        let address = sample_address(&route);
        let request = request(&route.method, &address).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        // Without a broker this process is not ready, and says so.
        assert!(
            !status.is_server_error() || route.path == "/readyz",
            "{} {address}: {status}",
            route.method
        );
        assert!(!route.what.is_empty());
        for header in [
            CONTENT_SECURITY_POLICY.as_str(),
            "x-content-type-options",
            "referrer-policy",
        ] {
            assert!(
                response.headers().contains_key(header),
                "{address} lacks {header}"
            );
        }
        if route.kind == Kind::Api && status.is_client_error() {
            assert_eq!(
                response.headers()[CONTENT_TYPE],
                "application/problem+json",
                "{address}"
            );
        }
        if route.kind == Kind::Itm && status.is_client_error() {
            assert_eq!(response.headers()[CONTENT_TYPE], "application/json", "{address}");
        }
    }
}

#[tokio::test]
async fn routes_are_unique_and_refuse_other_methods_with_those_they_allow() {
    let router = router(app(away::nowhere()));
    let all = routes();
    for (index, route) in all.iter().enumerate() {
        assert!(
            !all[index + 1..]
                .iter()
                .any(|other| (other.path, &other.method) == (route.path, &route.method))
        );
        let request = request(&Method::DELETE, &sample_address(route))
            .body(Body::empty())
            .unwrap();
        let answer = send(&router, request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{}", route.path);
        assert!(
            answer.header(ALLOW).contains(route.method.as_str()),
            "{}: {:?}",
            route.path,
            answer.headers
        );
        let said = match route.kind {
            Kind::Itm => "ERRORMESSAGE",
            _ => "detail",
        };
        assert!(answer.json()[said].as_str().unwrap().contains("Allow"));
    }
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_people_and_a_problem_for_programs() {
    let router = router(app(away::nowhere()));
    let page = browse(&router, "/nothing").await;
    assert_eq!(
        (page.status, page.header(CONTENT_TYPE)),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
    assert!(
        page.body.contains("There is nothing at this address"),
        "{}",
        page.body
    );
    for address in ["/nothing", "/api/v1/nothing"] {
        let problem = ask(&router, address).await;
        assert_eq!(problem.header(CONTENT_TYPE), "application/problem+json");
        assert_eq!(problem.json()["status"], 404);
    }
    let problem = browse(&router, "/api/v1/nothing").await;
    assert_eq!(
        problem.header(CONTENT_TYPE),
        "application/problem+json",
        "the API speaks JSON to browsers too"
    );
}

#[tokio::test]
async fn a_foreign_host_name_is_refused() {
    let router = router(app(away::nowhere()));
    let rebound = Request::get("/healthz")
        .header(HOST, "evil.example:8080")
        .body(Body::empty())
        .unwrap();
    let answer = send(&router, rebound).await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(answer.json()["detail"].as_str().unwrap().contains("localhost"));
    let nameless = Request::get("/healthz").body(Body::empty()).unwrap();
    assert_eq!(send(&router, nameless).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_can_not_submit_but_programs_can() {
    let router = router(app(away::nowhere()));
    let post = |name: &str, value: &str| {
        request(&Method::POST, "/api/v1/jobs")
            .header(name, value)
            .body(Body::from("{}"))
            .unwrap()
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        (ORIGIN.as_str(), "http://evil.example"),
    ] {
        let answer = send(&router, post(name, value)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}");
        assert_eq!(answer.json()["title"], "Cross-site request");
    }
    for (name, value) in [("sec-fetch-site", "same-origin"), ("user-agent", "curl")] {
        assert_eq!(
            send(&router, post(name, value)).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}"
        );
    }
}

fn with_handler(handler: axum::routing::MethodRouter<App>) -> Router {
    let route = Route {
        method: Method::GET,
        path: "/test",
        kind: Kind::Page,
        what: "a test",
        needs: None,
        operation: None,
        handler,
    };
    assemble(vec![route], app(away::nowhere()))
}

#[tokio::test]
async fn a_panic_is_an_answer_that_tells_nothing_of_the_inside() {
    async fn fail() -> &'static str {
        panic!("secret of the inside")
    }
    let router = with_handler(get(fail));
    let page = browse(&router, "/test").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        page.body.contains("Something went wrong here") && !page.body.contains("secret"),
        "{}",
        page.body
    );
    assert_eq!(ask(&router, "/test").await.json()["title"], "Internal error");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_a_timeout() {
    let router = with_handler(get(std::future::pending::<&'static str>));
    let answer = browse(&router, "/test").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(answer.body.contains("That took too long"), "{}", answer.body);
}

#[tokio::test]
async fn an_open_event_stream_tells_of_changes_and_does_not_hold_up_the_end() {
    let app = app(away::nowhere());
    let (changes, stop) = (app.changes.clone(), app.stop.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut seen = String::new();
        while !seen.contains("event: change") {
            let mut part = [0; 1024];
            // The first bytes show that the stream is open; every later change must then arrive.
            let read = stream.read(&mut part).await.unwrap();
            assert!(read > 0, "the stream ended: {seen}");
            seen.push_str(&String::from_utf8_lossy(&part[..read]));
            changes.announce();
        }
        assert!(
            seen.contains("text/event-stream") && seen.contains("data: jobs"),
            "{seen}"
        );
        stop.cancel();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    };
    let both = async { tokio::join!(serve(listener, app), client) };
    tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .expect("the server does not end");
}

//! What is answered while the database can't be reached.

use std::sync::Arc;

use super::*;

/// A database that nobody serves: port 1 refuses at once.
pub(super) fn nowhere() -> Db {
    Db::new("postgres://nobody:secret@127.0.0.1:1/nothing", 2).unwrap()
}

#[tokio::test]
async fn pages_say_that_the_database_is_away_in_both_languages() {
    let router = router(app(nowhere()));
    let all = routes();
    // The door's own pages need no database before something is typed.
    let pages = all
        .iter()
        .filter(|route| route.kind == Kind::Page && route.needs.is_some());
    for route in pages {
        let address = sample_address(route);
        for (language, words) in [
            ("en", "The database can&#39;t be reached"),
            ("de", "Die Datenbank ist nicht erreichbar"),
        ] {
            let page = browse(&router, &format!("{address}?lang={language}")).await;
            assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{address}");
            assert_eq!(page.header("retry-after"), "5");
            assert!(page.body.contains(words), "{address}: {}", page.body);
            assert!(
                page.body.contains("</html>") && !page.body.contains("secret"),
                "{}",
                page.body
            );
        }
    }
}

#[tokio::test]
async fn the_api_says_so_in_a_problem() {
    let router = router(app(nowhere()));
    // These answer without a database; where there is no login nobody has an account.
    let others = [
        "/api/v1/doctor",
        "/api/v1/openapi.json",
        "/api/v1/account",
        "/api/v1/account/actions",
        "/api/v1/login",
    ];
    for route in routes()
        .iter()
        .filter(|route| route.kind == Kind::Api && !others.contains(&route.path))
    {
        let body = Body::from(sample_body(route));
        let answer = send(
            &router,
            request(&route.method, &sample_address(route)).body(body).unwrap(),
        )
        .await;
        assert_eq!(
            answer.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{} {}",
            route.method,
            route.path
        );
        assert_eq!(answer.json()["title"], "Database unavailable");
        assert!(!answer.body.contains("127.0.0.1:1"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_process_lives_but_is_not_ready_and_the_doctor_says_why() {
    let router = router(app(nowhere()));
    let alive = ask(&router, "/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (StatusCode::OK, "ok"));
    let ready = ask(&router, "/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json()["ready"], false);
    let doctor = ask(&router, "/api/v1/doctor").await;
    assert_eq!(doctor.status, StatusCode::OK);
    let report = doctor.json();
    let database = &report["checks"][0];
    assert_eq!(
        (&database["name"], &database["ok"]),
        (&"database".into(), &false.into())
    );
    assert!(
        database["message"]
            .as_str()
            .unwrap()
            .contains("is PostgreSQL running"),
        "{database}"
    );
    assert_eq!(ask(&router, "/metrics").await.status, StatusCode::OK);
}

#[tokio::test]
async fn it_is_not_ready_before_the_schema_is_and_rabbitmq_was_reached() {
    let database = TestDatabase::create().await;
    let app = app(database.db());
    app.schema_ready.store(false, Ordering::Release);
    let schema_ready = Arc::clone(&app.schema_ready);
    let router = router(app);
    for (ready, in_the_way) in [(false, vec!["database schema", "broker"]), (true, vec!["broker"])] {
        schema_ready.store(ready, Ordering::Release);
        let answer = ask(&router, "/readyz").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let report = answer.json();
        let wrong: Vec<&str> = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["ok"] == false)
            .map(|check| check["name"].as_str().unwrap())
            .collect();
        assert_eq!(wrong, in_the_way);
    }
}

#[tokio::test(start_paused = true)]
async fn probes_and_figures_are_answered_although_the_database_hangs() {
    // It takes connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!(
        "postgres://nobody:secret@{}/nothing",
        silent.local_addr().unwrap()
    );
    let router = router(app(Db::new(&address, 2).unwrap()));
    for (path, status) in [
        ("/healthz", StatusCode::OK),
        ("/readyz", StatusCode::SERVICE_UNAVAILABLE),
        ("/metrics", StatusCode::OK),
    ] {
        let asked = tokio::time::Instant::now();
        assert_eq!(ask(&router, path).await.status, status, "{path}");
        // The clock moves only while there is nothing else to do: this is what was waited for. Kubernetes waits five seconds.
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{path}: {:?}",
            asked.elapsed()
        );
    }
}

//! A person's own password and sessions over the API, and who has none.

use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE, USER_AGENT};
use serde_json::{Value, json};

use super::*;
use crate::control::Role;
use crate::http::tests::who::{add_user, cookie_of, log_in, token, with_login};

async fn ready() -> (TestDatabase, App, Router) {
    let database = TestDatabase::create().await;
    let app = with_login(database.db());
    add_user(&app, "anna", Role::Viewer).await;
    add_user(&app, "bert", Role::Viewer).await;
    let router = router(app.clone());
    (database, app, router)
}

async fn enter(router: &Router, name: &str, password: &str) -> Answer {
    let body = json!({"name": name, "password": password}).to_string();
    let asked = request(&Method::POST, "/api/v1/login").header(USER_AGENT, "a program of Anna's");
    send(router, asked.body(Body::from(body)).unwrap()).await
}

async fn show(router: &Router, cookie: &str) -> Answer {
    let asked = request(&Method::GET, "/api/v1/account").header(COOKIE, cookie);
    send(router, asked.body(Body::empty()).unwrap()).await
}

async fn act(router: &Router, cookie: &str, action: &Value) -> Answer {
    let asked = request(&Method::POST, "/api/v1/account/actions").header(COOKIE, cookie);
    send(router, asked.body(Body::from(action.to_string())).unwrap()).await
}

fn change(now: &str, new: &str) -> Value {
    json!({"action": "change_password", "now": now, "new": new})
}

#[tokio::test]
async fn a_person_comes_in_over_the_api_and_the_session_is_one_like_any_other() {
    let (database, _, router) = ready().await;
    let entered = enter(&router, "Anna", "vier alte Seiten").await;
    assert_eq!(entered.json(), json!({"outcome": "in"}));
    assert!(entered.header(SET_COOKIE).contains("HttpOnly; SameSite=Lax"));
    let cookie = cookie_of(&entered);
    assert!(!entered.body.contains(cookie.split_once('=').unwrap().1));
    let own = show(&router, &cookie).await.json();
    let session = &own["sessions"][0];
    assert_eq!(
        (&own["name"], &session["browser"], &session["is_this"]),
        (&json!("anna"), &json!("a program of Anna's"), &json!(true))
    );
    let end = json!({"action": "end_session", "session": session["id"]});
    assert_eq!(act(&router, &cookie, &end).await.status, StatusCode::OK);
    assert_eq!(show(&router, &cookie).await.status, StatusCode::UNAUTHORIZED);
    let lines = "SELECT action || ' ' || outcome FROM audit_log WHERE actor = 'anna' ORDER BY id";
    assert_eq!(database.texts(lines).await, ["log_in done", "log_out done"]);
}

#[tokio::test]
async fn where_everybody_is_let_in_nobody_logs_in() {
    let (database, app, _) = ready().await;
    let router = router(App {
        door: Door::Open,
        ..app
    });
    let refused = enter(&router, "anna", "vier alte Seiten").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("--without-login"), "{}", refused.body);
    assert_eq!(database.texts("SELECT count(*)::text FROM sessions").await, ["0"]);
}

#[tokio::test]
async fn the_api_tells_nobody_which_names_there_are_and_guessing_takes_longer_and_longer() {
    let (database, _, router) = ready().await;
    let wrong = enter(&router, "anna", "geraten").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.header(SET_COOKIE), "");
    assert!(!wrong.body.contains("geraten"), "{}", wrong.body);
    let unknown = enter(&router, "emil", "geraten").await;
    assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body));
    for _ in 0..5 {
        enter(&router, "anna", "geraten").await;
    }
    let right = enter(&router, "anna", "vier alte Seiten").await;
    assert_eq!(right.status, StatusCode::CONFLICT);
    assert!(right.body.contains("too many tries"), "{}", right.body);
    database.advance("5 minutes").await;
    assert_eq!(
        enter(&router, "anna", "vier alte Seiten").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_person_sees_and_ends_own_sessions_and_no_others() {
    let (_database, _, router) = ready().await;
    let (here, there) = (log_in(&router, "anna").await, log_in(&router, "anna").await);
    let bert = log_in(&router, "bert").await;
    let own = show(&router, &here).await.json();
    assert_eq!(
        (&own["name"], &own["role"], &own["has_account"]),
        (&json!("anna"), &json!("viewer"), &json!(true))
    );
    let sessions = own["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions
        .iter()
        .find(|session| session["is_this"] == false)
        .unwrap();
    assert_eq!(
        sessions
            .iter()
            .filter(|session| session["is_this"] == true)
            .count(),
        1
    );
    let berts = show(&router, &bert).await.json()["sessions"][0]["id"].clone();
    for session in [&berts, &other["id"]] {
        let end = json!({"action": "end_session", "session": session});
        assert_eq!(act(&router, &here, &end).await.json(), json!({"outcome": "done"}));
    }
    assert_eq!(
        show(&router, &bert).await.status,
        StatusCode::OK,
        "another one's session stays"
    );
    assert_eq!(show(&router, &there).await.status, StatusCode::UNAUTHORIZED);
    let third = log_in(&router, "anna").await;
    let others = json!({"action": "end_other_sessions"});
    assert_eq!(act(&router, &here, &others).await.status, StatusCode::OK);
    assert_eq!(show(&router, &third).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(show(&router, &here).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_new_password_wants_the_one_so_far_and_ends_all_other_sessions() {
    let (database, _, router) = ready().await;
    let (here, there) = (log_in(&router, "anna").await, log_in(&router, "anna").await);
    let short = act(&router, &here, &change("vier alte Seiten", "kurz")).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert!(short.body.contains("too short"), "{}", short.body);
    let wrong = act(&router, &here, &change("geraten", "fünf neue Seiten")).await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    assert!(!wrong.body.contains("geraten") && !wrong.body.contains("neue Seiten"));
    assert_eq!(
        show(&router, &there).await.status,
        StatusCode::OK,
        "nothing was changed"
    );
    let right = act(&router, &here, &change("vier alte Seiten", "fünf neue Seiten")).await;
    assert_eq!(right.json(), json!({"outcome": "done"}));
    assert_eq!(show(&router, &there).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(show(&router, &here).await.status, StatusCode::OK);
    let again = act(&router, &here, &change("vier alte Seiten", "sechs neue Seiten")).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "the old one is worth nothing");
    let lines = "SELECT concat_ws(' ', actor, action, account, outcome) FROM audit_log
        WHERE action = 'change_own_password'";
    assert_eq!(
        database.texts(lines).await,
        ["anna change_own_password anna done"]
    );
}

#[tokio::test]
async fn guessing_the_password_of_a_browser_that_was_left_open_takes_longer_and_longer() {
    let (_database, _, router) = ready().await;
    let here = log_in(&router, "anna").await;
    for _ in 0..6 {
        let wrong = act(&router, &here, &change("geraten", "fünf neue Seiten")).await;
        assert_eq!(wrong.status, StatusCode::CONFLICT);
    }
    let right = act(&router, &here, &change("vier alte Seiten", "fünf neue Seiten")).await;
    assert_eq!(right.status, StatusCode::CONFLICT);
    assert!(right.body.contains("too many tries"), "{}", right.body);
}

#[tokio::test]
async fn a_token_has_neither_a_password_nor_sessions_even_if_somebody_is_called_so() {
    let (_database, app, router) = ready().await;
    let token = token(&app, Role::Admin, None).await;
    // The name that the audit log keeps of this token.
    add_user(&app, "token a admin", Role::Viewer).await;
    let bearer = format!("Bearer {}", token.reveal());
    let person = log_in(&router, "token+a+admin").await;
    let asked = request(&Method::GET, "/api/v1/account").header(AUTHORIZATION, &bearer);
    let own = send(&router, asked.body(Body::empty()).unwrap()).await.json();
    assert_eq!(
        (&own["name"], &own["has_account"], &own["sessions"]),
        (&json!("token a admin"), &json!(false), &json!([]))
    );
    for action in [
        json!({"action": "end_other_sessions"}),
        change("vier alte Seiten", "fünf neue Seiten"),
    ] {
        let asked = request(&Method::POST, "/api/v1/account/actions").header(AUTHORIZATION, &bearer);
        let answer = send(&router, asked.body(Body::from(action.to_string())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    }
    assert_eq!(show(&router, &person).await.status, StatusCode::OK);
}

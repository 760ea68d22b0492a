//! Who is let in to what, walked through the routes' own list; coming in and going out.

use axum::http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};

use super::route_table::lets_in;
use super::*;
use crate::accounts::{Password, Secret, setup};
use crate::control::{AccountAction, Actor, Role};
use crate::db::pages::sample::Sample;

/// Routes that everybody may use, without being known.
const OPEN: [&str; 11] = [
    "GET /login",
    "POST /api/v1/login",
    "POST /login",
    "GET /setup",
    "POST /setup",
    "GET /assets/{name}",
    "GET /healthz",
    "GET /readyz",
    "GET /itm/service",
    "GET /metrics",
    "GET /api/v1/openapi.json",
];

pub(super) fn with_login(db: Db) -> App {
    App {
        door: Door::Login { secure: false },
        ..app(db)
    }
}

async fn ready() -> (TestDatabase, App, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2").waiting("OCR", "a", 5);
    database.execute(&sample.sql()).await;
    let app = with_login(database.db());
    let router = router(app.clone());
    (database, app, router)
}

async fn act(app: &App, action: AccountAction) -> Option<Secret> {
    let admin = Actor::with("test".to_owned(), Role::Admin);
    app.control.act_on_accounts(&admin, &action).await.unwrap().1
}

/// A token with this role, for these plugins.
pub(super) async fn token(app: &App, role: Role, plugins: Option<Vec<String>>) -> Secret {
    let action = AccountAction::AddToken {
        title: format!("a {}", role.name()),
        role,
        plugins,
        days: 10,
    };
    act(app, action).await.unwrap()
}

pub(super) async fn add_user(app: &App, name: &str, role: Role) {
    let action = AccountAction::AddUser {
        name: name.to_owned(),
        role,
        plugins: None,
        password: Password::new("vier alte Seiten"),
    };
    act(app, action).await;
}

fn sample_request(route: &Route) -> axum::http::request::Builder {
    let kind = match route.kind {
        Kind::Form => "application/x-www-form-urlencoded",
        _ => "application/json",
    };
    request(&route.method, &sample_address(route)).header(CONTENT_TYPE, kind)
}

fn body_of(route: &Route) -> Body {
    match (route.kind, &route.method) {
        (Kind::Form, _) => Body::from("action=start"),
        (_, &Method::POST) => Body::from(sample_body(route)),
        _ => Body::empty(),
    }
}

#[tokio::test]
async fn whoever_is_not_known_gets_to_the_door_and_nowhere_else() {
    let (_database, _, router) = ready().await;
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        assert_eq!(route.needs.is_none(), OPEN.contains(&name.as_str()), "{name}");
        if route.needs.is_none() {
            continue;
        }
        let answer = send(&router, sample_request(&route).body(body_of(&route)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
        let wrong = sample_request(&route).header(AUTHORIZATION, "Bearer tm_0000");
        let answer = send(&router, wrong.body(body_of(&route)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        let wrong = sample_request(&route).header(COOKIE, "taskmanager_session=0000");
        let answer = send(&router, wrong.body(body_of(&route)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
    }
}

#[tokio::test]
async fn each_role_is_let_in_to_what_it_may_do_and_to_nothing_else() {
    let (database, app, router) = ready().await;
    for role in Role::ALL {
        let token = token(&app, role, None).await;
        for route in routes() {
            let Some(verb) = route.needs else { continue };
            let name = format!("{} {} as {}", route.method, route.path, role.name());
            let bearer = format!("Bearer {}", token.reveal());
            let asked = sample_request(&route).header(AUTHORIZATION, bearer);
            let lines = "SELECT count(*)::text FROM audit_log WHERE action = 'turned_away'";
            let before: u32 = database.texts(lines).await[0].parse().unwrap();
            let response = router
                .clone()
                .oneshot(asked.body(body_of(&route)).unwrap())
                .await
                .unwrap();
            let may = lets_in(role).contains(&verb);
            // An operator may stop one plugin, not all of them: that is decided further inside.
            let all_plugins = ["/api/v1/plugins/actions", "/plugins/actions"];
            let inside = role == Role::Operator && all_plugins.contains(&route.path);
            assert_eq!(
                response.status() == StatusCode::FORBIDDEN,
                !may || inside,
                "{name}"
            );
            assert_ne!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
            let after: u32 = database.texts(lines).await[0].parse().unwrap();
            let is_noted = !may && route.method == Method::POST;
            assert_eq!(after - before, u32::from(is_noted), "{name}");
        }
    }
}

/// Sends a form as a browser does, with a session's cookie if there is one.
async fn post(router: &Router, address: &str, cookie: &str, fields: &str) -> Answer {
    let form = request(&Method::POST, address)
        .header(ACCEPT, "text/html")
        .header(COOKIE, cookie)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(router, form.body(Body::from(fields.to_owned())).unwrap()).await
}

async fn look(router: &Router, address: &str, cookie: &str) -> Answer {
    let request = request(&Method::GET, address)
        .header(ACCEPT, "text/html")
        .header(COOKIE, cookie);
    send(router, request.body(Body::empty()).unwrap()).await
}

/// The cookie that an answer sets, as it is sent back.
pub(super) fn cookie_of(answer: &Answer) -> String {
    answer.header(SET_COOKIE).split(';').next().unwrap().to_owned()
}

pub(super) async fn log_in(router: &Router, name: &str) -> String {
    let answer = post(
        router,
        "/login",
        "",
        &format!("name={name}&password=vier+alte+Seiten&next=%2Faccount"),
    )
    .await;
    assert_eq!(
        (answer.status, answer.header(LOCATION)),
        (StatusCode::SEE_OTHER, "/account")
    );
    cookie_of(&answer)
}

#[tokio::test]
async fn a_person_logs_in_sees_pages_and_logs_out() {
    let (database, app, router) = ready().await;
    add_user(&app, "Anna", Role::Viewer).await;
    let door = look(&router, "/jobs/x?items=all", "").await;
    assert_eq!(
        (door.status, door.header(LOCATION)),
        (StatusCode::SEE_OTHER, "/login?next=/jobs/x%3Fitems%3Dall")
    );
    let fragment = look(&router, "/?fragment=1", "").await;
    assert_eq!(
        fragment.status,
        StatusCode::UNAUTHORIZED,
        "a script is not led astray"
    );

    let cookie = log_in(&router, "anna").await;
    let page = look(&router, "/", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains(">Anna</a>") && page.body.contains(">Log out<"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("href=\"/accounts\"") && !page.body.contains("href=\"/audit\""));
    assert_eq!(
        look(&router, "/accounts", &cookie).await.status,
        StatusCode::FORBIDDEN
    );
    let secret = cookie.split_once('=').unwrap().1;
    let kept = database.texts("SELECT encode(secret, 'hex') FROM sessions").await;
    assert!(
        kept.len() == 1 && kept[0] != secret,
        "a session's secret is kept as a hash"
    );

    let left = post(&router, "/logout", &cookie, "").await;
    assert_eq!(left.header(LOCATION), "/login");
    assert!(left.header(SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(
        look(&router, "/", &cookie).await.status,
        StatusCode::SEE_OTHER,
        "the cookie is worth nothing"
    );
    let lines = "SELECT action || ' ' || outcome FROM audit_log WHERE account = 'Anna' AND actor = 'Anna' ORDER BY id";
    assert_eq!(database.texts(lines).await, ["log_in done", "log_out done"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike_and_guessing_takes_longer_and_longer() {
    let (database, app, router) = ready().await;
    add_user(&app, "Anna", Role::Admin).await;
    let wrong = post(&router, "/login", "", "name=Anna&password=geraten").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("do not match") && wrong.body.contains("value=\"Anna\""));
    assert!(!wrong.body.contains("geraten"));
    let unknown = post(&router, "/login", "", "name=Emil&password=geraten").await;
    assert_eq!(unknown.body.replace("Emil", "Anna"), wrong.body);
    for _ in 0..4 {
        post(&router, "/login", "", "name=anna&password=geraten").await;
    }
    let right = "name=Anna&password=vier+alte+Seiten";
    let waits = post(&router, "/login", "", right).await;
    assert_eq!(waits.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(waits.body.contains("Too many tries"), "{}", waits.body);
    database.advance("2 minutes").await;
    assert_eq!(
        post(&router, "/login", "", right).await.status,
        StatusCode::SEE_OTHER
    );
    let refused = "SELECT count(*)::text FROM audit_log WHERE action = 'log_in' AND outcome = 'refused'";
    assert_eq!(database.texts(refused).await, ["6"]);
}

#[tokio::test]
async fn sessions_end_when_nobody_uses_them_and_with_a_new_password() {
    let (database, app, router) = ready().await;
    add_user(&app, "anna", Role::Viewer).await;
    let (here, there) = (log_in(&router, "anna").await, log_in(&router, "anna").await);
    let page = look(&router, "/account", &here).await;
    assert_eq!(
        page.body.matches("name=\"session\"").count(),
        1,
        "the other one can be ended"
    );
    let fields = |now: &str| {
        format!("action=change_password&now={now}&new=f%C3%BCnf+neue+Seiten&again=f%C3%BCnf+neue+Seiten")
    };
    let wrong = post(&router, "/account/actions", &here, &fields("falsch")).await;
    assert!(wrong.body.contains("do not match"), "{}", wrong.body);
    let changed = post(&router, "/account/actions", &here, &fields("vier+alte+Seiten")).await;
    assert_eq!(changed.header(LOCATION), "/account?said=password");
    assert_eq!(look(&router, "/", &here).await.status, StatusCode::OK);
    assert_eq!(look(&router, "/", &there).await.status, StatusCode::SEE_OTHER);
    database.advance("13 hours").await;
    assert_eq!(look(&router, "/", &here).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_locked_user_is_out_at_once_and_the_last_administrator_stays() {
    let (_database, app, router) = ready().await;
    add_user(&app, "anna", Role::Admin).await;
    add_user(&app, "bert", Role::Operator).await;
    let (anna, bert) = (log_in(&router, "anna").await, log_in(&router, "bert").await);
    assert_eq!(look(&router, "/", &bert).await.status, StatusCode::OK);
    let locked = post(&router, "/accounts/actions", &anna, "action=disable&name=bert").await;
    assert_eq!(locked.header(LOCATION), "/accounts?said=done");
    assert_eq!(look(&router, "/", &bert).await.status, StatusCode::SEE_OTHER);
    for action in ["disable", "remove_user", "set_role&role=viewer"] {
        let fields = format!("action={action}&name=anna");
        let refused = post(&router, "/accounts/actions", &anna, &fields).await;
        assert_eq!(refused.header(LOCATION), "/accounts?said=last_admin", "{action}");
    }
    let taken = "action=add_user&name=Anna&role=viewer&password=vier+alte+Seiten";
    let taken = post(&router, "/accounts/actions", &anna, taken).await;
    assert_eq!(taken.header(LOCATION), "/accounts?said=name_taken");
}

#[tokio::test]
async fn a_token_is_shown_once_works_for_its_plugins_and_until_it_is_revoked_or_old() {
    let (database, app, router) = ready().await;
    add_user(&app, "anna", Role::Admin).await;
    let anna = log_in(&router, "anna").await;
    let fields = "action=add_token&title=Goobi&role=submitter&plugins=ocr&days=30";
    let made = post(&router, "/accounts/actions", &anna, fields).await;
    let secret = made.body.split("tm_").nth(1).unwrap().split('<').next().unwrap();
    let secret = format!("tm_{secret}");
    assert!(!look(&router, "/accounts", &anna).await.body.contains("tm_"));
    let submit = |plugin: &str| {
        let body =
            format!(r#"{{"plugin": "{plugin}", "title": "t", "source": "/data/s", "target": "/data/t"}}"#);
        request(&Method::POST, "/api/v1/jobs")
            .header(AUTHORIZATION, format!("Bearer {secret}"))
            .body(Body::from(body))
            .unwrap()
    };
    assert_eq!(send(&router, submit("OCR")).await.status, StatusCode::CREATED);
    assert_eq!(send(&router, submit("JP2")).await.status, StatusCode::FORBIDDEN);
    let by = "SELECT submitted_by FROM job_details JOIN jobs ON jobs.id = job_id WHERE title = 't'";
    assert_eq!(database.texts(by).await, ["http: token Goobi"]);
    database.advance("31 days").await;
    assert_eq!(
        send(&router, submit("OCR")).await.status,
        StatusCode::UNAUTHORIZED
    );
    database.advance("1 hour").await;
    assert_eq!(send(&router, submit("JP2")).await.status, StatusCode::FORBIDDEN);
    let id = database.texts("SELECT id::text FROM api_tokens").await.remove(0);
    act(
        &app,
        AccountAction::RevokeToken {
            id: id.parse().unwrap(),
        },
    )
    .await;
    assert_eq!(
        send(&router, submit("OCR")).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_first_administrator_comes_in_by_a_link_that_works_once() {
    let (database, app, router) = ready().await;
    let code = setup::offer(&app.db)
        .await
        .unwrap()
        .expect("there is no user yet");
    let notice = setup::notice(&code, "127.0.0.1:8080".parse().unwrap(), None);
    let address = notice.split("http://127.0.0.1:8080").nth(1).unwrap().trim();
    let page = look(&router, address, "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(code.reveal()), "{}", page.body);
    let fields =
        |code: &str, password: &str| format!("code={code}&name=anna&password={password}&again={password}");
    let short = post(&router, "/setup", "", &fields(code.reveal(), "kurz")).await;
    assert!(short.body.contains("At least 10"), "{}", short.body);
    let guessed = post(&router, "/setup", "", &fields("0000", "vier+alte+Seiten")).await;
    assert_eq!(guessed.status, StatusCode::GONE);
    let made = post(&router, "/setup", "", &fields(code.reveal(), "vier+alte+Seiten")).await;
    assert_eq!((made.status, made.header(LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(
        look(&router, "/accounts", &cookie_of(&made)).await.status,
        StatusCode::OK
    );
    let again = post(&router, "/setup", "", &fields(code.reveal(), "vier+alte+Seiten")).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(setup::offer(&app.db).await.unwrap().is_none());
    assert_eq!(
        database.texts("SELECT name || ' ' || role FROM users").await,
        ["anna admin"]
    );
}

#[tokio::test]
async fn no_password_and_no_secret_stands_in_the_database_or_the_audit_log() {
    let (database, app, router) = ready().await;
    add_user(&app, "anna", Role::Admin).await;
    let cookie = log_in(&router, "anna").await;
    let token = token(&app, Role::Admin, None).await;
    let everything = "SELECT string_agg(t, ' ') FROM (
        SELECT u::text AS t FROM users u UNION ALL SELECT s::text FROM sessions s
        UNION ALL SELECT a::text FROM api_tokens a UNION ALL SELECT l::text FROM audit_log l) all_rows";
    let text = database.texts(everything).await.remove(0);
    assert!(text.contains("anna") && text.contains("add_token"), "{text}");
    for secret in [
        "vier alte Seiten",
        cookie.split_once('=').unwrap().1,
        token.reveal(),
    ] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
}

//! The settings' page: each form changes its row, stands in the audit log, and says so; a mistake changes nothing.

use axum::http::header::{AUTHORIZATION, LOCATION};

use super::*;
use crate::control::{Actor, Role};
use crate::db::pages::sample::Sample;
use crate::http::tests::comers::bearer_of;
use crate::http::tests::who::with_login;

/// What a plugin's form sends when nothing was changed.
const AS_IT_WAS: &str = "action=configure&plugin=OCR&running_max=&default_priority=5&ageing_minutes=\
    &retries_max=3&retry_first_seconds=60&retry_longest_seconds=3600&lease_seconds=60&run_budget_seconds=86400\
    &disconnect_limit_seconds=&keep_done_jobs=&keep_done_days=&keep_failed_jobs=&keep_failed_days=";

async fn ready() -> (TestDatabase, Router) {
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("JP2").running("OCR", "runs", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

async fn fill_in(router: &Router, fields: &str) -> Answer {
    let form = request(&Method::POST, "/settings/actions")
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields.to_owned()))
        .unwrap();
    send(router, form).await
}

/// Sends a form that is right; gives the page that it leads to, in German.
async fn set(router: &Router, fields: &str, leads_to: &str) -> String {
    let answer = fill_in(router, fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields}: {}", answer.body);
    assert_eq!(answer.header(LOCATION), leads_to, "{fields}");
    browse(router, &format!("{leads_to}&lang=de")).await.body
}

/// What stands in a field of a page.
fn value_of<'a>(page: &'a str, field: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("name=\"{field}\" id=\"{field}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap()
}

#[tokio::test]
async fn every_setting_of_a_plugin_is_changed_by_its_form_and_shown_again() {
    let (database, router) = ready().await;
    let numbers = [
        ("running_max", "4"),
        ("default_priority", "7"),
        ("ageing_minutes", "30"),
        ("retries_max", "9"),
        ("retry_first_seconds", "11"),
        ("retry_longest_seconds", "1200"),
        ("lease_seconds", "90"),
        ("run_budget_seconds", "7200"),
        ("disconnect_limit_seconds", "300"),
        ("keep_done_jobs", "1000"),
        ("keep_done_days", "365"),
        ("keep_failed_jobs", "0"),
        ("keep_failed_days", "30"),
    ];
    let pairs: Vec<String> = numbers
        .iter()
        .map(|(field, number)| format!("{field}={number}"))
        .collect();
    let fields = format!("action=configure&plugin=OCR&{}", pairs.join("&"));
    let page = set(&router, &fields, "/settings?plugin=OCR&said=done").await;
    assert!(page.contains("Gespeichert."), "{page}");
    for (field, number) in numbers {
        assert_eq!(value_of(&page, field), number, "{field}");
        let row = format!("SELECT {field}::text FROM plugins WHERE name = 'OCR'");
        assert_eq!(database.texts(&row).await, [number], "{field}");
    }
    let other =
        "SELECT concat_ws(' ', running_max, default_priority, retries_max) FROM plugins WHERE name = 'JP2'";
    assert_eq!(
        database.texts(other).await,
        ["5 3"],
        "the other plugin stays as it was"
    );
    let audit =
        "SELECT concat_ws(' ', actor, action, plugin, outcome, details->>'keep_done_days') FROM audit_log";
    assert_eq!(database.texts(audit).await, ["local configure OCR done 365"]);
    // What is emptied has no limit any more.
    let page = set(&router, AS_IT_WAS, "/settings?plugin=OCR&said=done").await;
    assert_eq!(
        (value_of(&page, "running_max"), value_of(&page, "retries_max")),
        ("", "3")
    );
    let row = "SELECT num_nulls(running_max, ageing_minutes, disconnect_limit_seconds, keep_done_jobs,
        keep_done_days, keep_failed_jobs, keep_failed_days)::text FROM plugins WHERE name = 'OCR'";
    assert_eq!(database.texts(row).await, ["7"]);
}

#[tokio::test]
async fn a_mistake_is_told_at_its_field_in_both_languages_and_what_was_typed_stays() {
    let (database, router) = ready().await;
    let before = database
        .texts("SELECT plugins::text FROM plugins ORDER BY name")
        .await;
    let typed = AS_IT_WAS
        .replace("retries_max=3", "retries_max=viele")
        .replace("lease_seconds=60", "lease_seconds=")
        .replace("running_max=", "running_max=0")
        .replace("keep_done_days=", "keep_done_days=14");
    for (language, empty, range, nothing) in [
        (
            "en",
            "A number must stand here.",
            "This must be a whole number from 1 to 10,000.",
            "Nothing was changed",
        ),
        (
            "de",
            "Hier muss eine Zahl stehen.",
            "Das muss eine ganze Zahl von 1 bis 10.000 sein.",
            "Nichts wurde geändert",
        ),
    ] {
        let form = request(&Method::POST, "/settings/actions")
            .header(ACCEPT, "text/html")
            .header("cookie", format!("taskmanager_lang={language}"))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(typed.clone()))
            .unwrap();
        let answer = send(&router, form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = answer.body;
        assert!(page.contains(nothing), "{page}");
        let wrong = |field: &str| {
            let (_, rest) = page.split_once(&format!("id=\"{field}-wrong\">")).unwrap();
            rest.split("</strong>").next().unwrap().to_owned()
        };
        assert_eq!(
            (wrong("lease_seconds"), wrong("running_max")),
            (empty.to_owned(), range.to_owned())
        );
        assert_eq!(page.matches("aria-invalid=\"true\"").count(), 3);
        for (field, kept) in [
            ("retries_max", "viele"),
            ("lease_seconds", ""),
            ("running_max", "0"),
            ("keep_done_days", "14"),
        ] {
            assert_eq!(value_of(&page, field), kept, "{field}");
        }
    }
    let after = database
        .texts("SELECT plugins::text FROM plugins ORDER BY name")
        .await;
    assert_eq!(before, after);
    assert_eq!(database.texts("SELECT action FROM audit_log").await, [""; 0]);
    for (fields, status) in [
        ("action=configure&plugin=OCR", StatusCode::BAD_REQUEST),
        ("action=explode", StatusCode::BAD_REQUEST),
        (
            "action=autostart_on&action=autostart_off",
            StatusCode::BAD_REQUEST,
        ),
        ("action=autostart_off&plugin=MAGIC", StatusCode::NOT_FOUND),
        (
            "action=set_pages&refresh_seconds=0",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        assert_eq!(fill_in(&router, fields).await.status, status, "{fields}");
    }
    let unknown = browse(&router, "/settings?plugin=MAGIC").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_contract_and_autostart_are_set_for_one_plugin_and_autostart_for_all() {
    let (database, router) = ready().await;
    let contract = "action=quota&plugin=OCR&pages_total=100000&pages_a_period=&period=quarter";
    let page = set(&router, contract, "/settings?plugin=OCR&said=done").await;
    assert_eq!(value_of(&page, "pages_total"), "100000");
    assert!(
        page.contains("<option value=\"quarter\" selected>Quartal"),
        "{page}"
    );
    assert!(
        page.contains("Verbraucht: 0 Seiten insgesamt, 0 in diesem Zeitraum."),
        "{page}"
    );
    let row = "SELECT concat_ws(' ', plugin, pages_total, pages_a_period, period) FROM quotas";
    assert_eq!(database.texts(row).await, ["OCR 100000 quarter"]);
    let wrong = fill_in(&router, &contract.replace("100000", "4294967296")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(value_of(&wrong.body, "pages_total"), "4294967296");

    let off = set(
        &router,
        "action=autostart_off&plugin=OCR",
        "/settings?plugin=OCR&said=done",
    )
    .await;
    assert!(
        off.contains("Die Aufgaben dieses Plugins starten nicht automatisch."),
        "{off}"
    );
    let again = set(
        &router,
        "action=autostart_off&plugin=OCR",
        "/settings?plugin=OCR&said=unchanged",
    )
    .await;
    assert!(again.contains("Das war schon so."), "{again}");
    let all = set(&router, "action=autostart_off", "/settings?said=done").await;
    assert!(
        all.contains("Keine Aufgabe startet automatisch") && all.contains("durch local."),
        "{all}"
    );
    let rows = "SELECT name || ' ' || plugins.autostart || ' ' || settings.autostart FROM plugins, settings ORDER BY 1";
    assert_eq!(database.texts(rows).await, ["JP2 true false", "OCR false false"]);
    let audit = "SELECT concat_ws(' ', action, plugin, outcome) FROM audit_log ORDER BY id";
    let lines = [
        "quota OCR done",
        "autostart OCR done",
        "autostart OCR unchanged",
        "autostart JP2 done",
        "autostart OCR done",
    ];
    assert_eq!(database.texts(audit).await, lines);
}

#[tokio::test]
async fn the_pages_own_settings_are_kept_told_to_open_pages_and_followed_by_the_dashboard() {
    let (database, router) = ready().await;
    let lists = |page: &Answer| page.body.contains(">runs<");
    assert!(lists(&browse(&router, "/").await));
    let page = set(
        &router,
        "action=set_pages&refresh_seconds=15",
        "/settings?said=done",
    )
    .await;
    assert_eq!(value_of(&page, "refresh_seconds"), "15");
    assert!(
        !page.contains("id=\"jobs_on_dashboard\" value=\"on\" checked"),
        "{page}"
    );
    let row = "SELECT refresh_seconds || ' ' || jobs_on_dashboard FROM settings";
    assert_eq!(database.texts(row).await, ["15 false"]);
    let again = set(
        &router,
        "action=set_pages&refresh_seconds=15",
        "/settings?said=unchanged",
    )
    .await;
    assert!(again.contains("Das war schon so."), "{again}");
    let audit = "SELECT concat_ws(' ', actor, action, outcome, details->>'refresh_seconds') FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        ["local set_pages done 15", "local set_pages unchanged 15"]
    );

    let dashboard = browse(&router, "/?lang=de").await;
    assert!(
        !lists(&dashboard) && dashboard.body.contains("Die Liste der Aufgaben"),
        "{}",
        dashboard.body
    );
    for still in ["/?tab=queue", "/?plugin=OCR"] {
        assert!(
            lists(&browse(&router, still).await),
            "{still} has the list all the same"
        );
    }
    // A connection that stays open: its first event is the pace.
    let stream = request(&Method::GET, "/events").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(stream).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let first = futures_util::StreamExt::next(&mut body).await.unwrap().unwrap();
    assert_eq!(first, "event: pace\ndata: 15\n\n");

    set(
        &router,
        "action=set_pages&refresh_seconds=1&jobs_on_dashboard=on",
        "/settings?said=done",
    )
    .await;
    assert!(lists(&browse(&router, "/").await));
}

#[tokio::test]
async fn whoever_may_not_configure_sees_nothing_of_the_settings_and_changes_nothing() {
    let (database, _) = ready().await;
    let app = with_login(database.db());
    let router = router(app.clone());
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let may = role == Role::Admin;
        let bearer = bearer_of(&app, &Actor::with("somebody".to_owned(), role)).await;
        let look = |address: &str| {
            let asked = request(&Method::GET, address).header(AUTHORIZATION, &bearer);
            asked.body(Body::empty()).unwrap()
        };
        let page = send(&router, look("/settings?plugin=OCR")).await;
        assert_eq!(page.status == StatusCode::OK, may, "{role:?}");
        assert_eq!(page.body.contains("retries_max"), may, "{role:?}");
        let home = send(&router, look("/")).await;
        assert_eq!(home.body.contains("href=\"/settings\""), may, "{role:?}");
        let form = request(&Method::POST, "/settings/actions")
            .header(AUTHORIZATION, &bearer)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = form
            .body(Body::from("action=set_pages&refresh_seconds=60"))
            .unwrap();
        let answer = send(&router, form).await;
        assert_eq!(answer.status == StatusCode::FORBIDDEN, !may, "{role:?}");
        let seconds = database.texts("SELECT refresh_seconds::text FROM settings").await;
        assert_eq!(seconds, [if may { "60" } else { "1" }], "{role:?}");
    }
}

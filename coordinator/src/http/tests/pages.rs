//! The pages: languages, live parts, assets, and that nothing of a submitter's becomes HTML.

use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, COOKIE, ETAG, IF_NONE_MATCH, SET_COOKIE};

use super::*;
use crate::db::pages::sample::{Sample, id};

/// A dashboard with something in every corner.
async fn busy() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .plugin("SHELL")
        .worker("w", "OCR", 4, 1, false);
    sample
        .running("OCR", "runs", 5)
        .items("runs", 3)
        .log("runs", 1, 3)
        .log("runs", 2, 3);
    sample.waiting("SHELL", "waits", 5).waiting("OCR", "waits too", 5);
    sample
        .ended("OCR", "well", "DONE", 1)
        .ended("OCR", "badly", "ERROR", 2)
        .ended("OCR", "dropped", "CANCELLED", 3);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

fn addresses() -> Vec<String> {
    let lists = [
        "/",
        "/?tab=queue",
        "/?tab=done",
        "/?tab=error",
        "/?plugin=OCR",
        "/?plugin=NONE&tab=done",
    ]
    .map(str::to_owned);
    let jobs = ["runs", "waits", "well", "badly", "dropped"].map(|title| format!("/jobs/{}", id(title)));
    lists.into_iter().chain(jobs).collect()
}

/// The values of an attribute in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    html.split(&begin)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

#[tokio::test]
async fn every_page_speaks_both_languages() {
    let (_database, router) = busy().await;
    for address in addresses() {
        let joint = if address.contains('?') { '&' } else { '?' };
        for (code, word) in [("en", "Skip to the content"), ("de", "Zum Inhalt springen")] {
            let page = browse(&router, &format!("{address}{joint}lang={code}")).await;
            assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.body);
            assert!(
                page.body.contains(&format!("<html lang=\"{code}\">")),
                "{address}"
            );
            assert!(page.body.contains(word), "{address}");
            assert_eq!(page.header("content-language"), code);
            assert!(
                page.header(SET_COOKIE)
                    .starts_with(&format!("taskmanager_lang={code};")),
                "{address}"
            );
        }
    }
    let german = request(&Method::GET, "/")
        .header(COOKIE, "taskmanager_lang=de")
        .header(ACCEPT_LANGUAGE, "en");
    let page = send(&router, german.body(Body::empty()).unwrap()).await;
    assert!(page.body.contains("<html lang=\"de\">"));
    assert_eq!(page.header(SET_COOKIE), "", "nothing was chosen");
}

#[tokio::test]
async fn every_live_part_has_an_id_and_is_in_the_fragment() {
    let (_database, router) = busy().await;
    for address in addresses() {
        let joint = if address.contains('?') { '&' } else { '?' };
        let page = browse(&router, &address).await;
        let fragment = browse(&router, &format!("{address}{joint}fragment=1&lang=de")).await;
        assert!(
            !fragment.body.contains("<html") && fragment.body.len() < page.body.len(),
            "{address}"
        );
        assert_eq!(fragment.header(SET_COOKIE), "", "a fragment chooses nothing");
        let live = |html: &str| -> Vec<String> {
            let tags = html
                .split('<')
                .filter(|tag| tag.split('>').next().unwrap().contains("data-live"));
            tags.map(|tag| {
                values(tag, "id")
                    .first()
                    .expect("a live part without an id")
                    .to_string()
            })
            .collect()
        };
        assert!(live(&page.body).len() >= 4, "{address}");
        assert_eq!(live(&page.body), live(&fragment.body), "{address}");
        let mut ids = values(&page.body, "id");
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{address}: an id stands twice");
    }
}

#[tokio::test]
async fn links_lead_somewhere() {
    let (_database, router) = busy().await;
    for address in addresses() {
        let page = browse(&router, &address).await;
        let mut links = values(&page.body, "href");
        links.extend(values(&page.body, "src"));
        for link in links.into_iter().filter(|link| link.starts_with('/')) {
            let link = link.replace("&#38;", "&");
            let target = browse(&router, &link).await;
            assert_eq!(target.status, StatusCode::OK, "{address} links to {link}");
        }
    }
}

#[tokio::test]
async fn each_tab_shows_its_jobs_with_their_state_in_words() {
    let (_database, router) = busy().await;
    for (address, shown, hidden) in [
        (
            "/",
            vec![">runs<", "PROCESSING", "2 of 4", "value=\"50\""],
            vec![">well<", ">waits<"],
        ),
        (
            "/?tab=queue",
            vec![
                ">runs<",
                "PROCESSING",
                ">waits<",
                "QUEUED",
                "2 of 4",
                "value=\"50\"",
            ],
            vec![">well<"],
        ),
        (
            "/?tab=done",
            vec![">well<", "DONE", "2.4"],
            vec![">runs<", ">badly<"],
        ),
        (
            "/?tab=error",
            vec![">badly<", "ERROR", "page 3 is unreadable", "CANCELLED"],
            vec![">well<"],
        ),
        (
            "/?plugin=SHELL",
            vec![">waits<", "No worker"],
            vec![">runs<", ">waits too<"],
        ),
    ] {
        let page = browse(&router, address).await;
        for words in shown {
            assert!(
                page.body.contains(words),
                "{address} lacks {words}: {}",
                page.body
            );
        }
        for words in hidden {
            assert!(!page.body.contains(words), "{address} has {words}");
        }
    }
}

#[tokio::test]
async fn empty_lists_say_what_they_would_show() {
    let database = TestDatabase::create().await;
    let router = router(app(database.db()));
    for (address, words) in [
        ("/", "No job is waiting or running"),
        ("/", "taskmanager submit --plugin OCR"),
        ("/", "No plugin is known yet"),
        ("/?tab=done", "No job is done yet"),
        ("/?tab=error&lang=de", "Keine Aufgabe ist fehlgeschlagen"),
    ] {
        let page = browse(&router, address).await;
        assert!(page.body.contains(words), "{address} lacks {words}");
    }
}

#[tokio::test]
async fn what_submitters_write_never_becomes_html() {
    let (database, router) = busy().await;
    let evil = "<script>alert(1)</script>\" onload=\"x";
    database
        .execute(&format!(
            "UPDATE jobs SET title = '{evil}'; UPDATE job_logs SET text = '{evil}'; UPDATE items SET name = '{evil}' \
             WHERE state = 'failed'; UPDATE items SET error = '{evil}'; UPDATE leases SET detail = '{evil}'; \
             UPDATE job_details SET process_id = '{evil}', source = '{evil}', \
                 parameters = jsonb_build_object('{evil}', '{evil}'); \
             UPDATE job_history SET title = '{evil}', error = CASE WHEN error IS NULL THEN NULL ELSE '{evil}' END"
        ))
        .await;
    for address in addresses() {
        let page = browse(&router, &address).await;
        assert!(!page.body.contains("<script>alert"), "{address}");
        assert!(!page.body.contains("\" onload"), "{address}");
    }
}

#[tokio::test]
async fn a_jobs_log_is_plain_text() {
    let (_database, router) = busy().await;
    let log = browse(&router, &format!("/jobs/{}/log", id("runs"))).await;
    assert_eq!(log.header(CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(log.body.lines().count(), 6);
    assert!(
        log.body.lines().nth(3).unwrap().ends_with("  2  line 1"),
        "{}",
        log.body
    );
    let rest = browse(&router, &format!("/jobs/{}/log?after=5", id("runs"))).await;
    assert_eq!(rest.body.lines().count(), 1);
}

#[tokio::test]
async fn assets_are_kept_by_browsers_under_their_versioned_address_only() {
    let router = router(app(away::nowhere()));
    let page = browse(&router, "/nothing").await;
    let style = values(&page.body, "href")
        .into_iter()
        .find(|link| link.contains("app.css"))
        .unwrap();
    let kept = browse(&router, style).await;
    assert!(
        kept.header(CACHE_CONTROL).contains("immutable"),
        "{:?}",
        kept.headers
    );
    assert_eq!(kept.header(CONTENT_TYPE), "text/css; charset=utf-8");
    let plain = browse(&router, "/assets/app.css").await;
    assert_eq!(plain.header(CACHE_CONTROL), "no-cache");
    let again = request(&Method::GET, "/assets/app.css").header(IF_NONE_MATCH, plain.header(ETAG));
    let again = send(&router, again.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (again.status, again.body.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(
        browse(&router, "/assets/other.css").await.status,
        StatusCode::NOT_FOUND
    );
}

//! Searching, as a page and over the API.

use super::*;
use crate::db::pages::sample::{Sample, id};

async fn ready() -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    sample
        .running("OCR", "kochbuch runs", 5)
        .waiting("SHELL", "kochbuch waits", 5);
    sample
        .ended("OCR", "kochbuch well", "DONE", 1)
        .ended("OCR", "kochbuch badly", "ERROR", 2)
        .ended("SHELL", "zeitung", "DONE", 3);
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

#[tokio::test]
async fn a_search_finds_unfinished_and_ended_jobs_and_keeps_what_was_asked_for() {
    let (_database, router) = ready().await;
    for (query, shown) in [
        ("title=KOCHbuch", vec!["waits", "runs", "well", "badly"]),
        ("title=kochbuch&plugin=ocr", vec!["runs", "well", "badly"]),
        ("title=kochbuch&state=error", vec!["badly"]),
        ("title=kochbuch&state=DONE", vec!["well"]),
        ("error=unreadable", vec!["badly"]),
        ("process=27&state=queue", vec!["waits", "runs"]),
        ("step=no+such+step", vec![]),
        ("finished_from=2020-01-01&finished_to=2020-01-02", vec![]),
    ] {
        let page = browse(&router, &format!("/search?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
        let list = ask(&router, &format!("/api/v1/jobs?{query}")).await.json();
        let listed: Vec<&str> = list["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["title"].as_str().unwrap().rsplit(' ').next().unwrap())
            .collect();
        assert_eq!(listed, shown, "{query}");
        for title in [
            "kochbuch runs",
            "kochbuch waits",
            "kochbuch well",
            "kochbuch badly",
            "zeitung",
        ] {
            let is_shown = page.body.contains(&format!(">{title}<"));
            assert_eq!(
                is_shown,
                shown.iter().any(|word| title.ends_with(word)),
                "{query}: {title}"
            );
        }
    }
    let page = browse(&router, "/search?title=a%22%3Cb&process=27").await;
    assert!(
        page.body.contains("value=\"a&#34;&#60;b\"") && page.body.contains("value=\"27\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn pages_of_a_search_follow_each_other() {
    let (_database, router) = ready().await;
    let mut titles = Vec::new();
    let mut address = "/search?title=kochbuch&limit=1".to_owned();
    loop {
        let page = browse(&router, &address).await.body;
        let row = page.split("<tr role=\"row\" id=\"job-").nth(1).expect("a row");
        titles.push(
            row.split("</a>")
                .next()
                .unwrap()
                .rsplit('>')
                .next()
                .unwrap()
                .to_owned(),
        );
        let next = page.split("class=\"button\" href=\"").nth(1);
        let Some(next) = next else { break };
        address = next.split('"').next().unwrap().replace("&#38;", "&");
        assert!(
            address.starts_with("/search?title=kochbuch&limit=1&after="),
            "{address}"
        );
    }
    titles.sort();
    assert_eq!(
        titles,
        [
            "kochbuch badly",
            "kochbuch runs",
            "kochbuch waits",
            "kochbuch well"
        ]
    );
}

#[tokio::test]
async fn a_part_that_is_too_short_to_be_found_fast_says_what_to_do() {
    let (_database, router) = ready().await;
    for (language, words) in [
        ("en", "Give at least 3 letters or digits in a row"),
        ("de", "mindestens 3 Buchstaben oder Ziffern am Stück"),
    ] {
        let page = browse(&router, &format!("/search?title=ko&lang={language}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body.contains(words) && page.body.contains("value=\"ko\""),
            "{}",
            page.body
        );
        assert!(!page.body.contains("kochbuch"), "nothing was searched for");
    }
    let refused = ask(&router, "/api/v1/jobs?error=x-y").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("at least 3 letters")
    );
}

#[tokio::test]
async fn what_nothing_matches_says_so_in_both_languages_and_what_is_mistyped_says_what_would_be_right() {
    let (_database, router) = ready().await;
    for (language, words) in [("en", "No job matches"), ("de", "Keine Aufgabe passt")] {
        let page = browse(&router, &format!("/search?process=none&lang={language}")).await;
        assert!(page.body.contains(words), "{}", page.body);
    }
    let refused = ask(&router, "/api/v1/jobs?submitted_from=yesterday").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["detail"].as_str().unwrap().contains("2026-11-22"));
}

#[tokio::test]
async fn rows_of_a_search_show_progress_in_kitodos_colours_and_in_words() {
    let (_database, router) = ready().await;
    let page = browse(&router, "/search?title=kochbuch&lang=de").await.body;
    let row = |title: &str| {
        let row = page
            .split("<tr role=\"row\"")
            .find(|row| row.contains(title))
            .unwrap();
        row.to_owned()
    };
    // The style sheet gives run and wait the same yellow.
    for (title, tone, word) in [
        ("kochbuch runs", "progress run", "Wird bearbeitet"),
        ("kochbuch waits", "progress wait", "Startbereit"),
        ("kochbuch well", "progress good", "Beendet"),
        ("kochbuch badly", "progress bad", "page 3 is unreadable"),
    ] {
        let row = row(title);
        assert!(row.contains(tone) && row.contains(word), "{row}");
    }
    assert!(row("kochbuch badly").contains(&id("kochbuch badly").to_string()));
}

#[tokio::test]
async fn what_the_database_knows_no_value_for_is_the_askers_mistake() {
    let (_database, router) = ready().await;
    for query in [
        "title=a%00b",
        "error=%00",
        "process=%00",
        "finished_from=-9999-01-01",
    ] {
        let list = ask(&router, &format!("/api/v1/jobs?{query}")).await;
        assert_eq!(list.status, StatusCode::BAD_REQUEST, "{query}: {}", list.body);
        let page = browse(&router, &format!("/search?{query}")).await;
        assert!(!page.status.is_server_error(), "{query}: {}", page.status);
    }
}

//! The buttons of rows, and Kitodo's functions above a list.

use super::*;

#[tokio::test]
async fn each_button_of_a_row_does_what_its_name_says_and_leads_back_to_the_row() {
    let order =
        "SELECT string_agg(title, ' ' ORDER BY position) FROM jobs WHERE plugin = 'OCR' AND state = 'QUEUED'";
    for (button, title, check, (value, audit)) in [
        (
            "start",
            "a",
            "SELECT start_now::text FROM jobs WHERE title = 'a'",
            ("true", "start_now OCR done"),
        ),
        (
            "stop",
            "runs",
            "SELECT held::text FROM jobs WHERE title = 'runs'",
            ("true", "hold OCR done"),
        ),
        ("up", "b", order, ("b a", "move OCR done")),
        ("down", "a", order, ("b a", "move OCR done")),
    ] {
        let (database, router) = ready().await;
        let list = browse(&router, "/?plugin=OCR").await.body;
        let address = format!("/jobs/{}/row", id(title));
        let offered = format!("formaction=\"{address}\" name=\"do\" value=\"{button}\"");
        assert!(list.contains(&offered), "{button} of {title} is not offered");
        let answer = post(
            &router,
            &address,
            &format!("do={button}&back=/%3Fplugin%3DOCR"),
            "en",
        )
        .await;
        assert_eq!(
            answer.header(LOCATION),
            format!("/?plugin=OCR#job-{}", id(title)),
            "{}",
            answer.body
        );
        assert_eq!(database.texts(check).await, [value], "{button}");
        assert_eq!(lines(&database).await, [audit], "{button}");
    }
}

#[tokio::test]
async fn a_rows_cancel_and_delete_ask_first_a_retry_leads_to_the_new_job_and_a_refusal_says_why() {
    let (database, router) = ready().await;
    for (button, title, words) in [
        ("cancel", "a", "Abbrechen: 1 Aufgabe?"),
        ("delete", "well", "Löschen: 1 Aufgabe?"),
    ] {
        let address = format!("/jobs/{}/row", id(title));
        let question = post(&router, &address, &format!("do={button}&back=/"), "de").await;
        assert!(question.body.contains(words), "{}", question.body);
        let done = post(&router, "/jobs/actions", &fields_of(&question.body), "de").await;
        let page = follow(&router, &done, "de").await;
        assert!(
            page.body.contains("<dt>1</dt><dd>Erledigt.</dd>"),
            "{}",
            page.body
        );
    }
    assert_eq!(lines(&database).await, ["cancel OCR done", "delete OCR done"]);
    let answer = post(
        &router,
        &format!("/jobs/{}/row", id("badly")),
        "do=retry&back=/",
        "en",
    )
    .await;
    assert!(
        follow(&router, &answer, "en")
            .await
            .body
            .contains("This is the new job")
    );
    let answer = post(
        &router,
        &format!("/jobs/{}/row", id("badly")),
        "do=up&back=/",
        "en",
    )
    .await;
    let page = follow(&router, &answer, "en").await;
    assert!(
        page.body.contains("<dt>1</dt>") && page.body.contains("class=\"bad\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn kitodos_functions_stand_above_the_list_in_its_words() {
    let (_database, router) = ready().await;
    for (language, words) in [
        (
            "de",
            [
                "Liste aktualisieren",
                "Abgeschlossene Aufgaben löschen",
                "Alle Aufgaben löschen",
                "Aufgaben nicht automatisch starten",
            ],
        ),
        (
            "en",
            [
                "Refresh list",
                "Delete finished jobs",
                "Delete all jobs",
                "Do not start jobs automatically",
            ],
        ),
    ] {
        for address in ["/?tab=queue&", "/?plugin=OCR&"] {
            let page = browse(&router, &format!("{address}lang={language}")).await.body;
            for word in words {
                assert!(page.contains(&format!(">{word}<")), "{address}: {word}");
            }
        }
    }
}

/// The fields of a form of a page by its id.
fn form(page: &str, name: &str) -> String {
    let form = page.split(&format!("id=\"{name}\"")).nth(1).expect("the form");
    format!("id=\"confirm\"{}", form.split("</form>").next().unwrap())
}

#[tokio::test]
async fn deleting_the_finished_ones_asks_and_leaves_failed_and_unfinished_ones() {
    let (database, router) = ready().await;
    let list = browse(&router, "/?plugin=OCR").await.body;
    let fields = fields_of(&form(&list, "delete-finished"));
    let page = ask_and_do(&router, &fields, "de", &["Löschen: 1 Aufgabe?", ">well<"]).await;
    assert!(
        page.body.contains("<dt>1</dt><dd>Erledigt.</dd>"),
        "{}",
        page.body
    );
    let left = "SELECT title FROM job_history ORDER BY title";
    assert_eq!(database.texts(left).await, ["badly", "dropped", "well too"]);
    assert_eq!(lines(&database).await, ["delete OCR done"]);
}

#[tokio::test]
async fn deleting_all_cancels_what_has_not_ended_and_deletes_what_has() {
    let (database, router) = ready().await;
    let list = browse(&router, "/?plugin=OCR").await.body;
    let fields = fields_of(&form(&list, "delete-all"));
    let words = [
        "Alle Aufgaben löschen: 6 Aufgaben?",
        "Nicht beendet: 3; beendet: 3.",
    ];
    let page = ask_and_do(&router, &fields, "de", &words).await;
    assert!(
        page.body.contains("<dt>5</dt><dd>Erledigt.</dd>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("<dt>1</dt><dd>Noch laufend"), "{}", page.body);
    assert_eq!(
        database.texts("SELECT title FROM job_history").await,
        ["well too"]
    );
    let left = "SELECT title || cancel_requested FROM jobs ORDER BY title";
    assert_eq!(database.texts(left).await, ["cfalse", "runstrue"]);
    assert_eq!(lines(&database).await.len(), 3 + 5);
}

#[tokio::test]
async fn jobs_start_automatically_or_not_for_one_plugin_and_for_all() {
    let (database, router) = ready().await;
    let state = "SELECT (SELECT string_agg(name || autostart, ' ' ORDER BY name) FROM plugins) || ' all' || autostart FROM settings";
    for (address, switch, expected) in [
        ("/?plugin=OCR", "/plugins/OCR/actions", "JP2true OCRfalse alltrue"),
        ("/?tab=queue", "/plugins/actions", "JP2true OCRfalse allfalse"),
    ] {
        let list = browse(&router, address).await.body;
        assert!(list.contains(">Do not start jobs automatically<"), "{address}");
        assert!(
            list.contains(&format!("action=\"{switch}\" id=\"autostart\"")),
            "{address}"
        );
        let answer = post(&router, switch, "action=autostart&on=false", "en").await;
        follow(&router, &answer, "en").await;
        assert_eq!(database.texts(state).await, [expected]);
        // Where they do not start, the notice has the button that ends it, and there is no second one.
        let list = browse(&router, address).await.body;
        assert!(list.contains(">Start jobs automatically<"), "{address}: {list}");
        assert!(!list.contains("start jobs automatically<"), "{address}: {list}");
    }
    let answer = post(&router, "/plugins/actions", "action=autostart&on=true", "en").await;
    follow(&router, &answer, "en").await;
    assert_eq!(database.texts(state).await, ["JP2true OCRfalse alltrue"]);
    // The switch for all is noted with each plugin that it concerns.
    let [jp2, ocr] = ["autostart JP2 done", "autostart OCR done"];
    assert_eq!(lines(&database).await, [ocr, jp2, ocr, jp2, ocr]);
}

//! The start page and the plugins' sections: what the manuals say that they show and do.

mod contracts;
mod past;

use axum::http::header::{AUTHORIZATION, LOCATION};

use super::*;
use crate::control::{AccountAction, Actor, Role};
use crate::db::pages::sample::Sample;

async fn with(sample: &Sample) -> (TestDatabase, Router) {
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let router = router(app(database.db()));
    (database, router)
}

/// Two plugins with a job each.
fn two_plugins() -> Sample {
    let mut sample = Sample::default();
    sample.plugin("JP2").plugin("OCR");
    sample.waiting("JP2", "map", 5).waiting("OCR", "book", 5);
    sample
}

/// Sends a form; gives the address that it leads to.
async fn send_form(router: &Router, address: &str, fields: &str) -> String {
    let form = request(&Method::POST, address)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = send(router, form.body(Body::from(fields.to_owned())).unwrap()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{fields}: {}", answer.body);
    answer.header(LOCATION).to_owned()
}

/// The page at an address, in both languages.
async fn in_both(router: &Router, address: &str) -> [String; 2] {
    let joint = if address.contains('?') { '&' } else { '?' };
    let mut pages = [const { String::new() }; 2];
    for (page, language) in pages.iter_mut().zip(["en", "de"]) {
        let answer = browse(router, &format!("{address}{joint}lang={language}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        *page = answer.body;
    }
    pages
}

fn says(page: &str, words: &str) {
    assert!(page.contains(words), "{words} is not in {page}");
}

#[tokio::test]
async fn the_start_page_lists_the_first_five_active_jobs_with_their_actions() {
    let mut sample = two_plugins();
    sample.running("OCR", "low", 1).running("JP2", "high", 9);
    for number in 0..5 {
        sample.waiting("OCR", &format!("held {number}"), number);
    }
    let (database, router) = with(&sample).await;
    database
        .execute("UPDATE jobs SET held = true WHERE title LIKE 'held %'")
        .await;
    let [english, german] = in_both(&router, "/").await;
    let places: Vec<usize> = ["high", "low", "held 4", "held 3", "held 2"]
        .iter()
        .map(|title| english.find(&format!(">{title}</a>")).expect(title))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for hidden in [">held 1<", ">book<", ">map<"] {
        assert!(!english.contains(hidden), "{hidden}");
    }
    says(&english, "The first 5 of 7");
    says(&german, "Die ersten 5 von 7");
    says(&english, "aria-label=\"Details of high\"");
    says(&german, "aria-label=\"Priorität von held 4\"");
    assert_eq!(english.matches("value=\"cancel\"").count(), 5);
    assert_eq!(english.matches("value=\"set_priority\"").count(), 3);
}

#[tokio::test]
async fn each_waiting_job_says_in_every_list_what_it_waits_for() {
    let mut sample = two_plugins();
    sample
        .worker("w", "OCR", 4, 1, false)
        .running("OCR", "runs", 5)
        .waiting("OCR", "held", 4);
    let (database, router) = with(&sample).await;
    database
        .execute(
            "UPDATE plugins SET running_max = 1 WHERE name = 'OCR'; UPDATE plugins SET state = 'stopped' WHERE name = 'JP2';
             UPDATE jobs SET held = true WHERE title = 'held'",
        )
        .await;
    let ocr = [
        (
            "Number 1 in line; limit: 1 of 1 running",
            "Nummer 1 in der Warteschlange; Grenze: 1 von 1 läuft",
        ),
        ("Is held by a person", "Von jemandem angehalten"),
    ];
    let jp2 = [("Plugin JP2 is stopped", "Das Plugin JP2 ist angehalten")];
    for (address, reasons) in [
        ("/?plugin=OCR", &ocr[..]),
        ("/?plugin=JP2", &jp2),
        ("/?tab=queue", &[ocr[0], ocr[1], jp2[0]]),
        ("/search?state=queue", &[ocr[0], ocr[1], jp2[0]]),
        ("/", &[ocr[1], jp2[0]]),
    ] {
        let [english, german] = in_both(&router, address).await;
        for (in_english, in_german) in reasons {
            says(&english, &format!("<small>{in_english}</small>"));
            says(&german, &format!("<small>{in_german}</small>"));
        }
    }
    for address in ["/api/v1/jobs?plugin=OCR", "/api/v1/jobs?title=book"] {
        let list = ask(&router, address).await.json();
        let book = list["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["title"] == "book");
        assert_eq!(book.unwrap()["waits_for"], ocr[0].0, "{address}");
    }
}

#[tokio::test]
async fn an_administrator_stops_and_starts_all_plugins_and_reads_when_to_shut_down() {
    let mut sample = two_plugins();
    sample.running("OCR", "runs", 5);
    let (database, router) = with(&sample).await;
    let [english, german] = in_both(&router, "/").await;
    says(&english, "stop all plugins first; 0 of 2 are stopped");
    says(&english, "running ones (now: 1) give way at their next page");
    says(&german, "Halten Sie vor einer Wartung zuerst alle Plugins an");

    let fields = "action=stop&reason=new+disks&deadline_minutes=5&resume_at=2100-01-02T14%3A30";
    let leads_to = send_form(&router, "/plugins/actions", fields).await;
    let rows = "SELECT concat_ws(' ', name, state, state_by, state_reason,
                    round(extract(epoch FROM stop_deadline - state_since)), to_char(resume_at, 'YYYY'))
                FROM plugins ORDER BY name";
    assert_eq!(
        database.texts(rows).await,
        [
            "JP2 stopped local new disks 300 2100",
            "OCR stopping local new disks 300 2100"
        ]
    );
    let audit = "SELECT concat_ws(' ', actor, action, plugin, outcome, details->>'reason') FROM audit_log ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        ["local stop JP2 done new disks", "local stop OCR done new disks"]
    );
    let [english, german] = in_both(&router, &leads_to).await;
    says(&english, "Done; changed plugins: 2.");
    says(&german, "Erledigt; geänderte Plugins: 2.");
    says(
        &english,
        "Do not shut down yet: 1 of 2 plugins is stopped. Still being stopped: OCR.",
    );
    says(
        &german,
        "Noch nicht herunterfahren: 1 von 2 Plugins ist angehalten.",
    );
    assert!(!english.contains("shut-down safe"));
    says(&english, "by local · reason: new disks · starts again 2");
    says(&german, "durch local · Grund: new disks · startet wieder: 2");

    database
        .execute("DELETE FROM leases; UPDATE plugins SET state = 'stopped'")
        .await;
    let [english, german] = in_both(&router, "/").await;
    says(&english, "it is safe to shut down now");
    says(&english, "shut-down safe");
    says(&german, "Jetzt kann gefahrlos heruntergefahren werden");
    assert!(!english.contains("id=\"stop-all\""), "nothing is left to stop");
    let leads_to = send_form(&router, "/plugins/actions", "action=start").await;
    let states = "SELECT DISTINCT state FROM plugins";
    assert_eq!(database.texts(states).await, ["running"]);
    says(&in_both(&router, &leads_to).await[0], "Done; changed plugins: 2.");
    let leads_to = send_form(&router, "/plugins/actions", "action=start").await;
    says(&in_both(&router, &leads_to).await[1], "Das war schon so.");
}

#[tokio::test]
async fn all_jobs_of_a_plugin_are_cancelled_only_once_its_name_was_typed() {
    let mut sample = two_plugins();
    sample.waiting("OCR", "atlas", 5).running("OCR", "runs", 5);
    let (database, router) = with(&sample).await;
    let [english, german] = in_both(&router, "/?plugin=OCR").await;
    says(&english, "All unfinished jobs of OCR (3) end for good");
    says(&german, "Alle unfertigen Aufgaben von OCR (3) enden endgültig");
    let jobs = "SELECT title || ' ' || cancel_requested FROM jobs ORDER BY title";
    for wrong in ["", "confirm=", "confirm=JP2", "confirm=yes"] {
        let leads_to = send_form(&router, "/plugins/OCR/cancel", wrong).await;
        let [english, german] = in_both(&router, &leads_to).await;
        says(&english, "Nothing was cancelled: the name did not match.");
        says(
            &german,
            "Nichts wurde abgebrochen: Der Name stimmte nicht überein.",
        );
        assert_eq!(database.texts(jobs).await.len(), 4);
    }
    let leads_to = send_form(&router, "/plugins/OCR/cancel", "confirm=+ocr+").await;
    assert_eq!(database.texts(jobs).await, ["map false", "runs true"]);
    let ended = "SELECT title || ' ' || state FROM job_history ORDER BY title";
    assert_eq!(database.texts(ended).await, ["atlas CANCELLED", "book CANCELLED"]);
    let audit = "SELECT concat_ws(' ', actor, action, plugin, outcome, count(*)) FROM audit_log
                 GROUP BY actor, action, plugin, outcome";
    assert_eq!(database.texts(audit).await, ["local cancel OCR done 3"]);
    let [english, german] = in_both(&router, &leads_to).await;
    says(&english, "Cancelled jobs: 3; running ones end in a moment.");
    says(&german, "Abgebrochene Aufgaben: 3; laufende enden gleich.");
    let leads_to = send_form(&router, "/plugins/JP2/cancel", "confirm=JP2").await;
    says(&in_both(&router, &leads_to).await[0], "Cancelled jobs: 1;");
    let leads_to = send_form(&router, "/plugins/JP2/cancel", "confirm=JP2").await;
    says(
        &in_both(&router, &leads_to).await[1],
        "Es gab keine Aufgabe abzubrechen.",
    );
}

#[tokio::test]
async fn a_plugins_page_says_since_when_by_whom_and_why_it_is_stopped_and_until_when() {
    let (database, router) = with(&two_plugins()).await;
    let fields = "action=stop&reason=%3Cb%3Enew+disks&resume_at=2100-01-02T14%3A30";
    let leads_to = send_form(&router, "/plugins/OCR/actions", fields).await;
    let row = "SELECT concat_ws(' ', name, state, state_by, state_reason) FROM plugins ORDER BY name";
    assert_eq!(
        database.texts(row).await,
        ["JP2 running", "OCR stopped local <b>new disks"]
    );
    let audit = "SELECT concat_ws(' ', actor, action, plugin, outcome) FROM audit_log";
    assert_eq!(database.texts(audit).await, ["local stop OCR done"]);
    let [english, german] = in_both(&router, &leads_to).await;
    for (page, words) in [
        (&english, "OCR is stopped"),
        (
            &english,
            "by local · reason: &#60;b&#62;new disks · starts again 2",
        ),
        (&german, "OCR ist angehalten"),
        (
            &german,
            "durch local · Grund: &#60;b&#62;new disks · startet wieder: 2",
        ),
    ] {
        says(page, words);
    }
    let [english, german] = in_both(&router, "/?plugin=JP2").await;
    assert!(!english.contains("is stopped") && !german.contains("ist angehalten</b>"));
    send_form(&router, "/plugins/OCR/actions", "action=start").await;
    send_form(&router, "/plugins/OCR/actions", "action=stop").await;
    says(&in_both(&router, "/").await[1], "startet wieder von Hand");
}

#[tokio::test]
async fn a_banner_says_that_jobs_do_not_start_by_themselves_and_its_button_ends_that() {
    let (database, router) = with(&two_plugins()).await;
    send_form(&router, "/plugins/actions", "action=autostart&on=false").await;
    send_form(&router, "/plugins/OCR/actions", "action=autostart&on=false").await;
    let switches = "SELECT concat_ws(' ', settings.autostart, name, plugins.autostart) FROM settings, plugins ORDER BY 1";
    assert_eq!(database.texts(switches).await, ["f JP2 t", "f OCR f"]);
    for address in ["/", "/?plugin=OCR", "/search?state=queue"] {
        let [english, german] = in_both(&router, address).await;
        says(&english, "autostart is off for all plugins, since ");
        says(&english, "Jobs of OCR do not start by themselves");
        says(&german, "ist für alle Plugins ausgeschaltet, seit ");
        says(&german, "Aufgaben von OCR starten nicht automatisch");
    }
    let jp2 = in_both(&router, "/?plugin=JP2").await;
    assert!(!jp2[0].contains("Jobs of OCR"), "another plugin's");
    says(&jp2[0], "autostart is off for all plugins");

    send_form(&router, "/plugins/actions", "action=autostart&on=true").await;
    send_form(&router, "/plugins/OCR/actions", "action=autostart&on=true").await;
    assert_eq!(database.texts(switches).await, ["t JP2 t", "t OCR t"]);
    let audit = "SELECT concat_ws(' ', action, plugin, details->>'on', outcome) FROM audit_log
                 WHERE plugin = 'OCR' ORDER BY id";
    assert_eq!(
        database.texts(audit).await,
        [
            "autostart OCR false done",
            "autostart OCR false done",
            "autostart OCR true done",
            "autostart OCR true done"
        ]
    );
    for page in in_both(&router, "/").await {
        assert!(!page.contains("id=\"autostart-"), "{page}");
    }
}

#[tokio::test]
async fn each_role_is_offered_what_it_may_do_and_no_more() {
    let database = TestDatabase::create().await;
    database.execute(&two_plugins().sql()).await;
    database
        .execute(
            "UPDATE settings SET autostart = false; UPDATE plugins SET autostart = false WHERE name = 'OCR'",
        )
        .await;
    let app = App {
        door: Door::Login { secure: false },
        ..app(database.db())
    };
    let router = router(app.clone());
    let all = [
        "id=\"stop-all\"",
        "action=\"/plugins/actions\"",
        "id=\"stop\"",
        "id=\"cancel-all\"",
    ];
    for (role, plugins, offered) in [
        (Role::Admin, None, &all[..]),
        (Role::Operator, None, &all[2..]),
        (Role::Operator, Some(vec!["JP2".to_owned()]), &[]),
        (Role::Viewer, None, &[]),
    ] {
        let add = AccountAction::AddToken {
            title: "a token".to_owned(),
            role,
            plugins,
            days: 1,
        };
        let admin = Actor::with("test".to_owned(), Role::Admin);
        let token = app
            .control
            .act_on_accounts(&admin, &add)
            .await
            .unwrap()
            .1
            .unwrap();
        let mut shown = String::new();
        for address in ["/", "/?plugin=OCR", "/search?state=queue"] {
            let asked = request(&Method::GET, address)
                .header(ACCEPT, "text/html")
                .header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
            shown += &send(&router, asked.body(Body::empty()).unwrap()).await.body;
        }
        says(&shown, "autostart is off for all plugins");
        let found: Vec<&str> = all.into_iter().filter(|part| shown.contains(part)).collect();
        assert_eq!(found, offered, "{role:?}");
    }
}

#[tokio::test]
async fn above_a_plugins_list_stands_what_all_its_jobs_together_are() {
    let mut sample = two_plugins();
    sample.running("OCR", "runs", 5);
    for number in 0..3 {
        sample.ended("OCR", &format!("well {number}"), "DONE", number);
    }
    sample
        .ended("OCR", "badly", "ERROR", 1)
        .ended("OCR", "dropped", "CANCELLED", 1)
        .ended("JP2", "other", "DONE", 1);
    let (_database, router) = with(&sample).await;
    for (address, wanted) in [
        ("/?plugin=OCR", "Jobs 2 Files 4 Volume of data 0 B Pages done 2"),
        (
            "/?plugin=OCR&tab=done",
            "Jobs 3 Files 12 Volume of data 7.2 kB Pages done 9",
        ),
        (
            "/?plugin=OCR&tab=error",
            "Jobs 2 Files 8 Volume of data 4.8 kB Pages done 6",
        ),
        (
            "/?tab=done",
            "Jobs 4 Files 16 Volume of data 9.6 kB Pages done 12",
        ),
        (
            "/?plugin=OCR&tab=done&lang=de",
            "Aufgaben 3 Dateien 12 Datenmenge 7,2 kB Fertige Seiten 9",
        ),
    ] {
        let page = browse(&router, address).await;
        let sums = page.body.split("id=\"sums\"").nth(1).unwrap();
        let sums = sums.split("</dl>").next().unwrap();
        let words: Vec<&str> = sums
            .split('<')
            .filter_map(|part| part.split_once('>'))
            .flat_map(|(_, text)| text.split_whitespace())
            .collect();
        assert_eq!(words.join(" "), wanted, "{address}");
    }
}

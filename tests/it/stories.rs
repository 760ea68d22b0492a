//! What people do with single jobs, lists, plugins and accounts, in a real browser without scripts, in both languages:
//! the row, the audit log, and what the page then says.

mod colleagues;
mod day;
mod jobs;
mod lists;
mod people;
mod plugins;

use serde_json::json;
use shared::job::JobId;
use tests::browser::Screen;
use tests::receiver::{Manner, Receiver};
use tests::{Browser, Cluster, LIMIT, eventually};

use crate::door::{ANNA, come_in};

/// The token that Goobi's stand-in wants.
const GOOBI_TOKEN: &str = "a-token-of-goobi";

/// One language, with what pages say in it.
#[derive(Debug, Clone, Copy)]
struct Words {
    language: &'static str,
    done: &'static str,
    not_by_themselves: &'static str,
    finished: &'static str,
    no_such_job: &'static str,
    new_job: &'static str,
    recorded: &'static str,
    delivered: &'static str,
    changed: &'static str,
    stopped: &'static str,
    saved: &'static str,
    list_of_jobs: &'static str,
    contracts: &'static str,
    number: &'static str,
    held: &'static str,
    delete_finished: &'static str,
    delete_all: &'static str,
    account_done: &'static str,
    operator: &'static str,
    locked: &'static str,
    password_changed: &'static str,
    no_tokens: &'static str,
    cancelled: &'static str,
    wrong_name: &'static str,
    cancelled_jobs: &'static str,
    safe: &'static str,
    wrong: &'static str,
    drained: &'static str,
    forbidden: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    done: "Done.",
    not_by_themselves: "Jobs do not start by themselves",
    finished: "Finished",
    no_such_job: "There is no such job",
    new_job: "This is the new job",
    recorded: "The message is recorded",
    delivered: "delivered",
    changed: "Done; changed plugins: 1.",
    stopped: "NOOP is stopped",
    saved: "Saved.",
    list_of_jobs: "The list of jobs",
    contracts: "Page contracts",
    number: "9,000",
    held: "Is held by a person",
    delete_finished: "Delete: 1 job?",
    delete_all: "Delete all jobs",
    account_done: "Done.",
    operator: "operator",
    locked: "locked",
    password_changed: "The password was changed",
    no_tokens: "There is no token yet.",
    cancelled: "Cancelled",
    wrong_name: "Nothing was cancelled: the name did not match.",
    cancelled_jobs: "Cancelled jobs: 2",
    safe: "it is safe to shut down now",
    wrong: "Nothing was changed: see the fields that are marked.",
    drained: "The worker was told to drain",
    forbidden: "You may not do that",
};

const GERMAN: Words = Words {
    language: "de",
    done: "Erledigt.",
    not_by_themselves: "Aufgaben starten nicht automatisch",
    finished: "Beendet",
    no_such_job: "Diese Aufgabe gibt es nicht",
    new_job: "Dies ist die neue Aufgabe",
    recorded: "Die Nachricht ist vermerkt",
    delivered: "zugestellt",
    changed: "Erledigt; geänderte Plugins: 1.",
    stopped: "NOOP ist angehalten",
    saved: "Gespeichert.",
    list_of_jobs: "Die Liste der Aufgaben",
    contracts: "Seitenkontingente",
    number: "9.000",
    held: "Von jemandem angehalten",
    delete_finished: "Löschen: 1 Aufgabe?",
    delete_all: "Alle Aufgaben löschen",
    account_done: "Erledigt.",
    operator: "Bedienung",
    locked: "gesperrt",
    password_changed: "Das Passwort wurde geändert",
    no_tokens: "Es gibt noch keinen Zugangsschlüssel.",
    cancelled: "Abgebrochen",
    wrong_name: "Nichts wurde abgebrochen: Der Name stimmte nicht überein.",
    cancelled_jobs: "Abgebrochene Aufgaben: 2",
    safe: "Jetzt kann gefahrlos heruntergefahren werden",
    wrong: "Nichts wurde geändert",
    drained: "Der Worker soll auslaufen",
    forbidden: "Das dürfen Sie nicht",
};

/// People who do one thing after the other.
#[derive(Debug)]
struct Story {
    cluster: Cluster,
    browser: Browser,
    goobi: Receiver,
    words: &'static Words,
}

impl Story {
    fn begin(name: &str, words: &'static Words) -> Self {
        let goobi = Receiver::answering(Manner::Status(200, String::new()));
        let token = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::write(&token, GOOBI_TOKEN).unwrap();
        let cluster = Cluster::named(name)
            .plugins("NOOP=1")
            .with_login()
            .coordinator_env("TZ", "UTC")
            .coordinator_env("TASKMANAGER_GOOBI_URL", format!("http://{}/goobi", goobi.host()))
            .coordinator_env("TASKMANAGER_GOOBI_TOKEN_FILE", token.display().to_string())
            .start();
        // It was read at the start.
        std::fs::remove_file(&token).unwrap();
        eventually(LIMIT, "the worker to announce its plugin", || {
            let plugins = cluster.count("SELECT count(*) FROM plugins");
            (plugins > 0).then_some(()).ok_or_else(|| "none".to_owned())
        });
        let browser = cluster.browser();
        browser.use_screen(Screen::DESKTOP);
        browser.run_no_scripts();
        come_in(&cluster, &browser);
        Self {
            cluster,
            browser,
            goobi,
            words,
        }
    }

    fn open(&self, path: &str) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let base = self.cluster.api().base().to_owned();
        self.browser
            .open(&format!("{base}{path}{joint}lang={}", self.words.language));
    }

    /// The page says this there.
    fn says(&self, selector: &str, words: &str) {
        let said = self.browser.text(selector).unwrap_or_default();
        assert!(
            said.contains(words),
            "{selector} on {} says \"{said}\", not \"{words}\"",
            self.browser.path()
        );
    }

    /// Chooses a value of a list, as one would with its keys.
    fn choose(&self, id: &str, value: &str) {
        let chosen = self.browser.run(&format!(
            "const list = document.getElementById('{id}'); list.value = '{value}'; return list.value"
        ));
        assert_eq!(chosen, value, "the list {id} offers it");
    }

    /// There is exactly one such row.
    fn holds(&self, condition: &str) {
        self.holds_times(condition, 1);
    }

    fn holds_times(&self, condition: &str, times: i64) {
        let count = self.cluster.count(&format!("SELECT count(*) {condition}"));
        assert_eq!(count, times, "{condition}");
    }

    /// There is such a row soon.
    fn comes_to_hold(&self, condition: &str) {
        eventually(LIMIT, condition, || {
            let count = self.cluster.count(&format!("SELECT count(*) {condition}"));
            (count == 1).then_some(()).ok_or_else(|| count.to_string())
        });
    }

    /// The audit log says that the administrator has done it, so many times by now.
    fn is_audited(&self, action: &str, times: i64) {
        self.is_audited_as(ANNA, action, times);
    }

    fn is_audited_as(&self, actor: &str, action: &str, times: i64) {
        let done =
            format!("FROM audit_log WHERE action = '{action}' AND outcome = 'done' AND actor = '{actor}'");
        self.holds_times(&done, times);
    }

    /// A job, submitted as Goobi would.
    fn submit(&self, title: &str) -> JobId {
        self.submit_with(title, 5)
    }

    fn submit_with(&self, title: &str, priority: u8) -> JobId {
        self.cluster.submit(&json!({
            "plugin": "NOOP", "title": title, "priority": priority, "process_id": "27", "parameters": {"items": 1},
        }))
    }

    /// A job that has ended like this some time ago.
    fn ended(&self, title: &str, state: &str) -> String {
        let row = self.cluster.sql(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at, finished_at,
                items_done, items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by)
             SELECT gen_random_uuid(), 'NOOP', $1, $2, 5, 1, now() - interval '1 hour', now() - interval '50 min', now(),
                2, 1, 3, 100, CASE WHEN $2 = 'ERROR' THEN 'Seite 3 ist unlesbar' END, '{}', '{\"items\": 3}', '{}', 'goobi'
             RETURNING id::text",
            &[&title, &state],
        );
        row[0].get(0)
    }

    /// The titles of the waiting jobs, in the order in which they start.
    fn order(&self) -> Vec<String> {
        let statement =
            "SELECT title FROM jobs WHERE state = 'QUEUED' ORDER BY effective_priority DESC, position, id";
        let rows = self.cluster.sql(statement, &[]);
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn tell(name: &str, words: &'static Words) {
    let story = Story::begin(name, words);
    story.nothing_starts_by_itself();
    story.puts_jobs_in_order();
    story.starts_one_now_and_deletes_it();
    story.retries_what_failed();
    story.writes_to_goobi();
    story.uses_the_buttons_of_rows();
    story.acts_on_several();
    story.uses_kitodos_functions();
    story.stops_one_plugin_and_starts_all();
    story.sets_pages_and_a_contract();
    story.saves_the_months();
    story.manages_a_user();
    story.revokes_a_token();
    story.minds_her_own_account();
}

fn tell_of_a_day(name: &str, words: &'static Words) {
    let story = Story::begin(name, words);
    story.stop_everything();
    story.change_a_job();
    story.cancel_all_of_a_plugin();
    story.start_the_plugin_again();
    story.change_settings();
    story.drain_the_worker();
}

fn tell_of_colleagues(name: &str, words: &'static Words) {
    let story = Story::begin(name, words);
    let jobs = story.has_colleagues();
    story.a_viewer_changes_nothing(jobs);
    story.an_operator_of_one_plugin_works_with_that(jobs);
    story.an_operator_of_all_works_with_each_and_not_with_all_at_once(jobs);
}

#[test]
fn jobs_lists_plugins_and_accounts_are_worked_with_in_english_without_scripts() {
    tell("stories-english", &ENGLISH);
}

#[test]
fn jobs_lists_plugins_and_accounts_are_worked_with_in_german_without_scripts() {
    tell("stories-german", &GERMAN);
}

#[test]
fn a_day_of_stopping_changing_and_starting_again_works_in_english_without_scripts() {
    tell_of_a_day("day-english", &ENGLISH);
}

#[test]
fn a_day_of_stopping_changing_and_starting_again_works_in_german_without_scripts() {
    tell_of_a_day("day-german", &GERMAN);
}

#[test]
fn viewers_and_operators_find_what_they_may_do_and_nothing_else_in_english_without_scripts() {
    tell_of_colleagues("colleagues-english", &ENGLISH);
}

#[test]
fn viewers_and_operators_find_what_they_may_do_and_nothing_else_in_german_without_scripts() {
    tell_of_colleagues("colleagues-german", &GERMAN);
}

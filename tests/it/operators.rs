//! What operators do in a day, in a real browser without scripts, in both languages: the row, the audit log, and what the
//! page then says.

use serde_json::json;
use shared::job::JobId;
use tests::browser::Screen;
use tests::{Browser, Cluster, LIMIT, eventually};

/// One language, with what pages say in it.
#[derive(Clone, Copy)]
struct Words {
    language: &'static str,
    done: &'static str,
    cancelled: &'static str,
    wrong_name: &'static str,
    cancelled_jobs: &'static str,
    changed: &'static str,
    safe: &'static str,
    stopped: &'static str,
    saved: &'static str,
    wrong: &'static str,
    drained: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    done: "Done.",
    cancelled: "Cancelled",
    wrong_name: "Nothing was cancelled: the name did not match.",
    cancelled_jobs: "Cancelled jobs: 2",
    changed: "Done; changed plugins: 1.",
    safe: "it is safe to shut down now",
    stopped: "NOOP is stopped",
    saved: "Saved.",
    wrong: "Nothing was changed: see the fields that are marked.",
    drained: "The worker was told to drain",
};

const GERMAN: Words = Words {
    language: "de",
    done: "Erledigt.",
    cancelled: "Abgebrochen",
    wrong_name: "Nichts wurde abgebrochen: Der Name stimmte nicht überein.",
    cancelled_jobs: "Abgebrochene Aufgaben: 2",
    changed: "Erledigt; geänderte Plugins: 1.",
    safe: "Jetzt kann gefahrlos heruntergefahren werden",
    stopped: "NOOP ist angehalten",
    saved: "Gespeichert.",
    wrong: "Nichts wurde geändert",
    drained: "Der Worker soll auslaufen",
};

/// An operator's day.
struct Day {
    cluster: Cluster,
    browser: Browser,
    words: Words,
}

impl Day {
    fn begin(name: &str, words: Words) -> Self {
        let cluster = Cluster::named(name).plugins("NOOP=1").start();
        eventually(LIMIT, "the worker to announce its plugin", || {
            let plugins = cluster.count("SELECT count(*) FROM plugins");
            (plugins > 0).then_some(()).ok_or_else(|| "none".to_owned())
        });
        let browser = cluster.browser();
        browser.use_screen(Screen::DESKTOP);
        browser.run_no_scripts();
        Self {
            cluster,
            browser,
            words,
        }
    }

    fn open(&self, path: &str) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let base = self.cluster.api().base().to_owned();
        self.browser
            .open(&format!("{base}{path}{joint}lang={}", self.words.language));
    }

    /// What the page says of an action is this.
    fn says(&self, selector: &str, words: &str) {
        let said = self.browser.text(selector).unwrap_or_default();
        assert!(
            said.contains(words),
            "{selector} says \"{said}\", not \"{words}\""
        );
    }

    fn holds(&self, condition: &str) {
        let count = self.cluster.count(&format!("SELECT count(*) {condition}"));
        assert_eq!(count, 1, "{condition}");
    }

    /// The audit log has this action once more.
    fn is_audited(&self, action: &str, times: i64) {
        let count = self.cluster.count(&format!(
            "SELECT count(*) FROM audit_log WHERE action = '{action}' AND outcome = 'done'"
        ));
        assert_eq!(count, times, "{action} in the audit log");
    }

    fn submit(&self, title: &str) -> JobId {
        self.submit_with(title, 5)
    }

    fn submit_with(&self, title: &str, priority: u8) -> JobId {
        let job = json!({"plugin": "NOOP", "title": title, "priority": priority, "parameters": {"items": 1}});
        self.cluster.submit(&job)
    }

    fn stop_everything(&self) {
        self.open("/");
        self.browser.click("#stop-all summary");
        self.browser.fill_in("#stop-all #stop-reason", "Wartung");
        self.browser.click("#stop-all button");
        self.says("#said", self.words.changed);
        self.is_audited("stop", 1);
        eventually(LIMIT, "the plugin to have stopped", || {
            let stopped = "SELECT count(*) FROM plugins WHERE state = 'stopped' AND state_reason = 'Wartung'";
            (self.cluster.count(stopped) == 1)
                .then_some(())
                .ok_or_else(String::new)
        });
        self.open("/");
        self.says("#all-plugins .shut-down", self.words.safe);
        self.open("/?plugin=NOOP");
        self.says("#notices", self.words.stopped);
        self.says("#notices", "Wartung");
    }

    fn change_a_job(&self) {
        let id = self.submit("Intelligenzblatt");
        let job = format!("/jobs/{id}");
        self.open(&job);
        self.browser
            .run("document.getElementById('priority').value = '9'");
        self.browser.click("#order button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND priority = 9"));
        self.is_audited("set_priority", 1);
        self.browser.click("#hold button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND held"));
        self.is_audited("hold", 1);
        self.browser.click("#release button");
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND NOT held"));
        self.is_audited("release", 1);
        // Two jobs of one priority have places.
        let other = self.submit_with("Atlas", 9);
        self.open(&job);
        self.browser.click("#place button[value=bottom]");
        self.is_audited("move", 1);
        self.browser.click("#cancel summary");
        self.browser.click("#cancel button");
        self.says("#controls .said", self.words.done);
        self.says("#now", self.words.cancelled);
        self.holds(&format!(
            "FROM job_history WHERE id = '{id}' AND state = 'CANCELLED'"
        ));
        self.is_audited("cancel", 1);
        self.holds(&format!("FROM jobs WHERE id = '{other}'"));
    }

    fn cancel_all_of_a_plugin(&self) {
        self.submit("Kochbuch");
        let page = "/?plugin=NOOP";
        self.open(page);
        self.browser.click("#cancel-all summary");
        self.browser.fill_in("#confirm", "NOPE");
        self.browser.click("#cancel-all button");
        self.says("#said", self.words.wrong_name);
        assert_eq!(self.cluster.count("SELECT count(*) FROM jobs"), 2);
        self.open(page);
        self.browser.click("#cancel-all summary");
        self.browser.fill_in("#confirm", "NOOP");
        self.browser.click("#cancel-all button");
        self.says("#said", self.words.cancelled_jobs);
        assert_eq!(self.cluster.count("SELECT count(*) FROM jobs"), 0);
        self.is_audited("cancel", 3);
    }

    fn start_the_plugin_again(&self) {
        self.open("/?plugin=NOOP");
        self.browser.click("#start button");
        self.says("#said", self.words.changed);
        self.holds("FROM plugins WHERE state = 'running'");
        self.is_audited("start", 1);
        let id = self.submit("Simplicissimus");
        self.cluster.wait_until_done(id);
    }

    fn change_settings(&self) {
        let page = "/settings?plugin=NOOP";
        let field = "#running_max";
        self.open(page);
        self.browser.fill_in(field, "viele");
        self.browser.click("form.fields button[value=configure]");
        self.says(".said", self.words.wrong);
        assert!(self.browser.text("#running_max-wrong").is_some());
        let typed = self
            .browser
            .run("return document.getElementById('running_max').value");
        assert_eq!(typed, "viele", "what was typed is kept");
        self.browser.fill_in(field, "7");
        self.browser.click("form.fields button[value=configure]");
        self.says(".said", self.words.saved);
        self.holds("FROM plugins WHERE running_max = 7");
        self.is_audited("configure", 1);

        self.open("/settings");
        self.browser.click("button[value=autostart_off]");
        self.says(".said", self.words.saved);
        self.holds("FROM settings WHERE NOT autostart");
        self.open("/");
        self.browser.click("#notices button");
        self.holds("FROM settings WHERE autostart");
        self.is_audited("autostart", 2);
    }

    fn drain_the_worker(&self) {
        self.open("/workers");
        self.browser.click("#worker-rows details summary");
        self.browser.click("#worker-rows details button");
        self.says(".said", self.words.drained);
        self.is_audited("drain", 1);
        eventually(LIMIT, "the worker to have gone", || {
            let there = "SELECT count(*) FROM workers WHERE NOT draining";
            (self.cluster.count(there) == 0)
                .then_some(())
                .ok_or_else(String::new)
        });
    }
}

fn a_day(name: &str, words: Words) {
    let day = Day::begin(name, words);
    day.stop_everything();
    day.change_a_job();
    day.cancel_all_of_a_plugin();
    day.start_the_plugin_again();
    day.change_settings();
    day.drain_the_worker();
}

#[test]
fn an_operator_does_the_days_work_in_english_without_scripts() {
    a_day("day-english", ENGLISH);
}

#[test]
fn an_operator_does_the_days_work_in_german_without_scripts() {
    a_day("day-german", GERMAN);
}

//! What operators do in a day: stop everything, change and cancel jobs, start again, change settings, drain a worker.

use tests::{LIMIT, eventually};

use super::Story;

impl Story {
    pub(super) fn stop_everything(&self) {
        self.open("/");
        self.browser.click("#stop-all summary");
        self.browser.fill_in("#stop-all #stop-reason", "Wartung");
        self.browser.follow("#stop-all button");
        self.says("#said", self.words.changed);
        self.is_audited("stop", 1);
        self.comes_to_hold("FROM plugins WHERE state = 'stopped' AND state_reason = 'Wartung'");
        self.open("/");
        self.says("#all-plugins .shut-down", self.words.safe);
        self.open("/?plugin=NOOP");
        self.says("#notices", self.words.stopped);
        self.says("#notices", "Wartung");
    }

    pub(super) fn change_a_job(&self) {
        let id = self.submit("Intelligenzblatt");
        let job = format!("/jobs/{id}");
        self.open(&job);
        self.choose("priority", "9");
        self.browser.follow("#order button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND priority = 9"));
        self.is_audited("set_priority", 1);
        self.browser.follow("#hold button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND held"));
        self.is_audited("hold", 1);
        self.browser.follow("#release button");
        self.holds(&format!("FROM jobs WHERE id = '{id}' AND NOT held"));
        self.is_audited("release", 1);
        // Two jobs of one priority have places.
        let other = self.submit_with("Atlas", 9);
        self.open(&job);
        self.browser.follow("#place button[value=bottom]");
        self.is_audited("move", 1);
        self.browser.click("#cancel summary");
        self.browser.follow("#cancel button");
        self.says("#controls .said", self.words.done);
        self.says("#now", self.words.cancelled);
        self.holds(&format!(
            "FROM job_history WHERE id = '{id}' AND state = 'CANCELLED'"
        ));
        self.is_audited("cancel", 1);
        self.holds(&format!("FROM jobs WHERE id = '{other}'"));
    }

    pub(super) fn cancel_all_of_a_plugin(&self) {
        self.submit("Kochbuch");
        let page = "/?plugin=NOOP";
        self.open(page);
        self.browser.click("#cancel-all summary");
        self.browser.fill_in("#confirm", "NOPE");
        self.browser.follow("#cancel-all button");
        self.says("#said", self.words.wrong_name);
        assert_eq!(self.cluster.count("SELECT count(*) FROM jobs"), 2);
        self.open(page);
        self.browser.click("#cancel-all summary");
        self.browser.fill_in("#confirm", "NOOP");
        self.browser.follow("#cancel-all button");
        self.says("#said", self.words.cancelled_jobs);
        assert_eq!(self.cluster.count("SELECT count(*) FROM jobs"), 0);
        self.is_audited("cancel", 3);
    }

    pub(super) fn start_the_plugin_again(&self) {
        self.open("/?plugin=NOOP");
        self.browser.follow("#start button");
        self.says("#said", self.words.changed);
        self.holds("FROM plugins WHERE state = 'running'");
        self.is_audited("start", 1);
        let id = self.submit("Simplicissimus");
        self.comes_to_hold(&format!("FROM job_history WHERE id = '{id}' AND state = 'DONE'"));
    }

    pub(super) fn change_settings(&self) {
        let page = "/settings?plugin=NOOP";
        let field = "#running_max";
        self.open(page);
        self.browser.fill_in(field, "viele");
        self.browser.follow("form.fields button[value=configure]");
        self.says(".said", self.words.wrong);
        assert!(self.browser.text("#running_max-wrong").is_some());
        let typed = self
            .browser
            .run("return document.getElementById('running_max').value");
        assert_eq!(typed, "viele", "what was typed is kept");
        self.browser.fill_in(field, "7");
        self.browser.follow("form.fields button[value=configure]");
        self.says(".said", self.words.saved);
        self.holds("FROM plugins WHERE running_max = 7");
        self.is_audited("configure", 1);

        self.open("/settings");
        self.browser.follow("button[value=autostart_off]");
        self.says(".said", self.words.saved);
        self.holds("FROM settings WHERE NOT autostart");
        self.open("/");
        self.browser.follow("#notices button");
        self.holds("FROM settings WHERE autostart");
        self.is_audited("autostart", 2);
    }

    pub(super) fn drain_the_worker(&self) {
        self.open("/workers");
        self.browser.click("#worker-rows details summary");
        self.browser.follow("#worker-rows details button");
        self.says(".said", self.words.drained);
        self.is_audited("drain", 1);
        eventually(LIMIT, "the worker to have gone", || {
            let there = "SELECT count(*) FROM workers WHERE NOT draining";
            match self.cluster.count(there) {
                0 => Ok(()),
                there => Err(format!("{there} are there")),
            }
        });
    }
}

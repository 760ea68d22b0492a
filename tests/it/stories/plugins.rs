//! Stories about plugins and settings.

use serde_json::Value;

use super::Story;

impl Story {
    pub(super) fn stops_one_plugin_and_starts_all(&self) {
        self.open("/?plugin=NOOP");
        self.browser.click("#stop summary");
        self.browser.fill_in("#stop #stop-reason", "Bandwechsel");
        self.browser.fill_in("#stop #stop-deadline", "5");
        self.choose("stop-resume", "2099-01-01T08:00");
        self.browser.follow("#stop button");
        self.says("#said", self.words.changed);
        self.comes_to_hold(
            "FROM plugins WHERE name = 'NOOP' AND state = 'stopped' AND state_by = 'Anna Bauer'
                AND state_reason = 'Bandwechsel' AND resume_at = '2099-01-01T08:00Z'",
        );
        self.is_audited("stop", 1);
        self.holds("FROM audit_log WHERE action = 'stop' AND details->>'deadline_seconds' = '300'");
        self.open("/?plugin=NOOP");
        self.says("#notices", self.words.stopped);
        self.says("#notices", "Bandwechsel");
        self.says("#notices", "Anna Bauer");
        self.says("#notices", "2099");

        self.open("/");
        self.browser.follow("#start-all button");
        self.says("#said", self.words.changed);
        self.holds("FROM plugins WHERE state = 'running' AND state_reason IS NULL AND resume_at IS NULL");
        self.is_audited("start", 1);
    }

    pub(super) fn sets_pages_and_a_contract(&self) {
        self.open("/settings");
        self.browser.fill_in("#refresh_seconds", "5");
        self.browser.click("#jobs_on_dashboard");
        self.browser.follow("button[value=set_pages]");
        self.says(".said", self.words.saved);
        self.holds("FROM settings WHERE refresh_seconds = 5 AND NOT jobs_on_dashboard");
        self.is_audited("set_pages", 1);
        self.open("/");
        self.says("#jobs", self.words.list_of_jobs);

        self.open("/settings?plugin=NOOP");
        self.browser.fill_in("#pages_total", "9000");
        self.browser.fill_in("#pages_a_period", "4000");
        self.choose("period", "quarter");
        self.browser.follow("button[value=quota]");
        self.says(".said", self.words.saved);
        self.holds(
            "FROM quotas WHERE plugin = 'NOOP' AND pages_total = 9000 AND pages_a_period = 4000 AND period = 'quarter'",
        );
        self.is_audited("quota", 1);
        self.open("/");
        self.says("#contracts-heading", self.words.contracts);
        self.says("section:has(#contracts-heading) table", self.words.number);
    }

    /// As the browser would save it: with the session of whoever is logged in.
    pub(super) fn saves_the_months(&self) {
        self.open("/");
        let href = self
            .browser
            .run("return document.querySelector('section:has(#months-heading) a').href");
        let saved = self.browser.run(&format!(
            "const request = new XMLHttpRequest(); request.open('GET', {href}, false); request.send();
            return [request.status, request.getResponseHeader('content-type'), request.responseText]"
        ));
        let [status, kind, text] = &saved.as_array().unwrap()[..] else {
            panic!("{saved}");
        };
        assert_eq!(*status, 200);
        assert!(kind.as_str().unwrap().starts_with("text/csv"), "{kind}");
        let lines: Vec<&str> = text.as_str().unwrap().split("\r\n").collect();
        assert_eq!(lines[0], "month,plugin,done,failed,cancelled,pages,bytes,seconds");
        let counted = self.cluster.sql(
            "SELECT to_char(date_trunc('month', min(day)), 'YYYY-MM') || ',NOOP,2,0,' || sum(jobs) FILTER (WHERE outcome = 'cancelled')
                || ',' || sum(items) || ',' FROM statistics",
            &[],
        );
        let month: String = counted[0].get(0);
        assert!(lines[1].starts_with(&month), "{lines:?}, not {month}");
        assert_eq!(
            self.browser.run("return document.cookie"),
            Value::from(""),
            "scripts see no cookie"
        );
    }
}

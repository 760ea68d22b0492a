//! Stories about single jobs, on their own pages.

use super::{GOOBI_TOKEN, Story};

impl Story {
    /// So that jobs stay where they are put.
    pub(super) fn nothing_starts_by_itself(&self) {
        self.open("/?tab=queue");
        self.browser.follow("#autostart button");
        self.says("#notices", self.words.not_by_themselves);
        self.holds("FROM settings WHERE NOT autostart AND autostart_by = 'Anna Bauer'");
        self.is_audited("autostart", 1);
    }

    pub(super) fn puts_jobs_in_order(&self) {
        let [first, second, third] = ["Atlas", "Bibel", "Chronik"].map(|title| self.submit(title));
        for (job, button, order) in [
            (third, "top", ["Chronik", "Atlas", "Bibel"]),
            (second, "up", ["Chronik", "Bibel", "Atlas"]),
            (third, "down", ["Bibel", "Chronik", "Atlas"]),
        ] {
            self.open(&format!("/jobs/{job}"));
            self.browser.follow(&format!("#place button[value={button}]"));
            self.says("#controls .said", self.words.done);
            assert_eq!(self.order(), order, "{button}");
        }
        self.is_audited("move", 3);

        self.open(&format!("/jobs/{first}"));
        for priority in [6, 5, 4] {
            self.browser
                .follow(&format!("#by-one button[value='{priority}']"));
            self.says("#controls .said", self.words.done);
            self.holds(&format!(
                "FROM jobs WHERE id = '{first}' AND priority = {priority}"
            ));
            let shown = self
                .browser
                .run("return document.getElementById('priority').value");
            assert_eq!(shown, priority.to_string());
        }
        self.is_audited("set_priority", 3);
    }

    pub(super) fn starts_one_now_and_deletes_it(&self) {
        let job = self.submit("Dissertation");
        let page = format!("/jobs/{job}");
        self.open(&page);
        self.browser.follow("#start-now button");
        self.says("#controls .said", self.words.done);
        self.is_audited("start_now", 1);
        self.comes_to_hold(&format!("FROM job_history WHERE id = '{job}' AND state = 'DONE'"));
        self.open(&page);
        self.says("#now", self.words.finished);

        self.browser.click("#delete summary");
        self.browser.follow("#delete button");
        assert!(self.browser.path().starts_with("/?"), "{}", self.browser.path());
        self.holds_times(&format!("FROM job_history WHERE id = '{job}'"), 0);
        self.is_audited("delete", 1);
        self.open(&page);
        self.says("h1", self.words.no_such_job);
    }

    pub(super) fn retries_what_failed(&self) {
        for (title, items, store, times) in [
            ("Einblattdruck", "failed", "store_id = retry_of", 1),
            ("Festschrift", "all", "store_id IS NULL", 2),
        ] {
            let failed = self.ended(title, "ERROR");
            self.open(&format!("/jobs/{failed}"));
            self.browser.follow(&format!("#retry button[value={items}]"));
            self.says("#controls .said", self.words.new_job);
            self.says("h1", title);
            // What is done is kept, or not.
            self.holds(&format!(
                "FROM jobs JOIN job_details ON job_id = jobs.id WHERE retry_of = '{failed}' AND {store}"
            ));
            let new = self
                .cluster
                .sql("SELECT id::text FROM jobs WHERE title = $1", &[&title]);
            assert_eq!(
                self.browser.path(),
                format!("/jobs/{}?said=retried", new[0].get::<_, String>(0))
            );
            self.is_audited("retry", times);
        }
    }

    pub(super) fn writes_to_goobi(&self) {
        let job = self.submit("Gesangbuch");
        self.open(&format!("/jobs/{job}"));
        self.browser.click("#message summary");
        self.choose("message-type", "important");
        self.browser
            .fill_in("#message-text", "Bitte neu scannen & prüfen");
        self.browser.follow("#message button");
        self.says("#controls .said", self.words.recorded);
        self.is_audited("message_goobi", 1);

        let received = self.goobi.wait_for(1);
        assert_eq!(received[0].line, "POST /goobi/api/process/27/journal HTTP/1.1");
        assert_eq!(received[0].header("token"), Some(GOOBI_TOKEN));
        assert_eq!(
            (&received[0].body["type"], &received[0].body["message"]),
            (&"important".into(), &"Bitte neu scannen & prüfen".into())
        );
        self.comes_to_hold(&format!(
            "FROM deliveries WHERE job_id = '{job}' AND kind = 'goobi_message' AND state = 'delivered'"
        ));
        self.open(&format!("/jobs/{job}"));
        self.says("#deliveries", self.words.delivered);
        self.says("#deliveries q", "Bitte neu scannen & prüfen");

        // What was given up is sent again at her word, once the job has ended.
        let ended = self.ended("Gesetzblatt", "ERROR");
        self.cluster.sql(
            "UPDATE deliveries SET job_id = $1::text::uuid, state = 'failed', settled_at = now(), last_answer = '401'",
            &[&ended],
        );
        self.open(&format!("/jobs/{ended}"));
        self.browser.follow("#send-again button");
        self.says("#controls .said", self.words.done);
        self.is_audited("send_again", 1);
        self.goobi.wait_for(2);
        self.comes_to_hold(&format!(
            "FROM deliveries WHERE job_id = '{ended}' AND state = 'delivered'"
        ));
    }
}

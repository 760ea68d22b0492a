//! Stories about lists: the buttons of a row, several jobs at once, and Kitodo's functions above the list.

use super::Story;

impl Story {
    pub(super) fn uses_the_buttons_of_rows(&self) {
        let (job, _other) = (self.submit("Handschrift"), self.submit("Inkunabel"));
        let row = format!("#job-{job}");
        let press = |button: &str| {
            self.open("/?tab=queue&plugin=NOOP");
            self.browser.follow(&format!("{row} button[value={button}]"));
        };
        press("stop");
        self.says(&row, self.words.held);
        self.holds(&format!("FROM jobs WHERE id = '{job}' AND held"));
        self.is_audited("hold", 1);
        for (button, order, times) in [
            ("down", ["Inkunabel", "Handschrift"], 4),
            ("up", ["Handschrift", "Inkunabel"], 5),
        ] {
            press(button);
            let both = self.order();
            let both: Vec<&String> = both
                .iter()
                .filter(|title| order.contains(&title.as_str()))
                .collect();
            assert_eq!(both, order, "{button}");
            self.is_audited("move", times);
        }
        press("start");
        self.is_audited("start_now", 2);
        self.comes_to_hold(&format!("FROM job_history WHERE id = '{job}' AND state = 'DONE'"));

        let unwanted = self.submit("Journal");
        self.open("/?tab=queue");
        self.browser
            .follow(&format!("#job-{unwanted} button[value=cancel]"));
        self.says("main", "Journal");
        self.holds(&format!("FROM jobs WHERE id = '{unwanted}'"));
        self.browser.follow("#confirm button");
        self.says(".tally", self.words.done);
        self.holds(&format!(
            "FROM job_history WHERE id = '{unwanted}' AND state = 'CANCELLED'"
        ));
        self.is_audited("cancel", 1);
        self.open("/?tab=error");
        self.says(&format!("#job-{unwanted}"), "CANCELLED");

        let failed = self.ended("Kalender", "ERROR");
        self.open("/?tab=error");
        self.browser.follow(&format!("#job-{failed} button[value=retry]"));
        self.says("#controls .said", self.words.new_job);
        self.holds(&format!("FROM jobs WHERE retry_of = '{failed}'"));
        self.is_audited("retry", 3);

        self.open("/?tab=error");
        self.browser
            .follow(&format!("#job-{unwanted} button[value=delete]"));
        self.holds(&format!("FROM job_history WHERE id = '{unwanted}'"));
        self.browser.follow("#confirm button");
        self.says(".tally", self.words.done);
        self.holds_times(&format!("FROM job_history WHERE id = '{unwanted}'"), 0);
        self.is_audited("delete", 2);
    }

    pub(super) fn acts_on_several(&self) {
        let jobs = [self.submit("Landkarte"), self.submit("Matrikel")].map(|id| id.to_string());
        let which = "title IN ('Landkarte', 'Matrikel')";
        for (action, condition, audited, times) in [
            ("hold", "held", "hold", 3),
            ("release", "NOT held", "release", 2),
            ("set_priority", "priority = 9", "set_priority", 5),
        ] {
            self.do_with("/?tab=queue", &jobs, action);
            self.holds_times(&format!("FROM jobs WHERE {which} AND {condition}"), 2);
            self.is_audited(audited, times);
        }
        let failed = ["Landkarte", "Matrikel"].map(|title| self.ended(title, "ERROR"));
        self.do_with("/?tab=error", &failed, "retry");
        self.holds_times(&format!("FROM jobs WHERE {which} AND retry_of IS NOT NULL"), 2);
        self.is_audited("retry", 5);
        let failed = ["Noten", "Notenblatt"].map(|title| self.ended(title, "CANCELLED"));
        self.do_with("/?tab=error", &failed, "delete");
        self.holds_times("FROM job_history WHERE title IN ('Noten', 'Notenblatt')", 0);
        self.is_audited("delete", 4);
    }

    /// Marks these two jobs of a list, chooses, and says yes.
    fn do_with(&self, list: &str, jobs: &[String; 2], action: &str) {
        self.open(list);
        for job in jobs {
            self.browser.click(&format!("#choose-{job}"));
        }
        self.choose("bulk-action", action);
        self.choose("bulk-priority", "9");
        self.browser.follow("#bulk button");
        self.says("h1", "2");
        self.browser.follow("#confirm button");
        self.says(".tally dt", "2");
        self.says(".tally dd", self.words.done);
    }

    pub(super) fn uses_kitodos_functions(&self) {
        self.open("/?tab=queue");
        let new = self.submit("Oper");
        let row = format!("#job-{new}");
        assert_eq!(
            self.browser.text(&row),
            None,
            "a page without scripts stays as it is"
        );
        self.browser.follow(".functions > a");
        self.says(&row, "Oper");

        // Of those that are done only Handschrift is left.
        self.browser.follow("#delete-finished button");
        self.says("h1", self.words.delete_finished);
        self.browser.follow("#confirm button");
        self.says(".tally", self.words.done);
        self.holds_times("FROM job_history WHERE state = 'DONE'", 0);
        self.is_audited("delete", 5);
        assert!(self.cluster.count("SELECT count(*) FROM job_history") > 0);

        let waiting = self.cluster.count("SELECT count(*) FROM jobs");
        let all = waiting + self.cluster.count("SELECT count(*) FROM job_history");
        self.open("/?tab=queue");
        self.browser.follow("#delete-all button");
        self.says("h1", self.words.delete_all);
        self.holds_times("FROM jobs", waiting);
        self.browser.follow("#confirm button");
        self.says(".tally dt", &all.to_string());
        self.holds_times("FROM jobs", 0);
        self.holds_times("FROM job_history", 0);
        self.is_audited("cancel", 1 + waiting);
        self.is_audited("delete", 5 + all);
    }
}

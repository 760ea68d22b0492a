//! Stories about those who may not do everything: a viewer, an operator of one plugin, an operator of all.

use serde_json::json;
use shared::job::JobId;

use super::Story;
use crate::door::{ANNA, PASSWORD};

/// A waiting job of the plugin that one operator works with, and one of another plugin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jobs {
    own: JobId,
    other: JobId,
}

impl Story {
    /// Makes them, with the administrator's password, and jobs that wait.
    pub(super) fn has_colleagues(&self) -> Jobs {
        for statement in [
            "UPDATE settings SET autostart = false",
            "INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template)
             VALUES ('OCR', 'Text recognition', 'Texterkennung', false, false, false)",
        ] {
            self.cluster.sql(statement, &[]);
        }
        self.cluster.sql(
            "INSERT INTO users (name, role, plugins, password)
             SELECT who.name, who.role, who.plugins, anna.password
             FROM users anna, (VALUES ('Vera', 'viewer', NULL), ('Otto', 'operator', ARRAY['NOOP']),
                                      ('Olga', 'operator', NULL)) AS who (name, role, plugins)
             WHERE anna.name = $1",
            &[&ANNA],
        );
        Jobs {
            own: self.submit("Almanach"),
            other: self.cluster.submit(&json!({"plugin": "OCR", "title": "Bibel"})),
        }
    }

    /// Somebody else sits down at the browser.
    fn comes(&self, name: &str) {
        self.open("/account");
        self.browser.follow("#logout button");
        self.browser.fill_in("#name", name);
        self.browser.fill_in("#password", PASSWORD);
        self.browser.follow("main form button");
        self.says("nav.system", name);
    }

    /// How many buttons of this page change something.
    fn changes(&self, path: &str) -> u64 {
        self.open(path);
        let buttons = "return [...document.querySelectorAll('main button')].filter(button => button.form?.method === 'post').length";
        self.browser.run(buttons).as_u64().expect("a number")
    }

    fn is_refused(&self, path: &str) {
        self.open(path);
        self.says("h1", self.words.forbidden);
    }

    pub(super) fn a_viewer_changes_nothing(&self, jobs: Jobs) {
        let page = format!("/jobs/{}", jobs.own);
        let pages = [
            "/",
            "/?plugin=NOOP",
            "/?tab=queue",
            "/search?state=queue",
            "/workers",
            &page,
        ];
        for path in pages {
            assert!(
                self.changes(path) > 0,
                "an administrator changes something on {path}"
            );
        }
        self.comes("Vera");
        for path in pages {
            assert_eq!(self.changes(path), 0, "{path}");
        }
        self.open(&page);
        self.says("h1", "Almanach");
        for path in ["/settings", "/accounts", "/audit"] {
            self.is_refused(path);
        }
    }

    pub(super) fn an_operator_of_one_plugin_works_with_that(&self, jobs: Jobs) {
        self.comes("Otto");
        self.open(&format!("/jobs/{}", jobs.own));
        self.browser.follow("#hold button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{}' AND held", jobs.own));
        self.is_audited_as("Otto", "hold", 1);
        assert_eq!(self.changes(&format!("/jobs/{}", jobs.other)), 0);

        self.open("/?plugin=NOOP");
        self.browser.click("#stop summary");
        self.browser.fill_in("#stop #stop-reason", "Bandwechsel");
        self.browser.follow("#stop button");
        self.says("#said", self.words.changed);
        self.comes_to_hold("FROM plugins WHERE state = 'stopped' AND state_by = 'Otto'");
        self.is_audited_as("Otto", "stop", 1);
        assert_eq!(self.changes("/?plugin=OCR"), 0);

        self.open("/");
        assert_eq!(self.browser.text("#stop-all"), None);
        self.open("/audit");
        self.says("main", "Otto");
        for path in ["/settings", "/accounts"] {
            self.is_refused(path);
        }
    }

    pub(super) fn an_operator_of_all_works_with_each_and_not_with_all_at_once(&self, jobs: Jobs) {
        self.comes("Olga");
        self.open(&format!("/jobs/{}", jobs.other));
        self.browser.follow("#hold button");
        self.says("#controls .said", self.words.done);
        self.holds(&format!("FROM jobs WHERE id = '{}' AND held", jobs.other));
        self.is_audited_as("Olga", "hold", 1);
        self.open("/");
        assert_eq!(self.browser.text("#stop-all"), None);
        for path in ["/settings", "/accounts"] {
            self.is_refused(path);
        }
    }
}

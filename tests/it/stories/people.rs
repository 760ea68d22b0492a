//! Stories about users, tokens, and one's own account.

use super::Story;
use crate::door::PASSWORD;

/// The row of the second user, in the order of their names.
const BERT: &str = "tr:has(#role-2)";

impl Story {
    /// Opens what can be done with Bert and presses a button of it.
    fn with_bert(&self, button: &str, fill: impl Fn()) {
        self.open("/accounts");
        self.browser.click(&format!("{BERT} summary"));
        fill();
        self.browser.follow(&format!("{BERT} button[value={button}]"));
        self.says(".said", self.words.account_done);
    }

    fn password_of(&self, name: &str) -> String {
        let found = self
            .cluster
            .sql("SELECT password FROM users WHERE name = $1", &[&name]);
        found[0].get(0)
    }

    pub(super) fn manages_a_user(&self) {
        self.open("/accounts");
        self.browser.click("details:has(#new-name) summary");
        self.browser.fill_in("#new-name", "Bert");
        self.browser.fill_in("#new-password", PASSWORD);
        self.browser.follow("button[value=add_user]");
        self.says(BERT, "Bert");
        self.is_audited("add_user", 1);

        self.with_bert("set_role", || {
            self.choose("role-2", "operator");
            self.browser.fill_in("#plugins-2", "noop");
        });
        let is_limited = "FROM users WHERE name = 'Bert' AND role = 'operator' AND plugins = '{NOOP}'";
        self.holds(is_limited);
        self.is_audited("set_role", 1);
        self.says(BERT, self.words.operator);
        self.says(BERT, "NOOP");
        // The form says what holds: whoever changes nothing in it changes nothing.
        self.with_bert("set_role", || ());
        self.holds(is_limited);

        let before = self.password_of("Bert");
        self.with_bert("set_password", || {
            self.browser.fill_in("#password-2", "noch vier alte Seiten");
        });
        assert_ne!(self.password_of("Bert"), before);
        self.is_audited("set_password", 1);

        self.with_bert("disable", || ());
        self.holds("FROM users WHERE name = 'Bert' AND disabled");
        self.says(BERT, self.words.locked);
        self.is_audited("disable", 1);
        self.with_bert("enable", || ());
        self.holds("FROM users WHERE name = 'Bert' AND NOT disabled");
        self.is_audited("enable", 1);

        self.with_bert("remove_user", || self.browser.click("#sure-2"));
        self.holds_times("FROM users WHERE name = 'Bert'", 0);
        assert_eq!(self.browser.text(BERT), None);
        self.is_audited("remove_user", 1);
    }

    pub(super) fn revokes_a_token(&self) {
        self.open("/accounts");
        self.browser.click("details:has(#token-title) summary");
        self.browser.fill_in("#token-title", "Goobi");
        self.browser.follow("button[value=add_token]");
        assert!(self.browser.text(".secret").is_some(), "the token is shown once");
        self.holds("FROM api_tokens WHERE title = 'Goobi'");
        self.is_audited("add_token", 1);
        self.open("/accounts");
        self.browser.click("tr:has([value=revoke_token]) summary");
        self.browser.follow("button[value=revoke_token]");
        self.says(".said", self.words.account_done);
        self.says("section:has(#tokens-heading)", self.words.no_tokens);
        self.holds_times("FROM api_tokens", 0);
        self.is_audited("revoke_token", 1);
    }

    pub(super) fn minds_her_own_account(&self) {
        self.is_logged_in_elsewhere();
        self.open("/account");
        self.says("main", "Lesesaal");
        self.browser.follow("button[value=end_session]");
        self.holds("FROM sessions");
        assert!(!self.browser.text("main").unwrap().contains("Lesesaal"));
        self.is_audited("log_out", 1);

        self.is_logged_in_elsewhere();
        let before = self.password_of(crate::door::ANNA);
        self.open("/account");
        for (field, typed) in [
            ("#now", PASSWORD),
            ("#new", "ganz neue Seiten"),
            ("#again", "ganz neue Seiten"),
        ] {
            self.browser.fill_in(field, typed);
        }
        self.browser.follow("button[value=change_password]");
        self.says(".said", self.words.password_changed);
        assert_ne!(self.password_of(crate::door::ANNA), before);
        self.holds("FROM sessions");
        self.is_audited("change_own_password", 1);
    }

    fn is_logged_in_elsewhere(&self) {
        self.cluster.sql(
            "INSERT INTO sessions (id, secret, user_name, browser)
             VALUES (gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), 'Anna Bauer', 'Lesesaal')",
            &[],
        );
        self.holds_times("FROM sessions", 2);
    }
}

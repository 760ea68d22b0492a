//! Pages that have no address of their own: what a form answers.

use super::Viewer;
use crate::door::{ANNA, PASSWORD};

/// What the door says to a stranger.
pub(super) fn before(viewer: &mut Viewer<'_>) {
    let browser = viewer.browser;
    viewer.open("/login");
    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", "geraten");
    browser.follow("main form button");
    assert!(browser.text(".alarm").is_some(), "the door lets anybody in");
    viewer.look("login-wrong");
}

/// What forms answer to an administrator.
pub(super) fn inside(viewer: &mut Viewer<'_>) {
    let browser = viewer.browser;

    viewer.open("/?tab=queue");
    for row in 1..=3 {
        browser.click(&format!("#rows tr:nth-child({row}) input[name=job]"));
    }
    browser.run("document.getElementById('bulk-action').value = 'cancel'");
    browser.follow("#bulk button");
    assert!(browser.text("#confirm").is_some(), "several jobs are asked about");
    viewer.look("question-several");

    viewer.open("/?tab=error");
    browser.run("document.getElementById('bulk-action').value = 'hold'");
    browser.follow("#bulk button");
    assert!(browser.text("#confirm").is_none(), "nothing was chosen");
    viewer.look("question-none");

    viewer.open("/?tab=queue");
    browser.follow("#rows button[value=cancel]");
    assert!(browser.text("#confirm").is_some(), "one job is asked about");
    viewer.look("question-row");

    viewer.open("/settings?plugin=NOOP");
    for field in ["#running_max", "#lease_seconds", "#pages_total"] {
        browser.fill_in(field, "viele");
    }
    browser.follow("button[value=configure]");
    assert!(
        browser.text("#lease_seconds-wrong").is_some(),
        "the mistake is marked"
    );
    viewer.look("settings-wrong");

    viewer.open("/accounts");
    browser.click("details:has(#token-title) summary");
    browser.fill_in("#token-title", "Goobi");
    browser.follow("button[value=add_token]");
    assert!(browser.text(".secret").is_some(), "the token is shown");
    viewer.look("accounts-token");

    viewer.open("/account");
    for (field, typed) in [
        ("#now", PASSWORD),
        ("#new", "fünf neue Seiten"),
        ("#again", "andere Seiten"),
    ] {
        browser.fill_in(field, typed);
    }
    browser.follow("button[value=change_password]");
    assert!(browser.text(".said.bad").is_some(), "the passwords differ");
    viewer.look("account-wrong");
}

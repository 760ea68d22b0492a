//! Coming in, in a real browser: from the one-time link of the first start to a token for Goobi.

use tests::browser::Screen;
use tests::{Browser, Cluster};

use crate::door::{ANNA, PASSWORD, printed_link};

fn is_at(browser: &Browser, path: &str) {
    assert_eq!(browser.path(), path);
}

/// Looks at the page that is open: light and dark, on a computer and on a phone.
fn look(browser: &Browser, name: &str) {
    for (screen_name, screen) in [
        ("desktop-light", Screen::DESKTOP),
        ("desktop-dark", Screen::DESKTOP.dark()),
        ("phone-light", Screen::PHONE),
        ("phone-dark", Screen::PHONE.dark()),
    ] {
        browser.use_screen(screen);
        let width = browser
            .run("return document.documentElement.scrollWidth")
            .as_u64();
        assert!(
            width <= Some(screen.width.into()),
            "{name} on {screen_name} is {width:?} pixels wide"
        );
        let barriers = browser.barriers();
        assert!(barriers.is_empty(), "{name} on {screen_name}: {barriers:#?}");
        browser.take_picture(&format!("{name}-{screen_name}"));
    }
    browser.use_screen(Screen::DESKTOP);
}

#[test]
fn the_first_administrator_comes_in_by_the_printed_link_and_lets_others_and_programs_in() {
    let cluster = Cluster::named("login").plugins("NOOP=1").with_login().start();
    let browser = cluster.browser();
    browser.use_screen(Screen::DESKTOP);
    let base = cluster.api().base().to_owned();

    // Whoever just opens the address stands before the door.
    browser.open(&base);
    is_at(&browser, "/login?next=/");
    look(&browser, "login");

    let link = printed_link(&cluster);
    browser.open(&link);
    look(&browser, "setup");
    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", PASSWORD);
    browser.fill_in("#again", PASSWORD);
    browser.follow("main form button");
    is_at(&browser, "/");

    // A colleague, made on the page, tries a wrong password first.
    browser.open(&format!("{base}/accounts"));
    browser.click("details:has(#new-name) summary");
    browser.fill_in("#new-name", "Bert");
    browser.fill_in("#new-password", PASSWORD);
    look(&browser, "accounts-adding");
    browser.follow("button[value=add_user]");
    is_at(&browser, "/accounts?said=done");
    look(&browser, "accounts-two");
    browser.open(&format!("{base}/account"));
    look(&browser, "account");
    browser.follow("#logout button");
    is_at(&browser, "/login");
    browser.fill_in("#name", "bert");
    browser.fill_in("#password", "geraten");
    browser.follow("main form button");
    assert!(browser.text(".alarm").is_some());
    look(&browser, "login-wrong");
    browser.fill_in("#password", PASSWORD);
    browser.follow("main form button");
    is_at(&browser, "/");
    // A viewer sees jobs and no way to change anything.
    assert_eq!(browser.text("nav.system a[href='/accounts']"), None);
    assert!(browser.text("nav.system").unwrap().contains("Bert"));
    browser.follow("#logout button");
    is_at(&browser, "/login");
    // The browser itself notes the refusal of the wrong password.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|text| text.contains("422")),
        "{complaints:#?}"
    );

    // A program with a token submits; without one it is told what to do.
    let refused = cluster.taskmanager(&["list"]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("TASKMANAGER_TOKEN_FILE"),
        "{refused:?}"
    );
    let token = make_token(&cluster, &browser);
    let submitted = cluster
        .taskmanager(&["submit", "--plugin", "NOOP", "--title", "with a token", "--wait"])
        .env("TASKMANAGER_TOKEN", &token)
        .output()
        .unwrap();
    assert!(submitted.status.success(), "{submitted:?}");
    let by = "SELECT count(*) FROM job_history WHERE submitted_by = 'http: token Goobi'";
    assert_eq!(cluster.count(by), 1);
    // It may submit and follow, and nothing else.
    let list = cluster
        .taskmanager(&["list"])
        .env("TASKMANAGER_TOKEN", &token)
        .output()
        .unwrap();
    assert_eq!(list.status.code(), Some(2), "{list:?}");
}

/// A token for Goobi, as an administrator's program makes it: here with the browser's own form.
fn make_token(cluster: &Cluster, browser: &Browser) -> String {
    browser.open(&format!("{}/login?next=/accounts", cluster.api().base()));
    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", PASSWORD);
    browser.follow("main form button");
    is_at(browser, "/accounts");
    browser.click("details:has(#token-title) summary");
    browser.fill_in("#token-title", "Goobi");
    browser.follow("button[value=add_token]");
    let token = browser.text(".secret").expect("the token is shown once");
    browser.take_picture("accounts-token");
    token
}

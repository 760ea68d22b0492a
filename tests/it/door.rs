//! Coming in as the first administrator, for tests that are about something else.

use tests::{Browser, Cluster, LIMIT, eventually};

/// What the first administrator is called.
pub(crate) const ANNA: &str = "Anna Bauer";
/// What everybody's password is at first.
pub(crate) const PASSWORD: &str = "vier alte Seiten";

/// The one-time link that the coordinator prints when there is no user yet.
pub(crate) fn printed_link(cluster: &Cluster) -> String {
    eventually(LIMIT, "the printed link", || {
        let log = cluster.coordinator.log();
        let link = log
            .split_whitespace()
            .find(|word| word.contains("/setup?code="))
            .map(str::to_owned);
        link.ok_or(log)
    })
}

/// Makes the first administrator with the printed link; gives the link, which is used up then.
pub(crate) fn come_in(cluster: &Cluster, browser: &Browser) -> String {
    let link = printed_link(cluster);
    browser.open(&link);
    browser.fill_in("#name", ANNA);
    browser.fill_in("#password", PASSWORD);
    browser.fill_in("#again", PASSWORD);
    browser.follow("main form button");
    assert_eq!(browser.path(), "/");
    link
}

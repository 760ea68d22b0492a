//! Who cancels a job whose outputs are being published is told that it is too late, by API, command line and page.

use super::*;

#[test]
fn who_cancels_after_the_publish_grant_is_told_that_it_is_too_late_and_the_job_is_done() {
    let cluster = start(Cluster::named("too-late"));
    cluster.hold(Failpoint::OutputsBeforeAsking);
    let id = submit(&cluster, "published");
    cluster.wait_until_held(Failpoint::OutputsBeforeAsking);
    // Somebody has opened the page while there was still time, and decides too late.
    let browser = cluster.browser();
    browser.run_no_scripts();
    browser.open(&format!("{}/jobs/{id}", cluster.api().base()));
    browser.click("#cancel summary");

    cluster.hold(Failpoint::GrantBeforeRename);
    cluster.let_go(Failpoint::OutputsBeforeAsking);
    cluster.wait_until_held(Failpoint::GrantBeforeRename);
    let cancel = json!({"action": "cancel"});
    let (status, answer) = cluster.api().act(&format!("/api/v1/jobs/{id}/actions"), &cancel);
    let why = "too late: its outputs are being published";
    assert_eq!((status, &answer["detail"]), (409, &json!(why)), "{answer}");
    let (status, answer) = cluster.api().act(
        "/api/v1/jobs/actions",
        &json!({"jobs": {"jobs": [id]}, "what": cancel}),
    );
    assert_eq!((status, &answer["refused"]), (200, &json!({why: 1})), "{answer}");
    let said = cluster
        .taskmanager(&["cancel", &id.to_string()])
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains(why), "{said}");

    browser.follow("#cancel button");
    assert_eq!(browser.path(), format!("/jobs/{id}?said=too_late"));
    let said = browser.text("#controls .said").unwrap_or_default();
    assert!(
        said.contains("Too late: its outputs are being put in place."),
        "{said}"
    );
    assert_eq!(browser.text("#cancel"), None, "it can still be cancelled");
    let german = cluster.api().get(&format!("/jobs/{id}?said=too_late&lang=de"));
    let german = german.unwrap().body;
    assert!(
        german.contains("Zu spät: Ihre Ausgaben werden gerade abgelegt."),
        "{german}"
    );

    let refused = "SELECT count(*) FROM audit_log WHERE action = 'cancel' AND outcome = 'refused'";
    assert_eq!(cluster.count(refused), 4, "each of them stands in the audit log");
    assert!(!cluster.data().join("published/noop").exists());
    cluster.let_go(Failpoint::GrantBeforeRename);
    ended_once(&cluster, id, "published", &["done"]);
    drop(browser);
}

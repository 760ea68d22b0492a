//! The secrets of callbacks: who gets them, and where they do not stand.

use std::fs;

use serde_json::json;
use tests::receiver::{Manner, Receiver};

use crate::deliveries::{cluster, job, ok, page, wait_for_delivery};

#[test]
fn a_token_goes_to_its_receiver_and_stands_in_clear_nowhere_else() {
    const SECRET: &str = "tm-s3cret-goobi-token";
    // It even says the token back to us.
    let mut receiver = Receiver::answering(Manner::Status(500, format!("wrong token {SECRET}")));
    let keys = tempfile();
    let mut cluster = cluster("callback-token", &[&receiver])
        .coordinator_env("TASKMANAGER_SECRETS_KEY_FILE", &keys)
        .start();
    let mut with_token = job(&receiver, &json!({}));
    with_token["goobiToken"] = SECRET.into();
    let id = cluster.submit(&with_token);
    let waiting = wait_for_delivery(&cluster, id, "was tried", |delivery| {
        delivery.tries > 0 && delivery.last_answer.is_some()
    });
    assert!(waiting.last_answer.unwrap().contains("wrong token (secret)"));
    let requests = receiver.received();
    assert_eq!(requests[0].header("jwt"), Some(SECRET));
    assert_eq!(
        requests[0].header("authorization"),
        Some(format!("Bearer {SECRET}").as_str())
    );
    let sealed = "SELECT token FROM deliveries";
    let token: String = cluster.sql(sealed, &[])[0].get(0);
    assert!(token.starts_with("1.") && !token.contains(SECRET), "{token}");
    let in_clear = "SELECT (SELECT count(*) FROM deliveries d WHERE d::text LIKE '%s3cret-goobi%')
        + (SELECT count(*) FROM job_history h WHERE h::text LIKE '%s3cret-goobi%')
        + (SELECT count(*) FROM audit_log a WHERE a::text LIKE '%s3cret-goobi%')";
    assert_eq!(cluster.count(in_clear), 0);
    let job = cluster.api().get(&format!("/api/v1/jobs/{id}")).unwrap().body;
    assert!(
        job.contains("kept encrypted") && !job.contains(SECRET) && !job.contains(&token),
        "{job}"
    );
    let page = page(&cluster, id, "en");
    assert!(!page.contains(SECRET) && !page.contains(&token));

    receiver.answer(ok());
    wait_for_delivery(&cluster, id, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    assert_eq!(
        cluster.count("SELECT count(*) FROM deliveries WHERE token IS NOT NULL"),
        0
    );
    assert!(cluster.coordinator.log().contains(&id.to_string()));
    assert!(!cluster.coordinator.log().contains(SECRET));
    assert!(!cluster.coordinator.log().contains(&token));
    // The other ways in which it could get out: a restart that finds it, and what is left of the job.
    cluster.coordinator.kill9();
    cluster.coordinator.start_again();
    assert!(
        !cluster
            .api()
            .get(&format!("/api/v1/jobs/{id}"))
            .unwrap()
            .body
            .contains(SECRET)
    );
    fs::remove_file(keys).unwrap();
}

/// A file with a key.
fn tempfile() -> String {
    let path = std::env::temp_dir().join(format!("taskmanager-key-{}", uuid::Uuid::new_v4()));
    fs::write(&path, "0f".repeat(32)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn without_a_key_a_token_is_not_kept_and_the_call_is_made_without_it() {
    let receiver = Receiver::answering(ok());
    let cluster = cluster("callback-no-key", &[&receiver]).start();
    let mut with_token = job(&receiver, &json!({}));
    with_token["token"] = "tm-s3cret".into();
    let id = cluster.submit(&with_token);
    wait_for_delivery(&cluster, id, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    assert_eq!(receiver.received()[0].header("token"), None);
    assert_eq!(
        cluster.api().job(id).unwrap().extra["token"],
        "(secret, not kept)"
    );
    assert!(!cluster.coordinator.log().contains("tm-s3cret"));
}

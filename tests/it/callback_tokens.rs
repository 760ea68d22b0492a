//! The secrets of callbacks: who gets them, and where they do not stand.

use std::fs;

use serde_json::json;
use tests::receiver::{Manner, Receiver};

use crate::deliveries::{cluster, job, ok, page, wait_for_delivery};
use tests::Cluster;

/// What must be seen nowhere.
const SECRET: &str = "tm-s3cret-goobi-token";

#[test]
fn a_token_goes_to_its_receiver_and_stands_in_clear_nowhere_else() {
    // It even says the token back to us.
    let mut receiver = Receiver::answering(Manner::Status(500, format!("wrong token {SECRET}")));
    let keys = tempfile();
    let cluster = cluster("callback-token", &[&receiver])
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
    // One that waits still has its details, and its token, in the tables of unfinished jobs.
    let mut later = with_token.clone();
    later["title"] = "later".into();
    later["idempotency_key"] = "later".into();
    later["start_at"] = "2100-01-01T00:00:00Z".into();
    cluster.submit(&later);
    stands_nowhere_in_the_clear(&cluster);
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
    assert!(!cluster.workers[0].log().contains(SECRET));
    stands_nowhere_in_the_clear(&cluster);
    fs::remove_file(keys).unwrap();
}

/// Looks into every table.
fn stands_nowhere_in_the_clear(cluster: &Cluster) {
    let tables = cluster.sql(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
        &[],
    );
    assert!(tables.len() > 10);
    for table in tables {
        let table: String = table.get(0);
        let rows = format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{SECRET}%'");
        assert_eq!(cluster.count(&rows), 0, "{table}");
    }
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

//! Housekeeping after years, and where a part of it fails.

use super::*;
use crate::testing::TestDatabase;

/// Failed deliveries whose tokens have expired, of jobs that are gone or not.
async fn failed_deliveries(database: &TestDatabase, number: u32, orphaned: bool) {
    database
        .execute(&format!(
            "INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, token,
                                     repeatable, state, settled_at, orphaned)
             SELECT gen_random_uuid(), gen_random_uuid(), 'OCR', 1, 'callback', 'http://goobi', 'goobi', '{{}}', '{{}}',
                    'sealed', true, 'failed', tm_now() - interval '31 days', {orphaned}
             FROM generate_series(1, {number})"
        ))
        .await;
}

const LEFT: &str = "SELECT count(*) || ' ' || count(token) FROM deliveries";

#[tokio::test]
async fn what_has_gathered_is_removed_in_small_transactions() {
    let database = TestDatabase::create().await;
    failed_deliveries(&database, 1_500, false).await;
    let db = database.db();
    assert!(
        db.run(&RemoveExpired(Expired::Tokens)).await.unwrap(),
        "all at once"
    );
    assert_eq!(database.texts(LEFT).await, ["1500 500"]);
    failed_deliveries(&database, 1_500, true).await;
    remove_expired(&db, &CancellationToken::new()).await;
    assert_eq!(
        database.texts(LEFT).await,
        ["1500 0"],
        "who has a job is kept with it"
    );
}

#[tokio::test]
async fn what_can_not_be_removed_stops_nothing_else() {
    let database = TestDatabase::create().await;
    failed_deliveries(&database, 1, true).await;
    database
        .execute("ALTER TABLE idempotency_keys RENAME TO elsewhere; ALTER TABLE workers RENAME TO away")
        .await;
    remove_expired(&database.db(), &CancellationToken::new()).await;
    assert_eq!(database.texts(LEFT).await, ["0 0"]);
}

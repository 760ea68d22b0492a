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
async fn sessions_tokens_tries_and_links_go_when_their_time_is_over() {
    let database = TestDatabase::create().await;
    database
        .execute(
            "INSERT INTO users (name, role, password) VALUES ('anna', 'viewer', '');
             INSERT INTO sessions (id, secret, user_name, browser)
                 VALUES (gen_random_uuid(), 'a', 'anna', ''), (gen_random_uuid(), 'b', 'anna', '');
             UPDATE sessions SET seen_at = tm_now() - interval '13 hours' WHERE secret = 'a';
             INSERT INTO api_tokens (id, secret, title, role, made_by, expires_at)
                 SELECT gen_random_uuid(), day::text::bytea, 't', 'viewer', 'anna', tm_now() - make_interval(days => day)
                 FROM unnest(ARRAY[1, 31]) AS day;
             INSERT INTO login_tries VALUES (1, 9, tm_now()), (2, 9, tm_now() - interval '25 hours');
             INSERT INTO setup_links VALUES ('a', tm_now()), ('b', tm_now() + interval '1 hour')",
        )
        .await;
    remove_expired(&database.db(), &CancellationToken::new()).await;
    let left = "SELECT (SELECT count(*) FROM sessions) || ' ' || (SELECT count(*) FROM api_tokens) || ' '
                    || (SELECT count(*) FROM login_tries) || ' ' || (SELECT count(*) FROM setup_links)";
    assert_eq!(database.texts(left).await, ["1 1 1 1"]);
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

#[tokio::test]
async fn each_kind_of_what_expires_is_understood_by_the_database_and_looked_for_alone() {
    let database = TestDatabase::create().await;
    let db = database.db();
    for kind in Expired::ALL {
        let more = db.run(&RemoveExpired(kind)).await;
        assert!(!more.unwrap(), "{kind:?}");
    }
}

//! Migrations on a database that has been in use since the first release.

mod released;
mod rules;

use crate::db::pages::sample::{Sample, id};
use crate::db::pages::{ListJobs, Tab};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};

use super::*;

/// A dump of a database of the first schema, with data in it.
const FIRST_VERSION: &str = include_str!("first_version.sql");

#[tokio::test]
async fn a_database_of_the_first_version_keeps_its_data_and_works_with_this_one() {
    let database = TestDatabase::empty().await;
    database.execute(FIRST_VERSION).await;
    // As it may be after many moves to the top.
    database.execute("UPDATE jobs SET position = -7").await;
    migrate(database.url()).await.unwrap();
    migrate(database.url()).await.unwrap();
    let jobs = "SELECT title || ' ' || state || ' ' || effective_priority || ' ' || failures FROM jobs ORDER BY title";
    assert_eq!(
        database.texts(jobs).await,
        ["runs PROCESSING 5 0", "waits QUEUED 7 0", "waits too QUEUED 0 0"]
    );
    let places =
        "SELECT count(DISTINCT position) || ' ' || (nextval('job_positions_top') < min(position)) FROM jobs";
    assert_eq!(database.texts(places).await, ["3 true"]);
    // What runs counts against its limit from now on, as if it had been counted from the beginning.
    let counted = "SELECT key || ' ' || running FROM limit_keys";
    assert_eq!(database.texts(counted).await, ["plugin:OCR 1"]);
    // A running attempt keeps the budget that its plugin has at this moment.
    let budgets = "SELECT run_budget_seconds::text FROM attempts WHERE ended_at IS NULL";
    assert_eq!(database.texts(budgets).await, ["86400"]);
    database.execute("DELETE FROM leases").await;
    assert_eq!(database.texts(counted).await, ["plugin:OCR 0"]);
    let kept = "SELECT (SELECT count(*) FROM job_history) || ' ' || (SELECT count(*) FROM items) || ' '
        || (SELECT count(*) FROM job_logs) || ' ' || (SELECT sum(jobs) FROM statistics)";
    assert_eq!(database.texts(kept).await, ["2 2 1 2"]);
    let numbers = "SELECT count(DISTINCT itm_id) || ' of ' || count(*) FROM job_details";
    assert_eq!(database.texts(numbers).await, ["3 of 3"]);
    let list = ListJobs {
        tab: Tab::Queue,
        plugin: None,
        limit: 10,
        after: None,
    };
    let listed = database.db().run(&list).await.unwrap().jobs;
    let titles: Vec<&str> = listed.iter().map(|job| job.title.as_str()).collect();
    assert_eq!(titles, ["runs", "waits", "waits too"]);
}

#[tokio::test]
async fn a_lease_that_names_no_limit_or_only_another_one_counts_against_its_plugins() {
    let database = TestDatabase::create().await;
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .running("OCR", "old", 5)
        .waiting("OCR", "new", 5)
        .waiting("OCR", "other", 5);
    database.execute(&sample.sql()).await;
    let counted = "SELECT key || ' ' || running FROM limit_keys ORDER BY key";
    assert_eq!(database.texts(counted).await, ["plugin:OCR 1"]);
    for (title, keys) in [("new", "{plugin:OCR}"), ("other", "{worker:a}")] {
        let lease = format!(
            "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, limit_keys)
             VALUES ('{}', 1, gen_random_uuid(), 'worker', 60, tm_now(), '{keys}')",
            id(title)
        );
        database.execute(&lease).await;
    }
    assert_eq!(database.texts(counted).await, ["plugin:OCR 3", "worker:a 1"]);
    database.execute("DELETE FROM leases").await;
    assert_eq!(database.texts(counted).await, ["plugin:OCR 0", "worker:a 0"]);
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_refused() {
    let database = TestDatabase::create().await;
    database
        .execute("INSERT INTO refinery_schema_history VALUES (9999, 'from_the_future', '2030-01-01T00:00:00Z', '1')")
        .await;
    let error = migrate(database.url()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Schema(_)), "{error}");
    assert!(!error.is_transient(), "it would be tried for ever");
}

#[tokio::test]
async fn a_migration_does_not_wait_for_ever_for_who_works_with_the_database_and_is_tried_again() {
    let database = TestDatabase::empty().await;
    database.execute(FIRST_VERSION).await;
    let works = Statements(
        "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE jobs IN ROW EXCLUSIVE MODE",
    );
    let works = Meets::new(&works, "");
    let db = database.db();
    let meanwhile = async {
        works.reached.notified().await;
        let limit = std::time::Duration::from_secs(25);
        let tried = tokio::time::timeout(limit, migrate(database.url())).await;
        works.go_on.notify_one();
        tried
    };
    let (worked, tried) = tokio::join!(db.run(&works), meanwhile);
    worked.unwrap();
    let error = tried.expect("it waits for ever").unwrap_err();
    assert!(error.is_transient(), "{}", shared::error::Chain(&error));
    migrate(database.url()).await.unwrap();
}

#[tokio::test]
async fn a_migration_that_lost_a_race_or_its_connection_is_tried_again_and_one_that_is_wrong_is_not() {
    let database = TestDatabase::empty().await;
    for (what, transient) in [
        ("RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'", true),
        ("RAISE EXCEPTION 'lock timeout' USING ERRCODE = '55P03'", true),
        ("RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'", true),
        ("PERFORM pg_terminate_backend(pg_backend_pid())", true),
        ("RAISE EXCEPTION 'no such table' USING ERRCODE = '42P01'", false),
    ] {
        let trigger = format!(
            "CREATE FUNCTION fails() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {what}; END $$;
             CREATE EVENT TRIGGER fails ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION fails()"
        );
        database.execute(&trigger).await;
        let error = migrate(database.url()).await.unwrap_err();
        assert_eq!(
            error.is_transient(),
            transient,
            "{what}: {}",
            shared::error::Chain(&error)
        );
        database
            .execute("DROP EVENT TRIGGER fails; DROP FUNCTION fails()")
            .await;
    }
    migrate(database.url()).await.unwrap();
}

/// When a server falls silent that has taken a connection.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Silent {
    /// At once: it hangs, or what is sent gets lost.
    FromTheBeginning,
    /// Once the session stands.
    AfterItsGreeting,
}

/// Takes a connection as PostgreSQL does, and says nothing more.
async fn fall_silent(listener: &tokio::net::TcpListener, when: Silent) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.read_buf(&mut Vec::with_capacity(1024)).await.unwrap();
    if when == Silent::AfterItsGreeting {
        // AuthenticationOk and ReadyForQuery, as version 3.0 of the protocol has them.
        stream
            .write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
            .await
            .unwrap();
    }
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_database_that_falls_silent_while_a_coordinator_starts_is_asked_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://silent@{}/silent", listener.local_addr().unwrap());
    for when in [Silent::FromTheBeginning, Silent::AfterItsGreeting] {
        let asked = timeout(
            Duration::from_mins(1),
            migrate_within(&url, Duration::from_millis(100)),
        );
        let answer = tokio::select! {
            answer = asked => answer.unwrap_or_else(|_| panic!("it waits for ever: {when:?}")).unwrap_err(),
            () = fall_silent(&listener, when) => unreachable!("it never ends"),
        };
        assert!(matches!(answer, MigrateError::NoAnswer), "{when:?}: {answer}");
        assert!(answer.is_transient());
    }
}

#[tokio::test]
async fn where_nothing_is_to_be_migrated_a_lock_that_a_dead_session_keeps_is_not_waited_for() {
    let database = TestDatabase::create().await;
    let (client, connection) = connect(&session_config(database.url()).unwrap()).await.unwrap();
    let work = async {
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK_KEY])
            .await
            .unwrap();
        let migrated = timeout(Duration::from_mins(1), migrate(database.url())).await;
        migrated
            .expect("it waits for a lock that it does not need")
            .unwrap();
    };
    tokio::select! {
        () = work => {}
        _ = connection => unreachable!("the connection lives as long as its client"),
    }
}

#[tokio::test]
async fn a_coordinator_that_is_gone_while_it_migrates_leaves_the_lock_to_the_others() {
    let database = TestDatabase::create().await;
    let gone = migrating_session(database.url(), Duration::from_millis(50)).unwrap();
    let (client, connection) = connect(&gone).await.unwrap();
    // The server ends the session, and so the connection.
    let takes_the_lock_and_says_no_more = async {
        client
            .execute("SELECT pg_advisory_lock($1)", &[&LOCK_KEY])
            .await
            .unwrap();
        std::future::pending::<()>().await;
    };
    let ended = async {
        tokio::select! {
            () = takes_the_lock_and_says_no_more => unreachable!("it never ends"),
            ended = connection => ended,
        }
    };
    let ended = timeout(Duration::from_mins(1), ended).await;
    let error = ended.expect("it keeps the lock for ever").unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::IDLE_SESSION_TIMEOUT), "{error}");
    let free = format!("SELECT pg_try_advisory_lock({LOCK_KEY})::text");
    assert_eq!(database.texts(&free).await, ["true"]);
}

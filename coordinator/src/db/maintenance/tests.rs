//! Partitions of the coming months, made however long nobody has made any.

use shared::job::ClaimId;
use shared::message::reply::ClaimReply;
use shared::message::worker::Claim;

use super::EnsurePartitions;
use crate::control::{Actor, JobAction};
use crate::db::Db;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::control::ActOnJobs;
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};
use crate::worker_users::WorkerUsers;

/// A database with waiting jobs, each with a log line.
async fn database(titles: &[&str]) -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    for title in titles {
        sample.waiting("OCR", title, 5).log(title, 1, 1);
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

/// A job ends, as jobs do.
async fn end(db: &Db, title: &str) {
    let cancel = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id(title)],
        action: &JobAction::Cancel,
    };
    db.run(&cancel).await.unwrap();
}

/// How much of history and log lies in which partition.
const ROWS: &str = "
    WITH lies AS (SELECT tableoid::regclass::text AS partition FROM job_history
                  UNION ALL SELECT tableoid::regclass::text FROM job_logs)
    SELECT CASE partition
        WHEN 'job_history' || to_char(tm_now() AT TIME ZONE 'UTC', '_YYYY_MM') THEN 'history, this month'
        WHEN 'job_logs' || to_char(tm_now() AT TIME ZONE 'UTC', '_YYYY_MM') THEN 'logs, this month'
        ELSE partition END || ': ' || count(*)
    FROM lies GROUP BY partition ORDER BY 1";

/// How many of this month's and the next two months' partitions there are.
const AHEAD: &str = "
    SELECT count(*)::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    CROSS JOIN generate_series(0, 2) AS ahead
    WHERE right(relname, 8)
        = to_char(tm_now() AT TIME ZONE 'UTC' + make_interval(months => ahead), '_YYYY_MM')
        AND inhparent IN ('job_history'::regclass, 'job_logs'::regclass)";

#[tokio::test]
async fn what_has_ended_before_its_month_was_made_ahead_is_moved_there_and_nothing_is_lost() {
    let (database, db) = database(&["first", "second", "third"]).await;
    let numbers = "SELECT itm_id::text FROM job_details ORDER BY 1";
    let numbers = database.texts(numbers).await;
    end(&db, "first").await;
    database
        .execute("UPDATE job_logs SET job_submitted_at = job_submitted_at + interval '100 days'")
        .await;
    database.advance("100 days").await;
    end(&db, "second").await;
    assert_eq!(
        database.texts(AHEAD).await,
        ["0"],
        "the clock is too far ahead for this test"
    );
    let sums = "SELECT sum(jobs) || ' ' || count(*) FROM history_sums";
    let before = database.texts(sums).await;
    db.run(&EnsurePartitions).await.unwrap();
    assert_eq!(database.texts(AHEAD).await, ["6"]);
    // Jobs of the month that has just been made end there, however often it is looked after.
    end(&db, "third").await;
    db.run(&EnsurePartitions).await.unwrap();
    let lies = database.texts(ROWS).await;
    assert_eq!(lies[0], "history, this month: 2", "{lies:?}");
    assert_eq!(lies.last().unwrap(), "logs, this month: 3", "{lies:?}");
    assert_eq!(lies.len(), 3, "of the first job, in its own month: {lies:?}");
    let kept = "SELECT itm_id::text FROM job_history ORDER BY 1";
    assert_eq!(database.texts(kept).await, numbers);
    assert_eq!(before, ["2 2"]);
    assert_eq!(
        database.texts(sums).await,
        ["3 3"],
        "what is moved does not come or go"
    );
    let same = "SELECT count(*)::text FROM pg_index JOIN pg_inherits ON inhrelid = indrelid
        WHERE inhparent = 'job_history'::regclass GROUP BY indrelid";
    let indexes = database.texts(same).await;
    assert!(indexes.iter().all(|number| *number == indexes[0]), "{indexes:?}");
}

#[tokio::test]
async fn a_month_of_which_too_much_lies_in_default_stays_there_and_keeps_no_other_from_being_made() {
    let (database, db) = database(&["first"]).await;
    database.advance("100 days").await;
    end(&db, "first").await;
    database
        .execute(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, finished_at,
                 items_done, items_failed, items_total, bytes, summary, parameters, extra, submitted_by)
             SELECT gen_random_uuid(), plugin, title, state, priority, attempt, submitted_at, finished_at, items_done,
                 items_failed, items_total, bytes, summary, parameters, extra, submitted_by
             FROM job_history, generate_series(1, 10000)",
        )
        .await;
    db.run(&EnsurePartitions).await.unwrap();
    assert_eq!(database.texts(AHEAD).await, ["5"]);
    let lies = "SELECT tableoid::regclass || ' ' || count(*) FROM job_history GROUP BY tableoid";
    assert_eq!(database.texts(lies).await, ["job_history_default 10001"]);
    database
        .execute("DELETE FROM job_history WHERE itm_id IS NOT NULL")
        .await;
    db.run(&EnsurePartitions).await.unwrap();
    assert_eq!(database.texts(AHEAD).await, ["6"]);
    let left = "SELECT count(*)::text FROM job_history_default";
    assert_eq!(database.texts(left).await, ["0"]);
}

#[tokio::test]
async fn a_month_is_made_ahead_at_another_time_where_somebody_reads_and_keeps_no_job_from_starting() {
    let (database, db) = database(&["starts"]).await;
    database.advance("31 days").await;
    let reads = Statements("SELECT count(*) FROM job_history");
    let reads = Meets::new(&reads, "SELECT count(*) FROM job_history");
    let meanwhile = async {
        reads.reached.notified().await;
        // Whatever limit the session has.
        let ahead = Statements("SET LOCAL lock_timeout = 0; SELECT ensure_partitions()");
        let made = db.run(&ahead).await;
        reads.go_on.notify_one();
        made
    };
    let (read, made) = tokio::join!(db.run(&reads), meanwhile);
    read.unwrap();
    assert!(made.unwrap_err().is_lock_timeout());
    let makes = Meets::new(&EnsurePartitions, "");
    let claims = [WorkerClaim {
        amqp_user: "user".to_owned(),
        worker_id: "worker".to_owned(),
        claim: Claim {
            job_id: id("starts"),
            dispatch: 1,
            claim_id: ClaimId::generate(),
        },
    }];
    let claims = GrantClaims {
        claims: &claims,
        users: &WorkerUsers::default(),
    };
    let meanwhile = async {
        makes.reached.notified().await;
        let granted = db.run(&claims).await;
        makes.go_on.notify_one();
        granted
    };
    let (made, granted) = tokio::join!(db.run(&makes), meanwhile);
    made.unwrap();
    assert!(matches!(granted.unwrap()[..], [ClaimReply::Granted(_)]));
    assert_eq!(database.texts(AHEAD).await, ["6"]);
}

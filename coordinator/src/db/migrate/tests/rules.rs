//! Rows that the states of jobs forbid: the database itself refuses each of them.

use crate::db::Error;
use crate::db::pages::sample::Sample;
use crate::testing::TestDatabase;
use crate::testing::meeting::Statements;

/// Each rule by the name of its constraint, and a change that breaks it alone. `waits` waits, `runs` runs, `done` and
/// `failed` have ended.
const RULES: [(&str, &str); 25] = [
    (
        "jobs_pkey",
        "INSERT INTO jobs (id, plugin, title, state, priority)
        SELECT id, plugin, title, state, priority FROM jobs WHERE title = 'waits'",
    ),
    (
        "jobs_plugin_fkey",
        "UPDATE jobs SET plugin = 'MAGIC' WHERE title = 'waits'",
    ),
    // What has ended is in history alone.
    (
        "jobs_state_unfinished",
        "UPDATE jobs SET state = 'DONE' WHERE title = 'runs'",
    ),
    (
        "claimed_iff_running",
        "UPDATE jobs SET state = 'STARTED' WHERE title = 'waits'",
    ),
    (
        "claim_is_whole",
        "UPDATE jobs SET claim_attempt = 1 WHERE title = 'waits'",
    ),
    (
        "claim_is_whole",
        "UPDATE jobs SET claim_attempt = NULL WHERE title = 'runs'",
    ),
    (
        "run_at_iff_scheduled",
        "UPDATE jobs SET state = 'SCHEDULED' WHERE title = 'waits'",
    ),
    (
        "run_at_iff_scheduled",
        "UPDATE jobs SET run_at = tm_now() WHERE title = 'waits'",
    ),
    (
        "published_not_ahead",
        "UPDATE jobs SET published_dispatch = dispatch + 1",
    ),
    ("jobs_priority_check", "UPDATE jobs SET priority = 11"),
    ("jobs_age_bonus_check", "UPDATE jobs SET age_bonus = -1"),
    // One attempt of a job runs at a time, and only while the job has not ended.
    (
        "leases_pkey",
        "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end)
        SELECT job_id, 2, gen_random_uuid(), 'other', 60, tm_now() FROM leases",
    ),
    (
        "leases_job_id_fkey",
        "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end)
        SELECT id, 1, gen_random_uuid(), 'worker', 60, tm_now() FROM job_history WHERE title = 'done'",
    ),
    (
        "transfer_has_its_time",
        "UPDATE leases SET transfer = 'transfers:/data'",
    ),
    // A claim begins once.
    ("attempts_pkey", "INSERT INTO attempts SELECT * FROM attempts"),
    (
        "attempts_outcome_known",
        "UPDATE attempts SET outcome = 'maybe', ended_at = tm_now()",
    ),
    ("outcome_iff_ended", "UPDATE attempts SET outcome = 'done'"),
    ("outcome_iff_ended", "UPDATE attempts SET ended_at = tm_now()"),
    (
        "attempts_error_class_check",
        "UPDATE attempts SET error_class = 'odd'",
    ),
    (
        "attempts_run_budget_seconds_check",
        "UPDATE attempts SET run_budget_seconds = 0",
    ),
    (
        "job_history_state_final",
        "UPDATE job_history SET state = 'QUEUED' WHERE title = 'done'",
    ),
    (
        "error_iff_error_state",
        "UPDATE job_history SET error = 'why' WHERE title = 'done'",
    ),
    (
        "error_iff_error_state",
        "UPDATE job_history SET error = NULL WHERE title = 'failed'",
    ),
    (
        "job_history_pkey",
        "INSERT INTO job_history SELECT * FROM job_history WHERE title = 'done'",
    ),
    (
        "job_history_callback_when_check",
        "UPDATE job_history SET callback_when = 'never'",
    ),
];

#[tokio::test]
async fn each_rule_of_the_states_is_the_databases_own_and_none_is_without_its_test() {
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "waits", 5)
        .running("OCR", "runs", 5)
        .ended("OCR", "done", "DONE", 1)
        .ended("OCR", "failed", "ERROR", 1);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    // In a partition whose name does not change from month to month.
    database
        .execute("UPDATE job_history SET finished_at = '2000-01-01 00:00Z'")
        .await;
    let db = database.db();
    let mut rules: Vec<&str> = Vec::new();
    for (rule, change) in RULES {
        let refused = db.run(&Statements(change)).await;
        let Err(Error::Driver(error)) = refused else {
            panic!("{change}: {refused:?}");
        };
        let by = error.as_db_error().and_then(|error| error.constraint());
        let by = by.map(|name| name.replace("job_history_default_", "job_history_"));
        assert_eq!(by.as_deref(), Some(rule), "{change}: {error:?}");
        rules.push(rule);
    }
    rules.sort_unstable();
    rules.dedup();
    let all = "SELECT conname::text FROM pg_constraint WHERE conrelid = ANY (
            ARRAY['jobs', 'leases', 'attempts', 'job_history']::regclass[])
            AND contype <> 'n' ORDER BY conname COLLATE \"C\"";
    assert_eq!(
        database.texts(all).await,
        rules,
        "a rule that no change above breaks, or none any more"
    );
}

//! What heartbeats tell of item stores, recorded as far as that holds nobody up.
//!
//! Invariant: for what is told of item stores nobody waits for others' locks on them, which these may hold for seconds
//! (bulk retries and deletes). What could not be recorded is told again: found stores by the worker, which is asked to,
//! and removed ones by whoever is handed them next, as they stay listed.

use std::time::{Duration, Instant};

use shared::message::reply::UselessStore;
use shared::message::worker::{Heartbeat, StoreRemoval, StoresFound};

use crate::db::stores::{HandOut, Heard, NoteListing, RecordFound, RecordRemovals};
use crate::db::{self, Db};

/// After this long no other portion of a batch is looked at: the whole batch waits for its answers.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a worker is answered about a portion of stores that it has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Of these there is nothing but an entry that nobody needs.
    pub(super) forget: Vec<UselessStore>,
    /// It was not recorded.
    pub(super) tell_again: bool,
}

/// Decides about item stores that these workers have found; one answer a heartbeat.
pub(super) async fn found(
    db: &Db,
    heartbeats: &[Heartbeat],
    users: &[&str],
) -> Result<Vec<Found>, db::Error> {
    let (begun, mut is_held_up) = (Instant::now(), false);
    let mut answers = Vec::with_capacity(heartbeats.len());
    for (heartbeat, user) in heartbeats.iter().zip(users) {
        let mut answer = Found::default();
        if let Some(portion) = &heartbeat.stores {
            let recorded = if is_held_up || begun.elapsed() > PATIENCE {
                None
            } else {
                record(db, heard(heartbeat, user), portion).await?
            };
            is_held_up = recorded.is_none();
            answer.tell_again = recorded.is_none();
            answer.forget = recorded.unwrap_or_default();
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// Records one portion; `None` when others hold what it is about.
async fn record(
    db: &Db,
    heard: Heard<'_>,
    portion: &StoresFound,
) -> Result<Option<Vec<UselessStore>>, db::Error> {
    let forget = match db.run(&RecordFound { heard, portion }).await {
        Err(error) if error.is_lock_timeout() => {
            tracing::debug!(
                worker.id = heard.worker_id,
                "found item stores are recorded later: others work with them"
            );
            return Ok(None);
        }
        other => other?,
    };
    if portion.last {
        db.run(&NoteListing { heard, portion }).await?;
    }
    Ok(Some(forget))
}

/// Records what became of item stores that these workers were told to remove, and, where stores are due, finds what each
/// of them may remove now.
pub(super) async fn useless(
    db: &Db,
    heartbeats: &[Heartbeat],
    users: &[&str],
    are_due: bool,
) -> Result<Vec<Vec<UselessStore>>, db::Error> {
    let workers = heartbeats.iter().zip(users);
    let workers: Vec<Heard<'_>> = workers.map(|(heartbeat, user)| heard(heartbeat, user)).collect();
    let removals: Vec<(Heard<'_>, &StoreRemoval)> = workers
        .iter()
        .zip(heartbeats)
        .flat_map(|(heard, heartbeat)| heartbeat.removals.iter().map(|said| (*heard, said)))
        .collect();
    if !removals.is_empty() {
        db.run(&RecordRemovals { removals: &removals }).await?;
    }
    if are_due {
        db.run(&HandOut { workers: &workers }).await
    } else {
        Ok(Vec::new())
    }
}

fn heard<'a>(heartbeat: &'a Heartbeat, amqp_user: &'a str) -> Heard<'a> {
    Heard {
        worker_id: &heartbeat.worker_id,
        amqp_user,
    }
}

#[cfg(test)]
mod tests {
    use shared::job::JobId;
    use shared::message::worker::FoundStore;

    use super::*;
    use crate::db::pages::sample::{Sample, id};
    use crate::testing::TestDatabase;
    use crate::testing::meeting::{Meets, Statements};

    fn heartbeat(worker: &str, found: Option<JobId>, removed: Option<JobId>) -> Heartbeat {
        let store = |store| FoundStore {
            store,
            target: "/data/27".to_owned(),
            there: true,
        };
        let removal = |store| StoreRemoval { store, error: None };
        Heartbeat {
            worker_id: worker.to_owned(),
            rss_bytes: 0,
            draining: false,
            attempts: Vec::new(),
            removals: removed.into_iter().map(removal).collect(),
            stores: found.map(|found| StoresFound {
                request: 1,
                found: vec![store(found)],
                last: true,
                problems: Vec::new(),
            }),
        }
    }

    #[tokio::test]
    async fn who_tells_of_stores_waits_for_nobody_who_works_with_them_and_tells_again() {
        let mut sample = Sample::default();
        sample
            .plugin("OCR")
            .worker("one", "OCR", 2, 0, false)
            .worker("two", "OCR", 2, 0, false)
            .ended("OCR", "done", "CANCELLED", 2);
        let database = TestDatabase::create().await;
        database.execute(&sample.sql()).await;
        let listed = format!(
            "INSERT INTO stores_to_remove (store_id, plugin, target, asked) VALUES ('{}', 'OCR', '/data/28', 'two')",
            id("removed")
        );
        database.execute(&listed).await;
        let db = database.db();
        let heartbeats = [
            heartbeat("one", Some(id("done")), None),
            heartbeat("two", None, Some(id("removed"))),
        ];
        let users = ["user", "user"];
        // A bulk delete is under way.
        let lock =
            Statements("SELECT 1 FROM job_history FOR UPDATE; SELECT 1 FROM stores_to_remove FOR UPDATE");
        let held = Meets::new(&lock, "");
        let tell = async {
            held.reached.notified().await;
            let found = found(&db, &heartbeats, &users).await;
            let useless = useless(&db, &heartbeats, &users, false).await;
            held.go_on.notify_one();
            (found.unwrap(), useless.unwrap())
        };
        let (ended, (answers, _)) = tokio::join!(db.run(&held), tell);
        ended.unwrap();
        assert_eq!(
            answers.iter().map(|answer| answer.tell_again).collect::<Vec<_>>(),
            [true, false]
        );
        let recorded = "SELECT (SELECT count(*) FROM stores_to_remove) || ' '
            || (SELECT count(*) FROM stores_to_remove WHERE removed_at IS NOT NULL) || ' '
            || (SELECT count(*) FROM workers WHERE stores_listed_at IS NOT NULL)";
        assert_eq!(
            database.texts(recorded).await,
            ["1 0 0"],
            "the listing counts as told"
        );
        // They tell again.
        assert!(
            found(&db, &heartbeats, &users)
                .await
                .unwrap()
                .iter()
                .all(|answer| !answer.tell_again)
        );
        useless(&db, &heartbeats, &users, false).await.unwrap();
        assert_eq!(database.texts(recorded).await, ["2 1 1"]);
    }

    #[tokio::test]
    async fn a_found_store_waits_a_tenth_of_a_second_for_others_at_most() {
        let database = TestDatabase::create().await;
        let db = database.db();
        let told = heartbeat("one", Some(id("done")), None);
        let heard = heard(&told, "user");
        // Fails unless it is so.
        let is_bounded = "SELECT 1 / (current_setting('lock_timeout') = '100ms')::int";
        let portion = told.stores.as_ref().unwrap();
        let found = RecordFound { heard, portion };
        let found = Meets::new(&found, is_bounded);
        found.go_on.notify_one();
        db.run(&found).await.unwrap();
    }
}

//! Two transactions that meet: one holds what it has locked until the other has run into it.

use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio::sync::Notify;

use super::TestDatabase;
use crate::db::{Db, Error, Transact};

/// Longest wait for a transaction to run into a lock.
const LIMIT: Duration = Duration::from_secs(20);

/// A transaction that does one thing, lets others run, and does another one.
pub(crate) struct Meets<'a, T> {
    first: &'a T,
    then: &'a str,
    /// The first thing is done.
    pub(crate) reached: Notify,
    /// The other thing may be done.
    pub(crate) go_on: Notify,
}

impl<'a, T> Meets<'a, T> {
    pub(crate) fn new(first: &'a T, then: &'a str) -> Self {
        Self {
            first,
            then,
            reached: Notify::new(),
            go_on: Notify::new(),
        }
    }
}

impl<T: Transact> Transact for Meets<'_, T> {
    const NAME: &'static str = "test.meets";
    type Output = T::Output;

    async fn run(&self, tx: &Transaction<'_>) -> Result<T::Output, Error> {
        let output = self.first.run(tx).await?;
        self.reached.notify_one();
        self.go_on.notified().await;
        tx.batch_execute(self.then).await?;
        Ok(output)
    }
}

/// Statements as a transaction.
pub(crate) struct Statements<'a>(pub(crate) &'a str);

impl Transact for Statements<'_> {
    const NAME: &'static str = "test.statements";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        Ok(tx.batch_execute(self.0).await?)
    }
}

/// Runs `other` into the locks that `meets` has; gives what both have come to.
pub(crate) async fn meet<A: Transact, B: Transact>(
    database: &TestDatabase,
    db: &Db,
    meets: &Meets<'_, A>,
    other: &B,
) -> (A::Output, B::Output) {
    let second = async {
        meets.reached.notified().await;
        db.run(other).await
    };
    let waits = async {
        while database
            .texts("SELECT 1::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            .await
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        meets.go_on.notify_one();
    };
    let waits = async {
        let waited = tokio::time::timeout(LIMIT, waits).await;
        waited.expect("the other transaction never ran into the lock");
    };
    let (first, second, ()) = tokio::join!(db.run(meets), second, waits);
    (first.unwrap(), second.unwrap())
}

//! The coordinators: which processes there are, and what they were told, so that `doctor` finds those that differ.

use std::collections::BTreeMap;

use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{Error, Transact, Transaction};

/// A coordinator that has said nothing for so long, seconds, is taken for dead.
pub const SILENT_SECONDS: f64 = 60.0;
/// For how long a dead one's row is kept, seconds.
const KEPT_SECONDS: f64 = 86_400.0;

/// A coordinator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coordinator {
    /// Its process.
    pub id: Uuid,
    /// The host that it runs on.
    pub host: String,
    /// Its release.
    pub version: String,
    /// Connections that it may have to the database.
    pub connections: i32,
    /// Its settings, as far as they have to be the same at all: option → hash of its value.
    pub settings: BTreeMap<String, String>,
}

/// Notes that a coordinator lives.
#[derive(Debug)]
pub struct Appear<'a>(pub &'a Coordinator);

impl Transact for Appear<'_> {
    const NAME: &'static str = "coordinators.appear";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let Coordinator {
            id,
            host,
            version,
            connections,
            settings,
        } = self.0;
        let appear = tx
            .prepare_cached(
                "-- coordinators.appear
                 INSERT INTO coordinators (id, host, version, connections, settings, seen_at)
                 VALUES ($1, $2, $3, $4, $5, tm_now())
                 ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at",
            )
            .await?;
        tx.execute(&appear, &[id, host, version, connections, &Json(settings)])
            .await?;
        let forget = tx
            .prepare_cached(
                "-- coordinators.forget
                 DELETE FROM coordinators WHERE id IN (
                     SELECT id FROM coordinators WHERE seen_at < tm_now() - make_interval(secs => $1)
                     FOR UPDATE SKIP LOCKED)",
            )
            .await?;
        tx.execute(&forget, &[&KEPT_SECONDS]).await?;
        Ok(())
    }
}

/// Notes that a coordinator ends.
#[derive(Debug)]
pub struct Disappear(pub Uuid);

impl Transact for Disappear {
    const NAME: &'static str = "coordinators.disappear";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let disappear = tx
            .prepare_cached("-- coordinators.disappear\nDELETE FROM coordinators WHERE id = $1")
            .await?;
        tx.execute(&disappear, &[&self.0]).await?;
        Ok(())
    }
}

/// Reads those that live, by host.
#[derive(Debug)]
pub struct ReadCoordinators;

impl Transact for ReadCoordinators {
    const NAME: &'static str = "coordinators.read";
    type Output = Vec<Coordinator>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<Coordinator>, Error> {
        let read = tx
            .prepare_cached(
                "-- coordinators.read
                 SELECT id, host, version, connections, settings FROM coordinators
                 WHERE seen_at > tm_now() - make_interval(secs => $1) ORDER BY host, id",
            )
            .await?;
        let rows = tx.query(&read, &[&SILENT_SECONDS]).await?;
        rows.iter()
            .map(|row| {
                // What another release has written and this one can't read is nothing to compare.
                let settings: serde_json::Value = row.try_get("settings")?;
                Ok(Coordinator {
                    id: row.try_get("id")?,
                    host: row.try_get("host")?,
                    version: row.try_get("version")?,
                    connections: row.try_get("connections")?,
                    settings: serde_json::from_value(settings).unwrap_or_default(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDatabase;

    fn coordinator(number: u128) -> Coordinator {
        Coordinator {
            id: Uuid::from_u128(number),
            host: "jobs-1".to_owned(),
            version: "0.1.0".to_owned(),
            connections: 18,
            settings: BTreeMap::from([("--root".to_owned(), "5f2c".to_owned())]),
        }
    }

    #[tokio::test]
    async fn coordinators_that_live_are_known_and_those_that_are_gone_are_forgotten() {
        let database = TestDatabase::create().await;
        let db = database.db();
        database.stop_clock("2100-01-01 00:00Z").await;
        for number in [1, 2] {
            db.run(&Appear(&coordinator(number))).await.unwrap();
        }
        assert_eq!(
            db.run(&ReadCoordinators).await.unwrap(),
            [coordinator(1), coordinator(2)]
        );
        database.stop_clock("2100-01-01 00:01Z").await;
        db.run(&Appear(&coordinator(2))).await.unwrap();
        assert_eq!(
            db.run(&ReadCoordinators).await.unwrap(),
            [coordinator(2)],
            "the other one is silent"
        );
        db.run(&Disappear(Uuid::from_u128(2))).await.unwrap();
        assert_eq!(db.run(&ReadCoordinators).await.unwrap(), []);
        database.stop_clock("2100-01-02 00:02Z").await;
        db.run(&Appear(&coordinator(3))).await.unwrap();
        database.stop_clock("2100-01-01 00:00Z").await;
        assert_eq!(
            db.run(&ReadCoordinators).await.unwrap(),
            [coordinator(3)],
            "one that was silent for a day has no row"
        );
    }
}

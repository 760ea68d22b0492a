//! Taking deliveries whose time has come, each by one coordinator.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use serde_json::{Map, Value};
use shared::job::JobId;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::by_hand::BY_HAND;
use crate::db::{Error, Transact};
use crate::deliveries::{Delivery, KINDS};

/// Takes due deliveries for as long as a lease lasts.
#[derive(Debug)]
pub struct Take<'a> {
    /// Most of them.
    pub limit: i64,
    /// Most that may be under way to one host, from this coordinator.
    pub limit_per_host: i32,
    /// How many are under way already, by host.
    pub under_way: &'a HashMap<String, i32>,
    /// How long they are nobody else's, seconds: longer than a try can take.
    pub lease_seconds: f64,
}

impl Transact for Take<'_> {
    const NAME: &'static str = "deliveries.take";
    type Output = Vec<Delivery>;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Vec<Delivery>, Error> {
        // Whoever took these has died between sending and recording: what must not be repeated is not.
        let unclear = tx
            .prepare_cached(
                "-- deliveries.unclear
                 UPDATE deliveries SET state = 'unclear', settled_at = tm_now(), lease_id = NULL, lease_end = NULL,
                     last_answer = 'the coordinator that sent it ended before it could record the answer'
                 WHERE id IN (
                     SELECT id FROM deliveries
                     WHERE state = 'pending' AND NOT repeatable AND lease_end <= tm_now()
                     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)",
            )
            .await?;
        tx.execute(&unclear, &[&self.limit]).await?;
        let take = tx
            .prepare_cached(
                "-- deliveries.take
                 WITH hosts AS (
                     SELECT DISTINCT host FROM deliveries WHERE state = 'pending' AND next_try_at <= tm_now()
                 ), due AS (
                     SELECT first.id FROM hosts
                     LEFT JOIN unnest($1::text[], $2::int[]) AS busy(host, number) USING (host)
                     CROSS JOIN LATERAL (
                         SELECT id FROM deliveries d
                         WHERE d.state = 'pending' AND d.host = hosts.host AND d.next_try_at <= tm_now()
                             AND (d.lease_end IS NULL OR d.repeatable AND d.lease_end <= tm_now())
                             AND d.kind = ANY($3)
                             AND NOT EXISTS (
                                 SELECT 1 FROM deliveries earlier
                                 WHERE earlier.job_id = d.job_id AND earlier.number < d.number
                                     AND earlier.state = 'pending'
                                     AND (earlier.number > $7) = (d.number > $7))
                         ORDER BY d.next_try_at, d.id
                         LIMIT greatest($4 - coalesce(busy.number, 0), 0) FOR UPDATE SKIP LOCKED) AS first
                     LIMIT $5
                 )
                 UPDATE deliveries SET
                     lease_id = gen_random_uuid(), lease_end = tm_now() + make_interval(secs => $6),
                     tries = tries + 1, last_try_at = tm_now()
                 FROM due WHERE deliveries.id = due.id
                 RETURNING deliveries.id, job_id, kind, target, host, headers, payload, token, repeatable, tries,
                     extract(epoch FROM tm_now() - trying_since)::float8 AS trying_seconds, lease_id",
            )
            .await?;
        let (hosts, numbers): (Vec<&str>, Vec<i32>) = self
            .under_way
            .iter()
            .map(|(host, number)| (host.as_str(), *number))
            .unzip();
        let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
        let rows = tx
            .query(
                &take,
                &[
                    &hosts,
                    &numbers,
                    &kinds,
                    &self.limit_per_host,
                    &self.limit,
                    &self.lease_seconds,
                    &BY_HAND,
                ],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Delivery {
                    id: row.try_get("id")?,
                    job_id: JobId(row.try_get::<_, Uuid>("job_id")?),
                    kind: row.try_get("kind")?,
                    target: row.try_get("target")?,
                    host: row.try_get("host")?,
                    headers: row.try_get::<_, Json<Map<String, Value>>>("headers")?.0,
                    payload: row.try_get("payload")?,
                    token: row.try_get("token")?,
                    repeatable: row.try_get("repeatable")?,
                    tries: row.try_get("tries")?,
                    trying_seconds: row.try_get("trying_seconds")?,
                    lease_id: row.try_get("lease_id")?,
                })
            })
            .collect()
    }
}

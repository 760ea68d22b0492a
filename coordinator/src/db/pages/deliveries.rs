//! What other systems are told of a job, and how that goes; and the figures of all deliveries.

use jiff::Timestamp;
use shared::job::JobId;
use shared::message::submit::mask_address;
use uuid::Uuid;

use super::rows;
use crate::db::{Error, Transact, Transaction};
use crate::deliveries::KINDS;

/// A message to another system.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// What receivers know it by.
    pub id: Uuid,
    /// What it is: `callback`.
    pub kind: String,
    /// What a person has said; none where it is not a person's message.
    pub said: Option<String>,
    /// Where to; secrets in the address are masked.
    pub target: String,
    /// pending, delivered, failed, unclear.
    pub state: String,
    /// How often it was tried.
    pub tries: i32,
    /// What came back the last time.
    pub last_answer: Option<String>,
    /// When it was tried last.
    pub last_try_at: Option<Timestamp>,
    /// When it is tried next; none once that is over.
    pub next_try_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
}

/// A job's deliveries, in their order.
pub(super) async fn of_job(tx: &Transaction<'_>, id: JobId) -> Result<Vec<DeliveryRow>, Error> {
    let rows = rows(
        tx,
        "-- pages.deliveries
             SELECT id, kind, target, state, CASE WHEN kind = 'goobi_message' THEN payload->>'message' END AS said, tries, last_answer, last_try_at,
                    CASE WHEN state = 'pending' THEN next_try_at END AS next_try_at, settled_at
             FROM deliveries WHERE job_id = $1 ORDER BY number",
        &[&id.0],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeliveryRow {
                id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                said: row.try_get("said")?,
                target: mask_address(row.try_get("target")?),
                state: row.try_get("state")?,
                tries: row.try_get("tries")?,
                last_answer: row.try_get("last_answer")?,
                last_try_at: row.try_get("last_try_at")?,
                next_try_at: row.try_get("next_try_at")?,
                settled_at: row.try_get("settled_at")?,
            })
        })
        .collect()
}

/// How all deliveries are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFigures {
    /// Pending ones by kind; each kind is there, also with none.
    pub pending: Vec<(String, i64)>,
    /// Those that were tried in vain and are tried again.
    pub retried: i64,
    /// Those that were given up or may not have arrived.
    pub troubled: i64,
    /// A job of such a one, the newest.
    pub troubled_job: Option<JobId>,
}

/// Reads [`DeliveryFigures`].
#[derive(Debug, Clone, Copy)]
pub struct ReadDeliveryFigures;

impl Transact for ReadDeliveryFigures {
    const NAME: &'static str = "pages.delivery_figures";
    type Output = DeliveryFigures;

    async fn run(&self, tx: &Transaction<'_>) -> Result<DeliveryFigures, Error> {
        let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
        let pending = rows(
            tx,
            "-- pages.deliveries_pending
             SELECT coalesce(known.kind, found.kind) AS kind, coalesce(found.number, 0) AS number,
                    coalesce(found.retried, 0) AS retried
             FROM unnest($1::text[]) AS known(kind)
             FULL JOIN (
                 SELECT kind, count(*) AS number, count(*) FILTER (WHERE last_answer IS NOT NULL) AS retried
                 FROM deliveries WHERE state = 'pending' GROUP BY kind) AS found USING (kind)
             ORDER BY 1",
            &[&kinds],
        )
        .await?;
        let troubled = rows(
            tx,
            "-- pages.deliveries_troubled
             SELECT count(*) AS number, (array_agg(job_id ORDER BY settled_at DESC))[1] AS job_id
             FROM deliveries WHERE state IN ('failed', 'unclear')",
            &[],
        )
        .await?;
        let mut figures = DeliveryFigures::default();
        for row in &pending {
            figures
                .pending
                .push((row.try_get("kind")?, row.try_get("number")?));
            figures.retried += row.try_get::<_, i64>("retried")?;
        }
        if let Some(row) = troubled.first() {
            figures.troubled = row.try_get("number")?;
            figures.troubled_job = row.try_get::<_, Option<Uuid>>("job_id")?.map(JobId);
        }
        Ok(figures)
    }
}

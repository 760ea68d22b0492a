//! Recording what became of a try.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use crate::db::{Error, Transact};
use crate::deliveries::Next;

/// Records it; gives whether it counted.
#[derive(Debug)]
pub struct Settle<'a> {
    /// The delivery.
    pub id: Uuid,
    /// The try. One whose lease has gone to another coordinator changes nothing, except that what was taken was taken.
    pub lease_id: Uuid,
    /// What becomes of it.
    pub next: Next,
    /// What came back, in words.
    pub answer: &'a str,
}

/// Whether a try's outcome counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was recorded.
    Recorded,
    /// Another coordinator has it by now.
    Superseded,
}

impl Transact for Settle<'_> {
    const NAME: &'static str = "deliveries.settle";
    type Output = Settled;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Settled, Error> {
        let (state, pause) = match self.next {
            Next::Delivered => ("delivered", 0.0),
            Next::TryAgain(pause) => ("pending", pause.as_secs_f64()),
            Next::GiveUp => ("failed", 0.0),
            Next::AskPerson => ("unclear", 0.0),
        };
        // The pause may be up to half shorter, so that many do not come back in step.
        let statement = tx
            .prepare_cached(
                "-- deliveries.settle
                 UPDATE deliveries SET
                     state = $3, last_answer = $4, lease_id = NULL, lease_end = NULL,
                     token = CASE WHEN $3 = 'delivered' THEN NULL ELSE token END,
                     settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE tm_now() END,
                     next_try_at = CASE WHEN $3 = 'pending'
                         THEN tm_now() + make_interval(secs => $5 * (0.5 + 0.5 * random())) ELSE next_try_at END
                 WHERE id = $1 AND state <> 'delivered' AND (lease_id = $2 OR $3 = 'delivered')",
            )
            .await?;
        let recorded = tx
            .execute(
                &statement,
                &[&self.id, &self.lease_id, &state, &self.answer, &pause],
            )
            .await?;
        Ok(if recorded > 0 {
            Settled::Recorded
        } else {
            Settled::Superseded
        })
    }
}

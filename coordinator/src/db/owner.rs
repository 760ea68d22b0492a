//! Whose attempt it is: what is said of an attempt counts only from the RabbitMQ user that claimed it.
//!
//! The token alone does not show that, as it may have been read somewhere: it is no secret, the user's password is one.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use metrics::counter;
use shared::job::{JobId, Token};
use shared::metrics::FOREIGN_REPORTS;
use uuid::Uuid;

use super::Error;

/// Somebody who speaks for an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker<'a> {
    pub(super) job_id: JobId,
    pub(super) token: Token,
    /// The RabbitMQ user, as the broker has checked.
    pub(super) amqp_user: &'a str,
}

/// The indices of those who speak for an attempt that another user has claimed. Each of them is told in the log once,
/// and stands in the attempt's row from then on.
pub(super) async fn strangers(
    tx: &Transaction<'_>,
    speakers: &[Speaker<'_>],
) -> Result<HashSet<usize>, Error> {
    let ids: Vec<Uuid> = speakers.iter().map(|s| s.job_id.0).collect();
    let attempts: Vec<i32> = speakers.iter().map(|s| s.token.attempt).collect();
    let claims: Vec<Uuid> = speakers.iter().map(|s| s.token.claim_id.0).collect();
    let users: Vec<&str> = speakers.iter().map(|s| s.amqp_user).collect();
    let statement = tx
        .prepare_cached(
            "-- owner.strangers
             SELECT said.place FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[]) WITH ORDINALITY
                 AS said(job_id, attempt, claim_id, amqp_user, place)
             JOIN attempts USING (job_id, attempt, claim_id)
             WHERE attempts.amqp_user <> said.amqp_user",
        )
        .await?;
    let strangers: HashSet<usize> = tx
        .query(&statement, &[&ids, &attempts, &claims, &users])
        .await?
        .iter()
        .filter_map(|row| usize::try_from(row.get::<_, i64>(0) - 1).ok())
        .collect();
    if !strangers.is_empty() {
        counter!(FOREIGN_REPORTS).increment(strangers.len() as u64);
        let said: Vec<Speaker<'_>> = strangers.iter().map(|index| speakers[*index]).collect();
        note(tx, &said).await?;
    }
    Ok(strangers)
}

async fn note(tx: &Transaction<'_>, strangers: &[Speaker<'_>]) -> Result<(), Error> {
    let mut strangers = strangers.to_vec();
    strangers.sort_by_key(|s| (s.job_id, s.token.attempt));
    let statement = tx
        .prepare_cached(
            "-- owner.note
             UPDATE attempts SET stranger = $4
             WHERE job_id = $1 AND attempt = $2 AND claim_id = $3 AND stranger IS DISTINCT FROM $4
             RETURNING amqp_user",
        )
        .await?;
    for Speaker {
        job_id,
        token,
        amqp_user,
    } in strangers
    {
        let noted = tx
            .query_opt(
                &statement,
                &[&job_id.0, &token.attempt, &token.claim_id.0, &amqp_user],
            )
            .await?;
        if let Some(row) = noted {
            let owner: Option<&str> = row.get(0);
            tracing::warn!(
                job.id = %job_id, attempt.number = token.attempt,
                "the RabbitMQ user \"{amqp_user}\" speaks for attempt {} of job {job_id}, which \"{}\" has claimed: \
                 what it says does not count; if no worker has changed its user, change that user's password",
                token.attempt, owner.unwrap_or_default()
            );
        }
    }
    Ok(())
}

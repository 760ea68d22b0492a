//! The publish grant: the transaction from which on a job's outputs are only completed.

use deadpool_postgres::Transaction;
use shared::failpoint::Failpoint;
use shared::job::Token;
use shared::job::decide::{self, Pause, PublishAnswer};
use shared::message::manifest::Manifest;
use shared::message::worker::PublishRequest;
use tokio_postgres::types::Json;

use super::owner::{self, Speaker};
use super::{Error, Transact, heartbeats, job_row, reports, revival, stores};

/// Decides a request to publish: from a grant on, the stored manifest is only completed.
#[derive(Debug)]
pub struct GrantPublish<'a> {
    /// The request.
    pub request: &'a PublishRequest,
    /// The RabbitMQ user that makes it.
    pub amqp_user: &'a str,
}

impl Transact for GrantPublish<'_> {
    const NAME: &'static str = "publish.grant";
    /// The answer, the manifest to complete, and whether a transfer slot is to be asked for first.
    type Output = (PublishAnswer, Option<Manifest>, bool);
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::PublishBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let request = self.request;
        let id = request.job_id;
        let token = Token {
            attempt: request.attempt,
            claim_id: request.claim_id,
        };
        let expected = revival::expect(tx, &[(id, token)]).await?;
        let rows = job_row::lock(tx, &[id]).await?;
        let Some(row) = rows.get(&id) else {
            stores::made_anew(tx, &[id]).await?;
            return Ok((PublishAnswer::Lost, None, false));
        };
        let speaker = Speaker {
            job_id: id,
            token,
            amqp_user: self.amqp_user,
        };
        if !owner::strangers(tx, &[speaker]).await?.is_empty() {
            return Ok((PublishAnswer::Lost, None, false));
        }
        let asks = heartbeats::pauses(tx, [(id, request.worker_id.as_str())].into_iter()).await?;
        let pause = asks.get(&0).copied().unwrap_or(Pause::No);
        let (answer, next) = decide::ask_to_publish(row, token, pause);
        if answer != PublishAnswer::Granted {
            return Ok((answer, None, false));
        }
        let revived = [(id, row, request.worker_id.as_str())];
        expected.confirm(tx, revived.into_iter(), Self::NAME).await?;
        job_row::save(tx, &[(id, next)]).await?;
        heartbeats::renew_or_revive(tx, id, token, &request.worker_id, pause).await?;
        let items = request.items.iter().map(|item| (id, request.attempt, item));
        reports::record_items(tx, items.collect()).await?;
        if !row.publish_granted {
            let store = tx
                .prepare_cached(
                    "-- publish.store_manifest\nUPDATE job_details SET manifest = $2 WHERE job_id = $1",
                )
                .await?;
            tx.execute(&store, &[&id.0, &Json(&request.manifest)]).await?;
        }
        let load = tx
            .prepare_cached(
                "-- publish.load_manifest
                 SELECT manifest, limits_transfers(target) FROM job_details WHERE job_id = $1",
            )
            .await?;
        let row = tx.query_one(&load, &[&id.0]).await?;
        let manifest: Option<Json<Manifest>> = row.get(0);
        Ok((answer, manifest.map(|json| json.0), row.get(1)))
    }
}

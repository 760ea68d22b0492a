//! Heartbeats, announcements, and the probes that show that heartbeats get through.

mod stores;

use lapin::message::Delivery;
use shared::amqp::link::Session;
use shared::failpoint::{self, Failpoint};
use shared::message::reply::{AttemptVerdict, Reply, Verdict};
use shared::message::transfer::TransferReply;
use shared::message::worker::{Announcement, Heartbeat, WorkerMessage};

use super::batch::{Failure, Handler};
use super::events::Event;
use super::rejected::PutAway;
use super::{Broker, events, reconcile};
use crate::background::PROBE_GAP_SECONDS;
use crate::db::heartbeats::{RecordProbe, Renew, Revise, WorkerReport};
use crate::db::transfers::SettleTransfers;
use crate::db::workers::{Alive, Announce, News, NoteRefusal};
use crate::intake::ParametersSchema;

pub(super) struct Heartbeats<'a>(pub(super) &'a Broker, pub(super) &'a Session);

impl Handler for Heartbeats<'_> {
    const BEFORE_ACK: Failpoint = Failpoint::HeartbeatBeforeAck;

    async fn handle(&self, batch: &[Delivery], put_away: &PutAway) -> Result<(), Failure> {
        let events = events::read(self.0, batch, put_away).await?;
        self.0
            .db
            .run(&RecordProbe {
                gap_seconds: PROBE_GAP_SECONDS,
            })
            .await?;
        let (heartbeats, users): (Vec<Heartbeat>, Vec<&str>) = events
            .iter()
            .filter_map(|event| match &event.message {
                WorkerMessage::Heartbeat(heartbeat) => Some((heartbeat.clone(), event.user)),
                _ => None,
            })
            .unzip();
        let news = self
            .0
            .db
            .run(&Alive {
                heartbeats: &heartbeats,
                users: &users,
            })
            .await?;
        failpoint::reach(Failpoint::HeartbeatBeforeRenewal);
        let mut verdicts = self.record(&heartbeats, &users, &news).await?.into_iter();
        let db = &self.0.db;
        let mut found = stores::found(db, &heartbeats, &users).await?.into_iter();
        let useless = stores::useless(db, &heartbeats, &users, news.stores_are_due).await?;
        let mut useless = useless.into_iter();
        let mut answers = Vec::new();
        for event in &events {
            let reply = match &event.message {
                WorkerMessage::Heartbeat(heartbeat) => {
                    let stores::Found { forget, tell_again } = found.next().unwrap_or_default();
                    Reply::Heartbeat {
                        verdicts: verdicts.next().expect("each heartbeat has its verdicts"),
                        drain: news.drains.contains(&heartbeat.worker_id),
                        remove_stores: useless.next().unwrap_or_default(),
                        forget_stores: forget,
                        tell_stores_again: tell_again,
                        list_stores: list_stores(heartbeat, &news),
                    }
                }
                WorkerMessage::Announce(announcement) => self.announce(event, announcement, put_away).await?,
                _ => continue,
            };
            answers.extend(event.answer(&reply));
        }
        events::send(self.0, answers).await;
        Ok(())
    }

    async fn refuse(&self, delivery: &Delivery, reason: &str, put_away: &PutAway) -> Result<(), Failure> {
        events::refuse(self.0, delivery, reason, put_away).await
    }
}

impl Heartbeats<'_> {
    /// Records heartbeats; the verdicts of each one's attempts.
    async fn record(
        &self,
        heartbeats: &[Heartbeat],
        users: &[&str],
        news: &News,
    ) -> Result<Vec<Vec<AttemptVerdict>>, Failure> {
        if heartbeats.is_empty() {
            return Ok(Vec::new());
        }
        let reports: Vec<WorkerReport> = heartbeats
            .iter()
            .zip(users)
            .flat_map(|(heartbeat, user)| {
                heartbeat.attempts.iter().map(|report| WorkerReport {
                    worker_id: heartbeat.worker_id.clone(),
                    amqp_user: (*user).to_owned(),
                    report: report.clone(),
                })
            })
            .collect();
        let mut verdicts: Vec<Option<Verdict>> = vec![None; reports.len()];
        if !reports.is_empty() {
            for renewed in self.0.db.run(&Renew { reports: &reports }).await? {
                verdicts[renewed] = Some(Verdict::Ok);
            }
            let open: Vec<usize> = (0..reports.len())
                .filter(|index| verdicts[*index].is_none())
                .collect();
            let undecided: Vec<WorkerReport> = open.iter().map(|index| reports[*index].clone()).collect();
            if !undecided.is_empty() {
                let decided = self.0.db.run(&Revise { reports: &undecided }).await?;
                for (index, verdict) in open.into_iter().zip(decided) {
                    verdicts[index] = Some(verdict);
                }
            }
        }
        // After the leases are renewed or revived: a slot is a lease's.
        let asks = reports.iter().any(|sent| sent.report.transfer.is_some());
        let transfers = if asks || (news.transfers && !reports.is_empty()) {
            self.0.db.run(&SettleTransfers { reports: &reports }).await?
        } else {
            vec![None; reports.len()]
        };
        if transfers.contains(&Some(TransferReply::Granted)) {
            failpoint::reach(Failpoint::TransferBeforeReply);
        }
        if !reports.is_empty() {
            failpoint::reach(Failpoint::HeartbeatBeforeReply);
            self.0.changes.announce();
        }
        let mut answers = reports
            .iter()
            .zip(verdicts)
            .zip(transfers)
            .map(|((sent, verdict), transfer)| AttemptVerdict {
                job_id: sent.report.job_id,
                claim_id: sent.report.claim_id,
                verdict: verdict.expect("every report was renewed or revised"),
                transfer,
            });
        Ok(heartbeats
            .iter()
            .map(|heartbeat| answers.by_ref().take(heartbeat.attempts.len()).collect())
            .collect())
    }

    /// Acts on an announcement, or puts it away when its user may not make it.
    async fn announce(
        &self,
        event: &Event<'_>,
        announcement: &Announcement,
        put_away: &PutAway,
    ) -> Result<Reply, Failure> {
        if let Some(reason) = self.record_announcement(event, announcement).await? {
            let refusal = NoteRefusal {
                worker: &announcement.name,
                amqp_user: event.user,
                reason: &reason,
            };
            self.0.db.run(&refusal).await?;
            event.put_away(self.0, &reason, put_away).await?;
            return Ok(Reply::Refused { reason });
        }
        failpoint::reach(Failpoint::AnnounceBeforeQueue);
        for offer in &announcement.plugins {
            reconcile::make_queue(self.0, self.1, &offer.name).await?;
        }
        tracing::debug!(worker.id = %announcement.worker_id, "worker {} announced itself", announcement.worker_id);
        Ok(Reply::Announced {
            programs: self.0.intake.programs(),
        })
    }

    /// Records an announcement; gives the reason, for a person, where it is not recorded.
    async fn record_announcement(
        &self,
        event: &Event<'_>,
        announcement: &Announcement,
    ) -> Result<Option<String>, Failure> {
        let offered = announcement.plugins.iter().map(|offer| &offer.name);
        let objection = self.0.worker_users.objection(event.user, offered);
        if let Some(reason) = objection.or_else(|| wrong_schema(announcement)) {
            return Ok(Some(reason));
        }
        let work = Announce {
            announcement,
            amqp_user: event.user,
            reply_to: event.reply_to(),
            lease_seconds: self.0.lease_seconds,
        };
        let recorded = self.0.db.run(&work).await?;
        Ok((!recorded).then(|| {
            format!(
                "another RabbitMQ user has announced the worker {}: \"{}\" may not speak for it",
                announcement.worker_id, event.user
            )
        }))
    }
}

/// The number of the request for the item stores on its storage that a worker has to answer, if so. Who tells the end of
/// an answer just now is not asked once more by what was known before.
fn list_stores(heartbeat: &Heartbeat, news: &News) -> Option<i64> {
    let asked = news.inventories.get(&heartbeat.worker_id).copied()?;
    let answered = heartbeat
        .stores
        .as_ref()
        .is_some_and(|portion| portion.last && portion.request == asked);
    (!answered).then_some(asked)
}

/// Why the schemas of an announcement's plugins can't be used, if so.
fn wrong_schema(announcement: &Announcement) -> Option<String> {
    announcement.plugins.iter().find_map(|offer| {
        let error = ParametersSchema::read(offer.parameters_schema.clone()?).err()?;
        Some(format!("plugin {}: {error}", offer.name))
    })
}

//! Claims: the transaction in which a job goes to a worker.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use serde_json::{Map, Value};
use shared::failpoint::Failpoint;
use shared::job::decide::{self, ClaimAnswer, ClaimAsk, Gate, Job, Refusal};
use shared::job::{JobId, Token};
use shared::message::manifest::Manifest;
use shared::message::reply::{ClaimReply, DoneItem, Grant, Template};
use shared::message::worker::Claim;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::owner::{self, Speaker};
use super::storage_room::{StorageRooms, write_waits};
use super::worker_room::WorkerRooms;
use super::{Error, Transact, job_row, limits};
use crate::worker_users::WorkerUsers;

/// A claim with the worker that makes it.
#[derive(Debug, Clone)]
pub struct WorkerClaim {
    /// The worker.
    pub worker_id: String,
    /// The RabbitMQ user that it is.
    pub amqp_user: String,
    /// Its claim.
    pub claim: Claim,
}

/// Decides a batch of claims; one answer a claim, in their order.
#[derive(Debug)]
pub struct GrantClaims<'a> {
    /// The claims.
    pub claims: &'a [WorkerClaim],
    /// Who may serve what.
    pub users: &'a WorkerUsers,
}

/// What gates the start of a plugin's jobs, and what a grant says of the plugin.
struct PluginGate {
    gate: Gate,
    /// How many more jobs may start; `None` without a limit.
    room: Option<i64>,
    lease_seconds: i32,
    run_budget_seconds: i32,
    disconnect_limit_seconds: Option<i32>,
}

impl PluginGate {
    fn now(&self) -> Gate {
        Gate {
            has_room: self.room.is_none_or(|room| room > 0),
            ..self.gate
        }
    }

    fn one_more_starts(&mut self) {
        if let Some(room) = &mut self.room {
            *room -= 1;
        }
    }
}

impl Transact for GrantClaims<'_> {
    const NAME: &'static str = "claims.grant";
    type Output = Vec<ClaimReply>;
    const BEFORE_COMMIT: Option<Failpoint> = Some(Failpoint::ClaimBeforeCommit);

    async fn run(&self, tx: &Transaction<'_>) -> Result<Self::Output, Error> {
        let ids: Vec<JobId> = self.claims.iter().map(|asked| asked.claim.job_id).collect();
        // The plugin's row first: a stop waits for the claims that are under way, and they for it.
        let (mut gates, plugin_of) = lock_plugins(tx, &ids).await?;
        let mut rows = job_row::lock(tx, &ids).await?;
        let mut rooms = WorkerRooms::read(tx, self.claims).await?;
        let mut storages = StorageRooms::read(tx, &ids).await?;
        // Of all plugins, workers and storages, limited or not, as attempts are counted in any case.
        let plugins = gates.keys().map(|plugin| limits::of_plugin(plugin));
        let keys = plugins.chain(rooms.keys()).chain(storages.keys().cloned());
        let running = limits::lock_keys(tx, &keys.collect::<Vec<_>>()).await?;
        rooms.subtract(&running);
        storages.subtract(&running);
        for (plugin, gate) in &mut gates {
            let running = running.get(&limits::of_plugin(plugin)).copied().unwrap_or(0);
            gate.room = gate.room.map(|most| most - running);
        }
        let mut postponed: Vec<(JobId, Job)> = Vec::new();
        let mut granted: Vec<(JobId, Job, &WorkerClaim)> = Vec::new();
        let mut waits: Vec<(JobId, Option<String>)> = Vec::new();
        let strangers = strangers_among(tx, self.claims, &rows).await?;
        let mut answers: Vec<Result<(JobId, Token), Refusal>> = Vec::with_capacity(self.claims.len());
        for (index, asked) in self.claims.iter().enumerate() {
            let id = asked.claim.job_id;
            let gate = plugin_of.get(&id).and_then(|plugin| gates.get_mut(plugin));
            let (Some(row), Some(gate)) = (rows.get_mut(&id), gate) else {
                answers.push(Err(Refusal::Unknown));
                continue;
            };
            let plugin = &plugin_of[&id];
            if !self.users.may_serve(&asked.amqp_user, plugin) || rooms.is_foreign(asked) {
                answers.push(Err(Refusal::UserNotAllowed));
                continue;
            }
            if strangers.contains(&index) {
                answers.push(Err(Refusal::NotQueued));
                continue;
            }
            let ask = ClaimAsk {
                dispatch: asked.claim.dispatch,
                claim_id: asked.claim.claim_id,
            };
            let now = Gate {
                storages_have_room: storages.reached(id).is_none(),
                worker_has_room: rooms.has_room(&asked.worker_id, plugin),
                ..gate.now()
            };
            answers.push(match decide::claim(row, ask, now) {
                ClaimAnswer::Grant(next) => {
                    *row = next;
                    gate.one_more_starts();
                    rooms.one_more_starts(&asked.worker_id, plugin);
                    storages.one_more_starts(id);
                    waits.push((id, None));
                    granted.push((id, next, asked));
                    Ok((id, next.token.expect("a granted job has its claim's token")))
                }
                ClaimAnswer::GrantAgain => Ok((id, row.token.expect("a running job has a token"))),
                ClaimAnswer::Refuse(refusal) => Err(refusal),
                ClaimAnswer::Postpone(refusal, next) => {
                    *row = next;
                    postponed.push((id, next));
                    let reached = storages.reached(id).map(str::to_owned);
                    waits.push((id, reached.filter(|_| refusal == Refusal::StorageLimitReached)));
                    Err(refusal)
                }
            });
        }
        job_row::save(tx, &postponed).await?;
        let changed: Vec<(JobId, Job)> = granted.iter().map(|(id, job, _)| (*id, *job)).collect();
        job_row::save(tx, &changed).await?;
        write_waits(tx, &waits).await?;
        begin_attempts(tx, &granted).await?;
        let wanted: Vec<JobId> = answers.iter().flatten().map(|(id, _)| *id).collect();
        let grants = load_grants(tx, &wanted, &gates).await?;
        Ok(self
            .claims
            .iter()
            .zip(answers)
            .map(|(asked, answer)| {
                let grant = answer.and_then(|(id, token)| {
                    let grant = grants.get(&id).cloned().ok_or(Refusal::NotQueued)?;
                    Ok(Grant {
                        attempt: token.attempt,
                        claim_id: token.claim_id,
                        ..grant
                    })
                });
                match grant {
                    Ok(grant) => ClaimReply::Granted(Box::new(grant)),
                    Err(refusal) => ClaimReply::Refused {
                        claim_id: asked.claim.claim_id,
                        refusal,
                    },
                }
            })
            .collect())
    }
}

/// The indices of claims that repeat another user's: that one's grant is none of theirs.
async fn strangers_among(
    tx: &Transaction<'_>,
    claims: &[WorkerClaim],
    rows: &HashMap<JobId, Job>,
) -> Result<HashSet<usize>, Error> {
    let mut places = Vec::new();
    let mut speakers = Vec::new();
    for (place, asked) in claims.iter().enumerate() {
        let token = rows.get(&asked.claim.job_id).and_then(|row| row.token);
        if let Some(token) = token.filter(|token| token.claim_id == asked.claim.claim_id) {
            places.push(place);
            speakers.push(Speaker {
                job_id: asked.claim.job_id,
                token,
                amqp_user: &asked.amqp_user,
            });
        }
    }
    if speakers.is_empty() {
        return Ok(HashSet::new());
    }
    let strangers = owner::strangers(tx, &speakers).await?;
    Ok(strangers.into_iter().map(|index| places[index]).collect())
}

async fn lock_plugins(
    tx: &Transaction<'_>,
    ids: &[JobId],
) -> Result<(HashMap<String, PluginGate>, HashMap<JobId, String>), Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let plugin_of: HashMap<JobId, String> = tx
        .query(
            &tx.prepare_cached("-- claims.plugins_of\nSELECT id, plugin FROM jobs WHERE id = ANY($1)")
                .await?,
            &[&ids],
        )
        .await?
        .iter()
        .map(|row| (JobId(row.get(0)), row.get(1)))
        .collect();
    let mut names: Vec<&str> = plugin_of.values().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let statement = tx
        .prepare_cached(
            "-- claims.lock_plugins
             SELECT name, state, plugins.autostart AND settings.autostart AS autostart, running_max::bigint,
                    has_quota(name) AS has_quota, lease_seconds, run_budget_seconds,
                    disconnect_limit_seconds
             FROM plugins CROSS JOIN settings WHERE name = ANY($1) ORDER BY name FOR SHARE",
        )
        .await?;
    let gates = tx
        .query(&statement, &[&names])
        .await?
        .iter()
        .map(|row| {
            let gate = PluginGate {
                gate: Gate {
                    plugin_running: row.get::<_, &str>("state") == "running",
                    autostart: row.get("autostart"),
                    has_room: true,
                    has_quota: row.get("has_quota"),
                    storages_have_room: true,
                    worker_has_room: true,
                },
                room: row.get("running_max"),
                lease_seconds: row.get("lease_seconds"),
                run_budget_seconds: row.get("run_budget_seconds"),
                disconnect_limit_seconds: row.get("disconnect_limit_seconds"),
            };
            (row.get(0), gate)
        })
        .collect();
    Ok((gates, plugin_of))
}

async fn begin_attempts(tx: &Transaction<'_>, granted: &[(JobId, Job, &WorkerClaim)]) -> Result<(), Error> {
    if granted.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = granted.iter().map(|(id, _, _)| id.0).collect();
    let attempts: Vec<i32> = granted.iter().map(|(_, job, _)| job.attempt).collect();
    let claims: Vec<Option<Uuid>> = granted
        .iter()
        .map(|(_, job, _)| job.token.map(|token| token.claim_id.0))
        .collect();
    let workers: Vec<&str> = granted
        .iter()
        .map(|(_, _, asked)| asked.worker_id.as_str())
        .collect();
    let users: Vec<&str> = granted
        .iter()
        .map(|(_, _, asked)| asked.amqp_user.as_str())
        .collect();
    let statement = tx
        .prepare_cached(
            "-- claims.begin_attempts
             WITH new AS (
                 SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[])
                     AS new(job_id, attempt, claim_id, worker_id, amqp_user)
             ), begun AS (
                 INSERT INTO attempts (job_id, attempt, claim_id, worker_id, amqp_user, started_at,
                                       run_budget_seconds)
                 SELECT new.job_id, new.attempt, new.claim_id, new.worker_id, new.amqp_user, tm_now(),
                        plugins.run_budget_seconds
                 FROM new JOIN jobs ON jobs.id = new.job_id JOIN plugins ON plugins.name = jobs.plugin
             )
             INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, limit_keys)
             SELECT new.job_id, new.attempt, new.claim_id, new.worker_id, plugins.lease_seconds,
                    tm_now() + make_interval(secs => plugins.lease_seconds),
                    ARRAY['plugin:' || plugins.name, 'worker:' || new.worker_id || ':' || plugins.name]
             FROM new JOIN jobs ON jobs.id = new.job_id JOIN plugins ON plugins.name = jobs.plugin",
        )
        .await?;
    tx.execute(&statement, &[&ids, &attempts, &claims, &workers, &users])
        .await?;
    Ok(())
}

async fn load_grants(
    tx: &Transaction<'_>,
    ids: &[JobId],
    gates: &HashMap<String, PluginGate>,
) -> Result<HashMap<JobId, Grant>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut done_items = load_done_items(tx, &ids).await?;
    let statement = tx
        .prepare_cached(
            "-- claims.load_grants
             SELECT id, plugin, title, claim_attempt, jobs.claim_id, source, target, parameters, template,
                    template_parameters, manifest, publish_granted, store_id, attempts.run_budget_seconds,
                    limits_transfers(source) AS ask_for_transfer
             FROM jobs JOIN job_details ON job_details.job_id = id
             LEFT JOIN attempts ON (attempts.job_id, attempts.attempt, attempts.claim_id)
                 = (jobs.id, jobs.claim_attempt, jobs.claim_id)
             WHERE id = ANY($1)",
        )
        .await?;
    let mut grants = HashMap::new();
    for row in tx.query(&statement, &[&ids]).await? {
        let id = JobId(row.get("id"));
        let plugin: String = row.get("plugin");
        let inconsistent = |column| Error::Inconsistent {
            table: "jobs",
            column,
            row: id.to_string(),
        };
        let gate = gates.get(&plugin).ok_or_else(|| inconsistent("plugin"))?;
        let template = row.get::<_, Option<String>>("template").map(|name| {
            let parameters: Option<Json<Map<String, Value>>> = row.get("template_parameters");
            Template {
                name,
                parameters: parameters.map(|json| json.0).unwrap_or_default(),
            }
        });
        let manifest: Option<Json<Manifest>> = row.get("manifest");
        let parameters: Json<Map<String, Value>> = row.get("parameters");
        let claim_id: Option<Uuid> = row.get("claim_id");
        let grant = Grant {
            job_id: id,
            plugin: plugin.parse().map_err(|_| inconsistent("plugin"))?,
            attempt: row
                .get::<_, Option<i32>>("claim_attempt")
                .ok_or_else(|| inconsistent("claim_attempt"))?,
            claim_id: shared::job::ClaimId(claim_id.ok_or_else(|| inconsistent("claim_id"))?),
            lease_seconds: gate.lease_seconds.unsigned_abs(),
            // Of the attempt, where this grant is said again: its plugin's may be another one by now.
            run_budget_seconds: row
                .get::<_, Option<i32>>("run_budget_seconds")
                .unwrap_or(gate.run_budget_seconds)
                .unsigned_abs(),
            disconnect_limit_seconds: gate.disconnect_limit_seconds.map(i32::unsigned_abs),
            title: row.get("title"),
            source: row.get("source"),
            target: row.get("target"),
            ask_for_transfer: row.get("ask_for_transfer"),
            parameters: parameters.0,
            template,
            store: row.get::<_, Option<Uuid>>("store_id").map(JobId),
            done_items: done_items.remove(&id).unwrap_or_default(),
            manifest: manifest.filter(|_| row.get("publish_granted")).map(|json| json.0),
        };
        grants.insert(id, grant);
    }
    Ok(grants)
}

async fn load_done_items(tx: &Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<JobId, Vec<DoneItem>>, Error> {
    let statement = tx
        .prepare_cached(
            "-- claims.done_items
             SELECT job_id, name, files FROM items WHERE job_id = ANY($1) AND state = 'done'
             ORDER BY job_id, position",
        )
        .await?;
    let mut items: HashMap<JobId, Vec<DoneItem>> = HashMap::new();
    for row in tx.query(&statement, &[&ids]).await? {
        let files: Json<_> = row.get(2);
        items.entry(JobId(row.get(0))).or_default().push(DoneItem {
            name: row.get(1),
            files: files.0,
        });
    }
    Ok(items)
}

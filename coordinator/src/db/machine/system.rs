//! The real side: the same steps as transactions on a database of their own.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::Transaction;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use shared::job::decide::{ErrorClass, Job, OutcomeKind};
use shared::job::{JobId, Stage, Token};
use shared::message::manifest::Manifest;
use shared::message::submit::Submission;
use shared::message::transfer::{Transfer, TransferAsk};
use shared::message::worker::{AttemptReport, AttemptResult, Claim, Outcome, PublishRequest};
use tokio::runtime::Runtime;

use super::model::{Decisions, Step, World, ended};
use crate::control::Actor;
use crate::db::claims::{GrantClaims, WorkerClaim};
use crate::db::control::{ActOnJobs, FollowStops};
use crate::db::heartbeats::{Renew, Revise, WorkerReport};
use crate::db::pages::sample::Sample;
use crate::db::publish::GrantPublish;
use crate::db::results::Record;
use crate::db::schedule::Wake;
use crate::db::submit::{NewJob, RecordJobs};
use crate::db::sweep::ExpireLeases;
use crate::db::transfers::SettleTransfers;
use crate::db::{Db, Error, Transact, job_row};
use crate::testing::TestDatabase;
use crate::worker_users::WorkerUsers;

/// The only plugin.
pub(super) const PLUGIN: &str = "OCR";
const WORKER: &str = "worker";
/// The only storage.
pub(super) const STORAGE: &str = "/data";

/// The transactions on a database of their own.
pub(super) struct Transactions {
    runtime: Arc<Runtime>,
    database: Option<TestDatabase>,
    pub(super) db: Db,
    ids: Vec<JobId>,
    /// The pure side as it was before the step that comes next.
    before: World,
}

impl std::fmt::Debug for Transactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transactions")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

/// Everything that is compared, in one reading.
struct Look<'a> {
    ids: &'a [JobId],
}

/// What the database says.
struct Seen {
    rows: HashMap<JobId, Job>,
    history: HashMap<JobId, String>,
    /// Leases, what counts against the plugin's and the worker's limits, leases with their job's claim; ended jobs, and
    /// those in the statistics.
    /// Then what counts against the storage and its transfers, and jobs that wait for a storage and not in a queue.
    counts: [i64; 9],
    /// Jobs that wait for their transfer, in the order in which they came.
    waiting: Vec<JobId>,
    plugin: String,
}

impl Transact for Look<'_> {
    const NAME: &'static str = "test.look";
    type Output = Seen;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Seen, Error> {
        let history = tx.query("SELECT id, state FROM job_history", &[]).await?;
        let counts = "SELECT ARRAY[
            (SELECT count(*) FROM leases),
            (SELECT coalesce(sum(running), 0)::bigint FROM limit_keys WHERE key = 'plugin:OCR'),
            (SELECT coalesce(sum(running), 0)::bigint FROM limit_keys WHERE key = 'worker:worker:OCR'),
            (SELECT count(*) FROM jobs JOIN leases ON job_id = id AND leases.claim_id = jobs.claim_id),
            (SELECT count(*) FROM job_history), (SELECT coalesce(sum(jobs), 0)::bigint FROM statistics),
            (SELECT coalesce(sum(running), 0)::bigint FROM limit_keys WHERE key = 'storage:/data'),
            (SELECT coalesce(sum(running), 0)::bigint FROM limit_keys WHERE key = 'transfers:/data'),
            (SELECT count(*) FROM jobs WHERE waits_for IS NOT NULL AND state <> 'QUEUED')]";
        let counts: Vec<i64> = tx.query_one(counts, &[]).await?.get(0);
        let waiting = "SELECT job_id FROM leases WHERE transfer <> ALL (limit_keys) ORDER BY transfer_since";
        let waiting = tx.query(waiting, &[]).await?;
        let plugin = tx.query_one("SELECT state FROM plugins", &[]).await?;
        Ok(Seen {
            plugin: plugin.get(0),
            waiting: waiting.iter().map(|row| JobId(row.get(0))).collect(),
            rows: job_row::lock(tx, self.ids).await?,
            history: history
                .iter()
                .map(|row| (JobId(row.get(0)), row.get(1)))
                .collect(),
            counts: counts.try_into().expect("nine numbers"),
        })
    }
}

impl Transactions {
    async fn take(&mut self, step: &Step) {
        let (db, before) = (&self.db, &self.before);
        match step {
            Step::Submit => {
                let id = JobId::generate();
                db.run(&RecordJobs { jobs: &[new_job(id)] }).await.unwrap();
                self.ids.push(id);
            }
            Step::Claim { job, back, claim_id } => {
                let claim = Claim {
                    job_id: self.ids[*job],
                    dispatch: before.jobs[*job].dispatch - back,
                    claim_id: *claim_id,
                };
                let claims = [WorkerClaim {
                    amqp_user: "user".to_owned(),
                    worker_id: WORKER.to_owned(),
                    claim,
                }];
                db.run(&GrantClaims {
                    claims: &claims,
                    users: &WorkerUsers::default(),
                })
                .await
                .unwrap();
            }
            Step::Heartbeat {
                token,
                stage,
                transfer,
            } => self.heartbeat(*token, *stage, *transfer).await,
            Step::Publish { token } => {
                let (job, token) = before.tokens[*token];
                let request = PublishRequest {
                    worker_id: WORKER.to_owned(),
                    job_id: self.ids[job],
                    attempt: token.attempt,
                    claim_id: token.claim_id,
                    manifest: Manifest {
                        files: Vec::new(),
                        outcome: outcome(OutcomeKind::Done),
                    },
                    items: Vec::new(),
                };
                db.run(&GrantPublish {
                    request: &request,
                    amqp_user: "user",
                })
                .await
                .unwrap();
            }
            Step::Result { token, outcome: kind } => {
                let result = AttemptResult {
                    worker_id: WORKER.to_owned(),
                    outcome: outcome(*kind),
                    store_removed: None,
                    report: self.report(before, *token, Stage::Processing),
                };
                db.run(&Record {
                    results: &[result],
                    users: &["user"],
                })
                .await
                .unwrap();
            }
            Step::Expire { job } => {
                self.expire(self.ids[*job]).await;
            }
            Step::Act { job, action } => {
                let act = ActOnJobs {
                    actor: &Actor::on_this_machine(),
                    ids: &[self.ids[*job]],
                    action,
                };
                db.run(&act).await.unwrap();
            }
            Step::StopPlugin { .. }
            | Step::StartPlugin
            | Step::Autostart(_)
            | Step::Limit(_)
            | Step::Storage(_) => {
                self.configure(step).await;
            }
            Step::FollowStops => {
                db.run(&FollowStops).await.unwrap();
            }
            Step::TimeComes => {
                let past =
                    "UPDATE jobs SET run_at = tm_now() - interval '1 second' WHERE state = 'SCHEDULED'";
                self.execute(past).await;
                db.run(&Wake).await.unwrap();
            }
        }
    }

    async fn heartbeat(&self, token: usize, stage: Stage, transfer: Option<bool>) {
        let transfer = transfer.map(|begun| TransferAsk {
            of: Transfer::Source,
            begun,
        });
        let reports = [WorkerReport {
            amqp_user: "user".to_owned(),
            worker_id: WORKER.to_owned(),
            report: AttemptReport {
                transfer,
                ..self.report(&self.before, token, stage)
            },
        }];
        let (renew, revise) = (Renew { reports: &reports }, Revise { reports: &reports });
        if self.db.run(&renew).await.unwrap().is_empty() {
            self.db.run(&revise).await.unwrap();
        }
        let nobody_is_silent = "UPDATE leases SET lease_end = tm_now() + interval '1 hour'";
        self.execute(nobody_is_silent).await;
        self.db.run(&SettleTransfers { reports: &reports }).await.unwrap();
    }

    async fn expire(&self, id: JobId) {
        let past = format!(
            "UPDATE leases SET lease_end = tm_now() - interval '1 hour' WHERE job_id = '{id}';
             UPDATE heartbeat_probe SET continuous_since = tm_now() - interval '1 day', last_at = tm_now()"
        );
        self.execute(&past).await;
        self.db.run(&ExpireLeases { gap_seconds: 5.0 }).await.unwrap();
    }

    async fn execute(&self, statements: &str) {
        self.database.as_ref().unwrap().execute(statements).await;
    }

    fn report(&self, world: &World, token: usize, stage: Stage) -> AttemptReport {
        let (job, Token { attempt, claim_id }) = world.tokens[token];
        AttemptReport {
            job_id: self.ids[job],
            attempt,
            claim_id,
            stage,
            percent: 0.0,
            items_done: 0,
            items_failed: 0,
            items_total: 0,
            bytes: 0,
            detail: String::new(),
            transfer: None,
            items: Vec::new(),
            log: Vec::new(),
        }
    }

    async fn compare(&self, world: &World) {
        let seen = self.db.run(&Look { ids: &self.ids }).await.unwrap();
        for (id, job) in self.ids.iter().zip(&world.jobs) {
            let history = seen.history.get(id).map(String::as_str);
            if let Some(state) = ended(job) {
                assert_eq!(history, Some(state.as_str()), "{job:?} in history");
                assert_eq!(seen.rows.get(id), None, "a job that has ended has a row");
            } else {
                assert_eq!(seen.rows.get(id), Some(job));
                assert_eq!(history, None, "an unfinished job is in history");
            }
        }
        let running = world.running();
        let ended = world.jobs.iter().filter(|job| job.state.is_final()).count();
        let ended = i64::try_from(ended).unwrap();
        let number = |count: usize| i64::try_from(count).unwrap();
        let (storage, moves) = (world.storage.map_or(0, |_| running), number(world.moves.len()));
        assert_eq!(
            seen.counts,
            [
                running, running, running, running, ended, ended, storage, moves, 0
            ]
        );
        let waiting: Vec<JobId> = world.queue.iter().map(|job| self.ids[*job]).collect();
        assert_eq!(seen.waiting, waiting);
        assert_eq!(seen.plugin, world.plugin.as_str());
    }
}

fn new_job(id: JobId) -> NewJob {
    NewJob {
        id,
        submission: Submission::parse(br#"{"plugin": "OCR", "title": "x", "source": "/data/in"}"#).unwrap(),
        template_parameters: None,
        callback_token: None,
        submitted_by: "test".to_owned(),
        keys: Vec::new(),
    }
}

fn outcome(kind: OutcomeKind) -> Outcome {
    let failed = |class: ErrorClass| Outcome::Failed {
        class,
        message: "it failed".to_owned(),
        exit_code: None,
    };
    match kind {
        OutcomeKind::Done => Outcome::Done {
            summary: serde_json::Map::new(),
        },
        OutcomeKind::Failed(class) => failed(class),
        OutcomeKind::Interrupted => Outcome::Interrupted {
            reason: "a test".to_owned(),
        },
        OutcomeKind::Cancelled => Outcome::Cancelled,
    }
}

impl StateMachineTest for Transactions {
    type SystemUnderTest = Self;
    type Reference = Decisions;

    fn init_test(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (database, db) = runtime.block_on(async {
            let database = TestDatabase::create().await;
            let mut sample = Sample::default();
            // With more slots than there are jobs: its room is `worker_room`'s own test.
            sample.plugin(PLUGIN).worker(WORKER, PLUGIN, 1_000, 0, false);
            database.execute(&sample.sql()).await;
            let db = database.db();
            (database, db)
        });
        Self {
            runtime: Arc::new(runtime),
            database: Some(database),
            db,
            ids: Vec::new(),
            before: world.clone(),
        }
    }

    fn apply(mut this: Self, after: &World, step: Step) -> Self {
        let runtime = Arc::clone(&this.runtime);
        runtime.block_on(this.take(&step));
        this.before = after.clone();
        this
    }

    fn check_invariants(this: &Self, world: &<Decisions as ReferenceStateMachine>::State) {
        this.runtime.block_on(this.compare(world));
    }

    fn teardown(mut this: Self, _: World) {
        let database = this.database.take();
        let _inside = this.runtime.enter();
        drop(database);
    }
}

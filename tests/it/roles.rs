//! RabbitMQ users with least privileges: everything still works, and a stolen password opens nothing else.
//!
//! The users are made by the real command; the stranger speaks AMQP with the credentials of another group of workers.

mod probes;

use serde_json::{Map, json};
use shared::amqp::topology::EVENTS_REJECTED_QUEUE;
use shared::job::decide::{ErrorClass, PublishAnswer, Refusal};
use shared::job::{ClaimId, JobId, Stage};
use shared::message::manifest::Manifest;
use shared::message::reply::{ClaimReply, Reply, ResultAnswer, Verdict};
use shared::message::worker::{
    Announcement, AttemptReport, AttemptResult, Claim, ClaimRequest, Heartbeat, Outcome, PluginOffer,
    PublishRequest, WorkerMessage,
};
use tests::{Builder, Cluster, LIMIT, eventually};

/// Workers of these plugins, and somebody else's.
const GROUPS: [&str; 2] = ["pages=OCR,NOOP", "others=SHELL"];

fn cluster(name: &str) -> Builder {
    Cluster::named(name).plugins("OCR=1,NOOP=1").users(&GROUPS)
}

#[test]
fn setting_the_broker_up_again_changes_nothing_and_shows_no_password() {
    let cluster = cluster("roles-setup").start();
    let again = cluster.set_broker_up(&[]);
    for line in again.lines().filter(|line| line.contains("User")) {
        assert!(
            line.contains("already") || line.contains("finds its address"),
            "{line}"
        );
    }
    let management = cluster.management();
    let vhost = cluster.virtual_host();
    management.delete(&format!("permissions/{vhost}/others"));
    let planned = cluster.set_broker_up(&["--dry-run"]);
    assert!(planned.contains("User others would get permissions"), "{planned}");
    assert!(
        planned.contains("User pages has had these permissions already"),
        "{planned}"
    );
    let mended = cluster.set_broker_up(&[]);
    assert!(
        mended.contains("User others has been given permissions"),
        "{mended}"
    );
    for user in ["coordinator", "pages", "others", "intake"] {
        let password = cluster.password_of(user);
        for said in [&again, &planned, &mended] {
            assert!(!said.contains(&password), "the password of {user} is shown");
        }
    }
    let found = management.get(&format!("permissions/{vhost}/others"));
    assert_eq!(found["read"], r"^(taskmanager\.jobs\.shell)$");
}

/// The running attempt of a job, as somebody would know it who has read a message of its worker.
struct Read {
    job_id: JobId,
    attempt: i32,
    claim_id: ClaimId,
    worker_id: String,
}

impl Read {
    fn from_the_database(cluster: &Cluster, job_id: JobId) -> Self {
        let rows = cluster.sql("SELECT attempt, claim_id, worker_id FROM leases", &[]);
        Self {
            job_id,
            attempt: rows[0].get("attempt"),
            claim_id: ClaimId(rows[0].get("claim_id")),
            worker_id: rows[0].get("worker_id"),
        }
    }

    fn report(&self) -> AttemptReport {
        AttemptReport {
            job_id: self.job_id,
            attempt: self.attempt,
            claim_id: self.claim_id,
            stage: Stage::Processing,
            percent: 99.0,
            items_done: 7,
            items_failed: 0,
            items_total: 7,
            bytes: 7,
            detail: "forged".to_owned(),
            transfer: None,
            items: vec![],
            log: vec![],
        }
    }

    fn heartbeat(&self) -> WorkerMessage {
        WorkerMessage::Heartbeat(Heartbeat {
            worker_id: self.worker_id.clone(),
            rss_bytes: 1,
            draining: true,
            attempts: vec![self.report()],
            removals: vec![],
            stores: None,
        })
    }

    fn request_to_publish(&self) -> WorkerMessage {
        WorkerMessage::Publish(PublishRequest {
            worker_id: self.worker_id.clone(),
            job_id: self.job_id,
            attempt: self.attempt,
            claim_id: self.claim_id,
            manifest: Manifest {
                files: vec![],
                outcome: Outcome::Done { summary: Map::new() },
            },
            items: vec![],
        })
    }

    fn result(&self) -> WorkerMessage {
        WorkerMessage::Result(AttemptResult {
            worker_id: self.worker_id.clone(),
            outcome: Outcome::Failed {
                class: ErrorClass::Permanent,
                message: "forged".to_owned(),
                exit_code: None,
            },
            store_removed: None,
            report: self.report(),
        })
    }

    fn announcement(&self) -> WorkerMessage {
        announcement(&self.worker_id, "SHELL")
    }
}

fn announcement(worker_id: &str, plugin: &str) -> WorkerMessage {
    WorkerMessage::Announce(Announcement {
        worker_id: worker_id.to_owned(),
        name: "stranger".to_owned(),
        host: "elsewhere".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plugins: vec![PluginOffer {
            name: plugin.parse().unwrap(),
            title_en: "Stolen".to_owned(),
            title_de: "Gestohlen".to_owned(),
            needs_source: false,
            needs_target: false,
            needs_template: false,
            slots: 1,
            parameters_schema: None,
        }],
        draining: false,
        checks: vec![],
        roots: vec![],
    })
}

fn claim(job_id: JobId, dispatch: i64, claim_id: ClaimId) -> WorkerMessage {
    WorkerMessage::Claim(ClaimRequest {
        worker_id: "stranger/0/0".to_owned(),
        claims: vec![Claim {
            job_id,
            dispatch,
            claim_id,
        }],
    })
}

/// Why a single claim was refused.
#[track_caller]
fn refusal(reply: &Reply) -> Refusal {
    match reply {
        Reply::Claims { answers } => match &answers[..] {
            [ClaimReply::Refused { refusal, .. }] => *refusal,
            other => panic!("not refused: {other:?}"),
        },
        other => panic!("no answer to a claim: {other:?}"),
    }
}

#[test]
fn what_a_stolen_password_says_of_another_groups_job_does_not_count() {
    // Both groups may serve NOOP here, so that only the attempt's owner is in question.
    let mut cluster = Cluster::named("roles-forged")
        .plugins("NOOP=1")
        .users(&["pages=NOOP", "others=NOOP,SHELL"])
        .expecting("speaks for attempt")
        .expecting("put into taskmanager.events.rejected")
        .start();
    let id = cluster
        .amqp_as("intake")
        .submit(&json!({"plugin": "NOOP", "title": "mine", "parameters": {"items": 8, "item_ms": 1000}}));
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
    // So that the job does not end before all is tried.
    cluster.workers[0].freeze();
    let read = Read::from_the_database(&cluster, id);
    let stranger = cluster.stranger("others");

    match stranger.ask(&read.heartbeat()) {
        Reply::Heartbeat { verdicts, .. } => assert_eq!(verdicts[0].verdict, Verdict::Lost),
        other => panic!("{other:?}"),
    }
    match stranger.ask(&read.request_to_publish()) {
        Reply::Publish { answer, .. } => assert_eq!(answer, PublishAnswer::Lost),
        other => panic!("{other:?}"),
    }
    match stranger.ask(&read.result()) {
        Reply::Result { answer } => assert_eq!(answer, ResultAnswer::Superseded),
        other => panic!("{other:?}"),
    }
    let dispatch = cluster.count("SELECT dispatch FROM jobs");
    let repeated = stranger.ask(&claim(id, dispatch, read.claim_id));
    assert_eq!(refusal(&repeated), Refusal::NotQueued);
    match stranger.ask(&read.announcement()) {
        Reply::Refused { reason } => assert!(reason.contains("may not speak for it"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let rejected = cluster.amqp().rejected(EVENTS_REJECTED_QUEUE);
    assert!(
        rejected.reason.contains("may not speak for it"),
        "{}",
        rejected.reason
    );

    let lease = cluster.sql("SELECT detail FROM leases", &[]);
    assert_ne!(lease[0].get::<_, &str>(0), "forged");
    assert_eq!(cluster.count("SELECT count(*) FROM workers WHERE draining"), 0);
    assert_eq!(
        cluster.count("SELECT count(*) FROM attempts WHERE stranger = 'others'"),
        1
    );
    let log = cluster.coordinator.log();
    assert_eq!(log.matches("speaks for attempt").count(), 1, "it is told once");
    let counted = cluster.api().metric("taskmanager_foreign_reports_total", &[]);
    assert_eq!(
        counted.unwrap().to_string(),
        "4",
        "heartbeat, request to publish, result, claim"
    );

    cluster.workers[0].thaw();
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), ["done"]);
}

#[test]
fn a_user_can_offer_and_claim_only_what_it_is_listed_for() {
    let mut cluster = cluster("roles-listed")
        .expecting("put into taskmanager.events.rejected")
        .start();
    let stranger = cluster.stranger("others");
    match stranger.ask(&announcement("stranger/0/0", "NOOP")) {
        Reply::Refused { reason } => {
            assert!(
                reason.contains("may not serve NOOP: it is listed for SHELL"),
                "{reason}"
            );
        }
        other => panic!("{other:?}"),
    }
    let rejected = cluster.amqp().rejected(EVENTS_REJECTED_QUEUE);
    assert!(
        rejected.reason.contains("may not serve NOOP"),
        "{}",
        rejected.reason
    );
    let told = "stranger: announcement: refused (RabbitMQ user \"others\"): the RabbitMQ user \"others\" may not serve NOOP";
    let found = cluster.findings();
    assert!(found.iter().any(|line| line.contains(told)), "{found:#?}");
    let allowed = stranger.ask(&announcement("stranger/0/0", "SHELL"));
    assert!(matches!(allowed, Reply::Announced { .. }), "{allowed:?}");

    // A job that waits, so that a claim would be granted.
    cluster.workers[0].freeze();
    let id = cluster
        .amqp_as("intake")
        .submit(&json!({"plugin": "NOOP", "title": "waits"}));
    let dispatch = eventually(LIMIT, "the job's dispatch", || {
        match cluster.count("SELECT max(published_dispatch) FROM jobs") {
            0 => Err("not published".to_owned()),
            dispatch => Ok(dispatch),
        }
    });
    let reply = stranger.ask(&claim(id, dispatch, ClaimId::generate()));
    assert_eq!(refusal(&reply), Refusal::UserNotAllowed);
    cluster.workers[0].thaw();
    cluster.wait_until_done(id);
}

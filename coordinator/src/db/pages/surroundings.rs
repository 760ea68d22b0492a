//! What `doctor` and `readyz` ask the database: does it answer, how is it set, who works with it.

mod server;

use shared::message::worker::Check;

use super::deliveries::{DeliveryFigures, ReadDeliveryFigures};
use super::plugins::{self, PluginRow};
use super::{WORKER_SILENT_SECONDS, rows, search, single};
use crate::db::coordinators::{Coordinator, ReadCoordinators};
use crate::db::recovery::{ReadRestore, Restore};
use crate::db::{Error, Transact, Transaction};

pub use server::Server;

/// A refused worker asks again every minute; longer ago than this, seconds, and it asks no more.
const REFUSED_SECONDS: f64 = 150.0;

/// Asks for nothing but an answer.
#[derive(Debug, Clone, Copy)]
pub struct Ping;

impl Transact for Ping {
    const NAME: &'static str = "pages.ping";
    type Output = ();

    async fn run(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        single::<i32>(tx, "-- pages.ping\nSELECT 1", &[]).await.map(drop)
    }
}

/// A worker that was heard of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WorkerRow {
    /// The name that operators gave it.
    pub name: String,
    /// Its host.
    pub host: String,
    /// The RabbitMQ user that it is.
    pub amqp_user: String,
    /// Its release.
    pub version: String,
    /// It was heard of lately.
    pub alive: bool,
    /// It accepts no new jobs and will end.
    pub draining: bool,
    /// What it found out about its own surroundings.
    pub checks: Vec<Check>,
    /// How long ago it has told so, seconds.
    pub told_seconds: f64,
    /// Where jobs may read and write at it; empty when it has not said.
    pub roots: Vec<String>,
    /// The plugins that it serves whose jobs have folders.
    pub plugins: Vec<String>,
}

/// A worker whose announcement was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedWorker {
    /// The name that it gave itself.
    pub name: String,
    /// The RabbitMQ user that it is.
    pub amqp_user: String,
    /// Why, and what to do.
    pub reason: String,
}

/// The database's server, and who works with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// PostgreSQL itself.
    pub server: Server,
    /// Whether parts of titles and errors can be searched for by an index.
    pub can_search_parts: bool,
    /// The coordinators that live, this one among them.
    pub coordinators: Vec<Coordinator>,
    /// The workers, by name.
    pub workers: Vec<WorkerRow>,
    /// The plugins, by name.
    pub plugins: Vec<PluginRow>,
    /// The messages to other systems.
    pub deliveries: DeliveryFigures,
    /// The ids of the keys that tokens are encrypted with which somebody may still need.
    pub keys_needed: Vec<String>,
    /// API tokens whose time is over.
    pub expired_tokens: i64,
    /// Workers whose announcement was refused lately.
    pub refused: Vec<RefusedWorker>,
    /// A restore that nobody has looked after yet.
    pub restore: Option<Restore>,
}

/// Reads [`Surroundings`].
#[derive(Debug, Clone, Copy)]
pub struct ReadSurroundings;

impl Transact for ReadSurroundings {
    const NAME: &'static str = "pages.surroundings";
    type Output = Surroundings;

    async fn run(&self, tx: &Transaction<'_>) -> Result<Surroundings, Error> {
        Ok(Surroundings {
            server: server::read(tx).await?,
            can_search_parts: search::has_parts(tx).await?,
            coordinators: ReadCoordinators.run(tx).await?,
            workers: workers(tx).await?,
            plugins: plugins::read(tx).await?,
            deliveries: ReadDeliveryFigures.run(tx).await?,
            keys_needed: single(
                tx,
                "-- pages.keys_needed
                 SELECT ARRAY(SELECT split_part(callback_token, '.', 2) FROM job_details WHERE callback_token IS NOT NULL
                              UNION
                              SELECT split_part(token, '.', 2) FROM deliveries
                              WHERE state = 'pending' AND token IS NOT NULL
                              UNION
                              SELECT split_part(token, '.', 2) FROM deliveries
                              WHERE state <> 'pending' AND token IS NOT NULL
                              ORDER BY 1)",
                &[],
            )
            .await?,
            expired_tokens: single(
                tx,
                "-- pages.expired_tokens\nSELECT count(*) FROM api_tokens WHERE expires_at <= tm_now()",
                &[],
            )
            .await?,
            refused: refused(tx).await?,
            restore: ReadRestore.run(tx).await?,
        })
    }
}

async fn refused(tx: &Transaction<'_>) -> Result<Vec<RefusedWorker>, Error> {
    let rows = rows(
        tx,
        "-- pages.refused_announcements
             SELECT worker, amqp_user, reason FROM refused_announcements
             WHERE at > tm_now() - make_interval(secs => $1)
               AND NOT EXISTS (SELECT FROM workers WHERE workers.amqp_user = refused_announcements.amqp_user
                                 AND workers.name = worker AND workers.announced_at > at)
             ORDER BY amqp_user",
        &[&REFUSED_SECONDS],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RefusedWorker {
                name: row.try_get("worker")?,
                amqp_user: row.try_get("amqp_user")?,
                reason: row.try_get("reason")?,
            })
        })
        .collect()
}

async fn workers(tx: &Transaction<'_>) -> Result<Vec<WorkerRow>, Error> {
    let rows = rows(
        tx,
        "-- pages.workers
             SELECT id, name, host, amqp_user, version, draining, checks, roots,
                    heartbeat_at > tm_now() - make_interval(secs => $1) AS alive,
                    extract(epoch FROM tm_now() - announced_at)::float8 AS told_seconds,
                    ARRAY(SELECT plugin FROM worker_plugins JOIN plugins ON plugins.name = worker_plugins.plugin
                          WHERE worker_plugins.worker_id = workers.id
                            AND (needs_source OR needs_target OR needs_template) ORDER BY plugin) AS plugins
             FROM workers
             ORDER BY name, id",
        &[&WORKER_SILENT_SECONDS],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let checks: serde_json::Value = row.try_get("checks")?;
            let id: String = row.try_get("id")?;
            Ok(WorkerRow {
                name: row.try_get("name")?,
                host: row.try_get("host")?,
                amqp_user: row.try_get("amqp_user")?,
                version: row.try_get("version")?,
                alive: row.try_get("alive")?,
                draining: row.try_get("draining")?,
                checks: serde_json::from_value(checks).map_err(|_| Error::Inconsistent {
                    table: "workers",
                    column: "checks",
                    row: id,
                })?,
                told_seconds: row.try_get("told_seconds")?,
                roots: row.try_get("roots")?,
                plugins: row.try_get("plugins")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::pages::sample::Sample;
    use crate::db::workers::{Announce, NoteRefusal};
    use crate::testing::TestDatabase;
    use shared::message::worker::Announcement;

    fn announcement(name: &str) -> Announcement {
        Announcement {
            worker_id: format!("{name}/0/0"),
            name: name.to_owned(),
            host: "scans".to_owned(),
            version: "0.1.0".to_owned(),
            plugins: vec![],
            draining: false,
            checks: vec![],
            roots: vec!["/data".to_owned()],
        }
    }

    #[tokio::test]
    async fn keys_that_tokens_need_are_known_of_jobs_that_wait_and_of_messages_that_were_given_up() {
        let database = TestDatabase::create().await;
        let mut sample = Sample::default();
        sample.plugin("OCR").waiting("OCR", "waits", 5);
        database.execute(&sample.sql()).await;
        let db = database.db();
        assert_eq!(
            db.run(&ReadSurroundings).await.unwrap().keys_needed,
            Vec::<String>::new()
        );
        database
            .execute(
                "UPDATE job_details SET callback_token = '1.0ldkey.ff';
                 INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, repeatable, headers, payload, token, state,
                                         last_answer, settled_at, created_at, next_try_at)
                 SELECT gen_random_uuid(), id, plugin, 1, 'callback', 'http://kitodo/', 'kitodo', true, '{}', '{}',
                        '1.newkey.ff', 'failed', 'no key', tm_now(), tm_now(), tm_now() FROM jobs",
            )
            .await;
        let found = db.run(&ReadSurroundings).await.unwrap();
        assert_eq!(found.keys_needed, ["0ldkey", "newkey"]);
    }

    #[tokio::test]
    async fn expired_tokens_are_counted_and_refused_workers_told_while_they_ask() {
        let database = TestDatabase::create().await;
        database.stop_clock("2100-01-01 00:00Z").await;
        database
            .execute(
                "INSERT INTO api_tokens (id, secret, title, role, made_by, expires_at)
                 SELECT gen_random_uuid(), sha256(days::text::bytea), 'token', 'viewer', 'admin',
                        tm_now() + make_interval(days => days)
                 FROM generate_series(-2, 2) AS days",
            )
            .await;
        let db = database.db();
        let refusal = |reason| NoteRefusal {
            worker: "scan1",
            amqp_user: "images",
            reason,
        };
        db.run(&refusal("it is not listed")).await.unwrap();
        db.run(&refusal("it is listed for IMAGE")).await.unwrap();
        let found = db.run(&ReadSurroundings).await.unwrap();
        assert_eq!(found.expired_tokens, 3);
        let reasons: Vec<&str> = found.refused.iter().map(|refused| &*refused.reason).collect();
        assert_eq!(reasons, ["it is listed for IMAGE"]);
        // It is let in, as another worker of that user, and then as itself.
        for (minute, name, refused) in [(1, "scan2", 1), (2, "scan1", 0)] {
            database.stop_clock(&format!("2100-01-01 00:0{minute}Z")).await;
            let announce = Announce {
                announcement: &announcement(name),
                amqp_user: "images",
                reply_to: "",
                lease_seconds: 60,
            };
            assert!(db.run(&announce).await.unwrap());
            let found = db.run(&ReadSurroundings).await.unwrap();
            assert_eq!(found.refused.len(), refused, "{name}");
        }
        db.run(&refusal("it is not listed any more")).await.unwrap();
        assert_eq!(db.run(&ReadSurroundings).await.unwrap().refused.len(), 1);
        database.stop_clock("2100-01-01 00:05Z").await;
        assert_eq!(db.run(&ReadSurroundings).await.unwrap().refused, []);
    }
}

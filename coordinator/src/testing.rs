//! A database of its own for a test: migrated, empty, dropped at the end.
//!
//! Copying a migrated database takes a fraction of migrating one, so the first test of a process makes one to copy. Its
//! name is that of its migrations: the next process on the same server finds it.
//!
//! Invariant: a missing server fails the test and says what to run; no test is ever skipped.

pub(crate) mod meeting;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::db::Db;
use crate::db::migrate::{checksums, migrate};

/// Connections of a test's pool.
const CONNECTIONS: usize = 4;

/// The name of the database to copy.
static MIGRATED: OnceCell<String> = OnceCell::const_new();

/// A migrated database that only one test uses.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    admin_url: String,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Makes the database on the server that `DATABASE_URL` names.
    pub(crate) async fn create() -> Self {
        let migrated = MIGRATED.get_or_init(migrated).await;
        Self::make(&format!("TEMPLATE {migrated}")).await
    }

    /// The same without a schema.
    pub(crate) async fn empty() -> Self {
        Self::make("").await
    }

    async fn make(options: &str) -> Self {
        let admin_url = admin_url();
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(&admin_url, &format!("CREATE DATABASE {name} {options}")).await;
        let url = url_of(&name);
        Self { admin_url, name, url }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A pool of connections to it.
    pub(crate) fn db(&self) -> Db {
        Db::new(&self.url, CONNECTIONS).unwrap()
    }

    /// Runs statements that are no part of the coordinator.
    pub(crate) async fn execute(&self, statements: &str) {
        execute(&self.url, statements).await;
    }

    /// Moves the database's clock this far ahead of the real one: `3 hours`.
    pub(crate) async fn advance(&self, interval: &str) {
        self.set_clock(&format!("clock_timestamp() + interval '{interval}'"))
            .await;
    }

    /// Has the database's clock stand still at this moment: `2100-01-01 00:00Z`.
    pub(crate) async fn stop_clock(&self, moment: &str) {
        self.set_clock(&format!("timestamptz '{moment}'")).await;
    }

    async fn set_clock(&self, now: &str) {
        self.execute(&format!(
            "CREATE OR REPLACE FUNCTION tm_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
             AS $$ SELECT {now} $$"
        ))
        .await;
    }

    /// The first column of each row that a statement of the test answers.
    pub(crate) async fn texts(&self, statement: &str) -> Vec<String> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        let rows = async { client.query(statement, &[]).await.unwrap() };
        tokio::select! {
            rows = rows => rows.iter().map(|row| row.get(0)).collect(),
            closed = connection => panic!("the connection ended: {closed:?}"),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.admin_url.clone(), self.name.clone());
        // A thread of its own, as a runtime must not be blocked from within.
        let drop = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(execute(&url, &format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        // Whatever became of it: the test's own outcome counts.
        let _ = drop.join();
    }
}

/// Makes sure that there is a migrated database, and gives its name.
async fn migrated() -> String {
    let mut hasher = DefaultHasher::new();
    checksums().hash(&mut hasher);
    let name = format!("migrated_{:016x}", hasher.finish());
    let (client, connection) = tokio_postgres::connect(&admin_url(), NoTls).await.unwrap();
    let make = async {
        // Other processes wait; the end of the session lets go.
        let lock = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
        client.execute(lock, &[&name]).await.unwrap();
        let find = "SELECT 1 FROM pg_database WHERE datname = $1";
        if client.query_opt(find, &[&name]).await.unwrap().is_some() {
            return;
        }
        // Only a whole one has the name.
        let begun = format!("begun_{}", Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {begun}");
        client.batch_execute(&create).await.unwrap();
        migrate(&url_of(&begun)).await.unwrap();
        let rename = format!("ALTER DATABASE {begun} RENAME TO {name}");
        client.batch_execute(&rename).await.unwrap();
    };
    tokio::select! {
        () = make => {}
        closed = connection => panic!("the connection ended: {closed:?}"),
    }
    name
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server of a test run is no setting of the coordinator"
)]
fn admin_url() -> String {
    std::env::var("DATABASE_URL")
        .expect("DATABASE_URL must name a PostgreSQL server for tests: run `cargo xtask test`")
}

fn url_of(database: &str) -> String {
    let admin_url = admin_url();
    let (server, _) = admin_url
        .rsplit_once('/')
        .expect("DATABASE_URL ends with /database");
    format!("{server}/{database}")
}

async fn execute(url: &str, statements: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::select! {
        result = client.batch_execute(statements) => result.unwrap(),
        closed = connection => panic!("the connection ended: {closed:?}"),
    }
}

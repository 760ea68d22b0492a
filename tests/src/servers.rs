//! PostgreSQL and RabbitMQ for one test: a database and a virtual host on the run's servers, or servers of its own.
//!
//! Private servers are for tests that hurt them. A private RabbitMQ takes seconds of a whole core to start, so only one
//! test at a time has one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use launcher::{Place, Postgres, PostgresOptions, RabbitMq};
use tokio_postgres::{Client, NoTls, Row, types::ToSql};

use crate::environment::required;
use crate::runtime;

/// Held by the test that has a private RabbitMQ.
static PRIVATE_RABBITMQ: Mutex<()> = Mutex::new(());

/// Waits until nobody else has a private RabbitMQ.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    PRIVATE_RABBITMQ.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which servers a test has for itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Private {
    pub(crate) postgres: bool,
    /// With a server that follows it.
    pub(crate) standby: bool,
    pub(crate) rabbitmq: bool,
}

/// The servers of one test. Dropping them removes what was made on them.
#[derive(Debug)]
pub(crate) struct Servers {
    database: String,
    vhost: String,
    pub(crate) postgres: Option<Postgres>,
    /// Follows the private PostgreSQL.
    pub(crate) standby: Option<Postgres>,
    pub(crate) rabbitmq: Option<RabbitMq>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Servers {
    /// Makes a database and a virtual host, on private servers where asked for.
    pub(crate) fn start(place: &Place, private: Private) -> Self {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let turn = private.rabbitmq.then(turn);
        let rabbitmq = private
            .rabbitmq
            .then(|| RabbitMq::start(place).expect("a private RabbitMQ starts"));
        let postgres = (private.postgres || private.standby).then(|| {
            let options = PostgresOptions { durable: true };
            Postgres::start(place, options).expect("a private PostgreSQL starts")
        });
        let standby = private.standby.then(|| {
            let server = postgres.as_ref().expect("a standby follows a private server");
            server.start_standby().expect("a standby starts")
        });
        let servers = Self {
            database: format!("it_{unique}"),
            // The slash shows that everybody encodes the name.
            vhost: format!("it/{unique}"),
            postgres,
            standby,
            rabbitmq,
            _turn: turn,
        };
        let create = format!("CREATE DATABASE {}", servers.database);
        runtime::wait(run_sql(&servers.admin_url(), &create)).expect("a database can be made");
        servers.make_vhost();
        servers
    }

    /// The test's database.
    pub(crate) fn database_url(&self) -> String {
        with_path(&self.admin_url(), &self.database)
    }

    /// Drops the test's database, whoever uses it, and makes an empty one of the same name.
    pub(crate) fn make_database_anew(&self) {
        let name = &self.database;
        for statement in [
            format!("DROP DATABASE {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            runtime::wait(run_sql(&self.admin_url(), &statement))
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// The test's virtual host.
    pub(crate) fn amqp_url(&self) -> String {
        let server = match &self.rabbitmq {
            Some(server) => server.url("/"),
            None => required("AMQP_URL"),
        };
        with_path(&server, &percent_encoded(&self.vhost))
    }

    /// The test's virtual host.
    pub(crate) fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Asks the test's database.
    pub(crate) fn sql(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        ask(&self.database_url(), statement, parameters)
    }

    /// With a standby it names both servers, as an operator would: whoever takes writes is meant.
    fn admin_url(&self) -> String {
        match (&self.postgres, &self.standby) {
            (Some(server), Some(standby)) => {
                let [first, second] = [server, standby].map(|server| format!("127.0.0.1:{}", server.port()));
                let both = server
                    .admin_url()
                    .replacen(&first, &format!("{first},{second}"), 1);
                format!("{both}?target_session_attrs=read-write")
            }
            (Some(server), None) => server.admin_url(),
            (None, _) => required("DATABASE_URL"),
        }
    }

    pub(crate) fn make_vhost(&self) {
        if let Some(server) = &self.rabbitmq {
            server
                .create_vhost(&self.vhost)
                .expect("a virtual host can be made");
            return;
        }
        let vhost = percent_encoded(&self.vhost);
        manage("PUT", &format!("vhosts/{vhost}"), "").expect("a virtual host can be made");
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        let user = user(&required("AMQP_URL"));
        manage("PUT", &format!("permissions/{vhost}/{user}"), all).expect("permissions can be given");
    }

    /// Removes what stands on the run's servers; private ones end with their data.
    pub(crate) fn remove(&self) -> Result<(), String> {
        if self.postgres.is_none() {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database);
            runtime::wait(run_sql(&self.admin_url(), &drop)).map_err(|error| format!("{drop}: {error}"))?;
        }
        if self.rabbitmq.is_none() {
            manage("DELETE", &format!("vhosts/{}", percent_encoded(&self.vhost)), "")?;
        }
        Ok(())
    }
}

/// Asks the database at this address, over a connection of its own.
pub(crate) fn ask(
    url: &str,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    runtime::wait(async { connect(url).await?.query(statement, parameters).await })
}

async fn run_sql(url: &str, statement: &str) -> Result<(), tokio_postgres::Error> {
    connect(url).await?.batch_execute(statement).await
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    runtime::beside(async move {
        // Its failure is seen by whoever uses the client.
        let _ended = connection.await;
    });
    Ok(client)
}

/// Asks the management API of the run's RabbitMQ.
fn manage(method: &str, path: &str, body: &'static str) -> Result<(), String> {
    let base = required("AMQP_MANAGEMENT_URL");
    // The client sends the name and password that stand in the address.
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}/api/{path}", base.trim_end_matches('/')))
        .header("Content-Type", "application/json")
        .body(body)
        .map_err(|error| error.to_string())?;
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    agent
        .run(request)
        .map(drop)
        .map_err(|error| format!("{method} {path}: {error}"))
}

/// The user that an address names.
fn user(url: &str) -> String {
    let login = url.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let user = login.and_then(|(login, _)| login.split_once(':'));
    user.expect("the servers' addresses name a user and a password")
        .0
        .to_owned()
}

/// The address with another path: another database, another virtual host.
pub(crate) fn with_path(url: &str, path: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("an address has a scheme");
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, String::new()), |(rest, query)| (rest, format!("?{query}")));
    let authority = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{authority}/{path}{query}")
}

pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_addresss_path_is_replaced_and_the_rest_kept() {
        assert_eq!(
            with_path("postgres://u:p@h:5/postgres", "x"),
            "postgres://u:p@h:5/x"
        );
        assert_eq!(
            with_path("amqp://u:p@h:5/%2F?heartbeat=5", "a%2Fb"),
            "amqp://u:p@h:5/a%2Fb?heartbeat=5"
        );
        assert_eq!(with_path("amqp://u:p@h", "x"), "amqp://u:p@h/x");
    }
}

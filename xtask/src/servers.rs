//! The two servers that everything needs: private ones, or those that the environment names.

use std::time::Instant;

use anyhow::{Context, Result};
use launcher::{Place, Postgres, PostgresOptions, RabbitMq};

use crate::existing::Existing;
use crate::say;

/// Running servers and their addresses; dropping it ends the private ones.
#[derive(Debug)]
pub(crate) struct Servers {
    database_url: String,
    amqp_url: String,
    /// The management API; an existing broker may have none.
    management_url: Option<String>,
    postgres: Option<Postgres>,
    rabbitmq: Option<RabbitMq>,
}

/// Which database of a private server [`Servers`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// The one that always exists; tests create theirs beside it. The server need not survive the machine's death.
    Maintenance,
    /// The same on a server that writes as safely as a production server: benchmarks must not measure less.
    Benchmarks,
    /// One for jobs, kept safe.
    Jobs,
}

impl Servers {
    /// Starts what does not exist, both at the same time.
    pub(crate) fn start(place: &Place, existing: &Existing, database: Database) -> Result<Self> {
        for leftover in place.ended_leftovers() {
            say::progress(&format!("ended {leftover}, left by a launcher that was killed"));
        }
        let (postgres, rabbitmq) = std::thread::scope(|scope| {
            let rabbitmq = scope.spawn(|| existing.amqp.is_none().then(|| start_rabbitmq(place)).transpose());
            let postgres = existing
                .database
                .is_none()
                .then(|| start_postgres(place, database))
                .transpose();
            (
                postgres,
                rabbitmq
                    .join()
                    .expect("the thread that starts RabbitMQ does not panic"),
            )
        });
        let (postgres, rabbitmq) = (postgres?, rabbitmq?);
        let database_url = match &postgres {
            Some((_, url)) => Some(url.clone()),
            None => existing.database.clone(),
        };
        let neither = "a server is private or named by the environment";
        Ok(Self {
            database_url: database_url.context(neither)?,
            amqp_url: rabbitmq
                .as_ref()
                .map(|broker| broker.url("/"))
                .or(existing.amqp.clone())
                .context(neither)?,
            management_url: match &rabbitmq {
                Some(broker) => Some(broker.management_url_with_login()),
                None => existing.management.clone(),
            },
            postgres: postgres.map(|(server, _)| server),
            rabbitmq,
        })
    }

    /// Makes sure that the private ones run.
    pub(crate) fn expect_running(&mut self) -> Result<(), launcher::Error> {
        self.postgres.as_mut().map_or(Ok(()), Postgres::expect_running)?;
        self.rabbitmq.as_mut().map_or(Ok(()), RabbitMq::expect_running)
    }

    /// The variables that programs and tests find the servers by.
    pub(crate) fn variables(&self) -> Vec<(&'static str, &str)> {
        let mut variables = vec![
            ("DATABASE_URL", self.database_url.as_str()),
            ("AMQP_URL", self.amqp_url.as_str()),
        ];
        variables.extend(
            self.management_url
                .as_deref()
                .map(|url| ("AMQP_MANAGEMENT_URL", url)),
        );
        variables
    }
}

fn start_postgres(place: &Place, database: Database) -> Result<(Postgres, String)> {
    let since = Instant::now();
    let server = Postgres::start(
        place,
        PostgresOptions {
            durable: database != Database::Maintenance,
        },
    )?;
    let url = match database {
        Database::Maintenance | Database::Benchmarks => server.admin_url(),
        Database::Jobs => {
            server.create_database("taskmanager")?;
            server.url("taskmanager")
        }
    };
    say::ready(
        &format!("PostgreSQL {} on port {}", server.version(), server.port()),
        since,
    );
    Ok((server, url))
}

fn start_rabbitmq(place: &Place) -> Result<RabbitMq> {
    let since = Instant::now();
    let server = RabbitMq::start(place)?;
    say::ready(
        &format!("RabbitMQ {} on port {}", server.version(), server.port()),
        since,
    );
    Ok(server)
}

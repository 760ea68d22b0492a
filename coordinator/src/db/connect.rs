//! Connecting to the first of several servers that answers and suits, so that a failover needs no new setting.
//!
//! Invariant: a server that is silent (its host is gone, or it hangs) costs a part of the time that connecting may
//! take, never all of it. The library bounds only the TCP connection, which the kernel of a hanging server still makes.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::Connect;
use shared::error::Chain;
use tokio::task::JoinHandle;
use tokio_postgres::config::Host;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, Error, NoTls, Socket};

use super::POOL_TIMEOUT;

/// Connects to the first server that does what the settings ask for (`target_session_attrs`), in the order in which
/// they are named.
///
/// # Errors
/// What the last of them said; what the others said stands in the log, as the usual state of a standby.
pub(crate) async fn connect(config: &Config) -> Result<(Client, Connection<Socket, NoTlsStream>), Error> {
    let servers = one_by_one(config);
    let Some((last, others)) = servers.split_last() else {
        return config.connect(NoTls).await;
    };
    let share = share(servers.len());
    for server in others {
        match tokio::time::timeout(share, server.connect(NoTls)).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => tracing::debug!("{}: {}", shown(server), Chain(&error)),
            Err(_) => tracing::debug!("{}: no answer within {share:?}", shown(server)),
        }
    }
    // Whoever waits for this has a limit, which this one may use up.
    last.connect(NoTls).await
}

/// The pool's way to connect.
#[derive(Debug)]
pub(super) struct OneAfterTheOther;

impl Connect for OneAfterTheOther {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = connect(&config).await?;
            #[expect(
                clippy::disallowed_methods,
                reason = "the pool ends it with the connection, and nobody waits for it"
            )]
            let drive = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!("a connection to PostgreSQL is lost: {}", Chain(&error));
                }
            });
            Ok((client, drive))
        })
    }
}

/// How long one of so many servers may take.
fn share(servers: usize) -> Duration {
    POOL_TIMEOUT / u32::try_from(servers).unwrap_or(u32::MAX)
}

/// The same settings for each server alone.
fn one_by_one(config: &Config) -> Vec<Config> {
    let servers = config.get_hosts().len().max(config.get_hostaddrs().len());
    (0..servers).map(|index| alone(config, index)).collect()
}

fn alone(config: &Config, index: usize) -> Config {
    let mut one = Config::new();
    match config.get_hosts().get(index) {
        Some(Host::Tcp(host)) => _ = one.host(host),
        Some(Host::Unix(path)) => _ = one.host_path(path),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(index) {
        one.hostaddr(*address);
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(index).or_else(|| ports.first()) {
        one.port(*port);
    }
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(database) = config.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    one
}

/// A server's name without any password.
fn shown(server: &Config) -> String {
    format!("{:?} {:?}", server.get_hosts(), server.get_ports())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::session_config;
    use super::*;

    const TWO: &str = "postgres://u:p@db1:5433,db2:5434/jobs?target_session_attrs=read-write";

    #[test]
    fn each_server_keeps_all_settings_but_the_others_names() {
        let config = session_config(TWO).unwrap();
        let servers = one_by_one(&config);
        for (server, (host, port)) in servers.iter().zip([("db1", 5433), ("db2", 5434)]) {
            let alone = format!("postgres://u:p@{host}:{port}/jobs?target_session_attrs=read-write");
            assert_eq!(*server, session_config(&alone).unwrap());
        }
        assert_eq!(servers.len(), 2);
    }

    #[test]
    fn one_port_and_one_server_are_what_they_were() {
        let config =
            session_config("postgres://u@db1,db2:5433/jobs?target_session_attrs=read-write").unwrap();
        let ports: Vec<Vec<u16>> = one_by_one(&config)
            .iter()
            .map(|server| server.get_ports().to_vec())
            .collect();
        assert_eq!(ports, [[5432], [5433]]);
        let single = session_config("postgres://u:p@db1/jobs?keepalives=0").unwrap();
        assert_eq!(one_by_one(&single), [single]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_hangs_leaves_time_for_the_others() {
        // The kernel takes connections for it, and nobody ever answers.
        let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let [first, second] = [&hanging, &closed].map(|socket| socket.local_addr().unwrap());
        drop(closed);
        let url = format!("postgres://u:p@{first},{second}/jobs?target_session_attrs=read-write");
        let config = session_config(&url).unwrap();
        let answer = tokio::time::timeout(POOL_TIMEOUT, connect(&config)).await;
        let refused = answer
            .expect("the second server was asked in time")
            .err()
            .expect("nobody is there");
        assert!(Chain(&refused).to_string().contains("refused"), "{refused:?}");
    }
}

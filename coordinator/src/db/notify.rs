//! "Something about jobs has changed": told by the coordinator that changed it, heard by all.
//!
//! A hint, never the truth: at most one a quarter of a second is sent (notifications take a lock that all of
//! PostgreSQL shares), and who listens also looks by itself from time to time.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shared::error::Chain;
use tokio::sync::{Notify, watch};
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

use super::connect::connect;
use super::{Db, Error, POOL_TIMEOUT, Transact, session_config};

/// Shortest time between two notifications of one coordinator.
const INTERVAL: Duration = Duration::from_millis(250);
/// Pause before the listener connects again.
const RECONNECT: Duration = Duration::from_secs(1);

/// The stream of changes.
#[derive(Debug, Clone)]
pub struct Changes {
    version: Arc<watch::Sender<u64>>,
    own: Arc<Notify>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            version: Arc::new(watch::channel(0).0),
            own: Arc::default(),
        }
    }
}

impl Changes {
    /// A number that rises when jobs have changed.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// This coordinator has changed jobs: wakes everybody here at once, the others soon.
    pub fn announce(&self) {
        self.bump();
        self.own.notify_one();
    }

    fn bump(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Sends this coordinator's changes to the others until `stop`.
    pub async fn send(&self, db: Db, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.own.notified() => {}
                () = stop.cancelled() => return,
            }
            let told = tokio::select! {
                told = db.run(&Tell) => told,
                () = stop.cancelled() => return,
            };
            if let Err(error) = told {
                tracing::debug!("telling other coordinators of a change: {}", Chain(&error));
            }
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Hears the changes of other coordinators until `stop`.
    pub async fn listen(&self, database_url: String, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                result = self.listen_once(&database_url) => if let Err(error) = result {
                    tracing::debug!("listening to other coordinators: {}", Chain(&error));
                },
                () = stop.cancelled() => return,
            }
            // Whatever was missed meanwhile.
            self.bump();
            tokio::select! {
                () = tokio::time::sleep(RECONNECT) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn listen_once(&self, database_url: &str) -> Result<(), Error> {
        let config = session_config(database_url)?;
        let (client, mut connection) = soon(connect(&config)).await?;
        let hear = async {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(_) = message? {
                    self.bump();
                }
            }
            Ok(())
        };
        let mut hear = pin!(hear);
        tokio::select! {
            result = soon(client.batch_execute("LISTEN taskmanager")) => result?,
            result = &mut hear => return result,
        }
        hear.await
    }
}

/// What comes of a question while the connection is made: a server that says nothing is left, and asked anew.
async fn soon<T>(question: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
    let answer = tokio::time::timeout(POOL_TIMEOUT, question).await;
    Ok(answer.map_err(|_| Error::Timeout {
        transaction: "notify.listen",
    })??)
}

struct Tell;

impl Transact for Tell {
    const NAME: &'static str = "notify.tell";
    type Output = ();

    async fn run(&self, tx: &deadpool_postgres::Transaction<'_>) -> Result<(), Error> {
        tx.execute("-- notify.tell\nNOTIFY taskmanager", &[]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_not_listened_to_for_ever() {
        // The kernel takes connections for it, and nobody ever answers.
        let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgres://u:p@{}/jobs", hanging.local_addr().unwrap());
        let changes = Changes::default();
        let heard = tokio::time::timeout(Duration::from_hours(1), changes.listen_once(&url)).await;
        let answer = heard.expect("it waits for ever").unwrap_err();
        assert!(matches!(answer, Error::Timeout { .. }), "{answer}");
    }
}

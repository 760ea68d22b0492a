//! Results are sent until a coordinator has answered; meanwhile they lie on disk, so that they outlive the process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::error::Chain;
use shared::failpoint::{self, Failpoint};
use shared::job::ClaimId;
use shared::message::reply::{Reply, ResultAnswer};
use shared::message::worker::{AttemptResult, WorkerMessage};
use shared::message::{decode, encode};
use tokio_util::sync::CancellationToken;

use crate::requests::Requests;

/// Pause before an unanswered result is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// Delivers results.
#[derive(Debug, Clone)]
pub struct Delivery {
    requests: Requests,
    spool: PathBuf,
}

impl Delivery {
    /// Deliveries over `requests`, with `spool` as the folder where results wait.
    pub fn new(requests: Requests, spool: PathBuf) -> Self {
        Self { requests, spool }
    }

    /// Sends the result until a coordinator has answered. `None` when `end` came first: it stays on disk and is
    /// sent by the next process here, or its job goes on elsewhere when its lease ends.
    pub async fn deliver(&self, result: AttemptResult, end: &CancellationToken) -> Option<ResultAnswer> {
        let file = self.file(result.report.claim_id);
        let message = WorkerMessage::Result(result);
        if let Err(error) = write(&file, &encode(&message)).await {
            tracing::warn!(
                "the result can't be kept in {} until it is recorded: {error}",
                file.display()
            );
        }
        failpoint::reach(Failpoint::SpoolBeforeSend);
        let answer = self.send(&message, end).await?;
        failpoint::reach(Failpoint::RecordBeforeUnspool);
        if let Err(error) = tokio::fs::remove_file(&file).await {
            tracing::debug!("{} can't be removed: {error}", file.display());
        }
        Some(answer)
    }

    /// Sends what was taken over from dead processes.
    pub async fn deliver_left_over(&self, end: CancellationToken) {
        for file in self.left_over() {
            let read = std::fs::read(&file).map(|bytes| decode::<WorkerMessage>(&bytes));
            let Ok(Ok(message @ WorkerMessage::Result(_))) = read else {
                // Another release's, or damaged: its job's lease ends by itself.
                tracing::warn!("{} holds no readable result and is removed", file.display());
                let _gone = std::fs::remove_file(&file);
                continue;
            };
            match self.send(&message, &end).await {
                Some(answer) => {
                    failpoint::reach(Failpoint::RecordBeforeUnspool);
                    tracing::info!("a result of an earlier process was delivered: {answer:?}");
                    let _gone = std::fs::remove_file(&file);
                }
                None => return,
            }
        }
    }

    async fn send(&self, message: &WorkerMessage, end: &CancellationToken) -> Option<ResultAnswer> {
        let mut troubled = false;
        loop {
            let asked = tokio::select! {
                asked = self.requests.ask(message) => asked,
                () = end.cancelled() => return None,
            };
            match asked {
                Ok(Reply::Result { answer }) if answer != ResultAnswer::Other => return Some(answer),
                Ok(other) => tracing::warn!("a result was answered with something else: {other:?}"),
                Err(error) if !troubled => {
                    tracing::warn!(
                        "a result is not recorded yet, and will be sent again: {}",
                        Chain(&error)
                    );
                    troubled = true;
                }
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = end.cancelled() => return None,
            }
        }
    }

    fn file(&self, claim_id: ClaimId) -> PathBuf {
        self.spool.join(format!("{claim_id}.json"))
    }

    fn left_over(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.spool) else {
            return Vec::new();
        };
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
    }
}

/// Writes the whole file or none of it.
async fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = file.with_extension("new");
    let mut handle = tokio::fs::File::create(&unfinished).await?;
    tokio::io::AsyncWriteExt::write_all(&mut handle, bytes).await?;
    handle.sync_all().await?;
    tokio::fs::rename(&unfinished, file).await
}

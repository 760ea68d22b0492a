//! An attempt completes what it was granted. A target that is full or away is waited for, without a transfer slot.

use std::time::Duration;

use shared::job::decide::ErrorClass;
use shared::message::manifest::Manifest;
use shared::message::transfer::Transfer;

use super::ending::{PUBLISHING, Worked, conclude, interrupted};
use super::slot::{self, Broken};
use crate::item_store::ItemStore;
use crate::plugin::AttemptError;
use crate::publish;
use crate::running::{Attempt, StopReason};

/// Pause before a target that is full or away is tried again.
const STORAGE_PAUSE: Duration = Duration::from_secs(5);

/// Completes the manifest. What was granted is only completed, by this attempt or by the next one. Who had to ask for
/// a transfer slot has one; while nothing can be moved it is another's.
pub(super) async fn complete(
    store: &ItemStore,
    attempt: &Attempt,
    granted: &Manifest,
    ask_for_transfer: bool,
) -> Worked {
    let mut told = false;
    loop {
        let error = match publish::complete(store, granted, &attempt.progress).await {
            // Another attempt completes the same, and needs the store for that.
            Ok(()) if attempt.stop_reason() == Some(StopReason::Lost) => return Worked::Fenced,
            Ok(()) => return Worked::report(granted.outcome.clone()),
            Err(_) if attempt.stop.is_cancelled() => return conclude(attempt, AttemptError::Stopped),
            Err(error) => error,
        };
        let AttemptError::Failed {
            class: ErrorClass::Retryable,
            message,
            ..
        } = &error
        else {
            return conclude(attempt, error);
        };
        if !told {
            tracing::warn!(job.id = %attempt.job_id, "publishing waits: {message}");
            attempt.progress.log(format!("publishing waits: {message}"));
            told = true;
        }
        attempt.progress.detail(message.clone());
        attempt.progress.give_back_transfer();
        tokio::select! {
            () = tokio::time::sleep(STORAGE_PAUSE) => {}
            () = attempt.stop.cancelled() => {}
            // Whoever drains the worker need not wait for the storage.
            () = attempt.pause.cancelled() => return Worked::report(interrupted(PUBLISHING)),
        }
        if ask_for_transfer {
            match slot::wait_again(attempt, Transfer::Target).await {
                Ok(()) => {}
                Err(Broken::Stopped) => return conclude(attempt, AttemptError::Stopped),
                Err(Broken::Paused) => return Worked::report(interrupted(PUBLISHING)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;
    use shared::job::{ClaimId, JobId, Token};
    use shared::message::reply::Verdict;
    use shared::message::transfer::{TransferAsk, TransferReply};
    use shared::message::worker::Outcome;

    use super::*;
    use crate::running::Running;

    const ASKS: TransferAsk = TransferAsk {
        of: Transfer::Target,
        begun: false,
    };

    /// An attempt with a slot and one file to publish, whose target is out of order.
    struct Fixture {
        running: Running,
        attempt: Attempt,
        store: ItemStore,
        manifest: Manifest,
        folder: tempfile::TempDir,
    }

    impl Fixture {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let running = Running::default();
            let token = Token {
                attempt: 1,
                claim_id: ClaimId::generate(),
            };
            let attempt = running.begin(JobId::generate(), token, Duration::from_mins(1), None);
            attempt.begin_publishing();
            attempt.progress.transfer().ask(Transfer::Target);
            attempt.progress.transfer().hear(ASKS, None);
            std::fs::create_dir(folder.path().join("target")).unwrap();
            let target = Dir::open_ambient_dir(folder.path().join("target"), ambient_authority()).unwrap();
            let store = ItemStore::open(target, attempt.job_id, token.claim_id);
            std::fs::write(folder.path().join("page"), "page").unwrap();
            let file = store.put("out/1.txt", &folder.path().join("page")).await.unwrap();
            let manifest = Manifest {
                files: vec![file],
                outcome: Outcome::Done {
                    summary: serde_json::Map::new(),
                },
            };
            // A loop: nothing can be opened beneath it.
            symlink("out", folder.path().join("target/out")).unwrap();
            Self {
                running,
                attempt,
                store,
                manifest,
                folder,
            }
        }

        fn target(&self, path: &str) -> PathBuf {
            self.folder.path().join("target").join(path)
        }

        fn asks(&self) -> Option<TransferAsk> {
            self.attempt.progress.transfer().asked()
        }

        async fn until_it_says(&self, wanted: Option<TransferAsk>) {
            let says = async {
                while self.asks() != wanted {
                    self.running.changed.notified().await;
                }
            };
            let said = tokio::time::timeout(STORAGE_PAUSE * 10, says).await;
            said.unwrap_or_else(|_| panic!("it says {:?}, not {wanted:?}", self.asks()));
        }

        /// It has given its slot back, and asks for it anew.
        async fn until_it_asks_anew(&self) {
            self.until_it_says(None).await;
            self.until_it_says(Some(ASKS)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_its_target_has_no_slot_and_goes_on_when_it_has_one_again() {
        let fixture = Fixture::new().await;
        let goes_on = async {
            fixture.until_it_asks_anew().await;
            std::fs::remove_file(fixture.target("out")).unwrap();
            tokio::time::sleep(STORAGE_PAUSE * 3).await;
            assert!(!fixture.target("out").exists(), "it has begun without its turn");
            fixture
                .attempt
                .progress
                .transfer()
                .hear(ASKS, Some(&TransferReply::Granted));
        };
        let completes = complete(&fixture.store, &fixture.attempt, &fixture.manifest, true);
        let (worked, ()) = tokio::join!(completes, goes_on);
        assert!(matches!(
            worked,
            Worked::Report {
                outcome: Outcome::Done { .. },
                ..
            }
        ));
        assert_eq!(
            std::fs::read_to_string(fixture.target("out/1.txt")).unwrap(),
            "page"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_its_slot_anew_can_be_stopped_and_paused_and_the_next_attempt_goes_on() {
        for stops in [true, false] {
            let fixture = Fixture::new().await;
            let tells = async {
                fixture.until_it_asks_anew().await;
                if stops {
                    fixture.attempt.stop_because(StopReason::ShutDown);
                } else {
                    fixture
                        .running
                        .obey(fixture.attempt.token.claim_id, Verdict::Yield);
                }
            };
            let completes = complete(&fixture.store, &fixture.attempt, &fixture.manifest, true);
            let (worked, ()) = tokio::join!(completes, tells);
            let Worked::Report { outcome, .. } = worked else {
                panic!("it reports nothing")
            };
            assert_eq!(outcome, interrupted(PUBLISHING));
            assert_eq!(fixture.asks(), None, "it asks no more");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_needs_no_slot_asks_for_none() {
        let fixture = Fixture::new().await;
        fixture.attempt.progress.give_back_transfer();
        let mended = async {
            tokio::time::sleep(STORAGE_PAUSE / 2).await;
            std::fs::remove_file(fixture.target("out")).unwrap();
        };
        let completes = complete(&fixture.store, &fixture.attempt, &fixture.manifest, false);
        tokio::join!(completes, mended);
        assert!(fixture.target("out/1.txt").exists());
        assert_eq!(fixture.asks(), None);
    }
}

//! An attempt waits for its transfer slot, before it reads its input and before it puts its outputs in place.

use std::time::Duration;

use shared::job::Stage;
use shared::message::transfer::Transfer;

use crate::running::Attempt;
use crate::transfer::Standing;

/// Longest time after which an attempt that waits asks again.
const PAUSE: Duration = Duration::from_secs(2);

/// Why an attempt waits no longer for its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It was told to stop.
    Stopped,
    /// It was told to give its job back.
    Paused,
}

/// Waits until the attempt may move its data; says meanwhile what for. Whoever stops, holds or drains it need not wait
/// for that.
pub(super) async fn wait(attempt: &Attempt, of: Transfer) -> Result<(), Broken> {
    let (progress, slot) = (&attempt.progress, attempt.progress.transfer());
    slot.ask(of);
    attempt.progress.beat();
    let mut told = None;
    loop {
        match slot.standing() {
            Standing::Granted => break,
            Standing::Waits(why) if why.is_some() && why != told => {
                if told.is_none() {
                    if of == Transfer::Source {
                        progress.stage(Stage::WaitingForUpload);
                    }
                    progress.log(why.as_deref().unwrap_or_default());
                }
                progress.detail(why.clone().unwrap_or_default());
                told = why;
            }
            Standing::Waits(_) => {}
        }
        let broken = tokio::select! {
            biased;
            () = attempt.stop.cancelled() => Broken::Stopped,
            () = attempt.pause.cancelled() => Broken::Paused,
            () = slot.answered() => continue,
            () = tokio::time::sleep(PAUSE) => {
                progress.beat();
                continue;
            }
        };
        progress.give_back_transfer();
        return Err(broken);
    }
    if told.is_some() {
        progress.detail("");
        progress.log("there is a transfer slot now");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::job::{ClaimId, JobId, Token};
    use shared::message::reply::Verdict;
    use shared::message::transfer::{TransferAsk, TransferReply};

    use super::*;
    use crate::running::{Running, StopReason};

    const ASKED: TransferAsk = TransferAsk {
        of: Transfer::Source,
        begun: false,
    };

    fn attempt(running: &Running) -> Attempt {
        let token = Token {
            attempt: 1,
            claim_id: ClaimId::generate(),
        };
        running.begin(JobId::generate(), token, Duration::from_mins(1), None)
    }

    fn full() -> TransferReply {
        TransferReply::Wait {
            storage: "/data".to_owned(),
            running: 1,
            most: 1,
            ahead: 0,
        }
    }

    fn seen(attempt: &Attempt) -> (Stage, String, Option<TransferAsk>) {
        let report = attempt.progress.report(attempt.job_id, attempt.token);
        (report.stage, report.detail, report.transfer)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_says_what_for_and_asks_every_two_seconds_until_it_is_granted() {
        let running = Running::default();
        let attempt = attempt(&running);
        let changed = Arc::clone(&running.changed);
        let answers = async {
            // What it says of itself is worth a heartbeat, too: that makes some of them, and its asking the others.
            for _ in 0..8 {
                changed.notified().await;
                let (.., asked) = seen(&attempt);
                assert_eq!(asked, Some(ASKED));
                attempt.progress.transfer().hear(ASKED, Some(&full()));
                tokio::task::yield_now().await;
            }
            let (stage, detail, _) = seen(&attempt);
            assert_eq!(stage, Stage::WaitingForUpload);
            assert_eq!(detail, "waits for a transfer slot: 1 of 1 transfers of /data run");
            attempt
                .progress
                .transfer()
                .hear(ASKED, Some(&TransferReply::Granted));
        };
        let begun = tokio::time::Instant::now();
        let (waited, ()) = tokio::join!(wait(&attempt, Transfer::Source), answers);
        assert_eq!(waited, Ok(()));
        assert!(begun.elapsed() <= PAUSE * 8, "it asks too seldom");
        let (_, detail, asked) = seen(&attempt);
        assert_eq!(
            (detail.as_str(), asked.map(|asked| asked.begun)),
            ("", Some(true))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_and_pausing_interrupt_the_waiting_and_it_asks_no_more() {
        let running = Running::default();
        for (tell, broken) in [(true, Broken::Stopped), (false, Broken::Paused)] {
            let attempt = attempt(&running);
            let tells = async {
                tokio::time::sleep(PAUSE * 5).await;
                if tell {
                    attempt.stop_because(StopReason::Cancelled);
                } else {
                    running.obey(attempt.token.claim_id, Verdict::Yield);
                }
            };
            let (waited, ()) = tokio::join!(wait(&attempt, Transfer::Target), tells);
            assert_eq!(waited, Err(broken));
            assert_eq!(seen(&attempt).2, None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_slot_is_given_back_when_work_begins() {
        let running = Running::default();
        let attempt = attempt(&running);
        attempt.progress.transfer().ask(Transfer::Source);
        attempt.progress.transfer().hear(ASKED, None);
        attempt.progress.stage(Stage::Upload);
        assert!(seen(&attempt).2.is_some());
        attempt.progress.stage(Stage::Processing);
        assert_eq!(seen(&attempt).2, None);
    }
}

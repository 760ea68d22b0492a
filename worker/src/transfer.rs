//! Transfer slots: an attempt whose storage takes only so many transfers asks before it moves its data.
//!
//! What it asks for goes with each of its heartbeats, and the answer comes with theirs. A coordinator that says nothing
//! of it is an older one, which limits nothing. Once it has been told that it may, it goes on whatever is said later:
//! half a transfer helps nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::message::transfer::{Transfer, TransferAsk, TransferReply};
use tokio::sync::Notify;

/// What an attempt asks for, and what it was told. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct TransferSlot {
    state: Arc<Mutex<State>>,
    answered: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    ask: Option<TransferAsk>,
    /// The last answer, where it was not yes.
    waits: Option<String>,
}

/// Where an attempt stands that has asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may move its data.
    Granted,
    /// It may not yet; this says why, where it has been told.
    Waits(Option<String>),
}

impl TransferSlot {
    /// Asks from the next heartbeat on.
    pub fn ask(&self, of: Transfer) {
        *self.lock() = State {
            ask: Some(TransferAsk { of, begun: false }),
            waits: None,
        };
    }

    /// Asks no more: the slot is another's from the next heartbeat on. Tells whether there was anything to give back.
    pub fn give_back(&self) -> bool {
        std::mem::take(&mut *self.lock()).ask.is_some()
    }

    /// What the next heartbeat says.
    pub fn asked(&self) -> Option<TransferAsk> {
        self.lock().ask
    }

    /// A heartbeat that said `asked` was answered; without an answer to that by an older coordinator.
    pub fn hear(&self, asked: TransferAsk, answer: Option<&TransferReply>) {
        {
            let mut state = self.lock();
            // It may have given up meanwhile, and asked for something else.
            if state.ask != Some(asked) || asked.begun {
                return;
            }
            if let Some(TransferReply::Wait {
                storage,
                running,
                most,
                ahead,
            }) = answer
            {
                let before = match ahead {
                    0 => String::new(),
                    1 => ", 1 more waits before it".to_owned(),
                    ahead => format!(", {ahead} more wait before it"),
                };
                state.waits = Some(format!(
                    "waits for a transfer slot: {running} of {most} transfers of {storage} run{before}"
                ));
            } else {
                state.ask = Some(TransferAsk { begun: true, ..asked });
                state.waits = None;
            }
        }
        self.answered.notify_one();
    }

    /// Where it stands now.
    pub fn standing(&self) -> Standing {
        let state = self.lock();
        if state.ask.is_some_and(|ask| ask.begun) {
            Standing::Granted
        } else {
            Standing::Waits(state.waits.clone())
        }
    }

    /// Ends when it has been answered since this was last waited for.
    pub async fn answered(&self) {
        self.answered.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one step: a panic elsewhere leaves it sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: TransferAsk = TransferAsk {
        of: Transfer::Source,
        begun: false,
    };

    fn wait(ahead: u32) -> TransferReply {
        TransferReply::Wait {
            storage: "/data".to_owned(),
            running: 2,
            most: 2,
            ahead,
        }
    }

    fn said(slot: &TransferSlot) -> String {
        match slot.standing() {
            Standing::Waits(Some(said)) => said,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn whoever_asks_waits_until_it_is_granted_and_says_from_then_on_that_it_has_begun() {
        let slot = TransferSlot::default();
        assert_eq!(slot.asked(), None);
        slot.ask(Transfer::Source);
        assert_eq!(slot.standing(), Standing::Waits(None), "nobody has answered yet");
        slot.hear(ASKED, Some(&wait(0)));
        assert_eq!(
            said(&slot),
            "waits for a transfer slot: 2 of 2 transfers of /data run"
        );
        slot.hear(ASKED, Some(&wait(3)));
        assert!(said(&slot).ends_with("run, 3 more wait before it"));
        slot.hear(ASKED, Some(&TransferReply::Granted));
        assert_eq!(slot.standing(), Standing::Granted);
        let begun = TransferAsk { begun: true, ..ASKED };
        assert_eq!(slot.asked(), Some(begun));
        slot.hear(begun, Some(&wait(0)));
        assert_eq!(slot.standing(), Standing::Granted, "half a transfer helps nobody");
        assert!(slot.give_back() && !slot.give_back());
        assert_eq!(slot.asked(), None);
    }

    #[test]
    fn a_coordinator_that_says_nothing_or_something_new_limits_nothing() {
        for answer in [None, Some(TransferReply::Other)] {
            let slot = TransferSlot::default();
            slot.ask(Transfer::Source);
            slot.hear(ASKED, answer.as_ref());
            assert_eq!(slot.standing(), Standing::Granted);
        }
    }

    #[test]
    fn a_late_answer_to_another_question_grants_nothing() {
        let slot = TransferSlot::default();
        slot.ask(Transfer::Source);
        slot.give_back();
        slot.hear(ASKED, Some(&TransferReply::Granted));
        assert_eq!(slot.asked(), None);
        slot.ask(Transfer::Target);
        slot.hear(ASKED, Some(&TransferReply::Granted));
        assert_eq!(slot.standing(), Standing::Waits(None));
    }
}

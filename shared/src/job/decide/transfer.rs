//! May this attempt move its data now?

use super::Job;
use crate::job::Token;

/// What is known of the storage that an attempt wants to move data from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransferRoom {
    /// How many attempts move data there.
    pub running: i64,
    /// How many may; `None`: as many as want to.
    pub most: Option<i64>,
    /// How many attempts wait that came before this one.
    pub ahead: i64,
}

/// The answer to an attempt that wants to move data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferAnswer {
    /// It may: the slot is its own.
    Grant,
    /// Not yet.
    Wait,
}

/// Decides whether the attempt `token` may move its data. Those that have a slot or do it already (`begun`) go on
/// whatever the limit says: one that comes back with its transfer under way can't be kept from it.
pub fn transfer(job: &Job, token: Token, begun: bool, room: TransferRoom) -> TransferAnswer {
    let free = room.most.is_none_or(|most| room.running + room.ahead < most);
    if job.runs_as(token) && (begun || free) {
        TransferAnswer::Grant
    } else {
        TransferAnswer::Wait
    }
}

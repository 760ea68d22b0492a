//! The end of a run: no fault any more, and everything has to come to its end by itself, in bounded time.

use std::thread;
use std::time::{Duration, Instant};

use super::controls::Decided;
use super::journal::Journal;
use super::load::{Submitted, Submitters};
use super::site::Site;

/// How long submitters may take to be acknowledged once nothing is hurt: reconnecting takes seconds.
const ACKNOWLEDGE_LIMIT: Duration = Duration::from_mins(1);
/// How long jobs may take to end then. A lost message is missed after half a minute, and two workers more may die.
const END_LIMIT: Duration = Duration::from_mins(2);
/// Longest wait for workers to remove item stores that nobody needs.
const STORES_LIMIT: Duration = Duration::from_mins(1);
/// Whom workers have not answered for in this time is passed over.
const STORES_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// What came of all orders and jobs.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) submitted: Submitted,
    pub(super) decided: Decided,
    /// Decisions that could not be undone.
    pub(super) troubles: Vec<String>,
    /// Jobs that have not ended: title and state.
    pub(super) unfinished: Vec<String>,
    /// How long it took from the last fault to the last job's end, seconds.
    pub(super) seconds: f64,
}

/// Waits for acknowledgements and ends.
pub(super) fn settle(
    site: &mut Site,
    submitters: Submitters,
    decided: Decided,
    journal: &Journal,
) -> Settled {
    let began = Instant::now();
    for program in site.programs() {
        if !program.alive() {
            program.start_without_waiting();
        }
    }
    let troubles = decided.undo(&site.api_ports());
    while !submitters.are_done() && began.elapsed() < ACKNOWLEDGE_LIMIT {
        thread::sleep(PAUSE);
    }
    let submitted = submitters.end();
    journal.note("the submitters have ended");
    let began_waiting = Instant::now();
    let unfinished = loop {
        let unfinished = unfinished(site);
        if unfinished.is_empty() || began_waiting.elapsed() > END_LIMIT {
            break unfinished;
        }
        thread::sleep(PAUSE);
    };
    remove_useless_stores(site);
    let seconds = began.elapsed().as_secs_f64();
    journal.note(format!(
        "{} jobs are unfinished after {seconds:.0} s",
        unfinished.len()
    ));
    Settled {
        submitted,
        decided,
        troubles,
        unfinished,
        seconds,
    }
}

/// Waits until workers have removed the item stores that nobody needs. Whom a fault has kept from it would be passed over
/// after some minutes: these are not waited for.
fn remove_useless_stores(site: &Site) {
    let began = Instant::now();
    let time_passes = "UPDATE stores_to_remove SET due_at = tm_now() - interval '1 minute'
        WHERE removed_at IS NULL AND due_at > tm_now() RETURNING 1";
    let left = "SELECT 1 FROM stores_to_remove WHERE removed_at IS NULL";
    let mut passed = began;
    while began.elapsed() < STORES_LIMIT && !site.sql(left, &[]).is_ok_and(|rows| rows.is_empty()) {
        if passed.elapsed() > STORES_PATIENCE && site.sql(time_passes, &[]).is_ok() {
            passed = Instant::now();
        }
        thread::sleep(PAUSE);
    }
}

fn unfinished(site: &Site) -> Vec<String> {
    let rows = site.sql(
        "SELECT format('%s (%s) is %s, attempt %s, dispatch %s of %s, held %s, cancel %s', title, id, state, attempt,
             published_dispatch, dispatch, held, cancel_requested)
         FROM jobs ORDER BY position",
        &[],
    );
    match rows {
        Ok(rows) => rows.iter().map(|row| row.get(0)).collect(),
        Err(error) => vec![format!("PostgreSQL does not answer: {error}")],
    }
}

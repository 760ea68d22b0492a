//! The one place where a test waits.
//!
//! A test waits for a condition, never for a time: it goes on as soon as the condition holds, and fails with what it
//! has seen last when that takes too long. The limit is no measure of speed; it only has to be longer than anything
//! takes that works, also while two cores do everything at once.

use std::time::{Duration, Instant};

/// For whatever has no reason to take longer.
pub const LIMIT: Duration = Duration::from_mins(3);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until there is something to give; an `Err` says what was seen instead.
pub fn eventually<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + limit;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if Instant::now() >= end => {
                panic!("not within {} s: {what}; last seen: {seen}", limit.as_secs())
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

//! Work that nobody asks for: each file is one reconciler.
//!
//! Each of them is idempotent, takes no input but the database, and runs again after an interval or when
//! something changed. Dying at any point costs nothing but time.

pub mod deliveries;
pub mod dispatcher;
pub mod housekeeping;
pub mod identity;
pub mod presence;
pub mod probe;
pub mod schedule;
pub mod storages;
pub mod sweeper;

/// A silence of the heartbeat queue longer than this, seconds, counts as an outage, during which no lease ends.
/// Five probes long, so that one slow transaction is no outage.
pub const PROBE_GAP_SECONDS: f64 = 5.0;

/// How long a round in hand may take once the process is to stop: long enough for any round, unless the database
/// does not answer. What is dropped is rolled back and found again by the next coordinator.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

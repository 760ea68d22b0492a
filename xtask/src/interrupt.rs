//! Ctrl-C and SIGTERM: the first one asks for an orderly end, the second one ends at once.
//!
//! Ending at once is safe: the kernel then kills everything that was started, and the servers recover at the next start.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use launcher::Place;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a command that a signal has ended, as shells report SIGINT.
pub(crate) const EXIT_CODE: u8 = 130;

/// How often the flag is looked at while there is nothing else to do.
const LOOK: Duration = Duration::from_millis(200);

/// Raises the place's interrupt flag when a signal comes.
pub(crate) fn watch(place: &Place) -> Result<()> {
    let interrupt: Arc<AtomicBool> = place.interrupt_flag();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the second signal finds the flag raised by the first.
        flag::register_conditional_shutdown(signal, i32::from(EXIT_CODE), Arc::clone(&interrupt))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupt)))
            .context("cannot handle Ctrl-C")?;
    }
    Ok(())
}

/// Waits a moment for a signal; whether one has come.
pub(crate) fn came(place: &Place) -> bool {
    if !place.interrupted() {
        std::thread::park_timeout(LOOK);
    }
    place.interrupted()
}

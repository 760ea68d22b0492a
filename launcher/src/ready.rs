//! Waiting until a server answers, and noticing that it died.

use std::time::{Duration, Instant};

use crate::Error;
use crate::process::{Process, deadline};

/// The pause between two looks. It is spent waiting for the process's end, so a death is noticed at once.
const PAUSE: Duration = Duration::from_millis(40);

impl Process {
    /// Waits until `answers` says yes; it is asked about twenty-five times a second.
    ///
    /// # Errors
    /// [`Error::Died`] when the process ends first, [`Error::NotReady`] after `limit`, [`Error::Interrupted`] when the
    /// place's interrupt flag is raised.
    pub fn wait_until(&mut self, limit: Duration, mut answers: impl FnMut() -> bool) -> Result<(), Error> {
        let end = deadline(limit);
        loop {
            self.runs_for(PAUSE)?;
            if answers() {
                return Ok(());
            }
            if self.place().interrupted() {
                return Err(Error::Interrupted);
            }
            if Instant::now() >= end {
                let (name, log, tail) = self.for_message();
                return Err(Error::NotReady {
                    name,
                    waited: limit,
                    log,
                    tail,
                });
            }
        }
    }

    /// Makes sure that it runs.
    ///
    /// # Errors
    /// [`Error::Died`] with the end of its log when it has ended.
    pub fn expect_running(&mut self) -> Result<(), Error> {
        self.runs_for(Duration::ZERO)
    }

    /// Waits for the time given; an end within it is an error.
    fn runs_for(&mut self, pause: Duration) -> Result<(), Error> {
        let Some(status) = self.wait(pause)? else {
            return Ok(());
        };
        let (name, log, tail) = self.for_message();
        Err(Error::Died {
            name,
            status,
            log,
            tail,
        })
    }

    fn for_message(&self) -> (String, std::path::PathBuf, String) {
        (
            self.name().to_owned(),
            self.log_path().to_owned(),
            self.log_tail(),
        )
    }
}

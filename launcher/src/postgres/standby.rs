//! A second PostgreSQL that follows the first one's log and can take over from it.
//!
//! A standby is a complete server: a data folder, a port and a log of its own, the first one's users and passwords.
//! Whether commits wait for it is the first one's setting and may be changed while both run.
//! Nobody here decides when to fail over, or keeps an old primary from coming back: that is the caller's part, as it is
//! the cluster manager's in production.

use std::time::{Duration, Instant};

use super::cluster::output;
use super::{Postgres, START_LIMIT};
use crate::Error;

/// The standby's name in messages, and that of its log and its folder.
const NAME: &str = "postgres-standby";

/// The pause between two looks at how far a standby is.
const PAUSE: Duration = Duration::from_millis(40);

impl Postgres {
    /// Starts a server on a port of its own that follows this one. A place has one such server.
    ///
    /// # Errors
    /// [`Error::Failed`] when this server refuses to be copied; else what kept the new one from starting.
    pub fn start_standby(&self) -> Result<Self, Error> {
        let account = self.account.as_ref();
        let cluster =
            self.cluster
                .copied_by_its_server(self.port, &self.place, NAME, account, self.options)?;
        let standby = Self::run(NAME, &self.place, self.account.clone(), cluster, self.options)?;
        self.wait_for_answer("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")?;
        Ok(standby)
    }

    /// Lets each commit wait until a standby has it on disk, or no longer wait.
    ///
    /// # Errors
    /// [`Error::Failed`] when the server refuses, [`Error::NotReady`] when no standby follows.
    pub fn set_synchronous(&self, synchronous: bool) -> Result<(), Error> {
        let (names, state) = if synchronous { ("*", "sync") } else { ("", "async") };
        self.ask(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))?;
        self.ask("SELECT pg_reload_conf()")?;
        self.wait_for_answer(&format!(
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = '{state}'"
        ))
    }

    /// Waits until a standby shows all that was committed before this call.
    ///
    /// # Errors
    /// [`Error::NotReady`] when it does not follow.
    pub fn wait_until_followed(&self) -> Result<(), Error> {
        let here = self.ask("SELECT pg_current_wal_flush_lsn()")?;
        self.wait_for_answer(&format!(
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn >= '{here}'"
        ))
    }

    /// Cuts this standby off from the server that it follows: it stays where it is, and answers.
    ///
    /// # Errors
    /// [`Error::Failed`] when the server refuses, [`Error::NotReady`] when it goes on following.
    pub fn stop_following(&self) -> Result<(), Error> {
        self.ask("ALTER SYSTEM SET primary_conninfo = ''")?;
        self.ask("SELECT pg_reload_conf()")?;
        self.wait_for_answer("SELECT count(*) = 0 FROM pg_stat_wal_receiver")
    }

    /// Makes this standby a server that takes writes, from where it is.
    ///
    /// # Errors
    /// [`Error::Failed`] when it is no standby, [`Error::NotReady`] when it takes too long.
    pub fn promote(&self) -> Result<(), Error> {
        self.ask("SELECT pg_promote(wait => false)")?;
        self.wait_for_answer("SELECT NOT pg_is_in_recovery()")
    }

    /// What the statement answers in its one row's one column.
    fn ask(&self, statement: &str) -> Result<String, Error> {
        let mut psql = self.psql(self.port);
        psql.args(["--command", statement]);
        let answer = output(&mut psql)?;
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }

    /// Asks until the answer is "true".
    fn wait_for_answer(&self, question: &str) -> Result<(), Error> {
        let end = Instant::now() + START_LIMIT;
        while self.ask(question)? != "t" {
            if Instant::now() >= end {
                return Err(Error::NotReady {
                    name: self.name.to_owned(),
                    waited: START_LIMIT,
                    log: self.log_path().to_owned(),
                    tail: self.process.log_tail(),
                });
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::PostgresOptions;
    use super::*;
    use crate::Place;

    fn start(name: &str) -> (Place, Postgres, Postgres) {
        let place = Place::temporary(name).unwrap();
        let server = Postgres::start(&place, PostgresOptions { durable: false }).unwrap();
        let standby = server.start_standby().unwrap();
        (place, server, standby)
    }

    #[test]
    fn a_synchronous_standby_has_every_commit_of_a_server_that_dies() {
        let (_place, mut server, standby) = start("standby-synchronous");
        server.set_synchronous(true).unwrap();
        assert!(server.create_database("kept").unwrap());
        server.kill9().unwrap();
        standby.promote().unwrap();
        assert!(!standby.create_database("kept").unwrap(), "the commit is missing");
        assert_ne!(server.port(), standby.port());
        assert_ne!(server.log_path(), standby.log_path());
    }

    #[test]
    fn a_standby_that_was_cut_off_lacks_what_came_after() {
        let (_place, mut server, standby) = start("standby-asynchronous");
        assert!(server.create_database("before").unwrap());
        server.wait_until_followed().unwrap();
        standby.stop_following().unwrap();
        assert!(server.create_database("after").unwrap());
        server.kill9().unwrap();
        standby.promote().unwrap();
        assert!(!standby.create_database("before").unwrap());
        assert!(standby.create_database("after").unwrap(), "it was not cut off");
    }
}

//! Backups of a test's database, as an operator makes them and puts them back.

use std::path::PathBuf;
use std::process::Command;

use super::Cluster;
use crate::environment;

/// A dump of the database.
#[derive(Debug)]
pub struct Backup {
    file: PathBuf,
}

impl Cluster {
    /// Dumps the database.
    pub fn back_up(&self) -> Backup {
        let file = self.folder().join("backup.dump");
        let mut dump = postgres_tool("pg_dump");
        dump.arg("--format=custom").arg("--file").arg(&file);
        run(dump.arg(self.servers.database_url()));
        Backup { file }
    }

    /// Puts a dump back into a database that is made anew; nobody may be using the old one any more.
    pub fn put_back(&self, backup: &Backup) {
        self.servers.make_database_anew();
        let mut restore = postgres_tool("pg_restore");
        restore.args(["--exit-on-error", "--no-owner", "--dbname"]);
        run(restore.arg(self.servers.database_url()).arg(&backup.file));
    }
}

fn postgres_tool(name: &str) -> Command {
    Command::new(environment::tool(name, "postgresql-client"))
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

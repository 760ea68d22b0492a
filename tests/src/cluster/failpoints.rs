//! Deaths exactly between two effects, and what has to be true afterwards; see `shared/src/failpoint.rs`.
//!
//! Invariants: a death counts only if the process ended by SIGKILL and has left the point's mark; a point that was armed
//! and that nobody came to fails the test.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use launcher::Place;
use shared::failpoint::Failpoint;

use super::{Builder, Cluster, Program};
use crate::eventually::{LIMIT, eventually};
use crate::faults::check::counters;

impl Builder {
    /// Tells all programs where their points are armed.
    pub(super) fn offer_failpoints(&mut self, place: &Place) {
        let folder = folder(place);
        fs::create_dir(&folder).expect("a folder can be made");
        for variables in [&mut self.coordinator, &mut self.worker] {
            variables.push(("TASKMANAGER_FAILPOINTS".to_owned(), folder.display().to_string()));
        }
    }
}

impl Cluster {
    /// The next process that comes to this point dies there.
    pub fn arm(&self, point: Failpoint) {
        self.wish(point, "die");
    }

    /// The next process that comes to this point stays there until [`Cluster::let_go`].
    pub fn hold(&self, point: Failpoint) {
        self.wish(point, "wait");
    }

    /// Waits until a process is held at this point.
    pub fn wait_until_held(&self, point: Failpoint) {
        let hit = hit(&self.place, point);
        eventually(LIMIT, &came_to(point), || exists(&hit));
    }

    /// What is held there goes on.
    pub fn let_go(&self, point: Failpoint) {
        fs::remove_file(hit(&self.place, point)).expect("somebody was held there");
    }

    /// Waits until the coordinator has died at this point.
    pub fn coordinator_dies_at(&mut self, point: Failpoint) {
        died(&mut self.coordinator, &self.place, point);
    }

    /// Waits until this worker has died at this point.
    pub fn worker_dies_at(&mut self, index: usize, point: Failpoint) {
        died(&mut self.workers[index], &self.place, point);
    }

    /// What maintained figures have that recounting does not find; rows that ended jobs have left behind.
    pub fn miscounted(&self) -> Vec<String> {
        let wrong = counters::QUERIES.map(|(rule, query)| {
            let rows = self.sql(query, &[]);
            let rows = rows.iter().map(|row| row.get::<_, String>(0));
            rows.map(|row| format!("{rule}: {row}")).collect::<Vec<_>>()
        });
        wrong.concat()
    }

    /// Points that are armed still.
    pub(super) fn armed(&self) -> Vec<&'static str> {
        let points = Failpoint::ALL.iter();
        points
            .filter(|point| folder(&self.place).join(point.as_str()).exists())
            .map(|point| point.as_str())
            .collect()
    }

    fn wish(&self, point: Failpoint, wish: &str) {
        // The mark of an earlier time.
        let _none = fs::remove_file(hit(&self.place, point));
        let armed = folder(&self.place).join(point.as_str());
        let unfinished = armed.with_extension("new");
        fs::write(&unfinished, wish).expect("a point can be armed");
        fs::rename(&unfinished, &armed).expect("a point can be armed");
    }
}

fn died(program: &mut Program, place: &Place, point: Failpoint) {
    let hit = hit(place, point);
    eventually(LIMIT, &came_to(point), || exists(&hit));
    let status = program.wait_for_end(LIMIT);
    assert_eq!(status.signal(), Some(9), "{} ended with {status}", program.name());
}

fn came_to(point: Failpoint) -> String {
    format!(
        "a process that comes to {} (`cargo xtask test` builds programs with such points)",
        point.as_str()
    )
}

fn exists(file: &Path) -> Result<(), String> {
    file.exists()
        .then_some(())
        .ok_or_else(|| format!("no {}", file.display()))
}

fn folder(place: &Place) -> PathBuf {
    place.path().join("failpoints")
}

fn hit(place: &Place, point: Failpoint) -> PathBuf {
    folder(place).join(format!("{}.hit", point.as_str()))
}

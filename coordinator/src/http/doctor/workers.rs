//! What the doctor says of workers: their release, whether they find what jobs are given, and what they say of themselves.

use shared::location::Location;
use shared::message::worker::Check;

use super::{VERSION, failed, passed};
use crate::db::pages::{RefusedWorker, WorkerRow};

/// A worker tells of itself every minute; longer than this, seconds, and something keeps it from doing so.
const TELLS_WITHIN_SECONDS: f64 = 200.0;
/// A user that every RabbitMQ comes with.
const GUEST: &str = "guest";

/// What is to be said of one of those that live.
pub(super) fn checks(roots: &[Location], worker: &WorkerRow, alive: &[&WorkerRow]) -> Vec<Check> {
    let mut checks = vec![version(worker)];
    checks.extend(silence(worker));
    checks.extend(places(roots, worker, alive));
    checks.extend(worker.checks.iter().map(|check| Check {
        name: format!("{}: {}", worker.name, check.name),
        ..check.clone()
    }));
    checks
}

/// A worker that coordinators do not let in.
pub(super) fn refused(worker: &RefusedWorker) -> Check {
    let RefusedWorker {
        name,
        amqp_user,
        reason,
    } = worker;
    failed(
        &format!("{name}: announcement"),
        format!("refused (RabbitMQ user \"{amqp_user}\"): {reason}"),
    )
}

/// A hint, no fault: one user for all is how a trial runs.
pub(super) fn users(own: &str, workers: &[WorkerRow]) -> Check {
    let name = "broker users";
    let alive = || workers.iter().filter(|worker| worker.alive);
    let sharing: Vec<&str> = alive()
        .filter(|worker| worker.amqp_user == own)
        .map(|worker| worker.name.as_str())
        .collect();
    let message = if !sharing.is_empty() {
        format!(
            "hint: these workers use the coordinator's own user \"{own}\", which may do everything: {}; \
             `taskmanager broker setup` makes users that may do no more than they need",
            sharing.join(", ")
        )
    } else if own == GUEST || alive().any(|worker| worker.amqp_user == GUEST) {
        format!(
            "hint: \"{GUEST}\" is in use, whose password everybody knows: `taskmanager broker setup` makes others; then \
             delete it"
        )
    } else {
        format!("no worker uses the coordinator's user \"{own}\"")
    };
    passed(name, message)
}

fn version(worker: &WorkerRow) -> Check {
    let name = format!("{}: version", worker.name);
    if worker.version == VERSION {
        passed(&name, format!("{VERSION}, like the coordinator"))
    } else {
        failed(
            &name,
            format!(
                "worker {}, coordinator {VERSION}: they understand each other for one release; update the older",
                worker.version
            ),
        )
    }
}

/// A worker that lives and tells nothing of itself: what it said before may be wrong by now.
fn silence(worker: &WorkerRow) -> Option<Check> {
    (worker.told_seconds > TELLS_WITHIN_SECONDS).then(|| {
        failed(
            &format!("{}: announcement", worker.name),
            format!(
                "it lives, but it has not introduced itself for {:.0} minutes: coordinators refuse its RabbitMQ user (is it \
                 listed with --worker-user for all that it serves?), or it hangs; its log says which",
                worker.told_seconds / 60.0
            ),
        )
    })
}

/// Whether jobs find their folders there. A plugin whose workers all leave out a folder may be meant so; where they differ,
/// it is chance where a job comes to.
fn places(roots: &[Location], worker: &WorkerRow, alive: &[&WorkerRow]) -> Option<Check> {
    if worker.plugins.is_empty() || worker.roots.is_empty() {
        return None;
    }
    let missing: Vec<&Location> = roots.iter().filter(|root| !knows(worker, root)).collect();
    let name = format!("{}: folders", worker.name);
    if missing.is_empty() {
        return Some(passed(&name, "it may use all that jobs may name".to_owned()));
    }
    let known_to_its_like = |root: &&Location| {
        let like = |other: &&&WorkerRow| other.plugins.iter().any(|plugin| worker.plugins.contains(plugin));
        alive.iter().filter(like).any(|other| knows(other, root))
    };
    let by_chance = missing.iter().any(known_to_its_like);
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let said = format!(
        "jobs may name folders in {}, but this worker may use {} only, and they fail there: add the others to its --root, or \
         take them from the coordinators'",
        names.join(", "),
        worker.roots.join(", ")
    );
    Some(if by_chance || missing.len() == roots.len() {
        failed(&name, said)
    } else {
        passed(&name, format!("hint: {said}"))
    })
}

/// Whether a worker may use all that lies in this place.
fn knows(worker: &WorkerRow, root: &Location) -> bool {
    let own = worker.roots.iter().filter_map(|own| own.parse().ok());
    own.into_iter().any(|own: Location| root.beneath(&own).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(roots: &[&str]) -> WorkerRow {
        WorkerRow {
            name: "scan1".to_owned(),
            amqp_user: "ocr-workers".to_owned(),
            version: VERSION.to_owned(),
            alive: true,
            roots: roots.iter().map(|&root| root.to_owned()).collect(),
            plugins: vec!["OCR".to_owned()],
            ..WorkerRow::default()
        }
    }

    fn wrong(worker: &WorkerRow) -> Vec<String> {
        wrong_beside(worker, &[])
    }

    fn wrong_beside(worker: &WorkerRow, others: &[&WorkerRow]) -> Vec<String> {
        let roots = ["/data/goobi", "s3://scans"].map(|root| root.parse().unwrap());
        let alive: Vec<&WorkerRow> = others.iter().copied().chain([worker]).collect();
        let checks = checks(&roots, worker, &alive).into_iter();
        checks
            .filter(|check| !check.ok)
            .map(|check| format!("{}: {}", check.name, check.message))
            .collect()
    }

    #[test]
    fn a_worker_that_may_not_use_all_folders_of_jobs_is_a_finding_that_names_them() {
        for fine in [
            &["/data", "s3://scans"][..],
            &["/data/goobi/", "/x", "s3://scans"],
            &[],
        ] {
            assert_eq!(wrong(&worker(fine)), Vec::<String>::new(), "{fine:?}");
        }
        let nothing = wrong(&worker(&["/data/goobi/images"]));
        assert!(
            nothing.len() == 1
                && nothing[0]
                    .starts_with("scan1: folders: jobs may name folders in /data/goobi, s3://scans, but")
                && nothing[0].contains("may use /data/goobi/images only"),
            "{nothing:?}"
        );
        let half = worker(&["s3://scans"]);
        assert_eq!(wrong(&half), Vec::<String>::new(), "it may be meant so");
        let whole = worker(&["/data", "s3://scans"]);
        let found = wrong_beside(&half, &[&whole]);
        assert!(
            found.len() == 1 && found[0].contains("folders in /data/goobi, but"),
            "{found:?}"
        );
        let of_another_plugin = WorkerRow {
            plugins: vec!["SHELL".to_owned()],
            ..whole
        };
        assert_eq!(wrong_beside(&half, &[&of_another_plugin]), Vec::<String>::new());
        let without_folders = WorkerRow {
            plugins: vec![],
            ..worker(&["/x"])
        };
        assert_eq!(wrong(&without_folders), Vec::<String>::new());
    }

    #[test]
    fn a_worker_that_lives_and_does_not_introduce_itself_is_a_finding() {
        let told = |told_seconds| {
            wrong(&WorkerRow {
                told_seconds,
                ..worker(&[])
            })
        };
        assert_eq!(told(130.0), Vec::<String>::new());
        let found = told(300.0);
        assert!(
            found.len() == 1 && found[0].contains("for 5 minutes") && found[0].contains("--worker-user"),
            "{found:?}"
        );
    }

    #[test]
    fn different_versions_are_a_finding() {
        let other = WorkerRow {
            version: "0.0.1".to_owned(),
            ..worker(&[])
        };
        assert!(wrong(&other)[0].starts_with("scan1: version: worker 0.0.1"));
    }

    #[test]
    fn workers_that_use_the_coordinators_user_or_guest_are_a_hint_and_no_fault() {
        let dead = WorkerRow {
            alive: false,
            amqp_user: "coordinator".to_owned(),
            ..worker(&[])
        };
        let said = |own| users(own, &[worker(&[]), dead.clone()]);
        for own in ["ocr-workers", "coordinator", GUEST] {
            assert!(said(own).ok);
        }
        assert!(said("ocr-workers").message.contains("may do everything: scan1;"));
        assert!(said("coordinator").message.starts_with("no worker uses"));
        assert!(said(GUEST).message.contains("then delete it"));
    }
}

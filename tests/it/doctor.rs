//! Settings that do not fit together, found by `taskmanager doctor`.

use tests::{Cluster, LIMIT, eventually};

/// Waits until there are these findings, and no others.
#[track_caller]
fn finds(cluster: &Cluster, wanted: &[String]) {
    eventually(LIMIT, "the findings", || {
        let found = cluster.findings();
        let all = wanted
            .iter()
            .all(|part| found.iter().any(|line| line.contains(part)));
        if all && found.len() == wanted.len() {
            Ok(())
        } else {
            Err(format!("{found:#?} instead of {wanted:#?}"))
        }
    });
}

#[test]
fn a_worker_without_the_coordinators_folders_or_its_templates_programs_is_found() {
    let mut cluster = Cluster::named("misfits")
        .plugins("SHELL=1,NOOP=1")
        .templates("[SHELL.import]\ncommand = [\"import-into-nowhere\", \"{source}\"]\n")
        .worker_env("TASKMANAGER_ROOTS", "/nowhere/at/all")
        .start();
    let data = cluster.data().display().to_string();
    let wanted = [
        format!(
            "worker-0: folders: jobs may name folders in {data}, but this worker may use /nowhere/at/all only"
        ),
        "worker-0: folder /nowhere/at/all: folder /nowhere/at/all does not exist; mount it".to_owned(),
        "worker-0: program import-into-nowhere: a template of SHELL calls it".to_owned(),
    ];
    finds(&cluster, &wanted);
    // What is gone is no finding.
    cluster.workers[0].terminate(LIMIT);
    finds(&cluster, &[]);
}

#[test]
fn coordinators_that_were_told_different_things_are_found_until_one_of_them_ends() {
    let mut cluster = Cluster::named("differing").plugins("NOOP=1").start();
    finds(&cluster, &[]);
    cluster.add_coordinator_with("TASKMANAGER_WINDOW", "7");
    let differing = ["coordinators: not all were told the same: the one on".to_owned()];
    finds(&cluster, &differing);
    cluster.swap_coordinators();
    finds(&cluster, &differing);
    let said = cluster.findings().join("\n");
    assert!(said.contains("has another --window; what becomes"), "{said}");
    cluster.other_coordinator.as_mut().unwrap().terminate(LIMIT);
    finds(&cluster, &[]);
}

#[test]
fn what_programs_leave_more_open_than_they_have_to_is_told_and_is_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("goobi.token");
    std::fs::write(&token, "t0ken").unwrap();
    let cluster = Cluster::named("open")
        .plugins("NOOP=1")
        .coordinator_env("TASKMANAGER_GOOBI_URL", "http://goobi.example/goobi")
        .coordinator_env("TASKMANAGER_GOOBI_TOKEN_FILE", token.display().to_string())
        .worker_env("AWS_SECRET_ACCESS_KEY", "s3cret")
        .start();
    finds(&cluster, &[]);
    let said = cluster.doctor();
    let line = |name: &str| {
        let found = said.lines().find(|line| line.contains(name));
        found.unwrap_or_else(|| panic!("nothing of {name}: {said}"))
    };
    assert!(
        line("goobi's address").contains("crosses the network in the clear"),
        "{said}"
    );
    let of_the_worker = line("worker-0: secrets");
    assert!(
        of_the_worker.contains("AWS_SECRET_ACCESS_KEY") && of_the_worker.contains("--s3-credentials-file"),
        "{said}"
    );
    let privileges = said.lines().filter(|line| line.contains("privileges"));
    assert_eq!(
        privileges.count(),
        2,
        "the coordinator's and the worker's: {said}"
    );
    assert!(!said.contains("s3cret") && !said.contains("t0ken"), "{said}");
}

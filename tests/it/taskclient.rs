//! `taskclient` as a step of Goobi calls it, with a coordinator and a worker behind it.

use std::process::{Command, Stdio};

use shared::failpoint::Failpoint;
use shared::job::JobId;
use tests::Cluster;

/// What a step of Goobi calls.
fn step(cluster: &Cluster) -> Command {
    let mut command = cluster.taskclient(&[
        "-e",
        "-i",
        "6519",
        "-T",
        "kochbuch_1884",
        "-t",
        "NOOP",
        "-gid",
        "27",
        "-p",
        "7",
        "-tv_r",
        "vault",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The only job that there is.
fn job(cluster: &Cluster) -> JobId {
    let rows = cluster.sql("SELECT id FROM jobs UNION SELECT id FROM job_history", &[]);
    assert_eq!(rows.len(), 1);
    JobId(rows[0].get(0))
}

#[test]
fn a_step_of_goobi_becomes_a_job_and_stays_open() {
    let cluster = Cluster::named("taskclient").plugins("NOOP=1").start();
    let output = step(&cluster).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(99));
    let id = job(&cluster);
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains(&id.to_string())
    );
    cluster.wait_until_done(id);
    let job = cluster.api().json(&format!("/api/v1/jobs/{id}")).unwrap();
    for (field, value) in [
        ("title", "kochbuch_1884"),
        ("process_id", "27"),
        ("step_id", "6519"),
    ] {
        assert_eq!(job[field], value, "{field}");
    }
    assert_eq!(
        (&job["priority"], &job["extra"]["tv_r"]),
        (&7.into(), &"vault".into())
    );

    let refused = cluster
        .taskclient(&["-e", "-t", "MAGIC", "-gid", "27"])
        .output()
        .unwrap();
    assert_eq!(
        (refused.status.code(), refused.stdout.as_slice()),
        (Some(1), &b""[..])
    );
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("plugin MAGIC is unknown"), "{said}");
}

#[test]
fn a_coordinator_that_dies_before_it_answers_fails_no_step_and_makes_no_second_job() {
    let mut cluster = Cluster::named("taskclient-death")
        .plugins("NOOP=1")
        .failpoints()
        .expecting("without an answer")
        .expecting("no answer to a claim")
        .expecting("has no answer yet")
        .expecting("will be sent again")
        .start();
    let hold = serde_json::json!({"action": "autostart", "on": false});
    let (status, answer) = cluster.api().act("/api/v1/plugins/NOOP/actions", &hold);
    assert_eq!(status, 200, "{answer}");
    cluster.arm(Failpoint::SubmitBeforeAnswer);
    let step = step(&cluster).spawn().unwrap();
    cluster.coordinator_dies_at(Failpoint::SubmitBeforeAnswer);
    cluster.coordinator.start_again();
    let output = step.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(99));
    let said = String::from_utf8(output.stdout).unwrap();
    let id = job(&cluster);
    assert!(
        said.contains("is being done already") && said.contains(&id.to_string()),
        "{said}"
    );
}

//! What a person has to do in RabbitMQ is told wherever a person looks: `doctor`, log, a metric, and the findings of
//! `/readyz`.

use lapin::types::AMQPValue;
use tests::stranger::Said;

use super::*;

/// 1 while RabbitMQ refuses a program's user something.
const REFUSED: &str = "taskmanager_broker_refused";

/// Takes all permissions away from one of the users.
fn revoke(cluster: &Cluster, user: &str) {
    let nothing = json!({"configure": "^$", "write": "^$", "read": "^$"});
    let permissions = format!("permissions/{}/{user}", cluster.virtual_host());
    cluster.management().put(&permissions, &nothing);
}

#[test]
fn queues_with_other_arguments_are_used_as_they_are_until_a_person_deletes_them() {
    const WRONG: &str = "taskmanager_broker_queues_wrong";
    let mut cluster = shaken("arguments")
        .expecting("are sent again")
        .expecting("with other arguments than ours")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    let amqp = cluster.amqp();
    // Else the coordinator makes the queue anew before we do.
    cluster.coordinator.freeze();
    for queue in [QUEUE, RESULTS_QUEUE] {
        amqp.delete_queue(queue);
        amqp.declare_queue(queue, &[("x-message-ttl", AMQPValue::LongInt(600_000))]);
    }
    cluster.coordinator.thaw();
    let api = cluster.api();
    eventually(LIMIT, "two wrong queues", || {
        match api.metric(WRONG, &["arguments"])? {
            2.0 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    let said = findings(&cluster);
    assert!(
        said.contains("somebody has made taskmanager.jobs.noop with other arguments"),
        "{said}"
    );
    let delete = "delete it (rabbitmqctl delete_queue taskmanager.jobs.noop)";
    let log = cluster.coordinator.log();
    let told = |line: &&str| line.contains("with other arguments than ours") && line.contains(delete);
    assert!(log.lines().any(|line| told(&line)), "{log}");
    assert!(said.contains(delete), "{said}");
    // It can work, and so it stays in service.
    wait_until_found(&cluster, delete);
    cluster.workers[0].thaw();
    all_end_well(&cluster, &jobs);

    for queue in [QUEUE, RESULTS_QUEUE] {
        amqp.delete_queue(queue);
    }
    eventually(LIMIT, "no wrong queue", || {
        match api.metric(WRONG, &["arguments"])? {
            0.0 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    wait_until_nothing_is_found(&cluster);
    assert_eq!(findings(&cluster), "");
    all_end_well(&cluster, &[]);
}

#[test]
fn revoked_permissions_are_told_and_it_goes_on_once_they_are_back() {
    let mut cluster = shaken("revoked")
        .expecting("refuses this coordinator's user")
        .users(&["tools=NOOP"])
        .expecting("are sent again")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    revoke(&cluster, "coordinator");
    // Whatever it is refused first, in the end it can't consume.
    wait_until_found(&cluster, "`taskmanager broker setup` does");
    let said = findings(&cluster);
    assert!(
        said.contains("ACCESS_REFUSED") && said.contains("`taskmanager broker setup` does"),
        "{said}"
    );
    let log = cluster.coordinator.log();
    let told = |line: &&str| line.contains("ACCESS_REFUSED") && line.contains(SET_UP);
    assert!(log.lines().any(|line| told(&line)), "{log}");
    assert_eq!(cluster.api().metric(CONNECTED, &[]).unwrap().to_string(), "0");
    assert_eq!(cluster.api().metric(REFUSED, &[]).unwrap().to_string(), "1");
    cluster.workers[0].thaw();
    cluster.set_broker_up(&[]);
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    wait_until_connected(&cluster);
    let id = cluster.amqp_as("intake").submit(&job("afterwards", 0));
    cluster.wait_until_done(id);
}

#[test]
fn a_coordinator_that_may_not_answer_says_so() {
    let cluster = shaken("unanswered")
        .users(&["tools=NOOP"])
        .expecting("refuses this coordinator's user")
        .start();
    // Everything but the default exchange, which answers go through.
    let most = json!({"configure": "^taskmanager", "write": "^taskmanager", "read": "^taskmanager"});
    let permissions = format!("permissions/{}/coordinator", cluster.virtual_host());
    cluster.management().put(&permissions, &most);
    // What was allowed once is remembered for as long as a channel lives.
    cluster.management().close_connections_of("coordinator");
    eventually(LIMIT, "a finding", || {
        let said = findings(&cluster);
        if said.contains("broker permissions") && said.contains("exchange 'amq.default'") {
            Ok(())
        } else {
            Err(said)
        }
    });
    let log = cluster.coordinator.log();
    let told = |line: &&str| line.contains("refuses this coordinator's user") && line.contains(SET_UP);
    assert!(log.lines().any(|line| told(&line)), "{log}");
    // Whether it is connected just now or not.
    wait_until_found(&cluster, SET_UP);
    assert_eq!(cluster.api().metric(REFUSED, &[]).unwrap().to_string(), "1");
    cluster.set_broker_up(&[]);
    let api = cluster.api();
    let id = api.submit(&job("afterwards", 0));
    cluster.wait_until_done(id);
    eventually(LIMIT, "no finding", || match findings(&cluster).as_str() {
        "" => Ok(()),
        said => Err(said.to_owned()),
    });
    assert_eq!(api.metric(REFUSED, &[]).unwrap().to_string(), "0");
}

#[test]
fn a_worker_and_a_submitter_whose_permissions_are_revoked_are_told_so_and_go_on_once_they_are_back() {
    let mut cluster = shaken("revoked-worker")
        .users(&["tools=NOOP"])
        // The worker's attempt outlasts its silence.
        .lease_seconds(600)
        .expecting("refuses this worker's user")
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let jobs = one_runs_and_three_wait(&mut cluster);
    let intake = cluster.stranger("intake");
    revoke(&cluster, "intake");
    revoke(&cluster, "tools");
    // What was allowed once is remembered for as long as a channel lives.
    cluster.management().close_connections_of("tools");
    cluster.workers[0].thaw();

    let worker = cluster.api_of(&cluster.workers[0]);
    eventually(LIMIT, "the worker's /readyz says so", || {
        let answer = worker.get("/readyz")?;
        if answer.status == 503 && answer.body.contains("ACCESS_REFUSED") && answer.body.contains(SET_UP) {
            Ok(())
        } else {
            Err(format!("{}: {}", answer.status, answer.body))
        }
    });
    let log = cluster.workers[0].log();
    assert!(log.contains(SET_UP), "{log}");
    assert_eq!(worker.metric(REFUSED, &[]).unwrap().to_string(), "1");
    // Coordinators only see that it is not heard of, and go on themselves.
    eventually(LIMIT, "doctor misses the worker", || {
        let said = findings(&cluster);
        if said.contains("plugin NOOP: unfinished jobs: 4, but no worker that serves it is alive") {
            Ok(())
        } else {
            Err(said)
        }
    });
    assert_eq!(
        cluster
            .api()
            .metric("taskmanager_slots", &["NOOP"])
            .unwrap()
            .to_string(),
        "0"
    );
    wait_until_nothing_is_found(&cluster);
    // Of a submitter nobody knows but RabbitMQ, which tells the submitter.
    match intake.publish(SUBMIT_EXCHANGE, "noop", None) {
        Said::Refused(reason) => assert!(reason.contains("ACCESS_REFUSED"), "{reason}"),
        Said::Allowed => panic!("a submitter without permissions may submit"),
    }

    cluster.set_broker_up(&[]);
    for id in &jobs {
        assert_eq!(cluster.wait_until_done(*id).outcomes(), ["done"]);
    }
    assert!(matches!(
        intake.publish(SUBMIT_EXCHANGE, "noop", None),
        Said::Allowed
    ));
    let id = cluster.amqp_as("intake").submit(&job("afterwards", 0));
    cluster.wait_until_done(id);
    eventually(LIMIT, "the worker is ready", || {
        let answer = worker.get("/readyz")?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.body)
        }
    });
    assert_eq!(worker.metric(REFUSED, &[]).unwrap().to_string(), "0");
}

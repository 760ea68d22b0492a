//! What RabbitMQ lets each role do, and what it refuses, over AMQP: with users that `taskmanager broker setup` has made,
//! and with those of the definitions file.

use shared::amqp::topology::{
    CLAIMS_QUEUE, EVENTS_EXCHANGE, JOBS_EXCHANGE, NOTIFICATIONS_EXCHANGE, RESULTS_QUEUE, SUBMIT_EXCHANGE,
    SUBMIT_QUEUE,
};
use tests::stranger::{Said, Stranger};

use super::*;

#[track_caller]
fn refused(what: &str, said: Said, code: &str) {
    match said {
        Said::Refused(reason) => assert!(reason.contains(code), "{what}: {reason}"),
        Said::Allowed => panic!("{what}: the broker let it pass"),
    }
}

const REFUSED: &str = "ACCESS_REFUSED";

/// What the passwords of a worker and of a submitter do not open.
fn opens_nothing_else(cluster: &Cluster) {
    let stranger = cluster.stranger("others");
    refused("a queue", stranger.declare("mine"), REFUSED);
    refused("a server-named queue", stranger.declare(""), REFUSED);
    refused(
        "its own queue",
        stranger.delete("taskmanager.jobs.shell"),
        REFUSED,
    );
    for queue in [
        "taskmanager.jobs.noop",
        "taskmanager.jobs.ocr",
        CLAIMS_QUEUE,
        RESULTS_QUEUE,
        SUBMIT_QUEUE,
        EVENTS_REJECTED_QUEUE,
    ] {
        refused(queue, stranger.read(queue), REFUSED);
        refused(queue, stranger.purge(queue), REFUSED);
        refused(queue, stranger.bind(queue, EVENTS_EXCHANGE, "#"), REFUSED);
    }
    for exchange in [SUBMIT_EXCHANGE, JOBS_EXCHANGE, NOTIFICATIONS_EXCHANGE, ""] {
        refused(exchange, stranger.publish(exchange, "noop", None), REFUSED);
    }
    for key in ["pages.result", "others.probe", "others.result.x", "result"] {
        refused(
            key,
            stranger.publish(EVENTS_EXCHANGE, key, Some("others")),
            REFUSED,
        );
    }
    let forged = stranger.publish(EVENTS_EXCHANGE, "others.result", Some("pages"));
    refused("another's user_id", forged, "PRECONDITION_FAILED");

    let intake = cluster.stranger("intake");
    refused("a queue", intake.declare("mine"), REFUSED);
    refused("submissions", intake.read(SUBMIT_QUEUE), REFUSED);
    refused(
        "events",
        intake.publish(EVENTS_EXCHANGE, "intake.result", None),
        REFUSED,
    );
    refused("dispatches", intake.publish(JOBS_EXCHANGE, "noop", None), REFUSED);
}

/// The same of the coordinator's: everything of the task manager's is its own, and nothing else.
fn the_coordinators_opens_nothing_foreign(cluster: &Cluster) {
    let foreign = "somebody.elses";
    cluster.amqp().declare_queue(foreign, &[]);
    let stranger = cluster.stranger("coordinator");
    refused("a foreign name", stranger.declare("mine"), REFUSED);
    refused("a server-named queue", stranger.declare(""), REFUSED);
    refused("deleting", stranger.delete(foreign), REFUSED);
    refused("reading", stranger.read(foreign), REFUSED);
    refused("emptying", stranger.purge(foreign), REFUSED);
    refused("binding", stranger.bind(foreign, JOBS_EXCHANGE, "noop"), REFUSED);
    refused(
        "binding to a foreign exchange",
        stranger.bind("taskmanager.jobs.noop", "amq.topic", "#"),
        REFUSED,
    );
    for exchange in ["amq.topic", "amq.direct", "amq.fanout"] {
        refused(exchange, stranger.publish(exchange, "noop", None), REFUSED);
    }
    // It speaks as no worker.
    for key in ["pages.result", "coordinator.result", "coordinator.claim"] {
        refused(
            key,
            stranger.publish(EVENTS_EXCHANGE, key, Some("coordinator")),
            REFUSED,
        );
    }
    let forged = stranger.publish(JOBS_EXCHANGE, "noop", Some("pages"));
    refused("another's user_id", forged, "PRECONDITION_FAILED");
    cluster.amqp().delete_queue(foreign);
}

/// No user gets into another virtual host.
fn none_gets_in_elsewhere(cluster: &Cluster) {
    cluster.management().put("vhosts/elsewhere", &json!({}));
    for user in ["coordinator", "pages", "others", "intake"] {
        let said = Stranger::try_to_connect(&cluster.address_elsewhere(user, "elsewhere"));
        refused(user, said, "NOT_ALLOWED - access to vhost 'elsewhere' refused");
    }
}

/// A job goes all the way.
fn serves(cluster: &Cluster) {
    let volume = cluster.volume(27, "huckfinn_1884");
    let id = cluster.amqp_as("intake").submit(&volume.goobi_message());
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), ["done"]);
    let users = cluster.sql("SELECT amqp_user FROM attempts", &[]);
    assert_eq!(users[0].get::<_, &str>(0), "pages");
    let said = cluster.doctor();
    assert!(said.contains("no worker uses the coordinator's user"), "{said}");
}

#[test]
fn a_job_goes_all_the_way_with_users_that_may_do_no_more_than_they_need() {
    serves(&cluster("roles").start());
}

#[test]
fn a_stolen_workers_password_opens_nothing_but_its_own_groups_queues() {
    let cluster = cluster("roles-broker").start();
    opens_nothing_else(&cluster);
    none_gets_in_elsewhere(&cluster);
}

#[test]
fn a_stolen_coordinators_password_opens_nothing_but_what_is_the_task_managers() {
    let cluster = cluster("roles-coordinator").start();
    the_coordinators_opens_nothing_foreign(&cluster);
}

#[test]
fn the_definitions_file_makes_the_same_users_on_a_fresh_broker() {
    let cluster = cluster("roles-definitions").by_definitions().start();
    serves(&cluster);
    opens_nothing_else(&cluster);
    the_coordinators_opens_nothing_foreign(&cluster);
    none_gets_in_elsewhere(&cluster);
}

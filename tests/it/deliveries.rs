//! Callbacks: another system is told how a job has ended, whatever happens to it or to the coordinator meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::amqp::topology::SUBMIT_REJECTED_QUEUE;
use shared::job::JobId;
use shared::message::ended::JobEnded;
use shared::message::submit::SubmitReply;
use tests::api::Delivery;
use tests::receiver::{Manner, Receiver};
use tests::{Builder, Cluster};

/// A system that may call these, and is not patient.
pub(crate) fn cluster(name: &str, receivers: &[&Receiver]) -> Builder {
    let hosts: Vec<String> = receivers.iter().map(|receiver| receiver.host()).collect();
    Cluster::named(name)
        .plugins("NOOP=2")
        .coordinator_env("TASKMANAGER_CALLBACK_ALLOW", hosts.join(","))
        .coordinator_env("TASKMANAGER_CALLBACK_RETRY_SECONDS", "1")
        .coordinator_env("TASKMANAGER_CALLBACK_TIMEOUT_SECONDS", "3")
}

pub(crate) fn job(receiver: &Receiver, parameters: &Value) -> Value {
    json!({"plugin": "NOOP", "title": "told", "process_id": "27", "callback_url": receiver.address(),
           "parameters": parameters, "font_type": "antiqua"})
}

pub(crate) fn ok() -> Manner {
    Manner::Status(200, "thank you".to_owned())
}

/// Waits until a job's only delivery is as described.
pub(crate) fn wait_for_delivery(
    cluster: &Cluster,
    id: JobId,
    what: &str,
    condition: impl Fn(&Delivery) -> bool,
) -> Delivery {
    let job = cluster.wait_until(id, &format!("has a delivery that {what}"), |job| {
        job.deliveries.iter().any(&condition)
    });
    assert_eq!(job.deliveries.len(), 1, "{:?}", job.deliveries);
    job.deliveries[0].clone()
}

fn answer_starts(delivery: &Delivery, with: &str) -> bool {
    delivery
        .last_answer
        .as_deref()
        .is_some_and(|answer| answer.starts_with(with))
}

fn pending(cluster: &Cluster) -> String {
    let text = cluster.api().get("/metrics").unwrap().body;
    let line = text
        .lines()
        .find(|line| line.starts_with("taskmanager_deliveries_pending{kind=\"callback\"}"));
    line.expect("the metric is always there").to_owned()
}

pub(crate) fn page(cluster: &Cluster, id: JobId, language: &str) -> String {
    let page = cluster.api().get(&format!("/jobs/{id}?lang={language}")).unwrap();
    assert_eq!(page.status, 200);
    page.body
}

fn doctor(cluster: &Cluster) -> Value {
    let report = cluster.api().json("/api/v1/doctor").unwrap();
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .find(|check| check["name"] == "deliveries")
        .unwrap()
        .clone()
}

#[test]
fn a_receiver_that_is_down_and_then_ill_is_told_as_soon_as_it_is_well() {
    let mut receiver = Receiver::away();
    let cluster = cluster("callback-down", &[&receiver]).start();
    let id = cluster.submit(&job(&receiver, &json!({"items": 2})));
    cluster.wait_until_done(id);
    let waiting = wait_for_delivery(&cluster, id, "was tried in vain", |delivery| {
        delivery.tries > 0 && delivery.last_answer.is_some()
    });
    assert_eq!(
        (waiting.kind.as_str(), waiting.state.as_str()),
        ("callback", "pending")
    );
    assert!(waiting.next_try_at.is_some());
    assert_eq!(
        pending(&cluster),
        "taskmanager_deliveries_pending{kind=\"callback\"} 1"
    );
    let german = page(&cluster, id, "de");
    assert!(
        german.contains("Nachrichten an andere Systeme") && german.contains("wird zugestellt"),
        "{german}"
    );
    assert!(page(&cluster, id, "en").contains("to be delivered"));
    let check = doctor(&cluster);
    assert_eq!(check["ok"], true, "{check}");
    assert!(
        check["message"].as_str().unwrap().starts_with("hint: 1 of 1"),
        "{check}"
    );

    receiver.answer(Manner::Status(500, "out of\nmemory".to_owned()));
    let ill = wait_for_delivery(&cluster, id, "met an ill receiver", |delivery| {
        answer_starts(delivery, "500")
    });
    assert_eq!(ill.state, "pending");
    assert!(ill.last_answer.unwrap().ends_with("out of memory"));

    receiver.answer(ok());
    let told = wait_for_delivery(&cluster, id, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    assert!(told.settled_at.is_some() && told.next_try_at.is_none());
    let requests = receiver.received();
    let ids: BTreeSet<Option<&str>> = requests
        .iter()
        .map(|request| request.header("idempotency-key"))
        .collect();
    assert_eq!(
        ids,
        BTreeSet::from([Some(told.id.as_str())]),
        "each try carries the same id"
    );
    let last = requests.last().unwrap();
    assert_eq!(last.line, "POST /goobi/done HTTP/1.1");
    assert_eq!(last.header("content-type"), Some("application/json"));
    assert_eq!(last.header("jobtype"), Some("antiqua"));
    assert_eq!(last.header("authorization"), None);
    let body: JobEnded = shared::message::decode(last.body.to_string().as_bytes()).unwrap();
    let ended = cluster.api().job(id).unwrap();
    assert_eq!(
        (
            body.job_id,
            body.state.as_str(),
            body.items_done,
            body.process_id.as_deref()
        ),
        (id, "DONE", 2, Some("27"))
    );
    assert_eq!(Some(body.finished_at.to_string()), ended.finished_at);
    assert_eq!(
        pending(&cluster),
        "taskmanager_deliveries_pending{kind=\"callback\"} 0"
    );
    assert_eq!(doctor(&cluster)["message"], "to be delivered: 0");
    assert!(page(&cluster, id, "de").contains("zugestellt"));
}

#[test]
fn what_was_given_up_is_a_finding_and_is_sent_again_by_a_persons_command() {
    let mut receiver = Receiver::answering(Manner::Status(404, "no such process".to_owned()));
    let cluster = cluster("callback-404", &[&receiver])
        .expecting("needs a person")
        .start();
    let id = cluster.submit(&job(&receiver, &json!({})));
    let failed = wait_for_delivery(&cluster, id, "was given up", |delivery| {
        delivery.state == "failed"
    });
    // Servers that start answer so for a while.
    assert_eq!((failed.tries, receiver.received().len()), (5, 5));
    assert!(page(&cluster, id, "de").contains("aufgegeben"));
    let check = doctor(&cluster);
    assert_eq!(check["ok"], false, "{check}");
    assert!(
        check["message"]
            .as_str()
            .unwrap()
            .contains(&format!("taskmanager send-again {id}")),
        "{check}"
    );

    receiver.answer(Manner::Redirect("http://127.0.0.1:1/elsewhere".to_owned()));
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{id}/actions"),
        &json!({"action": "send_again"}),
    );
    assert_eq!(status, 200, "{answer}");
    let redirected = wait_for_delivery(&cluster, id, "was given up at once", |delivery| {
        delivery.state == "failed" && answer_starts(delivery, "302")
    });
    assert_eq!(redirected.tries, 1, "a redirect was followed or tried again");

    receiver.answer(ok());
    let output = cluster
        .taskmanager(&["send-again", &id.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "1 job: messages are sent again\n"
    );
    let told = wait_for_delivery(&cluster, id, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    assert_eq!(told.id, failed.id);
    let audit = "SELECT count(*) FROM audit_log WHERE action = 'send_again' AND outcome = 'done'";
    assert_eq!(cluster.count(audit), 2);
    assert_eq!(doctor(&cluster)["ok"], true);
    let shown = cluster.taskmanager(&["show", &id.to_string()]).output().unwrap();
    assert!(
        String::from_utf8_lossy(&shown.stdout).contains("delivered, 1 try, 200"),
        "{shown:?}"
    );
}

#[test]
fn a_receiver_that_hangs_holds_up_no_other_one() {
    let mut hanging = Receiver::answering(Manner::Hang);
    let well = Receiver::answering(ok());
    let cluster = cluster("callback-hang", &[&hanging, &well]).start();
    // More than are under way to one host at a time.
    let stuck: Vec<JobId> = (0..6)
        .map(|_| cluster.submit(&job(&hanging, &json!({}))))
        .collect();
    hanging.wait_for(4);
    let other = cluster.submit(&job(&well, &json!({})));
    wait_for_delivery(&cluster, other, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    wait_for_delivery(&cluster, stuck[0], "got no answer", |delivery| {
        delivery.state == "pending" && answer_starts(delivery, "no answer within 3 s")
    });
    hanging.answer(ok());
    for id in stuck {
        wait_for_delivery(&cluster, id, "was delivered", |delivery| {
            delivery.state == "delivered"
        });
    }
}

#[test]
fn a_coordinator_killed_between_sending_and_recording_sends_it_again_with_the_same_id() {
    let mut receiver = Receiver::answering(Manner::Hang);
    let mut cluster = cluster("callback-kill", &[&receiver])
        .expecting("no answer yet")
        .expecting("without an answer")
        .start();
    let id = cluster.submit(&job(&receiver, &json!({})));
    let first = receiver.wait_for(1).remove(0);
    cluster.coordinator.kill9();
    assert_eq!(
        cluster.count("SELECT count(*) FROM deliveries WHERE state = 'pending' AND lease_id IS NOT NULL"),
        1
    );
    receiver.answer(ok());
    cluster.coordinator.start_again();
    wait_for_delivery(&cluster, id, "was delivered", |delivery| {
        delivery.state == "delivered"
    });
    let requests = receiver.received();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert_eq!(
        requests[1].header("idempotency-key"),
        first.header("idempotency-key")
    );
    assert_eq!(requests[1].body, first.body);
}

#[test]
fn failed_and_cancelled_jobs_are_told_unless_the_receiver_takes_every_call_for_success() {
    let receiver = Receiver::answering(ok());
    let cluster = cluster("callback-ends", &[&receiver]).start();
    let failed = cluster.submit(&job(&receiver, &json!({"fail": true})));
    let mut later = job(&receiver, &json!({}));
    later["start_at"] = "2099-01-01T00:00:00Z".into();
    let cancelled = cluster.submit(&later);
    let (status, answer) = cluster.api().act(
        &format!("/api/v1/jobs/{cancelled}/actions"),
        &json!({"action": "cancel"}),
    );
    assert_eq!(status, 200, "{answer}");
    let mut itm = job(&receiver, &json!({"fail": true}));
    let address = itm.as_object_mut().unwrap().remove("callback_url").unwrap();
    itm["callbackUrl"] = address;
    let silent = cluster.submit(&itm);
    for id in [failed, cancelled] {
        wait_for_delivery(&cluster, id, "was delivered", |delivery| {
            delivery.state == "delivered"
        });
    }
    assert_eq!(cluster.wait_for_end(silent).state, "ERROR");
    assert!(cluster.api().job(silent).unwrap().deliveries.is_empty());
    let mut told: Vec<JobEnded> = receiver
        .received()
        .iter()
        .map(|request| shared::message::decode(request.body.to_string().as_bytes()).unwrap())
        .collect();
    told.sort_by_key(|ended| ended.state.as_str());
    let said: Vec<(JobId, &str, bool)> = told
        .iter()
        .map(|ended| (ended.job_id, ended.state.as_str(), ended.error.is_some()))
        .collect();
    assert_eq!(said, [(cancelled, "CANCELLED", false), (failed, "ERROR", true)]);
}

#[test]
fn whoever_is_not_on_the_list_is_not_called_and_the_submitter_is_told_so() {
    let receiver = Receiver::answering(ok());
    let other = Receiver::answering(ok());
    let allowed = cluster("callback-not-allowed", &[&receiver])
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let body = job(&other, &json!({}));
    let answer = allowed.api().post_job(body.to_string().as_bytes()).unwrap();
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(
        answer.body.contains("callback_url") && answer.body.contains("--callback-allow"),
        "{}",
        answer.body
    );
    let mut amqp = allowed.amqp();
    match amqp.ask(&body) {
        SubmitReply::Rejected { reason } => assert!(reason.contains("--callback-allow"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(
        amqp.rejected(SUBMIT_REJECTED_QUEUE)
            .reason
            .contains("--callback-allow")
    );
    assert_eq!(allowed.count("SELECT count(*) FROM jobs"), 0);
    drop(allowed);

    // Nobody is, unless somebody was named.
    let cluster = Cluster::named("callback-nobody").plugins("NOOP=1").start();
    let answer = cluster
        .api()
        .post_job(job(&receiver, &json!({})).to_string().as_bytes())
        .unwrap();
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(receiver.received().is_empty() && other.received().is_empty());
}

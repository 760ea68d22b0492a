//! A message is acknowledged when its claim is answered, however long its job runs: RabbitMQ's limit for messages that
//! are not acknowledged, half an hour, has nothing to do with how long a job may take.

use shared::failpoint::Failpoint;

use super::*;

/// Waits until so many messages wait in the plugin's queue, and so many are taken and not acknowledged.
fn wait_for_messages(cluster: &mut Cluster, expected: (u32, u32)) {
    let vhost = cluster.virtual_host_name();
    let rabbitmq = cluster.rabbitmq();
    eventually(LIMIT, &format!("{expected:?} messages"), || {
        let found = rabbitmq
            .messages_in(&vhost, QUEUE)
            .map_err(|error| error.to_string())?;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    });
}

#[test]
fn while_a_job_runs_its_worker_holds_no_message_neither_its_own_nor_the_next_ones() {
    let mut cluster = shaken("held").private_rabbitmq().failpoints().start();
    cluster.hold(Failpoint::MessageBeforeClaim);
    cluster.hold(Failpoint::ItemBeforeReport);
    let target = cluster.data().join("held");
    let mut long = job("long", 0);
    long["target"] = json!(target);
    long["parameters"]["write"] = json!(true);
    let long = cluster.submit(&long);
    cluster.wait_until_held(Failpoint::MessageBeforeClaim);
    // So that what is counted is known to be counted.
    wait_for_messages(&mut cluster, (0, 1));
    cluster.let_go(Failpoint::MessageBeforeClaim);
    cluster.wait_until_held(Failpoint::ItemBeforeReport);
    wait_for_messages(&mut cluster, (0, 0));
    let next = cluster.submit(&job("next", 0));
    wait_for_messages(&mut cluster, (1, 0));
    assert_eq!(cluster.api().job(long).unwrap().outcomes(), ["running"]);
    cluster.let_go(Failpoint::ItemBeforeReport);
    all_end_well(&cluster, &[long, next]);
    wait_for_messages(&mut cluster, (0, 0));
}

//! What was refused and waits for a person.

use shared::amqp::topology::{SUBMIT_EXCHANGE, SUBMIT_REJECTED_QUEUE};
use tests::{Cluster, LIMIT, Message, eventually};

#[test]
fn the_doctor_tells_of_refused_submissions_until_somebody_has_looked_at_them() {
    let cluster = Cluster::named("refused")
        .plugins("NOOP=1")
        .expecting("put into taskmanager.submit.rejected")
        .start();
    let doctor_says = |wanted: &str| {
        eventually(LIMIT, wanted, || {
            let said = cluster.doctor();
            // A hint: the system works.
            if said.contains(&format!("✓ broker rejected messages: {wanted}")) {
                Ok(())
            } else {
                Err(said)
            }
        });
    };
    doctor_says("none waits for a person");
    let amqp = cluster.amqp();
    amqp.publish(SUBMIT_EXCHANGE, "any.key", Message::new(b"no JSON"));
    doctor_says("hint: 1 refused submissions wait in taskmanager.submit.rejected");
    amqp.rejected(SUBMIT_REJECTED_QUEUE);
    doctor_says("none waits for a person");
}

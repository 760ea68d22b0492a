//! A worker dies before it publishes: holding a message, between grant and acknowledgement, with an item half told.

use tests::{LIMIT, eventually};

use super::*;

/// One death: where, how the job's attempts end, and which of them have really run.
struct Death {
    point: Failpoint,
    outcomes: &'static [&'static str],
    ran: &'static [i32],
}

/// The worker dies at each point and is started again; the job is done by whichever attempt has to.
fn survive(name: &str, deaths: &[Death], mut then: impl FnMut(&Cluster, JobId, &str)) {
    let mut cluster = start(where_a_worker_dies(name));
    for Death { point, outcomes, ran } in deaths {
        let name = point.as_str();
        set_lease(&cluster, SHORT_LEASE);
        cluster.arm(*point);
        let id = submit(&cluster, name);
        cluster.worker_dies_at(0, *point);
        let granted = i64::from(outcomes.contains(&"lost"));
        eventually(LIMIT, "what the worker had asked for", || {
            let statement = "SELECT count(*) FROM attempts WHERE job_id = $1";
            let found: i64 = cluster.sql(statement, &[&id.0])[0].get(0);
            if found == granted {
                Ok(())
            } else {
                Err(found.to_string())
            }
        });
        set_lease(&cluster, LONG_LEASE);
        cluster.workers[0].start_again();
        ended_once(&cluster, id, name, outcomes);
        assert_eq!(witnessed(&cluster, id).attempts, *ran, "{name}");
        then(&cluster, id, name);
    }
}

#[test]
fn a_message_whose_worker_dies_is_given_to_another_one() {
    const LOST: &[&str] = &["lost", "done"];
    let death = |point, outcomes, ran| Death { point, outcomes, ran };
    survive(
        "death-holding",
        &[
            death(Failpoint::MessageBeforeClaim, &["done"], &[1]),
            death(Failpoint::ClaimBeforeAnswer, LOST, &[2]),
            death(Failpoint::AnswerBeforeAck, LOST, &[2]),
            death(Failpoint::AckBeforeAttempt, LOST, &[2]),
        ],
        |_, _, _| {},
    );
}

#[test]
fn an_item_that_nobody_was_told_of_is_done_again_and_counted_once() {
    let death = |point| Death {
        point,
        outcomes: &["lost", "done"],
        ran: &[1, 2],
    };
    survive(
        "death-item",
        &[
            death(Failpoint::EntryBeforeStore),
            death(Failpoint::ItemBeforeRename),
            death(Failpoint::ItemBeforeReport),
        ],
        |cluster, id, name| {
            let first = "00000001".to_owned();
            let begun = witnessed(cluster, id).begun;
            assert!(
                begun.contains(&(1, first.clone())) && begun.contains(&(2, first)),
                "{begun:?}"
            );
            // What is published is what the attempt that ended it had done, whatever lay in the store.
            assert_eq!(written_by(cluster, name), [2, 2, 2]);
        },
    );
}

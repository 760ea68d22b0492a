//! A real private RabbitMQ. A start takes about ten seconds, so one node goes through everything.

use super::*;
use crate::process::tree::{self, Ident};

#[test]
fn the_default_virtual_host_is_one_encoded_segment() {
    assert_eq!(percent_encoded("/"), "%2F");
    assert_eq!(percent_encoded("test-1_a.b~c"), "test-1_a.b~c");
}

#[test]
fn a_broker_keeps_its_data_through_kill_9_and_loses_it_when_wiped() {
    let place = Place::temporary("rabbitmq").unwrap();
    let mut broker = RabbitMq::start(&place).unwrap();
    let url = broker.url("kept");
    let vhost_status = |broker: &RabbitMq| broker.management("/api/vhosts/kept").unwrap().status;
    broker.create_vhost("kept").unwrap();
    assert_eq!(vhost_status(&broker), 200);

    broker.freeze().unwrap();
    assert!(
        broker.management("/api/overview").is_err(),
        "a frozen broker answered"
    );
    broker.thaw().unwrap();
    assert_eq!(vhost_status(&broker), 200);

    broker.raise_memory_alarm().unwrap();
    wait_for_alarm(&broker, true);
    broker.end_memory_alarm().unwrap();
    wait_for_alarm(&broker, false);

    let family = tree::family(Ident::of(broker.pid()).unwrap());
    assert!(family.len() > 1, "a running node has helpers: {family:?}");
    broker.kill9().unwrap();
    assert!(!broker.alive());
    assert!(!family.iter().any(|ident| ident.runs()));
    broker.restart().unwrap();
    assert_eq!(broker.url("kept"), url);
    assert_eq!(vhost_status(&broker), 200);

    broker.wipe().unwrap();
    broker.restart().unwrap();
    assert_eq!(vhost_status(&broker), 404);
}

/// The management API's figures are a second old at most.
fn wait_for_alarm(broker: &RabbitMq, raised: bool) {
    let expected = format!("\"mem_alarm\":{raised}");
    let end = std::time::Instant::now() + START_LIMIT;
    while !broker.management("/api/nodes").unwrap().body.contains(&expected) {
        assert!(std::time::Instant::now() < end, "no {expected}");
    }
}

//! A real private PostgreSQL, hurt in every way that the fault tests use.

use super::*;
use crate::account;
use crate::process::tree::{self, Ident};

fn start(name: &str) -> (Place, Postgres) {
    let place = Place::temporary(name).unwrap();
    let server = Postgres::start(&place, PostgresOptions { durable: false }).unwrap();
    (place, server)
}

#[test]
fn databases_survive_kill_9_and_the_port_stays() {
    let (_place, mut server) = start("postgres-kill");
    let url = server.url("kept");
    assert!(server.create_database("kept").unwrap());
    server.kill9().unwrap();
    assert!(!server.alive());
    assert!(!server.cluster.answers(server.port));
    server.restart().unwrap();
    assert_eq!(server.url("kept"), url);
    assert!(!server.create_database("kept").unwrap(), "the database is gone");
}

#[test]
fn kill_9_leaves_no_process_behind() {
    let (_place, mut server) = start("postgres-tree");
    let family = tree::family(Ident::of(server.pid()).unwrap());
    assert!(family.len() > 3, "a running server has helpers: {family:?}");
    server.kill9().unwrap();
    assert!(!family.iter().any(|ident| ident.runs()));
}

#[test]
fn a_wiped_server_starts_empty_with_the_same_address() {
    let (_place, mut server) = start("postgres-wipe");
    let url = server.url("lost");
    assert!(server.create_database("lost").unwrap());
    server.wipe().unwrap();
    server.restart().unwrap();
    assert_eq!(server.url("lost"), url);
    assert!(
        server.create_database("lost").unwrap(),
        "the database is still there"
    );
}

#[test]
fn a_frozen_server_does_not_answer_until_it_is_thawed() {
    let (_place, mut server) = start("postgres-freeze");
    server.freeze().unwrap();
    assert!(!server.cluster.answers(server.port));
    server.thaw().unwrap();
    assert!(server.cluster.answers(server.port));
}

#[test]
fn an_orderly_stop_needs_no_recovery_at_the_next_start() {
    let (place, mut server) = start("postgres-stop");
    server.stop().unwrap();
    drop(server);
    let server = Postgres::start(&place, PostgresOptions { durable: false }).unwrap();
    let log = std::fs::read_to_string(server.log_path()).unwrap();
    assert!(!log.contains("not properly shut down"), "{log}");
}

#[test]
fn a_killed_server_whose_exit_nobody_collected_does_not_block_the_next_start() {
    let (_place, mut server) = start("postgres-zombie");
    server.kill9().unwrap();
    // A child of the same user that has ended and that is not waited for, in the killed server's stead.
    let mut zombie = account::setpriv(server.account.as_ref())
        .args(["--", "true"])
        .spawn()
        .unwrap();
    let ident = Ident::of(i32::try_from(zombie.id()).unwrap()).unwrap();
    assert!(tree::wait_gone(&[ident], START_LIMIT));
    let lock = server.cluster.data().join("postmaster.pid");
    let text = std::fs::read_to_string(&lock).unwrap();
    let (_old, rest) = text.split_once('\n').unwrap();
    std::fs::write(&lock, format!("{}\n{rest}", ident.pid)).unwrap();

    server.restart().unwrap();
    zombie.wait().unwrap();
}

//! Places: one launcher at a time, leftovers found by exact identity.

use std::process::Command;

use super::*;
use crate::process::tree::Ident;

/// A named place of this test alone, removed at its end.
struct Named(String);

impl Named {
    fn new(name: &str) -> Self {
        Self(format!("{name}-test-{}", std::process::id()))
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        fs::remove_dir_all(folder::base().unwrap().join(&self.0)).unwrap();
    }
}

#[test]
fn a_second_launcher_is_refused_and_told_who_holds_the_place() {
    let name = Named::new("lock");
    let _place = Place::open(&name.0).unwrap();
    let error = Place::open(&name.0).unwrap_err();
    let Error::InUse { holder, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(holder, Some(std::process::id()));
}

#[test]
fn a_second_test_run_gets_a_place_of_its_own() {
    let name = Named::new("many");
    let second = Named(format!("{}-2", name.0));
    let first_place = Place::fresh(&name.0).unwrap();
    let second_place = Place::fresh(&name.0).unwrap();
    assert!(second_place.path().ends_with(&second.0), "{second_place:?}");
    drop((first_place, second_place));
}

#[test]
fn a_fresh_place_has_lost_its_data_and_kept_its_logs() {
    let name = Named::new("fresh");
    let place = Place::fresh(&name.0).unwrap();
    let (data, log) = (place.path().join("postgres"), place.log_path("postgres"));
    fs::create_dir(&data).unwrap();
    fs::write(&log, "the last words").unwrap();
    drop(place);
    let place = Place::fresh(&name.0).unwrap();
    assert!(!data.exists());
    assert!(log.exists());
    drop(place);
}

#[test]
fn a_temporary_place_is_gone_when_it_is_dropped() {
    let place = Place::temporary("short").unwrap();
    let path = place.path().to_owned();
    assert!(path.exists());
    drop(place);
    assert!(!path.exists());
}

#[test]
fn a_stranger_with_the_process_id_of_a_leftover_is_left_alone() {
    let place = Place::temporary("stranger").unwrap();
    let folder = place.path().join("old");
    fs::create_dir(&folder).unwrap();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = i32::try_from(stranger.id()).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let start = Ident::of(pid).unwrap().start;
    let lines = [
        format!("{} {pid} {} another start time", boot.trim(), start - 1),
        format!("11111111-2222-3333-4444-555555555555 {pid} {start} another boot"),
        "not a line of a ledger".to_owned(),
    ];
    fs::write(folder.join("ledger"), lines.join("\n")).unwrap();

    let (_ledger, ended) = Ledger::take_over(&folder).unwrap();

    assert_eq!(ended, Vec::<String>::new());
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

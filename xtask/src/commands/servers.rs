//! `cargo xtask servers`: the two servers alone, for working on one crate with `cargo test -p …`.

use anyhow::Result;
use launcher::Place;

use super::Outcome;
use crate::existing::Existing;
use crate::requirements::{Purpose, provide};
use crate::servers::{Database, Servers};
use crate::{interrupt, say};

/// Starts both, prints their addresses as shell lines, and waits for Ctrl-C.
pub(crate) fn run(place_name: &str) -> Result<Outcome> {
    let place = Place::open(place_name)?;
    interrupt::watch(&place)?;
    let none = Existing::default();
    provide(&place, &none, Purpose::Servers)?;
    let servers = Servers::start(&place, &none, Database::Maintenance)?;
    for (name, value) in servers.variables() {
        say::result(&format!("export {name}='{value}'"));
    }
    say::progress("running until Ctrl-C");
    while !interrupt::came(&place) {}
    say::progress("stopping");
    Ok(Outcome::Done)
}

//! Free loopback ports for servers.
//!
//! Ports come from below the range that the kernel hands to outgoing connections.
//! Inside that range a client that keeps trying a dead server's port may be given that very port as its own and connect
//! to itself, and any client may occupy the port while the server restarts.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// The lowest port that is handed out: above the well-known services and the usual development ports.
const LOWEST: u16 = 20_000;

/// Where the kernel's range of outgoing ports starts unless it says otherwise.
const OUTGOING_DEFAULT: u16 = 32_768;

/// Ports that this process has handed out. A server may not have bound its port yet when the next one is looked for.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port on 127.0.0.1 that nobody listens on and that this process has not been given before.
///
/// # Errors
/// [`Error::NoPort`] when none is left.
pub fn free_port() -> Result<u16, Error> {
    let range = range();
    let width = range.end - range.start;
    let offset =
        u16::try_from(RandomState::new().hash_one(std::process::id()) % u64::from(width)).unwrap_or(0);
    (0..width)
        .map(|step| range.start + (offset + step) % width)
        .find(|port| claim(*port))
        .ok_or(Error::NoPort)
}

/// The first free port from `preferred` on (twenty are tried), else any free one. For addresses that people type.
///
/// # Errors
/// [`Error::NoPort`] when none is left.
pub fn free_port_near(preferred: u16) -> Result<u16, Error> {
    (preferred..preferred.saturating_add(20))
        .find(|port| claim(*port))
        .map_or_else(free_port, Ok)
}

/// Marks the port as taken if it can be bound.
fn claim(port: u16) -> bool {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    !taken.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && taken.insert(port)
}

/// From [`LOWEST`] up to the kernel's outgoing range; where that leaves too little, the usual one.
fn range() -> Range<u16> {
    let outgoing = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .filter(|start| *start > LOWEST + 1_000)
        .unwrap_or(OUTGOING_DEFAULT);
    LOWEST..outgoing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_never_handed_out_twice() {
        let ports: Vec<u16> = (0..200).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let port = free_port().unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_ne!(free_port_near(port).unwrap(), port);
    }

    #[test]
    fn ports_lie_outside_the_range_of_outgoing_connections() {
        assert!(range().contains(&free_port().unwrap()));
        assert!(range().end <= OUTGOING_DEFAULT || range().end > LOWEST);
    }
}

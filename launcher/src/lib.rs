//! Starts and ends private servers on one machine: PostgreSQL, RabbitMQ, Prometheus, and the project's own programs.
//!
//! No container engine and no system service is involved.
//! A server is the distribution's program, started with a data folder, a free loopback port and a password of its own.
//! The demo, the tests, the fault tests and the benchmarks use the same code, so what one of them shows holds for all.
//!
//! ```text
//!  Place      a data folder, locked by one launcher at a time
//!   ├─ ledger      which processes were started here: a crashed launcher's leftovers are ended by the next one
//!   ├─ Postgres    ┐ (and a standby that follows it and takes over)
//!   ├─ RabbitMq    ├─ each owns Processes: start, stop, kill -9, freeze, restart, wipe, log
//!   ├─ Process     ┘
//!   └─ Prometheus  reads the figures of programs, for tests
//!  SmallDisk  a disk that can be full
//!  Clock      a program's clock, which can be wrong
//!  Proxy      the network before a server: stalls, cuts, loses what it carries
//!  packages   what has to be installed from the distribution first
//! ```
//!
//! **Invariants.**
//! Everything listens on loopback only.
//! Everything that was started here ends when its value is dropped, when the launcher process ends in whatever way,
//! or, where the kernel can't see to that, when the same place is opened the next time.
//! No process that was not started here is ever signalled.
//!
//! **Not here**: no async runtime (callers wait for seconds, not for throughput), no output to the terminal, no
//! reading of the environment.

mod account;
mod clock;
#[cfg(test)]
mod crash;
mod disk;
mod error;
pub mod http;
mod packages;
mod place;
mod ports;
mod postgres;
mod process;
mod prometheus;
mod proxy;
mod rabbitmq;
mod ready;
mod secret;

pub use clock::Clock;
pub use disk::SmallDisk;
pub use error::Error;
pub use packages::{install, install_line, may_install, missing_packages};
pub use place::{Place, workspace};
pub use ports::{free_port, free_port_near};
pub use postgres::{Postgres, PostgresOptions};
pub use process::{Process, run_in_foreground, run_in_foreground_while};
pub use prometheus::{Prometheus, PrometheusOptions};
pub use proxy::{Mode, Proxy};
pub use rabbitmq::RabbitMq;

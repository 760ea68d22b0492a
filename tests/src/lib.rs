//! The harness of the end-to-end tests: the real programs against real servers, with real tools.
//!
//! ```text
//!  Cluster ── a database and a virtual host of its own, on the run's servers or on private ones
//!   ├─ Program    coordinator, workers: start, SIGTERM, kill -9, freeze, start again
//!   ├─ Api        what the HTTP API says: jobs, plugins, metrics
//!   ├─ Amqp       what any program of a site can do: submit, publish, look into a queue
//!   ├─ sql        what stands in the database
//!   └─ Volume     scanned pages to work on, and what is found in the target folder
//!  eventually     the one place that waits
//!  faults         all of it under random faults, and a checker
//!  ObjectStorage  a bucket of the test's own
//!  Receiver       whoever wants to be told when a job has ended
//!  Browser        headless Chromium
//! ```
//!
//! **Invariants.**
//! Nothing of ours is mocked, nothing is skipped: what is missing fails the test and says what to do.
//! Only tests of full disks are left out, and say so, where nobody may mount a file system.
//! A test that passes has left no process, no database and no unexpected warning in any log.
//! Waiting is bounded, and tells in the end what it has seen instead of what it waited for.

#![expect(
    clippy::missing_panics_doc,
    reason = "a harness panics wherever a test can't go on: that is how a test fails"
)]

pub mod amqp;
pub mod api;
pub mod browser;
pub mod cluster;
mod environment;
mod eventually;
pub mod faults;
pub mod foreign_bytes;
pub mod management;
pub mod object_storage;
mod openapi;
pub mod receiver;
mod runtime;
mod servers;
mod small_target;
pub mod stranger;
pub mod text;
pub mod volume;

pub use amqp::{Amqp, Message};
pub use api::{Api, Job};
pub use browser::Browser;
pub use cluster::{Builder, Cluster, Program};
pub use environment::{program, python_tool, tool};
pub use eventually::{LIMIT, eventually};
pub use small_target::SmallTarget;
pub use volume::Volume;

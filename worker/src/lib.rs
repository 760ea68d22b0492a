//! A worker: takes jobs from the queues of its plugins and runs them.
//!
//! ```text
//!  consume   a message for each free slot ─► claims   may I? ─► attempt   run, publish, report
//!  running   the attempts in hand ─► heartbeat   signs of life, verdicts
//!  stores    item stores of jobs that are over;  inventory   which are there;  storage   work on what may hang
//!  free_space   room to work in;  standing   what one may serve
//!  scratch   folders of this process, and what dead ones have left
//!  requests  questions to coordinators and their answers;  delivery   results until they are recorded
//!  plugin    what a plugin is;  plugins   those shipped;  context, progress   what one is given
//!  item_store, publish   finished pages, and making them visible;  store_index   where each item store is
//!  objects   the same on object storage
//!  roots     confinement;  tool   child processes
//! ```

pub mod announce;
mod answers;
pub mod attempt;
pub mod claims;
pub mod config;
pub mod consume;
pub mod context;
pub mod delivery;
pub mod free_space;
pub mod health;
pub mod heartbeat;
pub mod identity;
pub mod inventory;
pub mod item_store;
pub mod objects;
pub mod plugin;
pub mod plugins;
pub mod progress;
pub mod publish;
pub mod requests;
pub mod roots;
pub mod running;
pub mod scratch;
mod self_check;
mod serve;
pub mod standing;
mod storage;
pub mod store_index;
pub mod stores;
pub mod tool;
pub mod transfer;
pub mod wrapper;

pub use serve::serve;

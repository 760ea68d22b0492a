//! The system as a whole: real programs, real servers, real tools, one test a promise.
//!
//! `cargo xtask test` runs them; `docs/promises.md` says which promise is shown by which.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod account;
mod autoscaling;
mod bad_input;
mod broker;
mod callback_tokens;
mod cli;
mod clocks;
mod configuration;
mod contact;
mod control;
mod crash;
mod dashboard;
mod deliveries;
mod disk;
mod doctor;
mod door;
mod drain;
mod failover;
mod failpoints;
mod fairness;
mod faults;
mod full_target;
mod goobi;
mod hang;
mod lists;
mod live;
mod login;
mod monitoring;
mod notifications;
mod objects;
mod openapi;
mod pages;
mod path;
mod pushed;
mod refused;
mod registry;
mod restore;
mod roles;
mod shutdown;
mod standing;
mod storages;
mod stores;
mod stories;
mod taskclient;
mod unknown_stores;

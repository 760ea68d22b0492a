//! `GET /metrics`: this process's own figures, and those of the database taken at this moment.
//!
//! Invariants: a plugin without jobs exports 0 for every state, so that autoscalers and alerts never meet a
//! missing series; when the database can't be read its figures are those of the last time, which
//! `taskmanager_database_up` tells; what is not there any more (a plugin's contract) is not exported any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::metrics::gauge;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusBuilder;
use shared::error::Chain;
use shared::job::{JobState, ShownState};
use shared::metrics::{
    BROKER_BLOCKED, BROKER_CONNECTED, BROKER_QUEUES_WRONG, BROKER_REFUSED, CONTRACT_PAGES,
    CONTRACT_PAGES_USED, DATABASE_FULL, DATABASE_RESTORED, DATABASE_UP, DELIVERIES_OLDEST_AGE,
    DELIVERIES_PENDING, ITEMS_ENDED_TODAY, JOBS, JOBS_ENDED_TODAY, JOBS_HELD, OLDEST_QUEUED_AGE,
    PLUGIN_AUTOSTART, PLUGIN_STATE, PLUGIN_STATE_AGE, PLUGIN_WORKERS, Program, SLOTS, SLOTS_USED,
    STORES_TO_REMOVE, WORKERS, describe, start_at_zero,
};

use super::App;
use crate::broker::Status;
use crate::db::pages::{Contract, Measures, OfPlugin, PluginRow, PluginState, ReadMeasures};

/// The format that Prometheus reads.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus waits ten seconds for all figures: those of this process are there also when the database hangs.
const DATABASE_PATIENCE: Duration = Duration::from_secs(3);

/// The figures of the database as they were read last, in that format. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LastFigures(Arc<Mutex<String>>);

/// `GET /metrics`
pub(super) async fn export(State(app): State<App>) -> Response {
    let answer = tokio::time::timeout(DATABASE_PATIENCE, app.db.run(&ReadMeasures)).await;
    set(DATABASE_UP, matches!(answer, Ok(Ok(_))));
    match answer {
        Ok(Ok(measures)) => {
            for (plugin, _) in &measures.plugins {
                start_at_zero(Program::Coordinator, Some(&plugin.name));
            }
            *app.figures.0.lock().unwrap_or_else(PoisonError::into_inner) = rendered(&measures);
        }
        Ok(Err(error)) => tracing::warn!("figures of the database could not be read: {}", Chain(&error)),
        Err(_) => tracing::warn!(
            "figures of the database could not be read within {} s",
            DATABASE_PATIENCE.as_secs()
        ),
    }
    record_broker(&app.broker);
    if let Ok(has_room) = tokio::time::timeout(DATABASE_PATIENCE, app.db.has_room()).await {
        set(DATABASE_FULL, !has_room);
    }
    let own = app.prometheus.render();
    let of_database = app
        .figures
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    ([(CONTENT_TYPE, FORMAT)], own + &of_database).into_response()
}

/// The figures of the database, by a recorder of their own: it knows nothing of earlier ones.
fn rendered(measures: &Measures) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    ::metrics::with_local_recorder(&recorder, || {
        describe();
        record(measures);
    });
    recorder.handle().render()
}

/// Sets a gauge that says yes or no.
fn set(name: &'static str, yes: bool) {
    gauge!(name).set(if yes { 1.0 } else { 0.0 });
}

/// Sets the gauges that tell how the connection to RabbitMQ is.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; there are far fewer queues than 2^52"
)]
fn record_broker(broker: &Status) {
    set(BROKER_CONNECTED, broker.connected());
    set(BROKER_BLOCKED, broker.blocked());
    set(BROKER_REFUSED, broker.refused().is_some());
    gauge!(BROKER_QUEUES_WRONG, "trouble" => "missing").set(broker.missing_queues().len() as f64);
    gauge!(BROKER_QUEUES_WRONG, "trouble" => "arguments").set(broker.other_arguments().len() as f64);
}

/// Sets the gauges that come from the database.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; there are far fewer workers, stores and messages than 2^52"
)]
fn record(measures: &Measures) {
    for (plugin, own) in &measures.plugins {
        record_queue(plugin);
        record_plugin(plugin, own);
    }
    for contract in &measures.contracts {
        record_contract(contract);
    }
    let workers = measures.workers;
    for (state, number) in [
        ("working", workers.working),
        ("draining", workers.draining),
        ("silent", workers.silent),
    ] {
        gauge!(WORKERS, "state" => state).set(number as f64);
    }
    let stores = &measures.stores;
    gauge!(STORES_TO_REMOVE, "stuck" => "no").set((stores.waiting - stores.stuck) as f64);
    gauge!(STORES_TO_REMOVE, "stuck" => "yes").set(stores.stuck as f64);
    for pending in &measures.deliveries {
        gauge!(DELIVERIES_PENDING, "kind" => pending.kind.clone()).set(pending.number as f64);
        gauge!(DELIVERIES_OLDEST_AGE, "kind" => pending.kind.clone()).set(pending.oldest_seconds);
    }
    set(DATABASE_RESTORED, measures.restored);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; counts of jobs are far below 2^52"
)]
fn record_queue(plugin: &PluginRow) {
    let unfinished = JobState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .map(ShownState::As);
    for state in unfinished.chain([ShownState::Paused]) {
        let jobs = plugin
            .counts
            .iter()
            .find(|count| count.state == state)
            .map_or(0, |count| count.jobs);
        gauge!(JOBS, "plugin" => plugin.name.clone(), "state" => state.as_str()).set(jobs as f64);
    }
    let set = |name: &'static str, value: f64| gauge!(name, "plugin" => plugin.name.clone()).set(value);
    set(OLDEST_QUEUED_AGE, plugin.oldest_queued_seconds);
    set(SLOTS, plugin.slots as f64);
    set(SLOTS_USED, plugin.running() as f64);
    set(PLUGIN_WORKERS, plugin.workers as f64);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; counts of jobs are far below 2^52"
)]
fn record_plugin(plugin: &PluginRow, own: &OfPlugin) {
    for (state, name) in [
        (PluginState::Running, "running"),
        (PluginState::Stopping, "stopping"),
        (PluginState::Stopped, "stopped"),
    ] {
        let is_in_it = if plugin.state == state { 1.0 } else { 0.0 };
        gauge!(PLUGIN_STATE, "plugin" => plugin.name.clone(), "state" => name).set(is_in_it);
    }
    let set = |name: &'static str, value: f64| gauge!(name, "plugin" => plugin.name.clone()).set(value);
    set(PLUGIN_STATE_AGE, own.state_seconds);
    set(PLUGIN_AUTOSTART, if own.autostart { 1.0 } else { 0.0 });
    set(JOBS_HELD, own.held as f64);
    set(ITEMS_ENDED_TODAY, own.items_today as f64);
    for (outcome, jobs) in [("done", own.done_today), ("error", own.failed_today)] {
        gauge!(JOBS_ENDED_TODAY, "plugin" => plugin.name.clone(), "outcome" => outcome).set(jobs as f64);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; counts of pages are far below 2^52"
)]
fn record_contract(contract: &Contract) {
    for (span, allowed) in [("total", contract.total), ("period", contract.in_period)] {
        if let Some(allowed) = allowed {
            let plugin = || contract.plugin.clone();
            gauge!(CONTRACT_PAGES, "plugin" => plugin(), "span" => span).set(allowed.pages as f64);
            gauge!(CONTRACT_PAGES_USED, "plugin" => plugin(), "span" => span).set(allowed.used as f64);
        }
    }
}

#[cfg(test)]
mod tests;

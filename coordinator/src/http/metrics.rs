//! `GET /metrics`: this process's own figures, and those of the database taken at this moment.
//!
//! Invariants: a plugin without jobs exports 0 for every state, so that autoscalers and alerts never meet a
//! missing series; figures that could not be read keep their last values, which the failed transaction's
//! counter tells.

use ::metrics::gauge;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use shared::error::Chain;
use shared::job::{JobState, ShownState};
use shared::metrics::{
    BROKER_BLOCKED, BROKER_CONNECTED, BROKER_QUEUES_WRONG, BROKER_REFUSED, DATABASE_FULL, DELIVERIES_PENDING,
    JOBS, OLDEST_QUEUED_AGE, SLOTS, STORES_TO_REMOVE,
};

use super::App;
use crate::broker::Status;
use crate::db::pages::{
    DeliveryFigures, PluginRow, ReadDeliveryFigures, ReadPlugins, ReadUselessStores, UselessStores,
};

/// The format that Prometheus reads.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`
pub(super) async fn export(State(app): State<App>) -> Response {
    match app.db.run(&ReadPlugins).await {
        Ok(plugins) => record(&plugins),
        Err(error) => tracing::warn!("figures of the database could not be read: {}", Chain(&error)),
    }
    match app.db.run(&ReadUselessStores).await {
        Ok(stores) => record_stores(&stores),
        Err(error) => tracing::warn!("item stores could not be counted: {}", Chain(&error)),
    }
    match app.db.run(&ReadDeliveryFigures).await {
        Ok(figures) => record_deliveries(&figures),
        Err(error) => tracing::warn!("figures of deliveries could not be read: {}", Chain(&error)),
    }
    record_broker(&app.broker);
    gauge!(DATABASE_FULL).set(f64::from(u8::from(!app.db.has_room().await)));
    ([(CONTENT_TYPE, FORMAT)], app.prometheus.render()).into_response()
}

/// Sets the gauges that tell how the connection to RabbitMQ is.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; there are far fewer queues than 2^52"
)]
fn record_broker(broker: &Status) {
    gauge!(BROKER_CONNECTED).set(f64::from(u8::from(broker.connected())));
    gauge!(BROKER_BLOCKED).set(f64::from(u8::from(broker.blocked())));
    gauge!(BROKER_REFUSED).set(f64::from(u8::from(broker.refused().is_some())));
    gauge!(BROKER_QUEUES_WRONG, "trouble" => "missing").set(broker.missing_queues().len() as f64);
    gauge!(BROKER_QUEUES_WRONG, "trouble" => "arguments").set(broker.other_arguments().len() as f64);
}

/// Sets the gauges of item stores that wait to be removed.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; there are far fewer stores than 2^52"
)]
fn record_stores(stores: &UselessStores) {
    gauge!(STORES_TO_REMOVE, "stuck" => "no").set((stores.waiting - stores.stuck) as f64);
    gauge!(STORES_TO_REMOVE, "stuck" => "yes").set(stores.stuck as f64);
}

/// Sets the gauges of messages to other systems.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; there are far fewer deliveries than 2^52"
)]
fn record_deliveries(figures: &DeliveryFigures) {
    for (kind, number) in &figures.pending {
        gauge!(DELIVERIES_PENDING, "kind" => kind.clone()).set(*number as f64);
    }
}

/// Sets the gauges that come from the database.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; counts of jobs are far below 2^52"
)]
fn record(plugins: &[PluginRow]) {
    let states = JobState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .map(ShownState::As);
    let states: Vec<ShownState> = states.chain([ShownState::Paused]).collect();
    for plugin in plugins {
        for state in &states {
            let jobs = plugin
                .counts
                .iter()
                .find(|count| count.state == *state)
                .map_or(0, |count| count.jobs);
            gauge!(JOBS, "plugin" => plugin.name.clone(), "state" => state.as_str()).set(jobs as f64);
        }
        gauge!(OLDEST_QUEUED_AGE, "plugin" => plugin.name.clone()).set(plugin.oldest_queued_seconds);
        gauge!(SLOTS, "plugin" => plugin.name.clone()).set(plugin.slots as f64);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::db::pages::{PluginState, StateCount};

    #[test]
    fn every_plugin_has_every_unfinished_state_also_without_jobs() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counts = vec![StateCount {
            state: ShownState::As(JobState::Processing),
            jobs: 3,
        }];
        let plugin = |name: &str, counts| PluginRow {
            name: name.to_owned(),
            title_en: String::new(),
            title_de: String::new(),
            state: PluginState::Running,
            counts,
            oldest_queued_seconds: 0.0,
            slots: 4,
            workers: 1,
        };
        let plugins = [plugin("OCR", counts), plugin("NOOP", Vec::new())];
        ::metrics::with_local_recorder(&recorder, || record(&plugins));
        let text = recorder.handle().render();
        let jobs: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("taskmanager_jobs{"))
            .collect();
        assert_eq!(jobs.len(), 18, "{text}");
        assert!(
            jobs.contains(&"taskmanager_jobs{plugin=\"OCR\",state=\"PROCESSING\"} 3"),
            "{text}"
        );
        assert!(
            jobs.contains(&"taskmanager_jobs{plugin=\"NOOP\",state=\"PAUSED\"} 0"),
            "{text}"
        );
        assert!(text.contains("taskmanager_slots{plugin=\"NOOP\"} 4"), "{text}");
        assert!(
            text.contains("taskmanager_oldest_queued_age_seconds{plugin=\"OCR\"} 0"),
            "{text}"
        );
    }
}

//! The worker's own health and metrics over HTTP, for Kubernetes and Prometheus.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::amqp::refusals::{ADVICE, Refusals};
use shared::metrics::{BROKER_REFUSED, Program, WORKER_SLOTS, WORKER_SLOTS_USED, start_at_zero};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::consume::Bench;
use crate::requests::Requests;

/// What the answers are made of.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether coordinators can be asked.
    pub requests: Requests,
    /// What RabbitMQ refuses this worker.
    pub refusals: Refusals,
    /// The plugins and their slots.
    pub benches: Vec<Bench>,
    /// The metrics.
    pub prometheus: PrometheusHandle,
}

/// Serves `/healthz` (the process lives), `/readyz` (it is connected) and `/metrics` until `stop`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, health: Health, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health);
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    let refused = health.benches.iter().filter(|bench| bench.standing.is_refused());
    let refused: Vec<String> = refused
        .map(|bench| bench.plugin.offer().name.to_string())
        .collect();
    if let Some(said) = health.refusals.lately() {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("RabbitMQ refuses this worker's user something that it needs: {said}; {ADVICE}\n"),
        )
    } else if !health.requests.connected() {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "no connection to RabbitMQ\n".to_owned(),
        )
    } else if refused.is_empty() {
        (StatusCode::OK, "connected\n".to_owned())
    } else {
        let said = format!(
            "connected, but coordinators do not let this worker's RabbitMQ user serve {}: list it with their \
             --worker-user\n",
            refused.join(", ")
        );
        // With one plugin left it is of use.
        let of_use = refused.len() < health.benches.len();
        (
            if of_use {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            },
            said,
        )
    }
}

async fn metrics(State(health): State<Health>) -> String {
    let refused = health.refusals.lately().is_some();
    gauge!(BROKER_REFUSED).set(f64::from(u8::from(refused)));
    for bench in &health.benches {
        let plugin = bench.plugin.offer().name.to_string();
        start_at_zero(Program::Worker, Some(&plugin));
        let free = u16::try_from(bench.slots.available_permits()).unwrap_or(bench.size);
        gauge!(WORKER_SLOTS, "plugin" => plugin.clone()).set(f64::from(bench.size));
        gauge!(WORKER_SLOTS_USED, "plugin" => plugin).set(f64::from(bench.size.saturating_sub(free)));
    }
    health.prometheus.render()
}

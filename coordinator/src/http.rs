//! Pages, HTTP API, metrics and health of the coordinator.
//!
//! ```text
//!  routes     every address, in one list that the router and the tests share
//!  pages/     one file a page; templates/ has their HTML
//!  api/       /api/v1, the same figures as JSON
//!  connections  how many clients there may be, and how long one may say nothing
//!  events     the stream that tells open pages that something has changed
//!  itm        /itm, for programs that speak to the intranda TaskManager
//!  openapi    the API describes itself
//!  problem    every failure, as a page for people and as problem+json for programs
//!  text       all words, English and German side by side
//! ```
//!
//! Invariants: nothing here writes to the database except through the intake and the control; a database that is away gives a
//! designed answer within seconds, never a panic; an open event stream never holds up a shutdown.

mod accounts;
mod actions;
mod api;
mod assets;
mod audit;
mod connections;
mod cursor;
mod demand;
mod doctor;
mod events;
mod figures;
mod format;
mod health;
mod itm;
mod language;
mod listing;
mod log_in;
mod metrics;
mod openapi;
mod own_account;
mod pages;
mod plugins;
mod problem;
mod recovery;
mod routes;
mod searching;
mod security;
mod settings;
mod storages;
mod stores;
mod submit;
mod text;
mod wait;
mod who;
mod workers;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath};
use axum::http::{Request, StatusCode};
use axum::middleware;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::message::submit::BODY_MAX_BYTES;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use connections::Limits;
pub use metrics::LastFigures;
pub use openapi::Operation;
pub use routes::{Kind, Route, routes};
pub use who::Door;

/// Longest time until an answer begins. Longer than waiting for a connection and a transaction may take together,
/// so that a database that hangs is recognised where its connections are known, and told as such.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// What the pages and the API are made from.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub db: crate::db::Db,
    /// The way in for jobs.
    pub intake: crate::intake::Intake,
    /// What people do with them.
    pub control: crate::control::Control,
    /// How people come in.
    pub door: Door,
    /// Tells when jobs have changed.
    pub changes: crate::db::notify::Changes,
    /// The connection to RabbitMQ.
    pub broker: crate::broker::Status,
    /// The connection to Goobi's message broker, where one is named.
    pub goobi: Option<crate::goobi::Status>,
    /// Cancelled when the process is to end.
    pub stop: CancellationToken,
    /// The process's metrics.
    pub prometheus: PrometheusHandle,
    /// The figures of the database as they were read last.
    pub figures: LastFigures,
    /// Whether the database has this release's schema.
    pub schema_ready: Arc<AtomicBool>,
    /// What the coordinator was told.
    pub deployment: Arc<crate::deployment::Deployment>,
}

impl App {
    fn schema_is_ready(&self) -> bool {
        self.schema_ready.load(Ordering::Acquire)
    }
}

/// Serves until `app.stop` is cancelled; then ends within seconds, whatever clients do.
pub async fn serve(listener: TcpListener, app: App) {
    let stop = app.stop.clone();
    connections::serve(listener, router(app), Limits::default(), stop).await;
}

/// The router with every route.
pub fn router(app: App) -> Router {
    assemble(routes(), app)
}

/// A router with these routes and, around them, what holds for all of them.
fn assemble(list: Vec<Route>, app: App) -> Router {
    let mut router = Router::new();
    let is_open = app.door == Door::Open;
    for route in list {
        let route_handler = match route.needs {
            Some(verb) => route
                .handler
                .layer(middleware::from_fn_with_state((app.clone(), verb), who::let_in)),
            None => route.handler,
        };
        let handler = match route.kind {
            // A stream begins at once and then lasts.
            Kind::Stream => route_handler,
            Kind::Page | Kind::Form | Kind::Api | Kind::Itm | Kind::Probe | Kind::Asset => route_handler
                .layer(TimeoutLayer::with_status_code(
                    StatusCode::GATEWAY_TIMEOUT,
                    ANSWER_TIMEOUT,
                )),
        };
        router = router.route(route.path, handler);
    }
    // From the inside out: the last layer sees a request first.
    router
        .fallback(problem::unknown_address)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(CsrfLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(is_open, security::check_host))
        .layer(middleware::from_fn(problem::present))
        .layer(middleware::from_fn(language::remember))
        .layer(middleware::map_response(security::headers))
        // What failed was logged where it failed.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .with_state(app)
}

/// The span of a request: its route, never its address, which may hold what nobody should log.
fn span<B>(request: &Request<B>) -> tracing::Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str);
    tracing::debug_span!("http", http.method = %request.method(), http.route = route)
}

//! Every address that the coordinator answers, in one list: the router is made from it, and tests walk it.
//!
//! Invariant: there is no other way to add a route, so that none escapes the checks that walk this list.

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use super::{
    App, actions, api, assets, doctor, events, health, metrics, pages, recovery, storages, submit, workers,
};

/// What kind of answer a route gives, and with it which rules hold for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HTML for people.
    Page,
    /// What a page's form does; it leads to a page.
    Form,
    /// JSON for programs.
    Api,
    /// For whoever watches the process.
    Probe,
    /// Lasts as long as its client wants.
    Stream,
    /// A file that never changes under its address.
    Asset,
}

/// One address with one method.
#[derive(Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What kind of answer it gives.
    pub kind: Kind,
    /// What it is for.
    pub what: &'static str,
    pub(super) handler: MethodRouter<App>,
}

/// All routes.
pub fn routes() -> Vec<Route> {
    let mut all = about_jobs();
    all.extend(about_the_system());
    all
}

fn read(path: &'static str, kind: Kind, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::GET,
        path,
        kind,
        what,
        handler,
    }
}

fn write(path: &'static str, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::POST,
        path,
        kind: Kind::Api,
        what,
        handler,
    }
}

fn form(path: &'static str, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::POST,
        path,
        kind: Kind::Form,
        what,
        handler,
    }
}

fn about_jobs() -> Vec<Route> {
    vec![
        read("/", Kind::Page, "the dashboard", get(pages::dashboard::show)),
        read("/jobs/{id}", Kind::Page, "a job", get(pages::job::show)),
        read(
            "/jobs/{id}/log",
            Kind::Page,
            "a job's log as plain text",
            get(pages::log::show),
        ),
        form(
            "/jobs/{id}/actions",
            "cancels, holds, … a job",
            post(pages::forms::on_job),
        ),
        form(
            "/plugins/{name}/actions",
            "stops, starts a plugin",
            post(pages::forms::on_plugin),
        ),
        read(
            "/assets/{name}",
            Kind::Asset,
            "style sheet, script, icon",
            get(assets::serve),
        ),
        read(
            "/events",
            Kind::Stream,
            "tells pages that something has changed",
            get(events::stream),
        ),
        read("/api/v1/jobs", Kind::Api, "a list of jobs", get(api::list)),
        write("/api/v1/jobs", "submits a job", post(submit::submit)),
        write(
            "/api/v1/jobs/batch",
            "submits several jobs",
            post(submit::submit_batch).layer(DefaultBodyLimit::max(submit::BATCH_MAX_BYTES)),
        ),
        read("/api/v1/jobs/{id}", Kind::Api, "a job", get(api::job)),
        write(
            "/api/v1/jobs/actions",
            "cancels, holds, … several jobs",
            post(actions::on_jobs),
        ),
        write(
            "/api/v1/jobs/{id}/actions",
            "cancels, holds, … a job",
            post(actions::on_job),
        ),
        write(
            "/api/v1/plugins/actions",
            "stops, starts, configures all plugins",
            post(actions::on_all_plugins),
        ),
        write(
            "/api/v1/plugins/{name}/actions",
            "stops, starts, configures a plugin",
            post(actions::on_plugin),
        ),
        read("/api/v1/jobs/{id}/log", Kind::Api, "a job's log", get(api::log)),
        read(
            "/api/v1/plugins",
            Kind::Api,
            "the plugins and their queues",
            get(api::plugins),
        ),
    ]
}

fn about_the_system() -> Vec<Route> {
    vec![
        read("/api/v1/recovery", Kind::Api, "a restore", get(recovery::report)),
        write(
            "/api/v1/recovery/actions",
            "ends or begins the time after a restore",
            post(recovery::act),
        ),
        read(
            "/api/v1/workers",
            Kind::Api,
            "the workers and what they serve",
            get(workers::list),
        ),
        write(
            "/api/v1/workers/{id}/actions",
            "drains a worker",
            post(workers::act),
        ),
        read(
            "/api/v1/storages",
            Kind::Api,
            "the storages and their limits",
            get(storages::list),
        ),
        write(
            "/api/v1/storages/actions",
            "sets and removes limits of a storage",
            post(storages::act),
        ),
        read(
            "/api/v1/doctor",
            Kind::Api,
            "what is wrong and what to do",
            get(doctor::examine),
        ),
        read(
            "/healthz",
            Kind::Probe,
            "whether the process lives",
            get(health::alive),
        ),
        read("/readyz", Kind::Probe, "whether it can work", get(health::ready)),
        read(
            "/metrics",
            Kind::Probe,
            "figures for Prometheus",
            get(metrics::export),
        ),
    ]
}

//! Every address that the coordinator answers, in one list: the router is made from it, and tests walk it.
//!
//! Invariant: there is no other way to add a route, so that none escapes the checks that walk this list.

mod lists;
mod own_account;
mod plugins;
mod workers_and_settings;

use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use crate::control::Verb;

use super::openapi::Operation;
use super::{
    App, accounts, actions, api, assets, audit, doctor, events, health, itm, metrics, openapi, pages,
    recovery, storages, stores, submit,
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
    /// JSON as the intranda `TaskManager` gives it.
    Itm,
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
    /// What somebody has to be allowed to do, to something at least, to be let in; `None` lets in everybody.
    pub needs: Option<Verb>,
    /// What the API's own document says of it, where it is a part of the API.
    pub operation: Option<Operation>,
    pub(super) handler: MethodRouter<App>,
}

/// All routes.
pub fn routes() -> Vec<Route> {
    let mut all = about_jobs();
    all.extend(lists::about_lists());
    all.extend(plugins::routes());
    all.extend(about_accounts());
    all.extend(own_account::routes());
    all.extend(workers_and_settings::routes());
    all.extend(about_the_system());
    all.extend(itm::routes());
    all
}

/// Something that whoever may `needs` can look at.
fn read(
    needs: Verb,
    path: &'static str,
    kind: Kind,
    what: &'static str,
    handler: MethodRouter<App>,
) -> Route {
    Route {
        method: Method::GET,
        path,
        kind,
        what,
        needs: Some(needs),
        operation: None,
        handler,
    }
}

/// Something that everybody can look at: the door itself, and what watches the process.
fn open(path: &'static str, kind: Kind, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::GET,
        path,
        kind,
        what,
        needs: None,
        operation: None,
        handler,
    }
}

/// Something that programs of those who may `needs` can ask for.
fn ask(
    needs: Verb,
    path: &'static str,
    what: &'static str,
    operation: Operation,
    handler: MethodRouter<App>,
) -> Route {
    Route {
        operation: Some(operation),
        ..read(needs, path, Kind::Api, what, handler)
    }
}

fn write(
    needs: Verb,
    path: &'static str,
    what: &'static str,
    operation: Operation,
    handler: MethodRouter<App>,
) -> Route {
    Route {
        method: Method::POST,
        path,
        kind: Kind::Api,
        what,
        needs: Some(needs),
        operation: Some(operation),
        handler,
    }
}

fn form(needs: Verb, path: &'static str, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::POST,
        path,
        kind: Kind::Form,
        what,
        needs: Some(needs),
        operation: None,
        handler,
    }
}

/// What the door's own forms do.
fn open_form(path: &'static str, what: &'static str, handler: MethodRouter<App>) -> Route {
    Route {
        method: Method::POST,
        path,
        kind: Kind::Form,
        what,
        needs: None,
        operation: None,
        handler,
    }
}

fn about_jobs() -> Vec<Route> {
    vec![
        read(
            Verb::Look,
            "/",
            Kind::Page,
            "the dashboard",
            get(pages::dashboard::show),
        ),
        read(
            Verb::Look,
            "/jobs/{id}",
            Kind::Page,
            "a job",
            get(pages::job::show),
        ),
        read(
            Verb::Look,
            "/jobs/{id}/log",
            Kind::Page,
            "a job's log as plain text",
            get(pages::log::show),
        ),
        form(
            Verb::ControlJobs,
            "/jobs/{id}/actions",
            "cancels, holds, … a job",
            post(pages::forms::on_job),
        ),
        ask(
            Verb::Look,
            "/api/v1/jobs",
            "a list of jobs",
            api::describe_list(),
            get(api::list),
        ),
        write(
            Verb::Submit,
            "/api/v1/jobs",
            "submits a job",
            submit::describe_submit(),
            post(submit::submit),
        ),
        write(
            Verb::Submit,
            "/api/v1/jobs/batch",
            "submits several jobs",
            submit::describe_submit_batch(),
            post(submit::submit_batch).layer(DefaultBodyLimit::max(submit::BATCH_MAX_BYTES)),
        ),
        ask(
            Verb::Follow,
            "/api/v1/jobs/{id}",
            "a job",
            api::describe_job(),
            get(api::job),
        ),
        write(
            Verb::ControlJobs,
            "/api/v1/jobs/actions",
            "cancels, holds, … several jobs",
            actions::describe_on_jobs(),
            post(actions::on_jobs),
        ),
        write(
            Verb::ControlJobs,
            "/api/v1/jobs/{id}/actions",
            "cancels, holds, … a job",
            actions::describe_on_job(),
            post(actions::on_job),
        ),
        ask(
            Verb::Look,
            "/api/v1/jobs/{id}/log",
            "a job's log",
            api::describe_log(),
            get(api::log),
        ),
    ]
}

/// Whoever is logged in may do this with his own account.
const OWN: Verb = Verb::Look;

fn about_accounts() -> Vec<Route> {
    vec![
        open("/login", Kind::Page, "the login", get(pages::login::show)),
        open_form("/login", "logs in", post(pages::login::enter)),
        form(OWN, "/logout", "logs out", post(pages::login::leave)),
        open(
            "/setup",
            Kind::Page,
            "the first administrator's one-time link",
            get(pages::login::show_setup),
        ),
        open_form(
            "/setup",
            "makes the first administrator",
            post(pages::login::set_up),
        ),
        read(
            OWN,
            "/account",
            Kind::Page,
            "one's own password and sessions",
            get(pages::account::show),
        ),
        form(
            OWN,
            "/account/actions",
            "changes one's own password, ends sessions",
            post(pages::account::act),
        ),
        read(
            Verb::ManageAccounts,
            "/accounts",
            Kind::Page,
            "users and tokens",
            get(pages::accounts::show),
        ),
        form(
            Verb::ManageAccounts,
            "/accounts/actions",
            "adds and changes users and tokens",
            post(pages::accounts::act),
        ),
        ask(
            Verb::ManageAccounts,
            "/api/v1/accounts",
            "users and tokens",
            accounts::describe_list(),
            get(accounts::list),
        ),
        write(
            Verb::ManageAccounts,
            "/api/v1/accounts/actions",
            "adds and changes users and tokens",
            accounts::describe_act(),
            post(accounts::act),
        ),
    ]
}

fn about_the_system() -> Vec<Route> {
    vec![
        open(
            "/assets/{name}",
            Kind::Asset,
            "style sheet, script, icon",
            get(assets::serve),
        ),
        read(
            Verb::Look,
            "/events",
            Kind::Stream,
            "tells pages that something has changed",
            get(events::stream),
        ),
        read(
            Verb::ReadAudit,
            "/audit",
            Kind::Page,
            "who has done what",
            get(pages::audit::show),
        ),
        ask(
            Verb::ReadAudit,
            "/api/v1/audit",
            "who has done what",
            audit::describe_list(),
            get(audit::list),
        ),
        ask(
            Verb::Look,
            "/api/v1/recovery",
            "a restore",
            recovery::describe_report(),
            get(recovery::report),
        ),
        write(
            Verb::Recover,
            "/api/v1/recovery/actions",
            "ends or begins the time after a restore",
            recovery::describe_act(),
            post(recovery::act),
        ),
        ask(
            Verb::Look,
            "/api/v1/stores",
            "item stores that no job has",
            stores::describe_list(),
            get(stores::list),
        ),
        write(
            Verb::Recover,
            "/api/v1/stores/actions",
            "looks for item stores that no job has, removes them",
            stores::describe_act(),
            post(stores::act),
        ),
        ask(
            Verb::Look,
            "/api/v1/storages",
            "the storages and their limits",
            storages::describe_list(),
            get(storages::list),
        ),
        write(
            Verb::Configure,
            "/api/v1/storages/actions",
            "sets and removes limits of a storage",
            storages::describe_act(),
            post(storages::act),
        ),
        ask(
            Verb::Look,
            "/api/v1/doctor",
            "what is wrong and what to do",
            doctor::describe_examine(),
            get(doctor::examine),
        ),
        Route {
            operation: Some(openapi::described()),
            ..open(
                "/api/v1/openapi.json",
                Kind::Api,
                "this description",
                get(openapi::show),
            )
        },
        open("/healthz", Kind::Probe, "whether it lives", get(health::alive)),
        open("/readyz", Kind::Probe, "whether it can work", get(health::ready)),
        open(
            "/metrics",
            Kind::Probe,
            "figures for Prometheus",
            get(metrics::export),
        ),
    ]
}

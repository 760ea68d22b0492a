//! The addresses of workers and of settings.

use axum::routing::{get, post};

use super::{Kind, Route, ask, form, read, write};
use crate::control::Verb;
use crate::http::{pages, settings, workers};

pub(super) fn routes() -> Vec<Route> {
    vec![
        read(
            Verb::Look,
            "/workers",
            Kind::Page,
            "the workers and what they do",
            get(pages::workers::show),
        ),
        form(
            Verb::RunWorkers,
            "/workers/{id}/actions",
            "drains a worker",
            post(pages::workers::act),
        ),
        read(
            Verb::Configure,
            "/settings",
            Kind::Page,
            "what can be set",
            get(pages::settings::show),
        ),
        form(
            Verb::Configure,
            "/settings/actions",
            "changes settings",
            post(pages::settings::act),
        ),
        ask(
            Verb::Configure,
            "/api/v1/settings",
            "what can be set",
            settings::describe_show(),
            get(settings::show),
        ),
        write(
            Verb::Configure,
            "/api/v1/settings/actions",
            "changes settings",
            settings::describe_act(),
            post(settings::act),
        ),
        ask(
            Verb::Look,
            "/api/v1/workers",
            "the workers and what they serve",
            workers::describe_list(),
            get(workers::list),
        ),
        write(
            Verb::RunWorkers,
            "/api/v1/workers/{id}/actions",
            "drains a worker",
            workers::describe_act(),
            post(workers::act),
        ),
    ]
}

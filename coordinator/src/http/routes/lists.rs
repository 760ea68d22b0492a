//! The routes about lists of jobs: searching, acting on several, and what stands above and in their rows.

use axum::routing::{get, post};

use super::{Kind, Route, form, read};
use crate::control::Verb;
use crate::http::pages;

pub(super) fn about_lists() -> Vec<Route> {
    vec![
        read(
            Verb::Look,
            "/search",
            Kind::Page,
            "jobs by what is known of them",
            get(pages::search::show),
        ),
        form(
            Verb::ControlJobs,
            "/jobs/actions",
            "asks what is to be done with several jobs, then does it",
            post(pages::bulk::act::on_many),
        ),
        form(
            Verb::ControlJobs,
            "/jobs/{id}/row",
            "starts, stops, moves, … a job from its row in a list",
            post(pages::bulk::row::on_row),
        ),
        read(
            Verb::Look,
            "/jobs/outcome",
            Kind::Page,
            "what became of several jobs",
            get(pages::bulk::outcome::show),
        ),
    ]
}

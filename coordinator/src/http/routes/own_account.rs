//! The addresses of a person's own account, for programs.

use axum::routing::{get, post};

use super::{OWN, Route, ask, write};
use crate::http::{log_in, own_account};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route {
            needs: None,
            ..write(
                OWN,
                "/api/v1/login",
                "logs a person in",
                log_in::describe(),
                post(log_in::enter),
            )
        },
        ask(
            OWN,
            "/api/v1/account",
            "who asks, and one's own sessions",
            own_account::describe_show(),
            get(own_account::show),
        ),
        write(
            OWN,
            "/api/v1/account/actions",
            "changes one's own password, ends sessions",
            own_account::describe_act(),
            post(own_account::act),
        ),
    ]
}

//! The addresses about plugins.

use axum::routing::{get, post};

use super::{Kind, Route, ask, form, read, write};
use crate::control::Verb;
use crate::http::{actions, demand, figures, pages, plugins};

/// All of them.
pub(super) fn routes() -> Vec<Route> {
    vec![
        read(
            Verb::Look,
            "/statistics/months.csv",
            Kind::Page,
            "what was completed in each month, as CSV",
            get(pages::months::export),
        ),
        ask(
            Verb::Look,
            "/api/v1/statistics/months",
            "what was completed in each month",
            figures::describe_months(),
            get(figures::months),
        ),
        ask(
            Verb::Look,
            "/api/v1/figures",
            "today's figures and the sums of each list; whether it is safe to shut down",
            figures::describe_show(),
            get(figures::show),
        ),
        ask(
            Verb::Look,
            "/api/v1/demand",
            "how many slots there is use for, for autoscalers",
            demand::describe_show(),
            get(demand::show),
        ),
        form(
            Verb::RunPlugins,
            "/plugins/{name}/actions",
            "stops, starts a plugin",
            post(pages::plugin_forms::on_plugin),
        ),
        form(
            Verb::ControlJobs,
            "/plugins/{name}/cancel",
            "cancels all jobs of a plugin",
            post(pages::plugin_forms::cancel_all),
        ),
        form(
            Verb::RunPlugins,
            "/plugins/actions",
            "stops, starts all plugins",
            post(pages::plugin_forms::on_all_plugins),
        ),
        write(
            Verb::RunPlugins,
            "/api/v1/plugins/actions",
            "stops, starts, configures all plugins",
            actions::describe_on_all_plugins(),
            post(actions::on_all_plugins),
        ),
        write(
            Verb::RunPlugins,
            "/api/v1/plugins/{name}/actions",
            "stops, starts, configures a plugin",
            actions::describe_on_plugin(),
            post(actions::on_plugin),
        ),
        ask(
            Verb::Look,
            "/api/v1/plugins",
            "the plugins and their queues",
            plugins::describe_list(),
            get(plugins::list),
        ),
    ]
}

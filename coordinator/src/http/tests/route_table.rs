//! Who may use which address, written out once more: what the routes and the roles say has to be this.

use super::*;
use crate::control::{Actor, Role, Verb, could};

/// Method, address and what it needs, a route a line.
const TABLE: &str = include_str!("route_table.txt");

/// What this role is let in to do, with anything at all.
pub(super) fn lets_in(role: Role) -> Vec<Verb> {
    match role {
        Role::Viewer => vec![Verb::Look, Verb::Follow],
        Role::Submitter => vec![Verb::Submit, Verb::Follow],
        Role::Operator => vec![
            Verb::Look,
            Verb::Follow,
            Verb::Submit,
            Verb::ControlJobs,
            Verb::DeleteJobs,
            Verb::RunPlugins,
            Verb::RunWorkers,
            Verb::ReadAudit,
        ],
        Role::Admin => Verb::ALL.to_vec(),
    }
}

#[test]
fn each_role_may_do_what_is_written_here() {
    for role in Role::ALL {
        for verb in Verb::ALL {
            let may = could(&Actor::with(String::new(), role), verb);
            assert_eq!(may, lets_in(role).contains(&verb), "{role:?} {verb:?}");
        }
    }
}

#[test]
fn each_route_needs_what_the_table_says() {
    let mut lines: Vec<String> = routes()
        .iter()
        .map(|route| {
            let needs = route.needs.map_or("nothing", Verb::name);
            format!("{} {} {needs}", route.method, route.path)
        })
        .collect();
    lines.sort();
    let expected: Vec<&str> = TABLE.lines().collect();
    assert_eq!(
        lines, expected,
        "somebody may use a route who could not before, or may no longer: look at each difference, then write it down"
    );
}

//! What the doctor says of coordinators that were told something else than this one.

use shared::message::worker::Check;

use super::{VERSION, failed, passed};
use crate::db::coordinators::Coordinator;
use crate::deployment::Deployment;

/// The check: any of them may take a job in, hand it out or tell of its end, so all have to know the same.
pub(super) fn check(own: &Deployment, all: &[Coordinator]) -> Check {
    let name = "coordinators";
    let differing: Vec<String> = all.iter().filter_map(|other| differs(own, other)).collect();
    if !differing.is_empty() {
        return failed(
            name,
            format!(
                "not all were told the same: {}; what becomes of a job, and what people see, depends on which of them they \
                 meet; give all the same settings",
                differing.join("; ")
            ),
        );
    }
    let releases: Vec<String> = all
        .iter()
        .filter(|other| other.version != VERSION)
        .map(|other| format!("{} on {}", other.version, other.host))
        .collect();
    let message = if releases.is_empty() {
        format!("alive: {}, all with the same settings", all.len())
    } else {
        format!(
            "hint: beside {VERSION} there is {}: two releases understand each other, for an upgrade",
            releases.join(", ")
        )
    };
    passed(name, message)
}

/// The options that another coordinator of this release was told otherwise, if so.
fn differs(own: &Deployment, other: &Coordinator) -> Option<String> {
    if other.version != VERSION {
        return None;
    }
    let options: Vec<&str> = own
        .settings
        .iter()
        .filter(|(option, value)| other.settings.get(*option).is_some_and(|told| told != *value))
        .map(|(option, _)| option.as_str())
        .collect();
    (!options.is_empty()).then(|| format!("the one on {} has another {}", other.host, options.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(root: &str) -> Deployment {
        Deployment {
            settings: [("--root", root), ("--window", "1")]
                .map(|(option, hash)| (option.to_owned(), hash.to_owned()))
                .into(),
            ..Deployment::default()
        }
    }

    fn on(host: &str, version: &str, told: &Deployment) -> Coordinator {
        Coordinator {
            host: host.to_owned(),
            version: version.to_owned(),
            ..told.coordinator()
        }
    }

    #[test]
    fn a_coordinator_that_was_told_something_else_is_named_with_the_option() {
        let own = settings("a");
        let same = on("jobs-1", VERSION, &own);
        assert!(check(&own, std::slice::from_ref(&same)).ok);
        let found = check(&own, &[same, on("jobs-2", VERSION, &settings("b"))]);
        assert!(
            !found.ok && found.message.contains("the one on jobs-2 has another --root;"),
            "{found:?}"
        );
    }

    #[test]
    fn another_release_is_a_hint_whatever_it_was_told() {
        let own = settings("a");
        let found = check(&own, &[on("jobs-2", "9.9.9", &settings("b"))]);
        assert!(found.ok && found.message.contains("9.9.9 on jobs-2"), "{found:?}");
    }
}

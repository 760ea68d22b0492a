//! May this actor do this to that? The one place that answers; what is not allowed here is forbidden.

use super::actor::{Actor, Role};

/// What is to be done, as far as permissions tell kinds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Cancel, hold, release, start, reorder, retry: with single jobs or many.
    ControlJobs,
    /// Remove ended jobs from history.
    DeleteJobs,
    /// Stop, start, autostart.
    RunPlugins,
    /// Drain.
    RunWorkers,
    /// Limits, retries, retention, quotas.
    Configure,
    /// What concerns a database that was put back from a copy.
    Recover,
}

/// To what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object<'a> {
    /// A plugin, or a job of it.
    Plugin(&'a str),
    /// A worker, by its id.
    Worker(&'a str),
    /// A storage, by its path.
    Storage(&'a str),
    /// All plugins at once.
    Everything,
}

/// Whether `actor` may.
pub fn authorise(actor: &Actor, verb: Verb, object: Object<'_>) -> bool {
    match (actor.role, verb, object) {
        (Role::Admin, _, _)
        | (Role::Operator, Verb::ControlJobs | Verb::DeleteJobs, _)
        | (Role::Operator, Verb::RunPlugins, Object::Plugin(_))
        | (Role::Operator, Verb::RunWorkers, Object::Worker(_)) => true,
        (Role::Operator | Role::Viewer, _, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, verb: Verb, object: Object<'_>) -> bool {
        let actor = Actor {
            name: "somebody".to_owned(),
            role,
        };
        authorise(&actor, verb, object)
    }

    #[test]
    fn a_viewer_may_do_nothing() {
        for verb in [
            Verb::ControlJobs,
            Verb::DeleteJobs,
            Verb::RunPlugins,
            Verb::RunWorkers,
            Verb::Configure,
            Verb::Recover,
        ] {
            assert!(!may(Role::Viewer, verb, Object::Worker("ocr-1")), "{verb:?}");
            assert!(!may(Role::Viewer, verb, Object::Plugin("OCR")), "{verb:?}");
            assert!(!may(Role::Viewer, verb, Object::Everything), "{verb:?}");
        }
    }

    #[test]
    fn an_operator_stops_one_plugin_but_not_all_and_configures_none() {
        assert!(may(Role::Operator, Verb::ControlJobs, Object::Plugin("OCR")));
        assert!(may(Role::Operator, Verb::RunPlugins, Object::Plugin("OCR")));
        assert!(!may(Role::Operator, Verb::RunPlugins, Object::Everything));
        assert!(may(Role::Operator, Verb::RunWorkers, Object::Worker("ocr-1")));
        assert!(!may(Role::Operator, Verb::RunWorkers, Object::Everything));
        assert!(!may(Role::Operator, Verb::Configure, Object::Plugin("OCR")));
        assert!(!may(Role::Operator, Verb::Configure, Object::Storage("/data")));
        assert!(!may(Role::Operator, Verb::Recover, Object::Everything));
        assert!(may(Role::Admin, Verb::RunPlugins, Object::Everything));
    }
}

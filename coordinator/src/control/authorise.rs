//! May this actor do this to that? The one place that answers; what is not allowed here is forbidden.

use super::actor::{Actor, Role};

/// What is to be done, as far as permissions tell kinds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// See jobs, plugins, workers, figures.
    Look,
    /// See one job whose id one knows.
    Follow,
    /// Submit jobs.
    Submit,
    /// Cancel, hold, release, start, reorder, retry: with single jobs or many.
    ControlJobs,
    /// Remove ended jobs from history.
    DeleteJobs,
    /// Stop, start, autostart.
    RunPlugins,
    /// Drain.
    RunWorkers,
    /// See who has done what.
    ReadAudit,
    /// Limits, retries, retention, quotas.
    Configure,
    /// What concerns a database that was put back from a copy.
    Recover,
    /// Users and tokens.
    ManageAccounts,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Look,
        Self::Follow,
        Self::Submit,
        Self::ControlJobs,
        Self::DeleteJobs,
        Self::RunPlugins,
        Self::RunWorkers,
        Self::ReadAudit,
        Self::Configure,
        Self::Recover,
        Self::ManageAccounts,
    ];

    /// Its name in the API's document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Follow => "follow",
            Self::Submit => "submit",
            Self::ControlJobs => "control_jobs",
            Self::DeleteJobs => "delete_jobs",
            Self::RunPlugins => "run_plugins",
            Self::RunWorkers => "run_workers",
            Self::ReadAudit => "read_audit",
            Self::Configure => "configure",
            Self::Recover => "recover",
            Self::ManageAccounts => "manage_accounts",
        }
    }
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
    let is_own = match (&actor.plugins, object) {
        (None, _) => true,
        (Some(own), Object::Plugin(name)) => own.iter().any(|plugin| plugin == name),
        (Some(_), Object::Worker(_) | Object::Storage(_) | Object::Everything) => false,
    };
    match actor.role {
        Role::Admin => true,
        Role::Operator => match (verb, object) {
            (Verb::Look | Verb::Follow | Verb::ReadAudit, _) => true,
            (Verb::Submit | Verb::ControlJobs | Verb::DeleteJobs, _)
            | (Verb::RunPlugins, Object::Plugin(_))
            | (Verb::RunWorkers, Object::Worker(_)) => is_own,
            _ => false,
        },
        Role::Viewer => matches!(verb, Verb::Look | Verb::Follow),
        Role::Submitter => verb == Verb::Follow || verb == Verb::Submit && is_own,
    }
}

/// The plugins whose jobs `actor` may do this to, `None` for all: those of others are not even looked for.
pub fn reach(actor: &Actor, verb: Verb) -> Option<Vec<String>> {
    if authorise(actor, verb, Object::Everything) {
        return None;
    }
    let own = actor.plugins.iter().flatten();
    Some(
        own.filter(|plugin| authorise(actor, verb, Object::Plugin(plugin)))
            .cloned()
            .collect(),
    )
}

/// Whether there is anything at all that `actor` may do this to: whoever may not is not let in where it is done.
pub fn could(actor: &Actor, verb: Verb) -> bool {
    let own = actor
        .plugins
        .iter()
        .flatten()
        .map(|plugin| Object::Plugin(plugin));
    let any = [Object::Plugin(""), Object::Worker(""), Object::Everything];
    own.chain(any).any(|object| authorise(actor, verb, object))
}

/// The same for the jobs of one plugin, where one is named.
pub fn could_in(actor: &Actor, verb: Verb, plugin: Option<&str>) -> bool {
    plugin.map_or_else(
        || could(actor, verb),
        |plugin| authorise(actor, verb, Object::Plugin(plugin)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, verb: Verb, object: Object<'_>) -> bool {
        authorise(&Actor::with("somebody".to_owned(), role), verb, object)
    }

    const OBJECTS: [Object<'static>; 4] = [
        Object::Worker("ocr-1"),
        Object::Plugin("OCR"),
        Object::Storage("/data"),
        Object::Everything,
    ];

    #[test]
    fn a_viewer_may_only_look() {
        for verb in Verb::ALL {
            for object in OBJECTS {
                let looks = matches!(verb, Verb::Look | Verb::Follow);
                assert_eq!(may(Role::Viewer, verb, object), looks, "{verb:?}");
            }
        }
    }

    #[test]
    fn a_submitter_submits_and_follows_and_sees_nothing_else() {
        for verb in Verb::ALL {
            for object in OBJECTS {
                let own = matches!(verb, Verb::Submit | Verb::Follow);
                assert_eq!(may(Role::Submitter, verb, object), own, "{verb:?}");
            }
        }
    }

    #[test]
    fn an_operator_stops_one_plugin_but_not_all_and_configures_none() {
        assert!(may(Role::Operator, Verb::ControlJobs, Object::Plugin("OCR")));
        assert!(may(Role::Operator, Verb::RunPlugins, Object::Plugin("OCR")));
        assert!(!may(Role::Operator, Verb::RunPlugins, Object::Everything));
        assert!(may(Role::Operator, Verb::RunWorkers, Object::Worker("ocr-1")));
        assert!(!may(Role::Operator, Verb::RunWorkers, Object::Everything));
        for verb in [Verb::Configure, Verb::Recover, Verb::ManageAccounts] {
            for object in OBJECTS {
                assert!(!may(Role::Operator, verb, object), "{verb:?}");
                assert!(may(Role::Admin, verb, object), "{verb:?}");
            }
        }
    }

    #[test]
    fn an_operator_of_one_plugin_works_with_nothing_else() {
        let actor = Actor {
            plugins: Some(vec!["OCR".to_owned()]),
            ..Actor::with("anna".to_owned(), Role::Operator)
        };
        for verb in [
            Verb::Submit,
            Verb::ControlJobs,
            Verb::DeleteJobs,
            Verb::RunPlugins,
        ] {
            assert_eq!(reach(&actor, verb), Some(vec!["OCR".to_owned()]), "{verb:?}");
            assert!(authorise(&actor, verb, Object::Plugin("OCR")), "{verb:?}");
            assert!(!authorise(&actor, verb, Object::Plugin("JP2")), "{verb:?}");
            assert!(!authorise(&actor, verb, Object::Everything), "{verb:?}");
            assert!(could(&actor, verb), "{verb:?}");
        }
        assert!(
            !could(&actor, Verb::RunWorkers),
            "a worker may serve other plugins, too"
        );
        assert!(could(&actor, Verb::Look));
    }

    #[test]
    fn nobody_could_do_what_he_may_do_to_nothing() {
        for role in Role::ALL {
            let actor = Actor::with("somebody".to_owned(), role);
            for verb in Verb::ALL {
                let anything = OBJECTS.iter().any(|object| authorise(&actor, verb, *object));
                assert_eq!(could(&actor, verb), anything, "{role:?} {verb:?}");
                // Who is limited to no plugins reaches every one, or none.
                let jobs = authorise(&actor, verb, Object::Plugin("OCR"));
                if let Some(plugins) = reach(&actor, verb) {
                    assert!(plugins.is_empty(), "{role:?} {verb:?}");
                } else {
                    assert!(jobs, "{role:?} {verb:?}");
                }
            }
        }
    }
}

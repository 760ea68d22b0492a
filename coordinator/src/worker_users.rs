//! Which RabbitMQ user may serve which plugins, where an operator has listed them.
//!
//! Invariant: with a list, whoever is not on it may serve nothing; without one, any user may serve any plugin.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::amqp::roles::WorkerGroup;
use shared::plugin::PluginName;

/// The operator's list; empty where there is none.
#[derive(Debug, Clone, Default)]
pub struct WorkerUsers {
    listed: Arc<BTreeMap<String, Vec<PluginName>>>,
}

impl WorkerUsers {
    /// The list of these groups; a user that stands in several may serve the plugins of all.
    pub fn new(groups: &[WorkerGroup]) -> Self {
        let mut listed: BTreeMap<String, Vec<PluginName>> = BTreeMap::new();
        for group in groups {
            let plugins = listed.entry(group.user.to_string()).or_default();
            plugins.extend(group.plugins.iter().cloned());
        }
        Self {
            listed: Arc::new(listed),
        }
    }

    /// Whether there is a list.
    pub fn are_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whether `user` may serve `plugin`.
    pub fn may_serve(&self, user: &str, plugin: &str) -> bool {
        let listed = self.listed.get(user);
        !self.are_listed()
            || listed.is_some_and(|plugins| plugins.iter().any(|listed| listed.as_str() == plugin))
    }

    /// Why `user` may not serve all of `plugins`, in words for a person; `None` where it may.
    pub fn objection<'a>(&self, user: &str, plugins: impl Iterator<Item = &'a PluginName>) -> Option<String> {
        let others: Vec<&str> = plugins
            .map(PluginName::as_str)
            .filter(|plugin| !self.may_serve(user, plugin))
            .collect();
        if others.is_empty() {
            return None;
        }
        let others = others.join(", ");
        let listed = self.listed.get(user).map_or_else(
            || "it is not listed at all".to_owned(),
            |plugins| {
                let plugins: Vec<&str> = plugins.iter().map(PluginName::as_str).collect();
                format!("it is listed for {}", plugins.join(", "))
            },
        );
        Some(format!(
            "the RabbitMQ user \"{user}\" may not serve {others}: {listed}; list {others} with --worker-user, \
             or give the worker its own group's user"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(groups: &[&str]) -> WorkerUsers {
        let groups: Vec<WorkerGroup> = groups.iter().map(|group| group.parse().unwrap()).collect();
        WorkerUsers::new(&groups)
    }

    #[test]
    fn without_a_list_anybody_may_serve_anything() {
        assert!(users(&[]).may_serve("guest", "OCR"));
        assert_eq!(
            users(&[]).objection("guest", ["OCR".parse().unwrap()].iter()),
            None
        );
    }

    #[test]
    fn with_a_list_only_what_it_names_may_be_served() {
        let users = users(&["ocr=OCR", "images=JP2,IMAGE", "ocr=ALTO"]);
        for (user, plugin) in [("ocr", "OCR"), ("ocr", "ALTO"), ("images", "JP2")] {
            assert!(users.may_serve(user, plugin), "{user} {plugin}");
        }
        for (user, plugin) in [("ocr", "JP2"), ("images", "OCR"), ("guest", "OCR")] {
            assert!(!users.may_serve(user, plugin), "{user} {plugin}");
        }
    }

    #[test]
    fn an_objection_says_what_is_listed_and_what_to_do() {
        let users = users(&["images=IMAGE"]);
        let offered = ["IMAGE".parse().unwrap(), "OCR".parse().unwrap()];
        let said = users.objection("images", offered.iter()).unwrap();
        assert!(
            said.contains("may not serve OCR: it is listed for IMAGE;"),
            "{said}"
        );
        let said = users.objection("guest", offered.iter()).unwrap();
        assert!(
            said.contains("may not serve IMAGE, OCR: it is not listed at all"),
            "{said}"
        );
    }
}

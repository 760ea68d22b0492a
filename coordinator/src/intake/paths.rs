//! Which folders a submission may name: mapped from the submitter's names, and lexically beneath a root.
//!
//! The worker opens them beneath its own roots again, where links can't lead out; this check only gives the
//! submitter an early and clear answer.

use std::path::{Component, Path, PathBuf};

use crate::config::PathMapping;

/// The roots and the mappings.
#[derive(Debug, Clone, Default)]
pub struct PathRules {
    roots: Vec<PathBuf>,
    mappings: Vec<PathMapping>,
}

impl PathRules {
    /// Rules with these roots and mappings; the longest matching mapping wins.
    pub fn new(roots: Vec<PathBuf>, mut mappings: Vec<PathMapping>) -> Self {
        mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.from.len()));
        Self { roots, mappings }
    }

    /// The folder as workers see it.
    ///
    /// # Errors
    /// A sentence that says why it is not allowed.
    pub(super) fn resolve(&self, path: &str) -> Result<String, String> {
        let mapped = self.map(path);
        let folder = Path::new(&mapped);
        if !folder.is_absolute() {
            return Err(format!("\"{path}\" is not an absolute path"));
        }
        let plain = folder
            .components()
            .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !plain {
            return Err(format!("\"{path}\" must not contain \"..\""));
        }
        if !self.roots.iter().any(|root| folder.starts_with(root)) {
            let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
            return Err(format!(
                "\"{path}\" is outside the folders that jobs may use ({})",
                roots.join(", ")
            ));
        }
        // Without doubled and trailing slashes, so that one folder has one name.
        let clean: PathBuf = folder.components().collect();
        Ok(clean.to_string_lossy().into_owned())
    }

    fn map(&self, path: &str) -> String {
        for mapping in &self.mappings {
            if let Some(rest) = path.strip_prefix(&mapping.from)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return format!("{}{rest}", mapping.to);
            }
        }
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PathRules {
        let mapping = |from: &str, to: &str| PathMapping {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        PathRules::new(
            vec![PathBuf::from("/data")],
            vec![
                mapping("/opt", "/elsewhere"),
                mapping("/opt/digiverso/goobi", "/data"),
            ],
        )
    }

    #[test]
    fn the_longest_mapping_wins_and_only_whole_folder_names_match() {
        assert_eq!(
            rules()
                .resolve("/opt/digiverso/goobi/metadata/27//images/")
                .unwrap(),
            "/data/metadata/27/images"
        );
        assert!(
            rules()
                .resolve("/opt/digiverso/goobi2/x")
                .unwrap_err()
                .contains("outside")
        );
    }

    #[test]
    fn folders_outside_the_roots_are_refused_with_the_roots() {
        assert!(rules().resolve("/etc").unwrap_err().contains("(/data)"));
        assert!(rules().resolve("/data/../etc").unwrap_err().contains(".."));
        assert!(rules().resolve("/database").unwrap_err().contains("outside"));
        assert!(rules().resolve("data").unwrap_err().contains("absolute"));
    }
}

//! Which folders (and places on object storage) a submission may name: mapped from the submitter's names, and lexically
//! beneath a root.
//!
//! The worker opens them beneath its own roots again, where links can't lead out; this check only gives the
//! submitter an early and clear answer.

use shared::location::Location;

use crate::config::PathMapping;

/// The roots and the mappings.
#[derive(Debug, Clone, Default)]
pub struct PathRules {
    roots: Vec<Location>,
    mappings: Vec<PathMapping>,
}

impl PathRules {
    /// Rules with these roots and mappings; the longest matching mapping wins.
    pub fn new(roots: Vec<Location>, mut mappings: Vec<PathMapping>) -> Self {
        mappings.sort_by_key(|mapping| std::cmp::Reverse(mapping.from.len()));
        Self { roots, mappings }
    }

    /// The roots.
    pub(super) fn roots(&self) -> &[Location] {
        &self.roots
    }

    /// The folder as workers see it.
    ///
    /// # Errors
    /// A sentence that says why it is not allowed.
    pub(super) fn resolve(&self, path: &str) -> Result<String, String> {
        let location: Location = self
            .map(path)
            .parse()
            .map_err(|problem| format!("\"{path}\" {problem}"))?;
        if !self.roots.iter().any(|root| location.beneath(root).is_some()) {
            let roots: Vec<String> = self.roots.iter().map(Location::to_string).collect();
            return Err(format!(
                "\"{path}\" is outside the folders that jobs may use ({})",
                roots.join(", ")
            ));
        }
        Ok(location.to_string())
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
            vec!["/data".parse().unwrap(), "s3://scans/goobi".parse().unwrap()],
            vec![
                mapping("/opt", "/elsewhere"),
                mapping("/opt/digiverso/goobi", "/data"),
                mapping("/opt/digiverso/export", "s3://scans/goobi"),
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
        assert!(
            rules()
                .resolve("/etc")
                .unwrap_err()
                .contains("(/data, s3://scans/goobi)")
        );
        assert!(rules().resolve("/data/../etc").unwrap_err().contains(".."));
        assert!(rules().resolve("/database").unwrap_err().contains("outside"));
        assert!(rules().resolve("data").unwrap_err().contains("absolute"));
    }
    #[test]
    fn a_folder_of_the_submitter_may_be_a_place_on_object_storage_for_workers() {
        assert_eq!(
            rules().resolve("/opt/digiverso/export//27/").unwrap(),
            "s3://scans/goobi/27"
        );
        assert_eq!(rules().resolve("s3://scans/goobi").unwrap(), "s3://scans/goobi");
        for outside in ["s3://scans", "s3://scans/other", "s3://others/goobi"] {
            assert!(
                rules().resolve(outside).unwrap_err().contains("outside"),
                "{outside}"
            );
        }
        assert!(
            rules()
                .resolve("s3://Scans/goobi")
                .unwrap_err()
                .contains("bucket")
        );
    }
}

//! What people can do with a storage: a folder or a place on object storage whose use is limited, with all that lies
//! beneath it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::location::Location;

use super::Verb;
use super::action::explicit;

/// Something to be done with a storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum StorageAction {
    /// Make it known, or change what is named of it.
    Set(StorageSettings),
    /// Forget it: its folders count against no limit of their own any more.
    Remove {
        /// Its path.
        path: String,
    },
}

/// A storage's settings; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSettings {
    /// Its path, as workers see it: whatever lies beneath it lies on it, unless another storage's path is longer.
    pub path: String,
    /// What people call it; an empty text takes the title away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Jobs that use it at once at most; `null`: no limit.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub running_max: Option<Option<i32>>,
    /// Jobs that move data from or to it at once at most; `null`: no limit.
    #[serde(default, with = "explicit", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<i32>")]
    pub transfers_max: Option<Option<i32>>,
}

impl StorageAction {
    /// Its name in the audit log: plugins are set there, too.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Set(_) => "set_storage",
            Self::Remove { .. } => "remove_storage",
        }
    }

    /// The storage's path.
    pub fn path(&self) -> &str {
        match self {
            Self::Set(settings) => &settings.path,
            Self::Remove { path } => path,
        }
    }

    /// Which permission it needs.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Set(_) | Self::Remove { .. } => Verb::Configure,
        }
    }

    /// The same with its path written as jobs' folders are: without doubled and trailing slashes.
    ///
    /// # Errors
    /// All that no storage can have, in words.
    pub fn checked(mut self) -> Result<Self, String> {
        let mut problems = Vec::new();
        let written = self.path().to_owned();
        match (written.parse::<Location>(), &mut self) {
            (Ok(location), Self::Set(StorageSettings { path, .. }) | Self::Remove { path }) => {
                *path = location.to_string();
            }
            (Err(problem), _) => problems.push(format!("field \"path\": \"{written}\" {problem}")),
        }
        if let Self::Set(settings) = &self {
            let limits = [
                ("running_max", settings.running_max),
                ("transfers_max", settings.transfers_max),
            ];
            let wrong = limits
                .iter()
                .filter(|(_, most)| most.flatten().is_some_and(|most| !(1..=10_000).contains(&most)));
            problems.extend(wrong.map(|(field, _)| format!("field \"{field}\" must be from 1 to 10000")));
            if settings.title.as_ref().is_some_and(|title| title.contains('\0')) {
                problems.push("field \"title\" must not contain a NUL byte".to_owned());
            }
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(path: &str, running_max: Option<i32>) -> Result<StorageAction, String> {
        let settings = StorageSettings {
            path: path.to_owned(),
            running_max: Some(running_max),
            ..StorageSettings::default()
        };
        StorageAction::Set(settings).checked()
    }

    #[test]
    fn a_storage_has_one_name_whatever_slashes_are_written() {
        for written in ["/data", "/data/", "//data//", "/./data"] {
            assert_eq!(set(written, None).unwrap().path(), "/data", "{written}");
        }
        assert_eq!(set("/", None).unwrap().path(), "/");
        assert_eq!(set("s3://scans//27/", None).unwrap().path(), "s3://scans/27");
    }

    #[test]
    fn what_no_storage_can_have_is_refused_in_words_all_at_once() {
        let said = set("data/..", Some(0)).unwrap_err();
        assert!(
            said.contains("absolute") && said.contains("running_max"),
            "{said}"
        );
        assert!(set("/data/../etc", None).is_err());
        assert!(set("", None).is_err());
    }

    #[test]
    fn a_limit_that_is_left_out_stays_and_null_takes_it_away() {
        let read = |text| serde_json::from_str::<StorageAction>(text).unwrap();
        let StorageAction::Set(settings) =
            read(r#"{"action": "set", "path": "/data", "transfers_max": null}"#)
        else {
            panic!("another action")
        };
        assert_eq!((settings.running_max, settings.transfers_max), (None, Some(None)));
    }
}

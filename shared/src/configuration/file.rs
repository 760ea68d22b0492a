//! A file of settings.
//!
//! Invariant: of a file that can't be read nothing is shown but the line: it may hold secrets.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

/// What stands in a file and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Its name, as somebody gave it.
    pub(super) name: String,
    rest: Table,
}

impl File {
    pub(super) fn read(file: &OsStr) -> Result<Self, String> {
        let name = Path::new(file).display().to_string();
        let text = fs::read_to_string(file)
            .map_err(|error| format!("the file of settings {name} can't be read: {error}"))?;
        let rest = text.parse().map_err(|error: toml::de::Error| {
            let before = error
                .span()
                .map_or("", |span| text.get(..span.start).unwrap_or_default());
            let line = before.matches('\n').count() + 1;
            format!("{name}, line {line}: this is no TOML: {}", error.message())
        })?;
        Ok(Self { name, rest })
    }

    /// What it says of a setting.
    pub(super) fn take(&mut self, option: &str) -> Option<Value> {
        self.rest.remove(option)
    }

    /// What nobody has taken.
    pub(super) fn unknown(&self) -> impl Iterator<Item = String> {
        self.rest
            .keys()
            .map(|name| format!("{}, {name}: there is no such setting", self.name))
    }
}

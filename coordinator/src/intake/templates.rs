//! Templates: named presets of a plugin's parameters, from a TOML file that only the operator writes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};
use shared::plugin::PluginName;

/// All templates, by plugin and name.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    by_plugin: BTreeMap<PluginName, BTreeMap<String, Map<String, Value>>>,
}

impl Templates {
    /// Reads `[PLUGIN.name]` tables from `file`.
    ///
    /// # Errors
    /// When the file can't be read or is not of that form; says where.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the templates file {} can't be read", file.display()))?;
        Self::parse(&text).with_context(|| format!("the templates file {} is wrong", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let by_plugin: BTreeMap<PluginName, BTreeMap<String, Map<String, Value>>> = toml::from_str(text)?;
        Ok(Self { by_plugin })
    }

    /// The parameters of a plugin's template.
    ///
    /// # Errors
    /// A sentence that names the templates there are.
    pub(super) fn find(&self, plugin: &PluginName, name: &str) -> Result<&Map<String, Value>, String> {
        let templates = self.by_plugin.get(plugin);
        templates
            .and_then(|templates| templates.get(name))
            .ok_or_else(|| {
                let known: Vec<&str> = templates
                    .into_iter()
                    .flat_map(|templates| templates.keys().map(String::as_str))
                    .collect();
                if known.is_empty() {
                    format!("template \"{name}\" is unknown: plugin {plugin} has no templates on this server")
                } else {
                    format!(
                        "template \"{name}\" is unknown: plugin {plugin} has {}",
                        known.join(", ")
                    )
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_template_is_refused_with_those_that_there_are() {
        let templates = Templates::parse("[OCR.template]\n[OCR.partial]\npublish_partial = true\n").unwrap();
        let ocr = "OCR".parse().unwrap();
        assert_eq!(templates.find(&ocr, "partial").unwrap()["publish_partial"], true);
        assert!(
            templates
                .find(&ocr, "best")
                .unwrap_err()
                .contains("OCR has partial, template")
        );
        assert!(
            templates
                .find(&"SHELL".parse().unwrap(), "x")
                .unwrap_err()
                .contains("no templates")
        );
    }

    #[test]
    fn a_mistake_in_the_file_is_told_with_its_place() {
        let error = format!("{:#}", Templates::parse("[OCR.template\n").unwrap_err());
        assert!(error.contains("line 1"), "{error}");
    }
}

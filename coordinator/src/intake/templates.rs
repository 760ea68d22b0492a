//! Templates: named presets of a plugin's parameters, from a TOML file that only the operator writes.
//!
//! A template's table `schema` is no parameter: it is the JSON Schema of what a job that names the template has to send.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value};
use shared::plugin::PluginName;

use super::schema::ParametersSchema;

/// The name under which a template has its schema.
const SCHEMA: &str = "schema";
/// The plugin that runs commands.
const SHELL: &str = "SHELL";

/// All templates, by plugin and name.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    by_plugin: BTreeMap<PluginName, BTreeMap<String, Template>>,
}

/// A named preset.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// The parameters that it sets.
    pub(super) parameters: Map<String, Value>,
    /// What a job's own parameters have to be.
    pub(super) schema: Option<ParametersSchema>,
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
        let tables: BTreeMap<PluginName, BTreeMap<String, Map<String, Value>>> = toml::from_str(text)?;
        let mut by_plugin = BTreeMap::new();
        for (plugin, tables) in tables {
            let mut templates = BTreeMap::new();
            for (name, mut parameters) in tables {
                let schema = parameters.remove(SCHEMA).map(ParametersSchema::read).transpose();
                let schema = schema.with_context(|| format!("[{plugin}.{name}.{SCHEMA}]"))?;
                templates.insert(name, Template { parameters, schema });
            }
            by_plugin.insert(plugin, templates);
        }
        Ok(Self { by_plugin })
    }

    /// The programs that templates of SHELL call, each once, as far as they are not a job's to choose.
    pub(super) fn programs(&self) -> Vec<String> {
        let shell = self
            .by_plugin
            .iter()
            .filter(|(plugin, _)| plugin.as_str() == SHELL);
        let commands = shell.flat_map(|(_, templates)| templates.values());
        let programs: BTreeSet<&str> = commands
            .filter_map(|template| template.parameters.get("command")?.get(0)?.as_str())
            .filter(|program| !program.contains('{'))
            .collect();
        programs.into_iter().map(str::to_owned).collect()
    }

    /// A plugin's template of this name.
    ///
    /// # Errors
    /// A sentence that names the templates there are.
    pub(super) fn find(&self, plugin: &PluginName, name: &str) -> Result<&Template, String> {
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
        let partial = templates.find(&ocr, "partial").unwrap();
        assert_eq!(partial.parameters["publish_partial"], true);
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
        let error = Templates::parse("[SHELL.scale.schema]\nrequired = 3\n").unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("[SHELL.scale.schema]: its JSON Schema is wrong"),
            "{error}"
        );
    }

    #[test]
    fn the_programs_that_shell_needs_are_known_from_its_templates() {
        let text = "[SHELL.b]\ncommand = [\"scale\", \"-x\"]\n[SHELL.a]\ncommand = [\"/opt/import\"]\n\
                    [SHELL.c]\ncommand = [\"scale\"]\n[SHELL.d]\ncommand = \"no array\"\n\
                    [SHELL.e]\ncommand = [\"{parameter:x}\"]\n[OCR.f]\ncommand = [\"other\"]\n";
        assert_eq!(
            Templates::parse(text).unwrap().programs(),
            ["/opt/import", "scale"]
        );
    }

    #[test]
    fn a_templates_schema_is_none_of_its_parameters() {
        let text = "[SHELL.scale]\ncommand = [\"scale\"]\n[SHELL.scale.schema]\nrequired = [\"percent\"]\n";
        let templates = Templates::parse(text).unwrap();
        let scale = templates.find(&"SHELL".parse().unwrap(), "scale").unwrap();
        assert_eq!(scale.parameters.keys().collect::<Vec<_>>(), ["command"]);
        let schema = scale.schema.as_ref().unwrap();
        assert_eq!(schema.problems(&serde_json::json!({})).len(), 1);
    }
}

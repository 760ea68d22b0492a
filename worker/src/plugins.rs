//! The plugins that this worker can serve, and how they are set.
//!
//! A new plugin is a module below, a line in [`all`] and a default in [`SLOTS`].

pub mod noop;
pub mod ocr;
mod parameters;
pub mod shell;

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;

use shared::plugin::PluginName;

use crate::plugin::Plugin;
use crate::tool::Wrapper;

/// How many jobs of each plugin a worker runs at once, unless set otherwise.
///
/// OCR: pages of all its jobs share `ocr_cores`; the second job keeps the cores busy while the first one's
/// volume is put together.
pub const SLOTS: [(&str, u16); 3] = [("OCR", 2), ("SHELL", 2), ("NOOP", 4)];

/// What an operator can set about plugins.
#[derive(Debug, Clone)]
pub struct PluginSettings {
    /// Jobs at once, by plugin: when any is named, only those are served (0 leaves one out). Empty means all, with
    /// their defaults of [`SLOTS`].
    pub slots: BTreeMap<PluginName, u16>,
    /// Pages that are recognised at once, over all OCR jobs of this worker.
    pub ocr_cores: NonZeroU16,
    /// Folder with Tesseract's language data; `None` means Tesseract's own.
    pub tessdata: Option<PathBuf>,
    /// What is started around each tool.
    pub wrapper: Wrapper,
}

/// A setting of slots that can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlots {
    /// Not of the form `NAME=NUMBER`.
    #[error("\"{0}\" does not say how many jobs of which plugin to run at once: write for example SHELL=2")]
    Form(String),
    /// No plugin of this worker.
    #[error("there is no plugin {name}: this worker has {}", names())]
    Unknown {
        /// The name that was given.
        name: PluginName,
    },
}

/// Reads `SHELL=2`.
///
/// # Errors
/// [`InvalidSlots`]: another form, or a plugin that does not exist.
pub fn parse_slots(text: &str) -> Result<(PluginName, u16), InvalidSlots> {
    let form = || InvalidSlots::Form(text.to_owned());
    let (name, slots) = text.split_once('=').ok_or_else(form)?;
    let name: PluginName = name.trim().parse().map_err(|_| form())?;
    let slots = slots.trim().parse().map_err(|_| form())?;
    if SLOTS.iter().any(|(known, _)| *known == name.as_str()) {
        Ok((name, slots))
    } else {
        Err(InvalidSlots::Unknown { name })
    }
}

fn names() -> String {
    SLOTS.map(|(name, _)| name).join(", ")
}

impl PluginSettings {
    /// Where any plugin is named, those that are not named have no slots.
    fn slots(&self, name: &'static str) -> u16 {
        let default = SLOTS
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0, |(_, slots)| *slots);
        let set = self.slots.iter().find(|(known, _)| known.as_str() == name);
        let unnamed = if self.slots.is_empty() { default } else { 0 };
        set.map_or(unnamed, |(_, slots)| *slots)
    }
}

/// All plugins that have slots.
pub fn all(settings: &PluginSettings) -> Vec<Arc<dyn Plugin>> {
    let plugins: [Arc<dyn Plugin>; 3] = [
        Arc::new(ocr::Ocr::new(settings.slots("OCR"), settings)),
        Arc::new(shell::Shell::new(
            settings.slots("SHELL"),
            settings.wrapper.clone(),
        )),
        Arc::new(noop::Noop::new(settings.slots("NOOP"))),
    ];
    plugins
        .into_iter()
        .filter(|plugin| plugin.offer().slots > 0)
        .collect()
}

/// A plugin's name that is known to be one.
fn name(name: &'static str) -> PluginName {
    name.parse().expect("the names of the built-in plugins are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(slots: &[&str]) -> PluginSettings {
        PluginSettings {
            slots: slots.iter().map(|text| parse_slots(text).unwrap()).collect(),
            ocr_cores: NonZeroU16::MIN,
            tessdata: None,
            wrapper: Wrapper::default(),
        }
    }

    #[test]
    fn all_plugins_are_served_unless_some_are_named() {
        let offered = |slots: &[&str]| -> Vec<(String, u16)> {
            let plugins = all(&settings(slots));
            plugins
                .iter()
                .map(|plugin| (plugin.offer().name.to_string(), plugin.offer().slots))
                .collect()
        };
        assert_eq!(offered(&[]), SLOTS.map(|(name, slots)| (name.to_owned(), slots)));
        assert_eq!(offered(&["shell = 9", "NOOP=0"]), [("SHELL".to_owned(), 9)]);
    }

    #[test]
    fn slots_that_can_not_be_understood_are_refused_with_an_example() {
        for bad in ["SHELL", "SHELL=", "SHELL=-1", "=2", "SHELL=many"] {
            assert!(
                parse_slots(bad).unwrap_err().to_string().contains("SHELL=2"),
                "{bad}"
            );
        }
        assert!(
            parse_slots("JP2=1")
                .unwrap_err()
                .to_string()
                .contains("this worker has OCR, SHELL, NOOP")
        );
    }
}

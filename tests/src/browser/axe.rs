//! What keeps people out of a page, as axe-core finds it: names that screen readers miss, contrasts that are too weak,
//! orders that make no sense.

use std::fs;

use launcher::workspace;

use super::Browser;

/// Where `cargo xtask test` puts it.
const SCRIPT: &str = "target/tools/npm/node_modules/axe-core/axe.min.js";

/// The rules: WCAG 2.2 up to AA, and what axe-core advises beyond.
const RUN: &str =
    "return axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
    'best-practice']}).then(found => found.violations.map(rule =>
    rule.id + ': ' + rule.help + ' | ' + rule.nodes.map(node => node.html).join(' | ')));";

impl Browser {
    /// What is wrong with the page that is open; nothing, as a rule.
    pub fn barriers(&self) -> Vec<String> {
        let script = fs::read_to_string(workspace().join(SCRIPT))
            .unwrap_or_else(|error| panic!("{SCRIPT}: {error}; `cargo xtask test` installs it"));
        // Several looks at one page need it once.
        if self.run("return typeof axe") != "object" {
            self.run(&script);
        }
        let found = self.run(RUN);
        let found = found.as_array().expect("axe-core answers with a list");
        found
            .iter()
            .map(|finding| {
                finding
                    .as_str()
                    .map_or_else(|| finding.to_string(), str::to_owned)
            })
            .collect()
    }
}

//! Each alert has a page that says what to do, and what such a page says can be done.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use tests::program;

use super::{files, rules, values_of};

/// Sections of a runbook, in their order.
const SECTIONS: [&str; 3] = ["## What it means", "## What to look at", "## What to do"];

#[test]
fn every_alert_has_a_severity_words_and_a_runbook_and_every_runbook_an_alert() {
    let alerts = rules("alerts.yml").text;
    let names: BTreeSet<&str> = values_of(&alerts, "alert").into_iter().collect();
    let pages: BTreeMap<String, String> = files("docs/runbooks", "md")
        .into_iter()
        .map(|page| (page.stem(), page.text))
        .collect();
    let with_page: BTreeSet<&str> = pages.keys().map(String::as_str).collect();
    let alone: Vec<&&str> = names.symmetric_difference(&with_page).collect();
    assert!(alone.is_empty(), "only an alert or only a page: {alone:?}");
    for part in alerts.split("- alert: ").skip(1) {
        let name = part.lines().next().unwrap().trim();
        assert!(
            part.contains("severity: critical }") || part.contains("severity: warning }"),
            "{name} has no severity"
        );
        for key in ["summary: ", "description: "] {
            assert!(part.contains(key), "{name} has no {key}");
        }
        let page = format!("docs/runbooks/{name}.md\n");
        assert!(part.contains(&page), "{name} does not lead to {page}");
    }
    for (name, page) in &pages {
        assert!(
            page.starts_with(&format!("# {name}\n")),
            "{name}: its title is another"
        );
        let sections: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(sections, SECTIONS, "{name}");
    }
}

/// The commands of ours that a page names: in its blocks, and between backticks.
fn commands(page: &str) -> Vec<&str> {
    let in_text = page.split('`').skip(1).step_by(2);
    in_text
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("taskmanager "))
        .collect()
}

#[test]
fn runbooks_name_only_commands_and_options_that_there_are() {
    let mut seen = 0;
    for page in files("docs/runbooks", "md") {
        for command in commands(&page.text) {
            seen += 1;
            // What follows is an argument: a name in capitals, or an option.
            let words = command
                .split(' ')
                .take_while(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()));
            let output = Command::new(program("taskmanager"))
                .args(words)
                .arg("--help")
                .output()
                .unwrap();
            let (page, help) = (page.stem(), String::from_utf8_lossy(&output.stdout));
            assert!(
                output.status.success(),
                "{page}: there is no taskmanager {command}"
            );
            let options = command.split([' ', '=']).filter(|word| word.starts_with("--"));
            for option in options {
                assert!(
                    help.contains(option),
                    "{page}: taskmanager {command} has no {option}"
                );
            }
        }
    }
    assert!(seen > 30, "only {seen} commands were found");
}

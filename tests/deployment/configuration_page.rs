//! `docs/configuration.md` has a table of each program's settings: it is made from the programs' own definitions.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::{Arg, ArgAction};
use launcher::workspace;
use shared::configuration::options;
use tests::program;

use crate::succeed;

/// What stands before the tables.
const MARK: &str = "<!-- From here on made from the programs' own definitions by tests/deployment/configuration_page.rs. -->\n";

fn page() -> (String, String) {
    let page = fs::read_to_string(workspace().join("docs/configuration.md")).unwrap();
    let (text, tables) = page
        .split_once(MARK)
        .expect("the page has a mark before its tables");
    (text.to_owned(), tables.to_owned())
}

#[test]
fn the_page_of_settings_has_the_tables_of_this_build() {
    let wanted =
        table(&options::<coordinator::config::Config>()) + &table(&options::<worker::config::Config>());
    let (text, found) = page();
    if found != wanted {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("configuration.md");
        fs::write(&made, format!("{text}{MARK}{wanted}")).unwrap();
        panic!(
            "docs/configuration.md is not of this build; look at the page that is, and take it: \
             cp {} docs/configuration.md",
            made.display()
        );
    }
}

#[test]
fn the_page_of_settings_names_each_variable_of_the_command_line() {
    let (text, _) = page();
    for command in [&["--help"][..], &["broker", "setup", "--help"]] {
        let output = succeed(Command::new(program("taskmanager")).args(command));
        let help = String::from_utf8(output.stdout).unwrap();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let variables: Vec<&str> = help
            .split("[env: ")
            .skip(1)
            .filter_map(|rest| rest.split(['=', ']']).next())
            .collect();
        assert!(!variables.is_empty(), "{help}");
        for variable in variables {
            assert!(text.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}

fn table(command: &clap::Command) -> String {
    let name = command.get_name();
    let mut table = format!(
        "\n## {}\n\n| option | variable | default | meaning |\n|---|---|---|---|\n",
        name[..1].to_uppercase() + &name[1..]
    );
    for argument in command.get_arguments() {
        let Some(option) = argument.get_long() else {
            continue;
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "| `--{option}` | {} | {} | {} |",
            argument
                .get_env()
                .map_or_else(String::new, |name| format!("`{}`", name.display())),
            default(argument),
            meaning(argument)
        );
    }
    table
}

fn default(argument: &Arg) -> String {
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return "`false`".to_owned();
    }
    let values = argument.get_default_values().iter();
    values
        .map(|value| format!("`{}`", value.display()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    help.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

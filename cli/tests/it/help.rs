//! What `--help` says, kept as snapshots: a change of the command line shows up as a change of these files.

use crate::program::run;

/// All commands, as the overview lists them.
const COMMANDS: [&str; 28] = [
    "submit",
    "list",
    "show",
    "wait",
    "cancel",
    "hold",
    "release",
    "start",
    "priority",
    "move",
    "retry",
    "send-again",
    "message",
    "delete",
    "plugins",
    "plugin",
    "worker",
    "storage",
    "status",
    "statistics",
    "settings",
    "audit",
    "account",
    "user",
    "token",
    "doctor",
    "recover",
    "broker",
];
/// What commands with parts can do.
const PARTS: [&str; 28] = [
    "broker setup",
    "broker definitions",
    "plugin show",
    "plugin stop",
    "plugin start",
    "plugin autostart",
    "plugin set",
    "plugin quota",
    "worker list",
    "worker drain",
    "storage list",
    "storage set",
    "storage remove",
    "settings show",
    "settings set",
    "account show",
    "account set-password",
    "account end-sessions",
    "user list",
    "user add",
    "user set-role",
    "user set-password",
    "user lock",
    "user unlock",
    "user remove",
    "token list",
    "token add",
    "token revoke",
];

#[test]
fn help_of_every_command_is_as_documented() {
    for command in [""].into_iter().chain(COMMANDS).chain(PARTS) {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = run("http://127.0.0.1:1", &arguments);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{command}");
        let name = if command.is_empty() {
            "taskmanager".to_owned()
        } else {
            command.replace(' ', "-")
        };
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(name, help.stdout) });
    }
}

#[test]
fn every_command_has_a_help_snapshot() {
    let help = run("http://127.0.0.1:1", &["--help"]).stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let expected: Vec<&str> = COMMANDS.into_iter().chain(["help"]).collect();
    assert_eq!(names, expected);
}

//! What `--help` says, kept as snapshots: a change of the command line shows up as a change of these files.

use crate::program::run;

#[test]
fn help_of_every_command_is_as_documented() {
    for command in [
        "",
        "submit",
        "list",
        "show",
        "wait",
        "plugins",
        "doctor",
        "broker setup",
        "broker definitions",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = run("http://127.0.0.1:1", &arguments);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{command}");
        let name = if command.is_empty() {
            "taskmanager"
        } else {
            &command.replace(' ', "-")
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
    assert_eq!(
        names,
        [
            "submit", "list", "show", "wait", "plugins", "doctor", "broker", "help"
        ]
    );
}

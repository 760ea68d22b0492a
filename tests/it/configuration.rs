//! Programs with wrong settings.

use std::fs;
use std::process::Command;

use tests::program;

/// What a program with these settings says before it ends for them.
fn refused(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = Command::new(program(name))
        .env_clear()
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_program_says_everything_that_is_wrong_with_its_settings_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("coordinator.toml");
    fs::write(
        &file,
        "window = 0\nlissten = \"127.0.0.1:0\"\nroot = [\"data\"]\n",
    )
    .unwrap();
    let said = refused(
        "coordinator",
        &[
            "--lease-seconds=0",
            "--listen=0.0.0.0:1",
            "--without-login",
            "--db-connections=0",
        ],
        &[
            ("TASKMANAGER_CONFIG", file.to_str().unwrap()),
            ("TASKMANAGER_TEMPLATES", "/nowhere/templates.toml"),
            ("TASKMANAGER_GOOBI_TOKEN_FILE", "/nowhere/token"),
            ("DATABASE_URL", "mysql://a:geheim@b"),
            ("AMQP_URL", "http://a:geheim@b"),
            ("TASKMANAGER_LOG", "=,="),
            ("TZ", "Europe/Leipzig"),
        ],
    );
    for part in [
        "coordinator.toml, window: invalid value '0'",
        "coordinator.toml, lissten: there is no such setting",
        "invalid value '0' for '--lease-seconds",
        "--listen 0.0.0.0:1 is reachable from other machines",
        "--root data is neither an absolute path",
        "the templates file /nowhere/templates.toml can't be read",
        "need --goobi-url",
        "the database address can't be read",
        "the RabbitMQ address can't be read",
        "log filter",
        "TZ=Europe/Leipzig is no time zone that this machine knows",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.lines().count(), 13, "{said}");
    assert!(!said.contains("geheim"), "{said}");

    let said = refused(
        "coordinator",
        &["--root=/data", "--map-path=/opt=/elsewhere", "--map-path=/mnt=/"],
        &[
            ("DATABASE_URL", "postgres://a:geheim@one,two/b"),
            ("AMQP_URL", "amqp://a:geheim@b"),
        ],
    );
    for part in [
        "--map-path /opt=/elsewhere leads to no --root",
        "add target_session_attrs=read-write",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");

    let roots = [
        "--root=data",
        "--root=../images",
        "--root=s3://x",
        "--root=s3://scans",
    ];
    let said = refused(
        "worker",
        &[&roots[..], &["--plugin=OCR=x"]].concat(),
        &[
            ("AMQP_URL", ""),
            ("TASKMANAGER_S3_CREDENTIALS_FILE", "/nowhere/s3"),
        ],
    );
    for part in [
        "OCR=x",
        "data can't be a root",
        "../images can't be a root",
        "\"s3://x\" names no bucket",
        "/nowhere/s3: No such file",
        "--amqp-url",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

//! The secrets of the compose file: each is a file of its own, made once, and read by its service alone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use launcher::workspace;
use tests::program;

use crate::chart::list;
use crate::compose::configured;
use crate::succeed;

fn make(folder: &Path) -> Output {
    let command_line = program("taskmanager");
    let path = format!("{}:/usr/bin:/bin", command_line.parent().unwrap().display());
    succeed(
        Command::new(workspace().join("deploy/docker/make-secrets"))
            .arg(folder)
            .env("PATH", path),
    )
}

/// Every file with its text.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.is_file())
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_secret_of_the_compose_file_is_made_and_making_them_again_changes_none() {
    let folder = tempfile::tempdir().unwrap();
    let output = make(folder.path());
    let made = texts(folder.path());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    for secret in configured()["secrets"].as_object().unwrap().values() {
        let file = Path::new(secret["file"].as_str().unwrap())
            .file_name()
            .unwrap()
            .to_str()
            .unwrap();
        let text = made.get(file).unwrap_or_else(|| panic!("{file} is not made"));
        assert!(text.len() >= 32, "{file}");
        assert!(!said.contains(text.as_str()), "{file} is printed");
        let rights = fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(rights & 0o777, 0o400, "{file}");
    }
    make(folder.path());
    assert_eq!(texts(folder.path()), made);
}

#[test]
fn the_addresses_name_the_services_and_hold_the_passwords_that_these_get() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let made = texts(folder.path());
    assert_eq!(
        made["database.url"],
        format!(
            "postgres://taskmanager:{}@postgres:5432/taskmanager",
            made["database-password"]
        )
    );
    let definitions: serde_json::Value = serde_json::from_str(&made["definitions.json"]).unwrap();
    for user in ["coordinator", "ocr-workers", "tool-workers"] {
        let address = &made[&format!("{user}.url")];
        assert!(address.starts_with(&format!("amqp://{user}:")) && address.ends_with("@rabbitmq:5672/%2F"));
        assert!(
            list(&definitions["users"])
                .iter()
                .any(|known| known["name"] == user),
            "{user}"
        );
    }
}

#[test]
fn each_service_sees_only_its_own_secrets() {
    let services = configured()["services"].as_object().unwrap();
    let seen = |name: &str| -> Vec<&str> {
        let mut sources: Vec<&str> = list(&services[name]["secrets"])
            .iter()
            .map(|secret| secret["source"].as_str().unwrap())
            .collect();
        sources.sort_unstable();
        sources
    };
    assert_eq!(seen("worker"), ["ocr-workers.url"]);
    assert_eq!(seen("tools"), ["tool-workers.url"]);
    assert_eq!(
        seen("coordinator"),
        ["coordinator.url", "database.url", "secrets-key"]
    );
    for (name, service) in services {
        let environment = service["environment"].as_object();
        for (variable, value) in environment.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if let Some(file) = value.strip_prefix("/run/secrets/") {
                assert!(seen(name).contains(&file), "{name}: {variable} names {file}");
            }
            let secret = ["PASSWORD", "DATABASE_URL", "AMQP_URL", "KEY"]
                .iter()
                .any(|word| variable.contains(word));
            assert!(
                !secret || value.starts_with("/run/secrets/"),
                "{name}: {variable} is no file"
            );
        }
    }
}

//! `taskmanager broker definitions`: the same users as a file that RabbitMQ imports.

use clap::Args;
use serde_json::{Value, json};

use super::passwords::Passwords;
use super::users::{User, Wanted};
use crate::{Answer, output};

/// Print users and permissions as a definitions file, which RabbitMQ imports at its start.
///
/// For `load_definitions` in rabbitmq.conf or `rabbitmqctl import_definitions`. It holds hashes of the passwords, made
/// anew each time. RabbitMQ makes no default user where it loads definitions: make an administrator with rabbitmqctl.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let wanted = &arguments.wanted;
    let users = wanted.users()?;
    let document = document(&wanted.virtual_host, &users, &wanted.passwords())?;
    for user in &users {
        if let Some(file) = wanted.write_address(user)? {
            output::note(&format!("{} finds its address in {}", user.name, file.display()));
        }
    }
    output::json(&document)?;
    Ok(Answer::Yes)
}

fn document(virtual_host: &str, wanted: &[User], passwords: &Passwords) -> anyhow::Result<Value> {
    let mut users = Vec::new();
    let mut permissions = Vec::new();
    let mut topic_permissions = Vec::new();
    for user in wanted {
        let name = user.name.as_str();
        let (password, new) = passwords.find_or_make(&user.name)?;
        if new {
            output::note(&format!(
                "a password for {name} is made: {}",
                passwords.file(&user.name).display()
            ));
        }
        users.push(json!({
            "name": name,
            "password_hash": password.hash(),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [],
        }));
        let may = user.role.permissions();
        permissions.push(json!({
            "user": name, "vhost": virtual_host,
            "configure": may.configure, "write": may.write, "read": may.read,
        }));
        for may in user.role.topic_permissions(&user.name) {
            topic_permissions.push(json!({
                "user": name, "vhost": virtual_host,
                "exchange": may.exchange, "write": may.write, "read": may.read,
            }));
        }
    }
    Ok(json!({
        "vhosts": [{"name": virtual_host}],
        "users": users,
        "permissions": permissions,
        "topic_permissions": topic_permissions,
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// The document without what differs each time.
    fn without_hashes(mut document: Value) -> Value {
        for user in document["users"].as_array_mut().unwrap() {
            assert_eq!(user["password_hash"].as_str().unwrap().len(), 48);
            user["password_hash"] = "(hash)".into();
        }
        document
    }

    #[test]
    fn the_shipped_example_is_what_this_command_prints() {
        let example = include_str!("../../../deploy/rabbitmq/definitions.json");
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_str().unwrap();
        let Line { arguments } = Line::parse_from([
            "definitions",
            "--worker",
            "ocr-workers=OCR",
            "--worker",
            "tool-workers=SHELL,NOOP",
            "--passwords",
            folder,
        ]);
        let wanted = &arguments.wanted;
        let printed = document(
            &wanted.virtual_host,
            &wanted.users().unwrap(),
            &wanted.passwords(),
        )
        .unwrap();
        let example: Value = serde_json::from_str(example).unwrap();
        assert_eq!(without_hashes(printed), without_hashes(example));
    }

    #[test]
    fn each_user_finds_its_whole_address_beside_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let Line { arguments } = Line::parse_from([
            "definitions",
            "--worker",
            "ocr-workers=OCR",
            "--virtual-host",
            "tasks/eins",
            "--passwords",
            path,
            "--amqp-url",
            "amqp://rabbitmq:5672",
        ]);
        run(&arguments).unwrap();
        for user in ["coordinator", "ocr-workers", "intake"] {
            let password = std::fs::read_to_string(folder.path().join(user)).unwrap();
            assert_eq!(
                std::fs::read_to_string(folder.path().join(format!("{user}.url"))).unwrap(),
                format!("amqp://{user}:{password}@rabbitmq:5672/tasks%2Feins")
            );
        }
    }
}

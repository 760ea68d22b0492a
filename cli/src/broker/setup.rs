//! `taskmanager broker setup`: makes virtual host, users and permissions, where they are not as they should be.
//!
//! Invariant: what is as it should be is left alone, so that the command may be repeated at any time; with `--dry-run`
//! nothing is changed, here or there.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use shared::amqp::roles::TopicPermission;

use super::management::Management;
use super::passwords::{self, Password, Passwords};
use super::users::{User, Wanted};
use crate::client::Server;
use crate::{Answer, output, text};

/// The administrator's password, where no file is named.
const PASSWORD_VARIABLE: &str = "TASKMANAGER_BROKER_PASSWORD";

/// Make virtual host, users and permissions in RabbitMQ, through its management API.
///
/// May be repeated at any time: only what differs is changed, and the passwords in the files are the ones that hold.
/// The administrator's password comes from a file, or from the variable `TASKMANAGER_BROKER_PASSWORD`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// RabbitMQ's management API, without name and password.
    #[arg(
        long,
        value_name = "URL",
        env = "TASKMANAGER_BROKER_MANAGEMENT_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:15672"
    )]
    management_url: Server,

    /// A user of RabbitMQ with the tag administrator.
    #[arg(
        long,
        value_name = "NAME",
        env = "TASKMANAGER_BROKER_ADMINISTRATOR",
        hide_env_values = true,
        default_value = "guest"
    )]
    administrator: String,

    /// File with the administrator's password; - reads it from standard input.
    #[arg(
        long,
        value_name = "FILE",
        env = "TASKMANAGER_BROKER_PASSWORD_FILE",
        hide_env_values = true
    )]
    administrator_password_file: Option<PathBuf>,

    #[command(flatten)]
    wanted: Wanted,

    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let Arguments { wanted, .. } = arguments;
    if arguments.management_url.to_string().contains('@') {
        bail!("--management-url must hold no name and password: use --administrator and a password file");
    }
    let users = wanted.users()?;
    let password = administrator_password(arguments)?;
    let broker = Broker {
        management: Management::new(&arguments.management_url, &arguments.administrator, &password),
        passwords: wanted.passwords(),
        virtual_host: &wanted.virtual_host,
        dry_run: arguments.dry_run,
    };
    if let Some(user) = users
        .iter()
        .find(|user| user.name.as_str() == arguments.administrator)
    {
        bail!(
            "{} is the administrator: its permissions would be taken away",
            user.name
        );
    }
    output::result(&broker.make_virtual_host()?)?;
    for user in &users {
        output::result(&broker.make_user(user)?)?;
        output::result(&broker.give_permissions(user)?)?;
        if !arguments.dry_run
            && let Some(file) = wanted.write_address(user)?
        {
            output::result(&format!(
                "User {} finds its address in {}.\n",
                user.name,
                file.display()
            ))?;
        }
    }
    output::result(&format!(
        "\nFor the coordinators: TASKMANAGER_WORKER_USERS='{}'\n",
        wanted.worker_users()
    ))?;
    Ok(Answer::Yes)
}

#[expect(
    clippy::disallowed_methods,
    reason = "as an argument the password would stand on the command line, where everybody on the machine sees it"
)]
fn administrator_password(arguments: &Arguments) -> anyhow::Result<Password> {
    match &arguments.administrator_password_file {
        Some(file) if file.as_os_str() == "-" => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .context("can't read the administrator's password from standard input")?;
            passwords::from_text(&text).context("the administrator's password on standard input")
        }
        Some(file) => passwords::read(file),
        None => match std::env::var(PASSWORD_VARIABLE) {
            Ok(text) => passwords::from_text(&text).context(PASSWORD_VARIABLE),
            Err(_) => bail!(
                "the administrator's password is missing: name a file with --administrator-password-file \
                 or set {PASSWORD_VARIABLE}"
            ),
        },
    }
}

/// The broker that is set up.
struct Broker<'a> {
    management: Management,
    passwords: Passwords,
    virtual_host: &'a str,
    dry_run: bool,
}

impl Broker<'_> {
    /// Puts a document, except in a dry run; says it as done or as a plan.
    fn put(&self, parts: &[&str], document: &Value, done: &str, planned: &str) -> anyhow::Result<String> {
        if self.dry_run {
            return Ok(planned.to_owned());
        }
        self.management.put(parts, document)?;
        Ok(done.to_owned())
    }

    fn make_virtual_host(&self) -> anyhow::Result<String> {
        let name = self.virtual_host;
        let parts = ["vhosts", name];
        let said = match self.management.get(&parts)? {
            Some(_) => "is there already".to_owned(),
            None => self.put(&parts, &json!({}), "made", "would be made")?,
        };
        Ok(format!("Virtual host {name}: {said}.\n"))
    }

    fn make_user(&self, user: &User) -> anyhow::Result<String> {
        let name = user.name.as_str();
        let parts = ["users", name];
        let found = self.management.get(&parts)?;
        if let Some(tags) = found.as_ref().and_then(tags) {
            bail!(
                "the user {name} is there and has the tag {tags}, which gives it more than it needs here: \
                 choose another name, or take the tag away"
            );
        }
        let file = self.passwords.file(&user.name);
        let password = if self.dry_run {
            self.passwords.find(&user.name)?
        } else {
            Some(self.passwords.find_or_make(&user.name)?.0)
        };
        let known = found.as_ref().and_then(|found| found["password_hash"].as_str());
        let holds = match (&password, known) {
            (Some(password), Some(hash)) => password.is_behind(hash),
            _ => false,
        };
        let said = if holds {
            "is there already, with the password in".to_owned()
        } else {
            let document = json!({
                "password_hash": password.map(|password| password.hash()),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            });
            let (done, planned) = match found {
                Some(_) => (
                    "was there; its password is now the one in",
                    "would get the password in",
                ),
                None => (
                    "made, with the password in",
                    "would be made, with the password in",
                ),
            };
            self.put(&parts, &document, done, planned)?
        };
        Ok(format!(
            "User {name} ({}): {said} {}.\n",
            user.purpose(),
            file.display()
        ))
    }

    fn give_permissions(&self, user: &User) -> anyhow::Result<String> {
        let name = user.name.as_str();
        let may = user.role.permissions();
        let document = json!({"configure": may.configure, "write": may.write, "read": may.read});
        let parts = ["permissions", self.virtual_host, name];
        let same = |found: &Value| {
            ["configure", "write", "read"]
                .iter()
                .all(|what| found[what] == document[what])
        };
        let how = match self.management.get(&parts)? {
            Some(found) if same(&found) => "has had these permissions already".to_owned(),
            _ => self.put(
                &parts,
                &document,
                "has been given permissions",
                "would get permissions",
            )?,
        };
        let mut said = format!(
            "User {name} {how}: configure {}, write {}, read {}.\n",
            may.configure, may.write, may.read
        );
        let topics = ["topic-permissions", self.virtual_host, name];
        let found = self.management.get(&topics)?;
        for may in user.role.topic_permissions(&user.name) {
            let how = if found.as_ref().is_some_and(|found| holds(found, &may)) {
                "may already".to_owned()
            } else {
                let document = json!({"exchange": may.exchange, "write": may.write, "read": may.read});
                self.put(&topics, &document, "may now", "would be allowed to")?
            };
            text::push_line(
                &mut said,
                &format!(
                    "User {name} {how} use these routing keys of {}: write {}, read {}.",
                    may.exchange, may.write, may.read
                ),
            );
        }
        Ok(said)
    }
}

/// The tags of a user, where it has some. Older brokers give one text, newer ones a list.
fn tags(user: &Value) -> Option<String> {
    let tags: Vec<&str> = match &user["tags"] {
        Value::String(text) => text.split(',').map(str::trim).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let tags = tags.join(", ");
    (!tags.is_empty()).then_some(tags)
}

fn holds(found: &Value, wanted: &TopicPermission) -> bool {
    found.as_array().is_some_and(|list| {
        list.iter().any(|found| {
            found["exchange"] == wanted.exchange
                && found["write"] == wanted.write
                && found["read"] == wanted.read
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_both_forms_that_brokers_use() {
        assert_eq!(tags(&json!({"tags": "administrator"})).unwrap(), "administrator");
        assert_eq!(tags(&json!({"tags": ["a", "b"]})).unwrap(), "a, b");
        assert_eq!(tags(&json!({"tags": ""})), None);
        assert_eq!(tags(&json!({"tags": []})), None);
    }
}

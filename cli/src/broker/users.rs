//! Which users there are to be, as both commands are told.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use shared::amqp::roles::{Role, UserName, WorkerGroup};
use shared::plugin::PluginName;

use super::management::encoded;
use super::passwords::Passwords;

/// The users and where their passwords are.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// The virtual host.
    #[arg(long, value_name = "NAME", default_value = "/")]
    pub(super) virtual_host: String,

    /// The coordinators' user.
    #[arg(long, value_name = "NAME", default_value = "coordinator")]
    coordinator: UserName,

    /// A user for programs that submit jobs (repeat for several).
    #[arg(long, value_name = "NAME", default_value = "intake")]
    intake: Vec<UserName>,

    /// A user for a group of workers and the plugins that they serve (repeat for each group).
    #[arg(long = "worker", value_name = "NAME=PLUGIN[,PLUGIN]", required = true)]
    workers: Vec<WorkerGroup>,

    /// Folder with a password file for each user, named like the user. What is missing is made: a new password, in a
    /// file that only its owner can read.
    #[arg(long, value_name = "FOLDER")]
    passwords: PathBuf,

    /// Where programs reach RabbitMQ: amqp://HOST:PORT. Writes each user's whole address, with its password, into a file
    /// USER.url beside its password, for `AMQP_URL_FILE`.
    #[arg(long, value_name = "URL", value_parser = amqp_url)]
    amqp_url: Option<String>,
}

/// A user that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: UserName,
    pub(super) role: Role,
}

impl User {
    /// What it is there for, in words.
    pub(super) fn purpose(&self) -> String {
        match &self.role {
            Role::Coordinator => "coordinators".to_owned(),
            Role::Workers(plugins) => {
                let plugins: Vec<&str> = plugins.iter().map(PluginName::as_str).collect();
                format!("workers of {}", plugins.join(", "))
            }
            Role::Intake => "submits jobs".to_owned(),
        }
    }
}

impl Wanted {
    /// All users, each once.
    pub(super) fn users(&self) -> anyhow::Result<Vec<User>> {
        let coordinator = User {
            name: self.coordinator.clone(),
            role: Role::Coordinator,
        };
        let workers = self.workers.iter().map(|group| User {
            name: group.user.clone(),
            role: Role::Workers(group.plugins.clone()),
        });
        let intake = self.intake.iter().map(|name| User {
            name: name.clone(),
            role: Role::Intake,
        });
        let users: Vec<User> = std::iter::once(coordinator)
            .chain(workers)
            .chain(intake)
            .collect();
        for (index, user) in users.iter().enumerate() {
            if users[..index].iter().any(|other| other.name == user.name) {
                bail!(
                    "the user {} is named twice: each role and each group of workers needs a user of its own",
                    user.name
                );
            }
        }
        Ok(users)
    }

    /// Their passwords.
    pub(super) fn passwords(&self) -> Passwords {
        Passwords::new(&self.passwords)
    }

    /// Writes a user's whole address, where programs reach RabbitMQ by one that is known; gives the file.
    pub(super) fn write_address(&self, user: &User) -> anyhow::Result<Option<PathBuf>> {
        let Some(base) = &self.amqp_url else {
            return Ok(None);
        };
        let passwords = self.passwords();
        let (password, _) = passwords.find_or_make(&user.name)?;
        let (scheme, host) = base.split_once("://").context("an AMQP address has a scheme")?;
        let address = format!(
            "{scheme}://{}:{}@{host}/{}",
            user.name,
            encoded(password.reveal()),
            encoded(&self.virtual_host)
        );
        passwords.write_address(&user.name, &address).map(Some)
    }

    /// The coordinators' setting that says the same of the workers.
    pub(super) fn worker_users(&self) -> String {
        let groups: Vec<String> = self.workers.iter().map(WorkerGroup::to_string).collect();
        groups.join(";")
    }
}

/// Scheme, host and port, without a user, a path or a slash at the end.
fn amqp_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("amqp://")
        .or_else(|| text.strip_prefix("amqps://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(rest) if !rest.is_empty() && !rest.contains(['/', '@', '?']) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("not an address such as amqp://rabbitmq:5672".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amqp_address_has_neither_user_nor_virtual_host() {
        assert_eq!(amqp_url("amqp://rabbitmq:5672/").unwrap(), "amqp://rabbitmq:5672");
        assert_eq!(amqp_url("amqps://r").unwrap(), "amqps://r");
        for bad in [
            "rabbitmq:5672",
            "amqp://",
            "amqp://u:p@h",
            "amqp://h/v",
            "http://h",
        ] {
            assert!(amqp_url(bad).is_err(), "{bad}");
        }
    }
}

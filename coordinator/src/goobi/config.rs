//! Settings: where Goobi's message broker is, and what its queues are called.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use clap::Args;

/// The port on which `ActiveMQ` speaks STOMP.
const PORT: u16 = 61613;

/// Tickets of Goobi's message broker.
#[derive(Debug, Clone, Default, Args)]
// The coordinator's own settings are a group of that name already.
#[group(skip)]
pub struct Config {
    /// Goobi's ActiveMQ, over STOMP: `stomp://HOST:61613`. Steps that are given to its external queue become jobs then,
    /// and Goobi is told there how they have ended. Without it nothing is connected. Needs --secrets-key-file.
    #[arg(
        long = "goobi-stomp-url",
        env = "TASKMANAGER_GOOBI_STOMP_URL",
        value_name = "stomp://HOST[:PORT][/VHOST]"
    )]
    pub url: Option<BrokerAddress>,

    /// The user there.
    #[arg(
        long = "goobi-stomp-user",
        env = "TASKMANAGER_GOOBI_STOMP_USER",
        default_value = "goobi"
    )]
    pub user: String,

    /// File that holds its password.
    #[arg(
        long = "goobi-stomp-password-file",
        env = "TASKMANAGER_GOOBI_STOMP_PASSWORD_FILE"
    )]
    pub password_file: Option<PathBuf>,

    /// The queue that tickets come from.
    #[arg(
        long = "goobi-tickets",
        env = "TASKMANAGER_GOOBI_TICKETS",
        value_name = "QUEUE",
        default_value = "goobi_external"
    )]
    pub tickets: String,

    /// The queue that Goobi is told on.
    #[arg(
        long = "goobi-commands",
        env = "TASKMANAGER_GOOBI_COMMANDS",
        value_name = "QUEUE",
        default_value = "goobi_command"
    )]
    pub commands: String,
}

impl Config {
    /// The broker; `None` where none is named.
    ///
    /// # Errors
    /// When the password can't be read.
    pub fn broker(&self) -> anyhow::Result<Option<Broker>> {
        let Some(address) = self.url.clone() else {
            return Ok(None);
        };
        let file = self
            .password_file
            .as_deref()
            .context("--goobi-stomp-url needs --goobi-stomp-password-file")?;
        let password = std::fs::read_to_string(file)
            .with_context(|| format!("--goobi-stomp-password-file {}", file.display()))?;
        Ok(Some(Broker {
            address,
            user: self.user.clone(),
            password: password.trim().to_owned(),
            tickets: self.tickets.clone(),
            commands: self.commands.clone(),
        }))
    }
}

/// Goobi's message broker with all that it takes to use it.
#[derive(Clone)]
pub struct Broker {
    pub(super) address: BrokerAddress,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) tickets: String,
    pub(super) commands: String,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.address, self.user)
    }
}

/// `stomp://HOST[:PORT][/VHOST]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAddress {
    pub(super) host: String,
    pub(super) port: u16,
    /// The virtual host, where one is named: brokers other than `ActiveMQ` have them.
    pub(super) vhost: Option<String>,
}

impl FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is not stomp://HOST[:PORT][/VHOST], such as stomp://localhost:61613");
        let rest = text.strip_prefix("stomp://").ok_or_else(wrong)?;
        // Another scheme has its own rules; this one is taken apart as http is.
        let url = reqwest::Url::parse(&format!("http://{rest}")).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        // A virtual host's name may have slashes, and is written as it is.
        let (authority, vhost) = rest.split_once('/').unwrap_or((rest, ""));
        match url.host_str() {
            Some(host) if plain && !authority.is_empty() => Ok(Self {
                host: host.trim_matches(['[', ']']).to_owned(),
                port: url
                    .port()
                    .unwrap_or(if authority.ends_with(":80") { 80 } else { PORT }),
                vhost: (!vhost.is_empty()).then(|| vhost.to_owned()),
            }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brokers_address_has_a_usual_port_and_no_password() {
        let read = |text: &str| {
            let address: BrokerAddress = text.parse()?;
            Ok::<_, String>((address.to_string(), address.vhost))
        };
        assert_eq!(read("stomp://goobi"), Ok(("goobi:61613".to_owned(), None)));
        assert_eq!(read("stomp://[::1]:80/"), Ok(("::1:80".to_owned(), None)));
        assert_eq!(
            read("stomp://a:1/it/x"),
            Ok(("a:1".to_owned(), Some("it/x".to_owned())))
        );
        for wrong in [
            "goobi:61613",
            "http://goobi",
            "stomp://",
            "stomp://user:secret@goobi",
            "stomp://a b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

//! What this coordinator was told, as far as `doctor` looks at it and compares it. No secret is in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use ring::digest::{SHA256, digest};
use shared::exposure::OpenSecret;
use uuid::Uuid;

use crate::config::Config;
use crate::db::coordinators::Coordinator;
use crate::db::{servers, session_config};
use crate::secrets::{Secrets, hex};

/// Characters of a hash: enough to tell settings apart.
const HASH_CHARS: usize = 16;

/// The option that names the file with the templates, and under which its content is compared.
pub(crate) const TEMPLATES: &str = "--templates";
/// Connections of a coordinator beside its pool: the one that listens for changes, and the one that migrates.
const BESIDE_THE_POOL: usize = 2;

/// What a coordinator was told.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub struct Deployment {
    /// Those settings that have to be the same at all coordinators: option → hash of its value.
    pub settings: BTreeMap<String, String>,
    /// The most connections to PostgreSQL.
    pub connections: i32,
    /// How many servers the database's address names.
    pub db_servers: usize,
    /// Files that hold secrets.
    pub secret_files: Vec<PathBuf>,
    /// Secrets that were given themselves.
    pub open_secrets: Vec<OpenSecret>,
    /// The file with the templates.
    pub templates: Option<PathBuf>,
    /// Goobi is told a token over an address that others can read along.
    pub tells_goobi_in_the_clear: bool,
    /// The ids of the keys that tokens of callbacks are encrypted with, the one for new tokens first.
    pub keys: Vec<String>,
    /// Submissions may have somebody called.
    pub callbacks_allowed: bool,
    /// It is said which RabbitMQ users may serve which plugins.
    pub worker_users_listed: bool,
    /// Other machines reach it, and nothing says that they do so by https.
    pub reached_without_https: bool,
    /// Whoever comes by its public address is an administrator.
    pub open_to_the_public: bool,
}

impl Deployment {
    /// What these settings say.
    ///
    /// # Errors
    /// Settings that a program would not start with.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        let database = session_config(&config.database_url()?)?;
        let keys = Secrets::load(&config.secrets_key_files)?.ids();
        let named = [
            &config.database_url_file,
            &config.amqp_url_file,
            &config.goobi_token_file,
            &config.goobi.password_file,
        ];
        let files = named.into_iter().flatten().chain(&config.secrets_key_files);
        let given = |secret: OpenSecret, value: &Option<String>, file: &Option<PathBuf>| {
            (value.is_some() && file.is_none()).then_some(secret)
        };
        let open = [
            given(
                ("--database-url", "--database-url-file"),
                &config.database_url,
                &config.database_url_file,
            ),
            given(
                ("--amqp-url", "--amqp-url-file"),
                &config.amqp_url,
                &config.amqp_url_file,
            ),
        ];
        Ok(Self {
            settings: common(config, &keys)?,
            connections: i32::try_from(config.db_connections + BESIDE_THE_POOL).unwrap_or(i32::MAX),
            db_servers: servers(&database),
            secret_files: files.cloned().collect(),
            open_secrets: open.into_iter().flatten().collect(),
            templates: config.templates.clone(),
            tells_goobi_in_the_clear: config.goobi_token_file.is_some()
                && config.goobi_url.as_deref().is_some_and(|url| !is_safe(url)),
            keys,
            callbacks_allowed: !config.callback_allow.is_empty(),
            worker_users_listed: !config.worker_users.is_empty(),
            reached_without_https: config
                .public_url
                .as_deref()
                .map_or(!config.listen.ip().is_loopback(), |url| !is_safe(url)),
            open_to_the_public: config.without_login
                && config
                    .public_url
                    .as_deref()
                    .is_some_and(|url| !is_of_this_machine(url)),
        })
    }

    /// This process, as others are told of it.
    pub fn coordinator(&self) -> Coordinator {
        Coordinator {
            id: Uuid::new_v4(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            connections: self.connections,
            settings: self.settings.clone(),
        }
    }
}

/// Whether what people send to this address is read by nobody on the way.
fn is_safe(url: &str) -> bool {
    url.starts_with("https://") || is_of_this_machine(url)
}

/// Whether an address leads to the machine that it is opened on.
fn is_of_this_machine(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"]
        .iter()
        .any(|own| host.starts_with(own))
}

/// What has to be the same at all coordinators, since any of them may take a job in, hand it out, or tell of its end.
fn common(config: &Config, keys: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let templates = config.templates.as_ref().map(std::fs::read).transpose()?;
    let sorted = |mut texts: Vec<String>| {
        texts.sort();
        texts.join("\n")
    };
    let roots = config.roots()?.iter().map(ToString::to_string).collect();
    let mappings = config
        .path_map
        .iter()
        .map(|map| format!("{}={}", map.from, map.to));
    let users = config.worker_users.iter().map(|group| format!("{group:?}"));
    let receivers = config.callback_allow.iter().map(|target| format!("{target:?}"));
    let of = |value: &dyn std::fmt::Debug| format!("{value:?}").into_bytes();
    let told = [
        ("--root", sorted(roots).into_bytes()),
        ("--map-path", sorted(mappings.collect()).into_bytes()),
        (TEMPLATES, templates.unwrap_or_default()),
        ("--worker-user", sorted(users.collect()).into_bytes()),
        ("--callback-allow", sorted(receivers.collect()).into_bytes()),
        ("--callback-retry-seconds", of(&config.callback_retry_seconds)),
        ("--callback-give-up-hours", of(&config.callback_give_up_hours)),
        ("--secrets-key-file", sorted(keys.to_vec()).into_bytes()),
        ("--goobi-url", of(&config.goobi_url)),
        ("--goobi-token-file", of(&config.goobi_token_file.is_some())),
        ("--goobi-process-url", of(&config.goobi_process_url)),
        ("--goobi-stomp-url", of(&config.goobi.url)),
        ("--goobi-stomp-user", of(&config.goobi.user)),
        ("--goobi-tickets", of(&config.goobi.tickets)),
        ("--goobi-commands", of(&config.goobi.commands)),
        ("--queue-type", of(&config.queue_type)),
        ("--window", of(&config.window)),
        ("--lease-seconds", of(&config.lease_seconds)),
        ("TZ", of(&TimeZone::system().iana_name())),
    ];
    Ok(told
        .map(|(option, value)| (option.to_owned(), fingerprint(&value)))
        .into())
}

/// A value, short and without telling it.
pub(crate) fn fingerprint(value: &[u8]) -> String {
    let mut hash = hex(digest(&SHA256, value).as_ref());
    hash.truncate(HASH_CHARS);
    hash
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn told(more: &[&str]) -> Deployment {
        let own = [
            "coordinator",
            "--database-url",
            "postgres://jobs:s3cret@db1:5432,db2:5432/jobs?target_session_attrs=read-write",
            "--amqp-url",
            "amqp://jobs:s3cret@broker",
            "--root",
            "/data,/archive/",
        ];
        Deployment::of(&Config::parse_from(own.iter().chain(more))).unwrap()
    }

    #[test]
    fn settings_that_mean_the_same_are_the_same_and_others_are_not() {
        let same = told(&[
            "--listen",
            "0.0.0.0:80",
            "--log",
            "debug",
            "--db-connections",
            "3",
        ]);
        assert_eq!(
            told(&[]).settings,
            same.settings,
            "each coordinator may have its own"
        );
        let differs = |more: &[&str]| -> Vec<String> {
            let (one, other) = (told(&[]).settings, told(more).settings);
            let differs = one.iter().filter(|(option, value)| other[*option] != **value);
            differs.map(|(option, _)| option.clone()).collect()
        };
        assert_eq!(differs(&["--root", "/more"]), ["--root"]);
        assert_eq!(differs(&["--window", "7"]), ["--window"]);
        assert_eq!(differs(&["--worker-user", "ocr=OCR"]), ["--worker-user"]);
    }

    #[test]
    fn what_is_told_of_a_deployment_holds_no_secret() {
        let told = told(&["--callback-allow", "kitodo.example"]);
        assert!(!format!("{told:?}").contains("s3cret"));
        let open: Vec<&str> = told.open_secrets.iter().map(|(given, _)| *given).collect();
        assert_eq!(open, ["--database-url", "--amqp-url"]);
        assert_eq!(told.db_servers, 2);
        assert!(told.callbacks_allowed && !told.worker_users_listed && !told.reached_without_https);
    }

    #[test]
    fn whoever_is_reached_from_elsewhere_should_be_reached_by_https() {
        let open = ["--listen", "0.0.0.0:80"];
        assert!(told(&open).reached_without_https);
        let plain = told(&["--listen", "0.0.0.0:80", "--public-url", "http://jobs.example"]);
        assert!(plain.reached_without_https);
        // As in a container whose port is this machine's alone.
        let own = told(&["--listen", "0.0.0.0:80", "--public-url", "http://127.0.0.1:8080"]);
        assert!(!own.reached_without_https);
        let public = told(&["--without-login", "--public-url", "https://jobs.example"]);
        assert!(public.open_to_the_public && !told(&["--without-login"]).open_to_the_public);
        let by_a_proxy = told(&["--public-url", "http://jobs.example"]);
        assert!(by_a_proxy.reached_without_https);
        let safe = told(&["--listen", "0.0.0.0:80", "--public-url", "https://jobs.example"]);
        assert!(!safe.reached_without_https);
    }

    #[test]
    fn goobis_token_should_be_read_by_nobody_on_the_way() {
        let in_the_clear =
            |url, token: &[&str]| told(&[&["--goobi-url", url], token].concat()).tells_goobi_in_the_clear;
        let token = ["--goobi-token-file", "/token"];
        assert!(in_the_clear("http://goobi.example/goobi", &token));
        assert!(!in_the_clear("http://goobi.example/goobi", &[]));
        assert!(!in_the_clear("https://goobi.example/goobi", &token));
        assert!(!in_the_clear("http://localhost:8080/goobi", &token));
    }
}

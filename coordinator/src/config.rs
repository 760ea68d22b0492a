//! The coordinator's settings, documented by `coordinator --help` and in `docs/configuration.md`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use shared::amqp::Address;
use shared::amqp::queue_type::QueueType;
use shared::amqp::roles::WorkerGroup;
use shared::configuration::Configuration;
use shared::location::Location;
use shared::telemetry::{LogFormat, check_filter};

use crate::db::Db;
use crate::deliveries::{GoobiWeb, Target};
use crate::goobi;
use crate::http::Door;
use crate::intake::Templates;
use crate::secrets::Secrets;

/// Records jobs, hands them to workers, shows what happens.
#[derive(Debug, Clone, Parser)]
#[command(name = "coordinator", version)]
pub struct Config {
    /// PostgreSQL: `postgres://user:password@host:5432/database`. With a standby that may take over, name both:
    /// `postgres://user:password@host1:5432,host2:5432/database?target_session_attrs=read-write`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// File that holds the database address; wins over --database-url.
    #[arg(long, env = "DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,

    /// RabbitMQ: `amqp://user:password@host:5672/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,

    /// File that holds the RabbitMQ address; wins over --amqp-url.
    #[arg(long, env = "AMQP_URL_FILE")]
    pub amqp_url_file: Option<PathBuf>,

    /// Where pages, API and metrics are served.
    #[arg(long, env = "TASKMANAGER_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address that people open: `https://jobs.library.example`. With https, browsers send what they are logged in
    /// with over nothing else.
    #[arg(long, env = "TASKMANAGER_PUBLIC_URL", value_parser = parse_public_url)]
    pub public_url: Option<String>,

    /// Lets everybody who reaches the address in without a login, as an administrator. For one machine with one person:
    /// it works with a loopback address only.
    #[arg(long, env = "TASKMANAGER_WITHOUT_LOGIN")]
    pub without_login: bool,

    /// Folders that jobs may read from and write to, as workers see them, and places on object storage (`s3://bucket/folder`);
    /// repeat, or separate by commas.
    #[arg(long = "root", env = "TASKMANAGER_ROOTS", value_delimiter = ',')]
    pub roots: Vec<String>,

    /// A submitter's path and the same folder (or place on object storage) as workers see it: /opt/digiverso/goobi=/data
    /// (repeat, or commas).
    #[arg(long = "map-path", env = "TASKMANAGER_PATH_MAP", value_delimiter = ',', value_parser = parse_path_map)]
    pub path_map: Vec<PathMapping>,

    /// TOML file of templates: named presets of a plugin's parameters.
    #[arg(long, env = "TASKMANAGER_TEMPLATES")]
    pub templates: Option<PathBuf>,

    /// Published messages that each priority level of a plugin's queue holds at most.
    #[arg(long, env = "TASKMANAGER_WINDOW", default_value_t = 500, value_parser = clap::value_parser!(i64).range(1..))]
    pub window: i64,

    /// A published job that nobody has claimed for this long, seconds, is sent again when its queue has been empty for as
    /// long although workers wait for messages: somebody has purged it.
    #[arg(long, env = "TASKMANAGER_RESEND_AFTER_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub resend_after_seconds: u32,

    /// After this long, seconds, it is sent again when its queue holds fewer messages than jobs are published.
    #[arg(long, env = "TASKMANAGER_RESEND_MISSING_AFTER_SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub resend_missing_after_seconds: u32,

    /// What queues are made as: classic, or quorum (replicated; needs RabbitMQ 4.3). Existing queues stay what they are
    /// until somebody deletes them.
    #[arg(long, env = "TASKMANAGER_QUEUE_TYPE", default_value_t = QueueType::Classic)]
    pub queue_type: QueueType,

    /// Lease of plugins that are announced for the first time, seconds.
    #[arg(long, env = "TASKMANAGER_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(i32).range(1..=3600))]
    pub lease_seconds: i32,

    /// The plugins that a RabbitMQ user's workers may serve: USER=PLUGIN,PLUGIN (repeat, or separate by semicolons).
    /// With it, other users may serve none; without it, any user may serve any plugin.
    #[arg(
        long = "worker-user",
        env = "TASKMANAGER_WORKER_USERS",
        value_name = "USER=PLUGIN[,PLUGIN]",
        value_delimiter = ';'
    )]
    pub worker_users: Vec<WorkerGroup>,

    /// Whom submissions may have called when their jobs have ended: `HOST[:PORT][/PATH]` (repeat, or separate by commas).
    /// Without it nobody is called, and submissions with a `callback_url` are refused.
    #[arg(
        long = "callback-allow",
        env = "TASKMANAGER_CALLBACK_ALLOW",
        value_name = "HOST[:PORT][/PATH]",
        value_delimiter = ','
    )]
    pub callback_allow: Vec<Target>,

    /// Time that a call may take, seconds.
    #[arg(long, env = "TASKMANAGER_CALLBACK_TIMEOUT_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub callback_timeout_seconds: u64,

    /// Pause before a call that failed is made again, seconds; doubled each time, up to an hour.
    #[arg(long, env = "TASKMANAGER_CALLBACK_RETRY_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub callback_retry_seconds: u64,

    /// A call that nobody has answered well for this long is given up, hours.
    #[arg(long, env = "TASKMANAGER_CALLBACK_GIVE_UP_HOURS", default_value_t = 72, value_parser = clap::value_parser!(u64).range(1..=8760))]
    pub callback_give_up_hours: u64,

    /// File with the key that tokens of callbacks are encrypted with in the database: 32 bytes, or 64 hexadecimal
    /// digits. Of several (repeat, or separate by commas) the first encrypts, the others still decrypt. Without it
    /// tokens are not kept.
    #[arg(
        long = "secrets-key-file",
        env = "TASKMANAGER_SECRETS_KEY_FILE",
        value_delimiter = ','
    )]
    pub secrets_key_files: Vec<PathBuf>,

    /// Where Goobi is: `http://goobi.library.example:8080/goobi`.
    #[arg(long, env = "TASKMANAGER_GOOBI_URL", value_name = "URL")]
    pub goobi_url: Option<String>,

    /// File with a token of Goobi's REST interface (`goobi_rest.xml`) that may write into journals. With it people send
    /// messages to Goobi from jobs' pages.
    #[arg(long, env = "TASKMANAGER_GOOBI_TOKEN_FILE", value_name = "FILE")]
    pub goobi_token_file: Option<PathBuf>,

    /// The page of a process in Goobi, as people see it in their browsers, with `{process}` in the place of its number:
    /// copy it from the browser's address. Jobs' pages then lead to it.
    #[arg(long, env = "TASKMANAGER_GOOBI_PROCESS_URL", value_name = "URL")]
    pub goobi_process_url: Option<String>,

    /// Tickets of Goobi's message broker.
    #[command(flatten)]
    pub goobi: goobi::Config,

    /// Most connections to PostgreSQL.
    #[arg(long, env = "TASKMANAGER_DB_CONNECTIONS", default_value_t = 16, value_parser = at_least_one)]
    pub db_connections: usize,

    /// Time that a shutdown may take, seconds.
    #[arg(long, env = "TASKMANAGER_GRACE_SECONDS", default_value_t = 20)]
    pub grace_seconds: u64,

    /// text or json.
    #[arg(long, env = "TASKMANAGER_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Log level, or a filter such as info,coordinator=debug.
    #[arg(long, env = "TASKMANAGER_LOG", default_value = "info")]
    pub log: String,
}

/// A submitter's name of a folder and the workers' name of the same folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathMapping {
    /// As submitters write it.
    pub from: String,
    /// As workers see it.
    pub to: String,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_path_map(text: &str) -> Result<PathMapping, String> {
    match text.split_once('=') {
        Some((from, to)) if from.starts_with('/') && (to.starts_with('/') || Location::is_on_objects(to)) => {
            Ok(PathMapping {
                from: from.trim_end_matches('/').to_owned(),
                to: to.trim_end_matches('/').to_owned(),
            })
        }
        _ => Err(format!(
            "\"{text}\" is not FROM=TO with two absolute paths (the second may be s3://bucket/folder)"
        )),
    }
}

fn parse_public_url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(format!(
            "\"{text}\" is not an address such as https://jobs.library.example"
        )),
    }
}

impl Config {
    /// How people come in.
    pub fn door(&self) -> Door {
        if self.without_login {
            return Door::Open;
        }
        let secure = self
            .public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"));
        Door::Login { secure }
    }

    /// The database's address, from its file where one is named.
    ///
    /// # Errors
    /// When neither is set or the file can't be read.
    pub fn database_url(&self) -> anyhow::Result<String> {
        secret(
            "--database-url",
            self.database_url.as_deref(),
            self.database_url_file.as_deref(),
        )
    }

    /// RabbitMQ's address, from its file where one is named.
    ///
    /// # Errors
    /// When neither is set or the file can't be read.
    pub fn amqp_url(&self) -> anyhow::Result<String> {
        secret(
            "--amqp-url",
            self.amqp_url.as_deref(),
            self.amqp_url_file.as_deref(),
        )
    }

    /// Where Goobi is, if anybody has said it.
    ///
    /// # Errors
    /// When the address is none, or the token's file can't be read.
    pub fn goobi_web(&self) -> anyhow::Result<Option<GoobiWeb>> {
        let load = |url: &String| {
            GoobiWeb::load(
                url,
                self.goobi_token_file.as_deref(),
                self.goobi_process_url.as_deref(),
            )
        };
        self.goobi_url.as_ref().map(load).transpose()
    }

    /// Time that a shutdown may take.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    /// Where jobs may read and write.
    ///
    /// # Errors
    /// All that name no place.
    pub fn roots(&self) -> anyhow::Result<Vec<Location>> {
        let read = |root: &String| root.parse().map_err(|problem| format!("--root {root} {problem}"));
        let (roots, problems): (Vec<_>, Vec<_>) = self.roots.iter().map(read).partition(Result::is_ok);
        if problems.is_empty() {
            Ok(roots.into_iter().flatten().collect())
        } else {
            let problems: Vec<String> = problems.into_iter().filter_map(Result::err).collect();
            anyhow::bail!(problems.join("\n"))
        }
    }
}

impl Config {
    /// Mappings that lead to no root: whatever is submitted by them would be refused.
    fn mappings_to_nowhere(&self) -> Vec<String> {
        let roots = self.roots().unwrap_or_default();
        let leads_to = |place: &Location, root: &Location| {
            place.beneath(root).is_some() || root.beneath(place).is_some()
        };
        let astray = self.path_map.iter().filter(|mapping| {
            let place = mapping.to.parse::<Location>();
            place.is_ok_and(|place| !roots.iter().any(|root| leads_to(&place, root)))
        });
        astray
            .map(|PathMapping { from, to }| {
                format!("--map-path {from}={to} leads to no --root: whatever is submitted with it would be refused")
            })
            .collect()
    }
}

impl Configuration for Config {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.without_login && !self.listen.ip().is_loopback() {
            problems.push(format!(
                "--listen {} is reachable from other machines: leave out --without-login, or listen on 127.0.0.1 or [::1]",
                self.listen
            ));
        }
        if self.roots.is_empty() {
            problems.push("--root is missing: jobs may read and write nowhere".to_owned());
        }
        if self.goobi_url.is_none() && (self.goobi_token_file.is_some() || self.goobi_process_url.is_some()) {
            problems.push(
                "--goobi-token-file and --goobi-process-url need --goobi-url: where is Goobi?".to_owned(),
            );
        }
        if self.goobi.url.is_some() && self.secrets_key_files.is_empty() {
            problems.push(
                "--goobi-stomp-url needs --secrets-key-file: a ticket's secret is kept until Goobi is told"
                    .to_owned(),
            );
        }
        if !self.roots.is_empty() && self.roots().is_ok() {
            problems.extend(self.mappings_to_nowhere());
        }
        let templates = self.templates.as_deref();
        let found = [
            self.roots().err(),
            self.database_url()
                .and_then(|url| Ok(Db::new(&url, self.db_connections)?))
                .err(),
            self.amqp_url().and_then(|url| Ok(Address::parse(&url)?)).err(),
            self.goobi_web().err(),
            self.goobi.broker().err(),
            Secrets::load(&self.secrets_key_files).err(),
            templates.and_then(|file| Templates::load(file).err()),
            check_filter(&self.log).err().map(anyhow::Error::msg),
            unknown_time_zone(),
        ];
        for problem in found.into_iter().flatten() {
            problems.extend(format!("{problem:#}").lines().map(str::to_owned));
        }
        problems
    }
}

/// The time zone that the surroundings name; empty where they name none.
#[expect(
    clippy::disallowed_methods,
    reason = "a variable of the whole system, no setting of ours"
)]
fn time_zone() -> String {
    std::env::var("TZ").unwrap_or_default()
}

/// Pages would show other times than the site's.
fn unknown_time_zone() -> Option<anyhow::Error> {
    let zone = Some(time_zone()).filter(|zone| !zone.is_empty())?;
    jiff::tz::TimeZone::try_system().err()?;
    Some(anyhow::anyhow!(
        "TZ={zone} is no time zone that this machine knows: write for example TZ=Europe/Berlin (and is tzdata installed?)"
    ))
}

fn secret(flag: &str, value: Option<&str>, file: Option<&std::path::Path>) -> anyhow::Result<String> {
    match (file, value) {
        (Some(file), _) => match std::fs::read_to_string(file) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => anyhow::bail!("{flag}-file {}: {error}", file.display()),
        },
        (None, Some(value)) => Ok(value.to_owned()),
        (None, None) => anyhow::bail!("{flag} (or {flag}-file, or the environment variable) is missing"),
    }
}

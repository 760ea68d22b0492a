//! The worker's settings, documented by `worker --help` and in `docs/configuration.md`.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use shared::amqp::Address;
use shared::configuration::Configuration;
use shared::exposure::OpenSecret;
use shared::location::Location;
use shared::plugin::PluginName;
use shared::telemetry::{LogFormat, check_filter};

use crate::free_space::parse_amount;
use crate::objects::{self, Buckets};
use crate::plugins::parse_slots;
use crate::roots::{self, Roots};

/// Takes jobs from the queues of its plugins and runs them.
#[derive(Debug, Clone, Parser)]
#[command(name = "worker", version)]
pub struct Config {
    /// RabbitMQ: `amqp://user:password@host:5672/vhost`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,

    /// File that holds the RabbitMQ address; wins over --amqp-url.
    #[arg(long, env = "AMQP_URL_FILE")]
    pub amqp_url_file: Option<PathBuf>,

    /// Folders that jobs may read from and write to, and places on object storage (`s3://bucket/folder`); repeat, or separate
    /// by commas.
    #[arg(long = "root", env = "TASKMANAGER_ROOTS", value_delimiter = ',')]
    pub roots: Vec<String>,

    /// The address of the object storage (S3) that roots lie on, for example `https://s3.library.example`; Amazon's unless
    /// given.
    #[arg(long, env = "TASKMANAGER_S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,

    /// The region of that object storage; what the surroundings say (`AWS_REGION`), or us-east-1, unless given.
    #[arg(long, env = "TASKMANAGER_S3_REGION")]
    pub s3_region: Option<String>,

    /// File with two lines: the access key of that object storage, and its secret. Without it, what the surroundings say
    /// counts (`AWS_ACCESS_KEY_ID`, a service account, …).
    #[arg(long, env = "TASKMANAGER_S3_CREDENTIALS_FILE")]
    pub s3_credentials_file: Option<PathBuf>,

    /// Folder for work in hand and for results not yet recorded.
    #[arg(
        long,
        env = "TASKMANAGER_SCRATCH",
        default_value = "/var/tmp/taskmanager-worker"
    )]
    pub scratch: PathBuf,

    /// The name that operators see; the host's name unless given.
    #[arg(long, env = "TASKMANAGER_WORKER_NAME")]
    pub name: Option<String>,

    /// Plugins to serve and how many jobs of each at once: OCR=1,NOOP=8 (all plugins unless given).
    #[arg(long = "plugin", env = "TASKMANAGER_PLUGINS", value_delimiter = ',', value_parser = parse_slots)]
    pub plugins: Vec<(PluginName, u16)>,

    /// Pages that the OCR jobs of this worker recognise at once; the number of cores unless given.
    #[arg(long, env = "TASKMANAGER_OCR_CORES")]
    pub ocr_cores: Option<NonZeroU16>,

    /// Tesseract's data folder, where it is not the usual one.
    #[arg(long, env = "TESSDATA_PREFIX")]
    pub tessdata: Option<PathBuf>,

    /// Free space that the scratch folder's file system must have before an attempt starts: bytes, 256M, 2G.
    #[arg(long, env = "TASKMANAGER_SCRATCH_FREE_MIN", default_value = "256M", value_parser = parse_amount)]
    pub scratch_free_min: u64,

    /// The same for the file system of a job's target folder.
    #[arg(long, env = "TASKMANAGER_TARGET_FREE_MIN", default_value = "256M", value_parser = parse_amount)]
    pub target_free_min: u64,

    /// Where /healthz, /readyz and /metrics are served; nowhere unless given.
    #[arg(long, env = "TASKMANAGER_WORKER_LISTEN")]
    pub listen: Option<SocketAddr>,

    /// Time that a shutdown may take, seconds.
    #[arg(long, env = "TASKMANAGER_GRACE_SECONDS", default_value_t = 30)]
    pub grace_seconds: u64,

    /// text or json.
    #[arg(long, env = "TASKMANAGER_LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Log level, or a filter such as info,worker=debug.
    #[arg(long, env = "TASKMANAGER_LOG", default_value = "info")]
    pub log: String,
}

impl Config {
    /// RabbitMQ's address, from its file where one is named.
    ///
    /// # Errors
    /// When neither is set or the file can't be read.
    pub fn amqp_url(&self) -> anyhow::Result<String> {
        match (&self.amqp_url_file, &self.amqp_url) {
            (Some(file), _) => match std::fs::read_to_string(file) {
                Ok(text) => Ok(text.trim().to_owned()),
                Err(error) => anyhow::bail!("--amqp-url-file {}: {error}", file.display()),
            },
            (None, Some(url)) => Ok(url.clone()),
            (None, None) => anyhow::bail!("--amqp-url (or --amqp-url-file, or AMQP_URL) is missing"),
        }
    }

    /// The folders among the roots.
    ///
    /// # Errors
    /// One that is not absolute or contains `..`.
    pub fn folders(&self) -> Result<Roots, roots::Error> {
        let folders = self.roots.iter().filter(|root| !Location::is_on_objects(root));
        Roots::new(folders.map(PathBuf::from).collect())
    }

    /// The places on object storage among the roots.
    ///
    /// # Errors
    /// One that names no place, or credentials that can't be read.
    pub fn buckets(&self) -> Result<Buckets, objects::Error> {
        let (places, problems) = self.places();
        match problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => self.connect(&places),
        }
    }

    /// The roots on object storage, and what is wrong with those that are none.
    fn places(&self) -> (Vec<Location>, Vec<objects::Error>) {
        let mut found = (Vec::new(), Vec::new());
        for root in self.roots.iter().filter(|root| Location::is_on_objects(root)) {
            match root.parse() {
                Ok(place) => found.0.push(place),
                Err(problem) => found.1.push(objects::Error::NoPlace(root.clone(), problem)),
            }
        }
        found
    }

    fn connect(&self, places: &[Location]) -> Result<Buckets, objects::Error> {
        let settings = objects::Settings {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            credentials_file: self.s3_credentials_file.clone(),
        };
        Buckets::connect(places, &settings)
    }

    /// The files that hold its secrets.
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let files = [&self.amqp_url_file, &self.s3_credentials_file];
        files.into_iter().flatten().cloned().collect()
    }

    /// Secrets that were given themselves and not in a file.
    #[expect(
        clippy::disallowed_methods,
        reason = "a variable of others, which what talks to object storage reads by itself"
    )]
    pub fn open_secrets(&self) -> Vec<OpenSecret> {
        const AWS_SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        let amqp = self.amqp_url.is_some() && self.amqp_url_file.is_none();
        let objects = self.s3_credentials_file.is_none() && std::env::var_os(AWS_SECRET).is_some();
        [
            amqp.then_some(("--amqp-url", "--amqp-url-file")),
            objects.then_some((AWS_SECRET, "--s3-credentials-file")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Time that a shutdown may take.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }

    /// Pages recognised at once.
    pub fn ocr_cores(&self) -> NonZeroU16 {
        self.ocr_cores.unwrap_or_else(|| {
            let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
            u16::try_from(cores)
                .ok()
                .and_then(NonZeroU16::new)
                .unwrap_or(NonZeroU16::MIN)
        })
    }
}

impl Configuration for Config {
    fn problems(&self) -> Vec<String> {
        let missing = "--root is missing: jobs may read and write nowhere";
        let folders = self.roots.iter().filter(|root| !Location::is_on_objects(root));
        let folders = folders.filter_map(|root| Roots::new(vec![root.into()]).err());
        let mut found: Vec<anyhow::Error> = folders.map(anyhow::Error::from).collect();
        let (places, wrong_places) = self.places();
        found.extend(wrong_places.into_iter().map(anyhow::Error::from));
        found.extend(self.connect(&places).err().map(anyhow::Error::from));
        let others = [
            self.roots.is_empty().then(|| anyhow::Error::msg(missing)),
            self.amqp_url().and_then(|url| Ok(Address::parse(&url)?)).err(),
            check_filter(&self.log).err().map(anyhow::Error::msg),
        ];
        found.extend(others.into_iter().flatten());
        found.iter().map(|problem| format!("{problem:#}")).collect()
    }
}

//! How a test's system is set up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use launcher::{Clock, Place, SmallDisk, workspace};

use super::{Cluster, Program};
use crate::environment::{self, program};
use crate::eventually::{LIMIT, eventually};
use crate::object_storage::ObjectStorage;
use crate::servers::{Private, Servers};

/// What the log of each program may be asked for when a test fails.
const LOG_FILTER: &str = "info,coordinator=debug,worker=debug,shared=debug";

/// Settings of a system that is about to be started.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a part of a system that a test may ask for"
)]
#[derive(Debug, Clone)]
pub struct Builder {
    name: String,
    plugins: String,
    lease_seconds: u32,
    templates: String,
    pub(super) coordinator: Vec<(String, String)>,
    pub(super) worker: Vec<(String, String)>,
    pub(super) private: Private,
    small_disk: Option<(&'static str, u32)>,
    recording_tesseract: bool,
    expected: Vec<String>,
    failpoints: bool,
    heartbeat_seconds: Option<u16>,
    pub(super) groups: Vec<String>,
    pub(super) by_definitions: bool,
    own_clocks: bool,
    object_storage: bool,
    pub(super) goobi: bool,
    /// The coordinator's, then the workers'.
    pub(super) clocks: Vec<Arc<Clock>>,
}

impl Builder {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            plugins: "OCR=1,SHELL=2,NOOP=4".to_owned(),
            lease_seconds: 60,
            templates: String::new(),
            coordinator: Vec::new(),
            worker: Vec::new(),
            private: Private::default(),
            small_disk: None,
            recording_tesseract: false,
            expected: Vec::new(),
            failpoints: false,
            heartbeat_seconds: None,
            groups: Vec::new(),
            by_definitions: false,
            own_clocks: false,
            object_storage: false,
            goobi: false,
            clocks: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn expected(&self) -> &[String] {
        &self.expected
    }

    pub(super) fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The plugins that workers serve and their slots: `OCR=1,NOOP=4`.
    #[must_use]
    pub fn plugins(mut self, plugins: &str) -> Self {
        plugins.clone_into(&mut self.plugins);
        self
    }

    /// How long an attempt counts as alive without a heartbeat.
    #[must_use]
    pub fn lease_seconds(mut self, seconds: u32) -> Self {
        self.lease_seconds = seconds;
        self
    }

    /// Templates beside those in `deploy/templates.toml`, as TOML.
    #[must_use]
    pub fn templates(mut self, toml: &str) -> Self {
        self.templates.push_str(toml);
        self
    }

    /// A variable of the coordinator's environment.
    #[must_use]
    pub fn coordinator_env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.coordinator.push((name.to_owned(), value.into()));
        self
    }

    /// People log in, programs send tokens.
    #[must_use]
    pub fn with_login(self) -> Self {
        self.coordinator_env("TASKMANAGER_WITHOUT_LOGIN", "false")
    }

    /// A variable of the workers' environment.
    #[must_use]
    pub fn worker_env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.worker.push((name.to_owned(), value.into()));
        self
    }

    /// One page at a time, so that there is a middle of a job.
    #[must_use]
    pub fn one_page_at_a_time(self) -> Self {
        self.worker_env("TASKMANAGER_OCR_CORES", "1")
    }

    /// Object storage that jobs may use beside the data folder; see [`Cluster::objects`].
    #[must_use]
    pub fn object_storage(mut self) -> Self {
        self.object_storage = true;
        self
    }

    /// A PostgreSQL of its own, which the test may hurt. Its commits survive the machine's death.
    #[must_use]
    pub fn private_postgres(mut self) -> Self {
        self.private.postgres = true;
        self
    }

    /// A PostgreSQL of its own with a standby that follows it; programs know the addresses of both.
    #[must_use]
    pub fn standby(mut self) -> Self {
        self.private.standby = true;
        self
    }

    /// The same on a disk of so many MiB; see [`Cluster::small_disk`].
    #[must_use]
    pub fn private_postgres_on_small_disk(mut self, mebibytes: u32) -> Self {
        self.small_disk = Some(("postgres", mebibytes));
        self.private_postgres()
    }

    /// A RabbitMQ of its own on a disk of so many MiB; see [`Cluster::small_disk`].
    #[must_use]
    pub fn private_rabbitmq_on_small_disk(mut self, mebibytes: u32) -> Self {
        self.small_disk = Some(("rabbitmq", mebibytes));
        self.private_rabbitmq()
    }

    /// Clocks of their own for the coordinator and for the workers; see [`Cluster::set_clocks`].
    #[must_use]
    pub fn own_clocks(mut self) -> Self {
        self.own_clocks = true;
        self
    }

    /// A RabbitMQ of its own, which the test may hurt.
    #[must_use]
    pub fn private_rabbitmq(mut self) -> Self {
        self.private.rabbitmq = true;
        self
    }

    /// Notes each image that Tesseract is started with; see [`Cluster::recognised`].
    #[must_use]
    pub fn recording_tesseract(mut self) -> Self {
        self.recording_tesseract = true;
        self
    }

    /// Warnings and errors with this text are part of what the test is about.
    #[must_use]
    pub fn expecting(mut self, text: &str) -> Self {
        self.expected.push(text.to_owned());
        self
    }

    /// Lets the test say where programs die; see [`Cluster::arm`].
    #[must_use]
    pub fn failpoints(mut self) -> Self {
        self.failpoints = true;
        self
    }

    /// After twice this time RabbitMQ takes a silent program for dead.
    #[must_use]
    pub fn heartbeat_seconds(mut self, seconds: u16) -> Self {
        self.heartbeat_seconds = Some(seconds);
        self
    }

    /// Starts everything with one worker, and waits until jobs of its plugins are accepted.
    pub fn start(mut self) -> Cluster {
        let place = Place::temporary(&self.name).expect("a place can be made");
        let data = place.path().join("data");
        fs::create_dir(&data).expect("the data folder can be made");
        if self.recording_tesseract {
            make_recorder(&place);
        }
        if self.own_clocks {
            let clock = |name| Arc::new(Clock::new(&place, name).expect("a clock"));
            self.clocks = ["coordinator", "workers"].map(clock).into();
        }
        if self.failpoints {
            self.offer_failpoints(&place);
        }
        let small_disk = self.small_disk.map(|(folder, mebibytes)| {
            SmallDisk::mount(&place, &place.path().join(folder), mebibytes).expect("a small disk")
        });
        let objects = self
            .object_storage
            .then(|| self.start_object_storage(&place, &data));
        let servers = Servers::start(&place, self.private);
        self.make_users(&place, &servers);
        self.name_goobis_broker(&place, &servers);
        let coordinator = self.start_coordinator(&place, &servers, &data, "coordinator");
        let worker = self.worker(&place, &servers, &data, 0);
        let cluster = Cluster {
            coordinator,
            other_coordinator: None,
            workers: vec![worker],
            workers_made: 1,
            servers,
            small_disk,
            objects,
            builder: self,
            data,
            place,
        };
        for plugin in cluster
            .builder
            .plugins
            .split(',')
            .filter_map(|slots| slots.split('=').next())
        {
            wait_for_plugin(&cluster, plugin);
        }
        cluster
    }

    fn start_object_storage(&mut self, place: &Place, data: &Path) -> ObjectStorage {
        let objects = ObjectStorage::start(place);
        let credentials = place.path().join("object-storage-key");
        fs::write(&credentials, "goobi\nsecret\n").expect("credentials can be written");
        let roots = format!("{},{}", data.display(), ObjectStorage::ROOT);
        self.coordinator
            .push(("TASKMANAGER_ROOTS".to_owned(), roots.clone()));
        self.worker.extend([
            ("TASKMANAGER_ROOTS".to_owned(), roots),
            ("TASKMANAGER_S3_ENDPOINT".to_owned(), objects.endpoint()),
            (
                "TASKMANAGER_S3_CREDENTIALS_FILE".to_owned(),
                credentials.display().to_string(),
            ),
        ]);
        objects
    }

    pub(super) fn start_coordinator(
        &self,
        place: &Place,
        servers: &Servers,
        data: &Path,
        name: &str,
    ) -> Program {
        let templates = place.path().join("templates.toml");
        let shipped = workspace().join("deploy/templates.toml");
        let shipped = fs::read_to_string(&shipped).expect("deploy/templates.toml can be read");
        fs::write(&templates, format!("{shipped}\n{}", self.templates)).expect("templates can be written");
        let port = launcher::free_port().expect("a free port");
        let mut command = Command::new(program("coordinator"));
        command
            .env("DATABASE_URL", servers.database_url())
            .env("AMQP_URL", self.amqp_url(servers))
            .env("TASKMANAGER_LISTEN", format!("127.0.0.1:{port}"))
            .env("TASKMANAGER_WITHOUT_LOGIN", "true")
            .env("TASKMANAGER_ROOTS", data)
            .env(
                "TASKMANAGER_PATH_MAP",
                format!("/opt/digiverso/goobi={}", data.display()),
            )
            .env("TASKMANAGER_TEMPLATES", templates)
            .env("TASKMANAGER_LEASE_SECONDS", self.lease_seconds.to_string())
            .env("TASKMANAGER_LOG", LOG_FILTER)
            .envs(self.coordinator.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = self.clocks.first() {
            clock.give_to(&mut command);
        }
        Program::start(place, name, command, port)
    }

    fn amqp_url(&self, servers: &Servers) -> String {
        let heartbeat = self
            .heartbeat_seconds
            .map_or_else(String::new, |seconds| format!("?heartbeat={seconds}"));
        format!("{}{heartbeat}", servers.amqp_url())
    }

    pub(super) fn worker(&self, place: &Place, servers: &Servers, data: &Path, index: usize) -> Program {
        let port = launcher::free_port().expect("a free port");
        let name = format!("worker-{index}");
        let mut command = Command::new(program("worker"));
        command
            // Workers have no way to the database, here as everywhere.
            .env_remove("DATABASE_URL")
            .env_remove("AMQP_MANAGEMENT_URL")
            .env("AMQP_URL", self.amqp_url(servers))
            .env("TASKMANAGER_ROOTS", data)
            .env("TASKMANAGER_SCRATCH", scratch_base(place).join(&name))
            .env("TASKMANAGER_WORKER_NAME", &name)
            .env("TASKMANAGER_WORKER_LISTEN", format!("127.0.0.1:{port}"))
            .env("TASKMANAGER_PLUGINS", &self.plugins)
            .env("TASKMANAGER_LOG", LOG_FILTER)
            .envs(self.worker.iter().map(|(name, value)| (name, value)));
        if self.recording_tesseract {
            let path = environment::required("PATH");
            command.env("PATH", format!("{}:{path}", recorder_folder(place).display()));
        }
        if let Some(clock) = self.clocks.last() {
            clock.give_to(&mut command);
        }
        Program::start(place, &name, command, port)
    }
}

/// A program `tesseract` that notes its image and then becomes the real one.
fn make_recorder(place: &Place) {
    let real = environment::tool("tesseract", "tesseract-ocr");
    let recorder = recorder_folder(place).join("tesseract");
    fs::create_dir(recorder_folder(place)).expect("a folder can be made");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in --*) ;; *) echo \"$1\" >> '{}' ;; esac\nexec '{}' \"$@\"\n",
        recognised(place).display(),
        real.display()
    );
    fs::write(&recorder, script).expect("a program can be written");
    fs::set_permissions(&recorder, fs::Permissions::from_mode(0o755)).expect("it can be made executable");
}

fn wait_for_plugin(cluster: &Cluster, plugin: &str) {
    eventually(LIMIT, &format!("a worker that serves {plugin}"), || {
        let served = cluster.sql("SELECT plugin FROM worker_plugins", &[]);
        let served: Vec<String> = served.iter().map(|row| row.get(0)).collect();
        if served.iter().any(|served| served == plugin) {
            Ok(())
        } else {
            Err(format!("{served:?}"))
        }
    });
}

/// Beneath it each worker has its scratch folder.
pub(super) fn scratch_base(place: &Place) -> PathBuf {
    place.path().join("scratch")
}

/// Where the recording Tesseract writes.
pub(super) fn recognised(place: &Place) -> PathBuf {
    place.path().join("recognised")
}

fn recorder_folder(place: &Place) -> PathBuf {
    place.path().join("recorder")
}

//! Folders, ports, settings and start commands of one RabbitMQ node.
//!
//! The start script under `/usr/lib/rabbitmq` is used: the one in the path switches the user and the folders.
//! Each version stores its data in a folder of its own, so an upgraded distribution starts afresh instead of failing.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::{Account, give, setpriv};
use crate::process::{Environment, Launch, Process, clean};
use crate::{Error, Place, http, ports, secret};

/// The system user that the node runs as when we are root.
const ACCOUNT: &str = "rabbitmq";

/// The node's name; the ports tell nodes apart.
const NAME: &str = "taskmanager@localhost";

/// The administrator of a private broker; `guest` does not exist there.
const USER: &str = "taskmanager";

/// The part of the machine's memory from which on the node takes no more messages.
pub(super) const MEMORY_WATERMARK: &str = "0.3";

/// How long a connection attempt may take: a listening loopback port answers at once.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// How long the node may take to obey.
const CONTROL_LIMIT_SECONDS: &str = "20";

/// Everything that a start needs to know.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) version: String,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) port: u16,
    pub(super) management_port: u16,
    pub(super) stomp_port: u16,
    pub(super) distribution_port: u16,
    pub(super) epmd_port: u16,
    script: PathBuf,
    home: PathBuf,
    data: PathBuf,
    account: Option<Account>,
}

impl Node {
    /// Finds the installed broker, makes the place's folders and writes the settings.
    pub(super) fn prepare(place: &Place) -> Result<Self, Error> {
        let (version, script) = installed()?;
        let account = Account::for_server(ACCOUNT)?;
        let folder = place.path().join("rabbitmq");
        let home = folder.join("node");
        fs::create_dir_all(&home).map_err(Error::file("create", &home))?;
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700))
            .map_err(Error::file("protect", &home))?;
        give(&home, account.as_ref())?;
        let node = Self {
            user: USER.to_owned(),
            password: secret::kept_in(&folder.join("password"))?,
            port: ports::free_port()?,
            management_port: ports::free_port()?,
            stomp_port: ports::free_port()?,
            distribution_port: ports::free_port()?,
            epmd_port: ports::free_port()?,
            data: home.join(format!("data-{version}")),
            version,
            script,
            home,
            account,
        };
        node.write_settings()?;
        Ok(node)
    }

    /// Starts the broker. Whether it is ready is for the caller to find out.
    pub(super) fn launch(&self, place: &Place, continue_log: bool) -> Result<Process, Error> {
        let mut command = Command::new(&self.script);
        let file = |name: &str| self.home.join(name);
        self.set_erlang(&mut command);
        command
            .current_dir(&self.home)
            // The script then becomes the node instead of staying its parent, so that the launcher's pid is the node's.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env("RABBITMQ_NODENAME", NAME)
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution_port.to_string())
            .env("RABBITMQ_MNESIA_BASE", &self.data)
            .env("RABBITMQ_LOG_BASE", file("log"))
            .env("RABBITMQ_PID_FILE", file("pid"))
            .env("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", file("advanced.config"))
            .env("RABBITMQ_CONF_ENV_FILE", file("rabbitmq-env.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins"))
            .env("RABBITMQ_GENERATED_CONFIG_DIR", file("generated"))
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            );
        self.start(place, "rabbitmq", &command, continue_log)
    }

    /// Starts the name server that the node registers with. Left to itself the node would start one that outlives it.
    pub(super) fn launch_epmd(&self, place: &Place, continue_log: bool) -> Result<Process, Error> {
        let mut command = Command::new("epmd");
        self.set_erlang(&mut command);
        command.current_dir(&self.home);
        self.start(place, "epmd", &command, continue_log)
    }

    fn start(
        &self,
        place: &Place,
        name: &str,
        command: &Command,
        continue_log: bool,
    ) -> Result<Process, Error> {
        let account = self.account.as_ref();
        Process::launch(
            place,
            &Launch {
                name,
                command,
                account,
                environment: Environment::Clean,
                continue_log,
            },
        )
    }

    fn set_erlang(&self, command: &mut Command) {
        command
            // The folder of the Erlang cookie.
            .env("HOME", &self.home)
            .env("ERL_EPMD_PORT", self.epmd_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1");
    }

    /// Whether the broker answers in both its protocols, and its management API.
    pub(super) fn answers(&self) -> bool {
        connects(self.port)
            && connects(self.stomp_port)
            && http::get_as(self.management_port, "/api/overview", &self.user, &self.password)
                .is_ok_and(|answer| answer.status == 200)
    }

    /// Whether the name server answers.
    pub(super) fn epmd_answers(&self) -> bool {
        connects(self.epmd_port)
    }

    /// Sets the running node's limit; the next start forgets it.
    pub(super) fn set_memory_watermark(&self, part: &str) -> Result<(), Error> {
        self.control(&["set_vm_memory_high_watermark", part]).map(drop)
    }

    /// What the running node says to a command of `rabbitmqctl`.
    pub(super) fn control(&self, arguments: &[&str]) -> Result<String, Error> {
        let mut command = setpriv(self.account.as_ref());
        clean(&mut command);
        command
            .arg("--")
            .arg(self.script.with_file_name("rabbitmqctl"))
            .args(["--node", NAME, "--timeout", CONTROL_LIMIT_SECONDS])
            .args(arguments)
            .current_dir(&self.home);
        self.set_erlang(&mut command);
        let output = command.output().map_err(|source| Error::Start {
            name: "rabbitmqctl".into(),
            source,
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Error::Failed {
            program: "rabbitmqctl".into(),
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        })
    }

    /// Deletes what the node stored.
    pub(super) fn remove_data(&self) -> Result<(), Error> {
        if self.data.exists() {
            fs::remove_dir_all(&self.data).map_err(Error::file("remove", &self.data))?;
        }
        Ok(())
    }

    fn write_settings(&self) -> Result<(), Error> {
        let Self {
            user,
            password,
            management_port,
            stomp_port,
            ..
        } = self;
        let settings = format!(
            "\
# Written anew at every start.
default_user = {user}
default_pass = {password}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
stomp.listeners.tcp.1 = 127.0.0.1:{stomp_port}
# Queue figures are at most a second old, so that tests need not wait for them.
collect_statistics_interval = 1000
vm_memory_high_watermark.relative = {MEMORY_WATERMARK}
disk_free_limit.absolute = 50MB
# One log, on standard output.
log.file = false
log.console = true
log.console.level = info
log.console.use_colors = off
"
        );
        for (name, text) in [
            ("rabbitmq.conf", settings.as_str()),
            ("enabled_plugins", "[rabbitmq_management,rabbitmq_stomp].\n"),
            ("advanced.config", "[].\n"),
            ("rabbitmq-env.conf", ""),
        ] {
            let path = self.home.join(name);
            secret::write_private(&path, text)?;
            give(&path, self.account.as_ref())?;
        }
        Ok(())
    }
}

fn connects(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), CONNECT_LIMIT).is_ok()
}

/// The newest installed version and its start script.
pub(super) fn installed() -> Result<(String, PathBuf), Error> {
    let folders = fs::read_dir(Path::new("/usr/lib/rabbitmq/lib"))
        .into_iter()
        .flatten()
        .flatten();
    folders
        .filter_map(|entry| {
            let version = entry
                .file_name()
                .to_str()?
                .strip_prefix("rabbitmq_server-")?
                .to_owned();
            let numbers: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
            Some((numbers, version, entry.path().join("sbin/rabbitmq-server")))
        })
        .filter(|(_, _, script)| script.exists())
        .max()
        .map(|(_, version, script)| (version, script))
        .ok_or_else(|| Error::Missing {
            what: "RabbitMQ".into(),
            advice: "install the package rabbitmq-server".into(),
        })
}

//! A system whose programs are RabbitMQ users with least privileges, made by the real command.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use launcher::Place;
use serde_json::Value;

use super::{Builder, Cluster};
use crate::amqp::Amqp;
use crate::environment::program;
use crate::management::Management;
use crate::servers::{Servers, percent_encoded, with_path};
use crate::stranger::Stranger;

/// Runs `taskmanager broker setup` for these groups of workers; gives what it prints.
pub(super) fn set_broker_up(place: &Place, servers: &Servers, groups: &[String], more: &[&str]) -> String {
    let server = servers
        .rabbitmq
        .as_ref()
        .expect("users belong to the whole broker: the test needs a private one");
    let administrator = place.path().join("administrator");
    fs::write(&administrator, server.password()).expect("a file can be written");
    let mut command = Command::new(program("taskmanager"));
    command
        .args(["broker", "setup", "--management-url", &server.management_url()])
        .args(["--administrator", server.user(), "--administrator-password-file"])
        .arg(&administrator)
        .args(["--virtual-host", servers.vhost(), "--passwords"])
        .arg(passwords(place))
        .args(["--amqp-url", &format!("amqp://127.0.0.1:{}", server.port())])
        .args(more);
    for group in groups {
        command.args(["--worker", group]);
    }
    let output = command.output().expect("taskmanager starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Imports what `taskmanager broker definitions` prints, and writes each user's address as an operator would.
fn import_definitions(place: &Place, servers: &Servers, groups: &[String]) {
    let server = servers.rabbitmq.as_ref();
    let server = server.expect("users belong to the whole broker: the test needs a private one");
    let mut command = Command::new(program("taskmanager"));
    command
        .args([
            "broker",
            "definitions",
            "--virtual-host",
            servers.vhost(),
            "--passwords",
        ])
        .arg(passwords(place));
    for group in groups {
        command.args(["--worker", group]);
    }
    let output = command.output().expect("taskmanager starts");
    assert!(output.status.success(), "{output:?}");
    let definitions: Value = serde_json::from_slice(&output.stdout).expect("definitions are JSON");
    let management = Management::of(server);
    let vhost = percent_encoded(servers.vhost());
    management.delete(&format!("vhosts/{vhost}"));
    management.post("definitions", &definitions);
    servers.make_vhost();
    for user in definitions["users"].as_array().into_iter().flatten() {
        let user = user["name"].as_str().expect("a user has a name");
        let password = fs::read_to_string(passwords(place).join(user)).expect("the user has a password");
        let address = format!(
            "amqp://{user}:{}@127.0.0.1:{}/{vhost}",
            password.trim_end(),
            server.port()
        );
        fs::write(address_file(place, user), address).expect("a file can be written");
    }
}

/// The folder with the users' passwords.
fn passwords(place: &Place) -> PathBuf {
    place.path().join("passwords")
}

/// The file with the whole address of a user.
pub(super) fn address_file(place: &Place, user: &str) -> PathBuf {
    passwords(place).join(format!("{user}.url"))
}

impl Builder {
    /// Coordinator and workers are users with least privileges, on a RabbitMQ of its own; workers are of the first group.
    #[must_use]
    pub fn users(mut self, groups: &[&str]) -> Self {
        self.groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.private_rabbitmq()
    }

    /// The users are not made by `taskmanager broker setup`, but imported as a definitions file into a broker that has no
    /// such virtual host yet.
    #[must_use]
    pub fn by_definitions(mut self) -> Self {
        self.by_definitions = true;
        self
    }

    /// Makes the users, and has the programs use them.
    pub(super) fn make_users(&mut self, place: &Place, servers: &Servers) {
        let Some((user, _)) = self.groups.first().and_then(|group| group.split_once('=')) else {
            return;
        };
        if self.by_definitions {
            import_definitions(place, servers, &self.groups);
        } else {
            set_broker_up(place, servers, &self.groups, &[]);
        }
        let file = |user: &str| address_file(place, user).display().to_string();
        self.worker.push(("AMQP_URL_FILE".to_owned(), file(user)));
        self.coordinator
            .push(("AMQP_URL_FILE".to_owned(), file("coordinator")));
        self.coordinator
            .push(("TASKMANAGER_WORKER_USERS".to_owned(), self.groups.join(";")));
    }
}

impl Cluster {
    /// Runs `taskmanager broker setup` once more; gives what it prints.
    pub fn set_broker_up(&self, more: &[&str]) -> String {
        set_broker_up(&self.place, &self.servers, self.builder.groups(), more)
    }

    /// Makes the virtual host anew, for the administrator.
    pub fn make_virtual_host(&self) {
        self.servers.make_vhost();
    }

    /// The management API of the private RabbitMQ.
    pub fn management(&self) -> Management {
        let server = self.servers.rabbitmq.as_ref();
        Management::of(server.expect("the test has asked for a private RabbitMQ"))
    }

    /// The virtual host, as it stands in paths of the management API.
    pub fn virtual_host(&self) -> String {
        percent_encoded(self.servers.vhost())
    }

    /// The same as people write it.
    pub fn virtual_host_name(&self) -> String {
        self.servers.vhost().to_owned()
    }

    /// The password of one of the users.
    pub fn password_of(&self, user: &str) -> String {
        fs::read_to_string(passwords(&self.place).join(user)).expect("the user has a password")
    }

    /// A connection to RabbitMQ as one of the users, for a program that submits jobs.
    pub fn amqp_as(&self, user: &str) -> Amqp {
        Amqp::connect(&self.address_of(user))
    }

    /// Somebody who has the credentials of one of the users and tries what can be done with them.
    pub fn stranger(&self, user: &str) -> Stranger {
        Stranger::connect(user, &self.address_of(user))
    }

    /// The address of one of the users, in another virtual host.
    pub fn address_elsewhere(&self, user: &str, vhost: &str) -> String {
        with_path(&self.address_of(user), vhost)
    }

    fn address_of(&self, user: &str) -> String {
        fs::read_to_string(address_file(&self.place, user)).expect("the user has an address")
    }
}

//! A system that is connected to Goobi's message broker. RabbitMQ stands for `ActiveMQ`: both speak STOMP, and RabbitMQ
//! can be asked over AMQP what is in the queues.

use std::fs;

use launcher::Place;
use serde_json::Value;

use super::{Builder, Cluster};
use crate::amqp::Message;
use crate::servers::Servers;

/// The queue that Goobi puts tickets into.
const TICKETS: &str = "goobi_external";
/// The queue that Goobi is told on.
const COMMANDS: &str = "goobi_command";

impl Builder {
    /// Takes Goobi's tickets, from a RabbitMQ of its own.
    #[must_use]
    pub fn goobi(mut self) -> Self {
        self.private.rabbitmq = true;
        self.goobi = true;
        self
    }

    pub(super) fn name_goobis_broker(&mut self, place: &Place, servers: &Servers) {
        if !self.goobi {
            return;
        }
        let server = servers
            .rabbitmq
            .as_ref()
            .expect("Goobi's broker is a private one");
        let (password, key) = (
            place.path().join("goobi-password"),
            place.path().join("secrets-key"),
        );
        fs::write(&password, format!("{}\n", server.password())).expect("a file can be written");
        fs::write(&key, [7; 32]).expect("a file can be written");
        let url = format!("stomp://127.0.0.1:{}/{}", server.stomp_port(), servers.vhost());
        for (name, value) in [
            ("TASKMANAGER_GOOBI_STOMP_URL", url),
            ("TASKMANAGER_GOOBI_STOMP_USER", server.user().to_owned()),
            (
                "TASKMANAGER_GOOBI_STOMP_PASSWORD_FILE",
                password.display().to_string(),
            ),
            ("TASKMANAGER_SECRETS_KEY_FILE", key.display().to_string()),
        ] {
            self.coordinator.push((name.to_owned(), value));
        }
    }
}

impl Cluster {
    /// Puts a ticket, or something else, into Goobi's queue; `id` is what Goobi's broker knows it by.
    pub fn give_ticket(&self, id: &str, body: impl Into<Vec<u8>>) {
        let message = Message::new(body).with(|properties| properties.with_message_id(id.into()));
        let amqp = self.amqp();
        amqp.declare_queue(TICKETS, &[]);
        amqp.publish("", TICKETS, message);
    }

    /// How many tickets wait for somebody.
    pub fn waiting_tickets(&self) -> u32 {
        self.amqp().depth(TICKETS)
    }

    /// The next thing that Goobi is told.
    pub fn told_goobi(&self) -> Value {
        let amqp = self.amqp();
        amqp.declare_queue(COMMANDS, &[]);
        serde_json::from_slice(&amqp.next(COMMANDS)).expect("Goobi understands JSON only")
    }

    /// How many things Goobi has been told that it has not read.
    pub fn unread_by_goobi(&self) -> u32 {
        let amqp = self.amqp();
        amqp.declare_queue(COMMANDS, &[]);
        amqp.depth(COMMANDS)
    }
}

//! What an administrator can do with a private RabbitMQ beside AMQP: its management API.

use launcher::RabbitMq;
use serde_json::Value;

use crate::servers::percent_encoded;

/// The management API of a private RabbitMQ.
#[derive(Debug)]
pub struct Management {
    base: String,
    agent: ureq::Agent,
}

impl Management {
    pub(crate) fn of(server: &RabbitMq) -> Self {
        Self {
            // The client sends the name and password that stand in the address.
            base: server.management_url_with_login(),
            agent: ureq::Agent::config_builder().proxy(None).build().into(),
        }
    }

    /// The document at a path beneath `/api`.
    pub fn get(&self, path: &str) -> Value {
        let body = self.send("GET", path, String::new());
        serde_json::from_str(&body).expect("the management API answers with JSON")
    }

    /// Puts a document at a path beneath `/api`.
    pub fn put(&self, path: &str, document: &Value) {
        self.send("PUT", path, document.to_string());
    }

    /// Posts a document to a path beneath `/api`.
    pub fn post(&self, path: &str, document: &Value) {
        self.send("POST", path, document.to_string());
    }

    /// Deletes what is at a path beneath `/api`.
    pub fn delete(&self, path: &str) {
        self.send("DELETE", path, String::new());
    }

    /// Closes all connections of a user. The broker knows them from the moment they are made, while the list of all
    /// connections is seconds behind.
    pub fn close_connections_of(&self, user: &str) {
        self.delete(&format!("connections/username/{}", percent_encoded(user)));
    }

    fn send(&self, method: &str, path: &str, body: String) -> String {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/api/{path}", self.base))
            .header("Content-Type", "application/json")
            .body(body)
            .expect("a request can be made");
        let mut response = self
            .agent
            .run(request)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        response
            .body_mut()
            .read_to_string()
            .expect("an answer can be read")
    }
}

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

    /// Deletes what is at a path beneath `/api`.
    pub fn delete(&self, path: &str) {
        self.send("DELETE", path, String::new());
    }

    /// Closes all connections, whoever has them.
    pub fn close_connections(&self) {
        let connections = self.get("connections");
        let names = connections.as_array().into_iter().flatten();
        for name in names.filter_map(|connection| connection["name"].as_str()) {
            self.delete(&format!("connections/{}", percent_encoded(name)));
        }
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

//! Object storage of one test's own: a server that speaks S3, behind a network that can fail, and what a reader finds there.

use std::process::Command;

use launcher::{Mode, Place, Process, Proxy};
use serde_json::Value;

use crate::environment::python_tool;
use crate::eventually::LIMIT;

/// The bucket.
const BUCKET: &str = "scans";

/// The server looks whether a request is signed, and not by whom.
const SIGNED: &str = "AWS goobi:signature";

/// A running server. What it holds is gone with it.
#[derive(Debug)]
pub struct ObjectStorage {
    /// Ended with the test.
    _server: Process,
    port: u16,
    network: Proxy,
    agent: ureq::Agent,
}

impl ObjectStorage {
    /// The root that jobs may use.
    pub const ROOT: &str = "s3://scans/goobi";

    /// Starts the server with an empty bucket.
    pub(crate) fn start(place: &Place) -> Self {
        let port = launcher::free_port().expect("a free port");
        let mut command = Command::new(python_tool("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let mut server = Process::start(place, "object-storage", &command).expect("moto_server starts");
        let answers = || launcher::http::get(port, "/moto-api/").is_ok_and(|answer| answer.status == 200);
        server.wait_until(LIMIT, answers).expect("moto_server answers");
        let storage = Self {
            _server: server,
            port,
            network: Proxy::before(port).expect("a fault proxy"),
            agent: ureq::Agent::config_builder().proxy(None).build().into(),
        };
        let made = storage
            .agent
            .put(format!("http://127.0.0.1:{port}/{BUCKET}"))
            .send("");
        made.expect("the bucket can be made");
        storage
    }

    /// Where workers reach it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.network.port())
    }

    /// What the network between workers and it does.
    pub fn network(&self, mode: Mode) {
        self.network.set(mode);
    }

    /// Puts an object beneath the root.
    pub fn put(&self, key: &str, content: &[u8]) {
        let put = self.agent.put(self.address(key)).send(content);
        put.unwrap_or_else(|error| panic!("{key} can't be put: {error}"));
    }

    /// An object beneath the root, as text.
    pub fn text(&self, key: &str) -> Option<String> {
        match self
            .agent
            .get(self.address(key))
            .header("Authorization", SIGNED)
            .call()
        {
            Ok(mut found) => Some(found.body_mut().read_to_string().expect("it is text")),
            Err(ureq::Error::StatusCode(404)) => None,
            Err(error) => panic!("{key} can't be read: {error}"),
        }
    }

    /// What the pointer in a target says.
    pub fn pointer(&self, target: &str) -> Option<Value> {
        let text = self.text(&format!("{target}/current.json"))?;
        Some(serde_json::from_str(&text).expect("a pointer is JSON"))
    }

    /// The keys of all objects, from the root on, in order.
    pub fn keys(&self) -> Vec<String> {
        let listed = format!(
            "http://127.0.0.1:{}/{BUCKET}?list-type=2&prefix=goobi/",
            self.port
        );
        let mut answer = self
            .agent
            .get(listed)
            .header("Authorization", SIGNED)
            .call()
            .expect("a list");
        let text = answer.body_mut().read_to_string().expect("a list is text");
        let keys = text.split("<Key>goobi/").skip(1);
        let keys = keys.map(|rest| rest.split("</Key>").next().unwrap_or_default().to_owned());
        let mut keys: Vec<String> = keys.collect();
        keys.sort();
        keys
    }

    fn address(&self, key: &str) -> String {
        format!("http://127.0.0.1:{}/{BUCKET}/goobi/{key}", self.port)
    }
}

//! A private RabbitMQ node with its own epmd.
//!
//! Everything listens on 127.0.0.1 only, the Erlang distribution and epmd included, on ports that stay the same as long
//! as the value lives.
//! Fault operations (kill -9, freeze) hit the node; epmd is a name server that a broken node would not take with it.
//! The management plugin is on: tests make a virtual host each through its HTTP API.
//! So is STOMP, which brokers speak that take no AMQP.

mod node;

use std::path::Path;
use std::time::Duration;

use crate::process::Process;
use crate::{Error, Place, http};
use node::Node;

/// How long a start may take: 6 to 8 s on an idle machine, several times that when two cores compile meanwhile.
const START_LIMIT: Duration = Duration::from_mins(2);

/// How long an orderly stop may take before the node is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A running private broker. Dropping it ends it; the data stays where the place keeps it.
#[derive(Debug)]
pub struct RabbitMq {
    place: Place,
    node: Node,
    /// Declared before epmd: the node ends first.
    process: Process,
    epmd: Process,
}

impl RabbitMq {
    /// Starts the place's broker and waits until it takes connections and its management API answers.
    ///
    /// # Errors
    /// [`Error::Missing`] when RabbitMQ is not installed; else what kept it from starting.
    pub fn start(place: &Place) -> Result<Self, Error> {
        let node = Node::prepare(place)?;
        let mut epmd = node.launch_epmd(place, false)?;
        epmd.wait_until(START_LIMIT, || node.epmd_answers())?;
        let mut process = node.launch(place, false)?;
        process.wait_until(START_LIMIT, || node.answers())?;
        Ok(Self {
            place: place.clone(),
            node,
            process,
            epmd,
        })
    }

    /// Whether it is installed.
    pub fn is_installed() -> bool {
        node::installed().is_ok()
    }

    /// The address of a virtual host, with name and password; `/` always exists.
    pub fn url(&self, vhost: &str) -> String {
        let Node {
            user, password, port, ..
        } = &self.node;
        format!(
            "amqp://{user}:{password}@127.0.0.1:{port}/{}",
            percent_encoded(vhost)
        )
    }

    /// The address of the management API, without a path and without credentials.
    pub fn management_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.node.management_port)
    }

    /// The address of the management API with name and password in it, for settings that have room for one text only.
    pub fn management_url_with_login(&self) -> String {
        let Node {
            user,
            password,
            management_port,
            ..
        } = &self.node;
        format!("http://{user}:{password}@127.0.0.1:{management_port}")
    }

    /// The name of the administrator.
    pub fn user(&self) -> &str {
        &self.node.user
    }

    /// The administrator's password.
    pub fn password(&self) -> &str {
        &self.node.password
    }

    /// The AMQP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.node.port
    }

    /// The STOMP port on 127.0.0.1.
    pub fn stomp_port(&self) -> u16 {
        self.node.stomp_port
    }

    /// Every port that it listens on: AMQP, STOMP, management, Erlang distribution, epmd.
    pub fn ports(&self) -> [u16; 5] {
        [
            self.node.port,
            self.node.stomp_port,
            self.node.management_port,
            self.node.distribution_port,
            self.node.epmd_port,
        ]
    }

    /// The broker's version, such as `3.10.8`.
    pub fn version(&self) -> &str {
        &self.node.version
    }

    /// The node's log.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }

    /// The process id of the node.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Whether the node runs.
    pub fn alive(&mut self) -> bool {
        self.process.alive()
    }

    /// Asks the management API (`GET`), as the administrator.
    ///
    /// # Errors
    /// [`Error::Control`] when it does not answer.
    pub fn management(&self, path: &str) -> Result<http::Answer, Error> {
        http::get_as(
            self.node.management_port,
            path,
            &self.node.user,
            &self.node.password,
        )
        .map_err(|source| Error::Control {
            name: "RabbitMQ's management API".into(),
            action: "ask",
            source,
        })
    }

    /// Makes an empty virtual host that the administrator may use; nothing happens where it exists.
    ///
    /// # Errors
    /// [`Error::Control`] when the management API does not answer or refuses it.
    pub fn create_vhost(&self, vhost: &str) -> Result<(), Error> {
        let path = format!("/api/vhosts/{}", percent_encoded(vhost));
        let refused = |source| Error::Control {
            name: format!("virtual host {vhost}"),
            action: "create",
            source,
        };
        match http::put_as(
            self.node.management_port,
            &path,
            &self.node.user,
            &self.node.password,
        ) {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(refused(std::io::Error::other(format!(
                "{}: {}",
                answer.status, answer.body
            )))),
            Err(source) => Err(refused(source)),
        }
    }

    /// Makes sure that the node runs.
    ///
    /// # Errors
    /// [`Error::Died`] with the end of its log when it has ended.
    pub fn expect_running(&mut self) -> Result<(), Error> {
        self.process.expect_running()
    }

    /// SIGKILL to the node and its helpers at once.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when one hangs in the kernel.
    pub fn kill9(&mut self) -> Result<(), Error> {
        self.process.kill9()
    }

    /// Stops the node where it is: connections stay open, nothing answers, heartbeats fail.
    ///
    /// # Errors
    /// [`Error::NotRunning`] when there is none.
    pub fn freeze(&mut self) -> Result<(), Error> {
        self.process.freeze()
    }

    /// Lets it go on after [`RabbitMq::freeze`].
    ///
    /// # Errors
    /// [`Error::File`] when the ledger can't be written.
    pub fn thaw(&mut self) -> Result<(), Error> {
        self.process.thaw()
    }

    /// Makes it believe that memory is short: it then blocks every connection that publishes.
    ///
    /// # Errors
    /// [`Error::Failed`] when the node refuses, or is not there.
    pub fn raise_memory_alarm(&self) -> Result<(), Error> {
        // No node needs less than a byte in a million of the machine's memory.
        self.node.set_memory_watermark("0.000001")
    }

    /// Ends what [`RabbitMq::raise_memory_alarm`] began.
    ///
    /// # Errors
    /// As for [`RabbitMq::raise_memory_alarm`].
    pub fn end_memory_alarm(&self) -> Result<(), Error> {
        self.node.set_memory_watermark(node::MEMORY_WATERMARK)
    }

    /// How many messages of a queue wait, and how many are taken and not acknowledged, by the queue's own word: what
    /// the management API says is seconds old.
    ///
    /// # Errors
    /// As for [`RabbitMq::raise_memory_alarm`], and [`Error::Control`] where there is no such queue.
    pub fn messages_in(&self, vhost: &str, queue: &str) -> Result<(u32, u32), Error> {
        let listed = self.node.control(&[
            "list_queues",
            "--quiet",
            "--no-table-headers",
            "--vhost",
            vhost,
            "name",
            "messages_ready",
            "messages_unacknowledged",
        ])?;
        let counts = listed.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(queue)).then_some(())?;
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
        });
        counts.ok_or_else(|| Error::Control {
            name: format!("queue {queue}"),
            action: "count",
            source: std::io::Error::other(listed),
        })
    }

    /// Ends the node as an administrator would (SIGTERM); epmd stays for the next start.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when it had to be killed.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.process.terminate(STOP_LIMIT).map(drop)
    }

    /// Starts it again on the same ports, after stopping it where it runs.
    ///
    /// # Errors
    /// As for [`RabbitMq::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        if self.process.alive() {
            self.stop()?;
        }
        if !self.epmd.alive() {
            self.epmd = self.node.launch_epmd(&self.place, true)?;
            self.epmd.wait_until(START_LIMIT, || self.node.epmd_answers())?;
        }
        self.process = self.node.launch(&self.place, true)?;
        self.process.wait_until(START_LIMIT, || self.node.answers())
    }

    /// Kills it and deletes everything that it stored: queues, messages, virtual hosts, users.
    /// [`RabbitMq::restart`] starts it again, empty, with the same administrator.
    ///
    /// # Errors
    /// [`Error::File`] when the data can't be removed.
    pub fn wipe(&mut self) -> Result<(), Error> {
        self.process.kill9()?;
        self.node.remove_data()
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        if self.place.keeps_data() {
            // Where stopping fails the node is killed; it recovers at the next start.
            let _ = self.stop();
        }
    }
}

/// A virtual host's name as one segment of a URL's path.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests;

//! One message to Goobi, and whether its broker has taken it.

use std::sync::Arc;

use shared::error::Chain;
use shared::message::goobi::Command;
use shared::message::submit::Token;

use super::config::Broker;
use super::connection::{Connection, Unconfirmed};
use super::frame::Frame;
use crate::deliveries::Answer;

/// Tells Goobi, each time over a connection of its own: there are few messages, and none is to wait for another.
#[derive(Debug, Clone)]
pub struct Goobi {
    broker: Arc<Broker>,
}

impl Goobi {
    /// The Goobi behind this broker.
    pub fn new(broker: Broker) -> Self {
        Self {
            broker: Arc::new(broker),
        }
    }

    /// Puts a command into Goobi's queue; gives what came back, and that in words.
    pub async fn tell(&self, command: &Command, jwt: Option<&Token>) -> (Answer, String) {
        let jwt = jwt.map(|token| token.secret.as_str()).unwrap_or_default();
        let body = match command.signed(jwt) {
            Ok(body) => body,
            Err(problem) => return (Answer::Impossible, problem),
        };
        let (answer, said) = self.send(body).await;
        let said = if jwt.is_empty() {
            said
        } else {
            said.replace(jwt, "(secret)")
        };
        (answer, said)
    }

    async fn send(&self, body: Vec<u8>) -> (Answer, String) {
        let mut connection = match Connection::open(&self.broker).await {
            Ok(connection) => connection,
            Err(error) => return (Answer::NotSent, Chain(&error).to_string()),
        };
        let destination = format!("/queue/{}", self.broker.commands);
        let mut frame = Frame::new("SEND", &[("destination", &destination), ("persistent", "true")]);
        frame.body = body;
        let answer = match connection.confirmed(frame).await {
            Ok(()) => (Answer::Taken, "the broker has taken it".to_owned()),
            Err(error @ Unconfirmed::Not(_)) => (Answer::NotSent, Chain(&error).to_string()),
            Err(error @ Unconfirmed::Perhaps(_)) => (Answer::Silence, Chain(&error).to_string()),
        };
        // A polite end; that nobody hears it changes nothing.
        let _ended = connection.send(&Frame::new("DISCONNECT", &[])).await;
        answer
    }
}

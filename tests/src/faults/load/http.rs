//! Submits over HTTP, to one coordinator after the other.

use serde_json::Value;
use shared::message::decode;
use shared::message::submit::SubmitReply;

use super::{Answer, PATIENCE, Submitter};
use crate::api::Api;

/// A submitter that knows all coordinators.
pub(super) struct Client {
    apis: Vec<Api>,
    turn: usize,
}

impl Client {
    pub(super) fn new(ports: Vec<u16>) -> Self {
        Self {
            apis: ports
                .into_iter()
                .map(|port| Api::within(port, PATIENCE))
                .collect(),
            turn: 0,
        }
    }
}

impl Submitter for Client {
    fn submit(&mut self, body: &Value) -> Result<Answer, String> {
        self.turn = (self.turn + 1) % self.apis.len();
        let answer = self.apis[self.turn].post_job(body.to_string().as_bytes())?;
        match answer.status {
            200 | 201 => {
                let reply: SubmitReply = decode(answer.body.as_bytes()).map_err(|error| error.to_string())?;
                Ok(reply.into())
            }
            422 => Ok(Answer::Refused(answer.body)),
            other => Err(format!("{other}: {}", answer.body)),
        }
    }
}

//! Programs that come in as somebody.

use super::who::token;
use super::*;
use crate::control::Actor;

/// What a program sends that comes in as this actor.
pub(super) async fn bearer_of(app: &App, actor: &Actor) -> String {
    let token = token(app, actor.role, actor.plugins.clone()).await;
    format!("Bearer {}", token.reveal())
}

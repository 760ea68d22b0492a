//! The stream that tells open pages that jobs have changed. It says *that*, never *what*: a page asks for
//! itself again, so every reader sees only what it may see and nothing has to be kept for slow ones.
//!
//! Invariants: at most one event a second to each reader; the stream ends as soon as the process is asked to.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt as _};
use shared::error::Chain;
use tokio::sync::watch;

use super::App;
use crate::db::Db;
use crate::db::pages::ReadPageSettings;

/// Least time between two events.
const INTERVAL: Duration = Duration::from_secs(1);

/// `GET /events`
pub(super) async fn stream(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = changes(app.changes.subscribe());
    let events = stream::once(pace(app.db))
        .filter_map(future::ready)
        .chain(changes)
        .take_until(app.stop.cancelled_owned());
    Sse::new(events).keep_alive(KeepAlive::new())
}

/// How often at most the page shall bring itself up to date, seconds. A page that is not told does so each second; one
/// that is open learns of another pace when it connects the next time.
async fn pace(db: Db) -> Option<Result<Event, Infallible>> {
    match db.run(&ReadPageSettings).await {
        Ok(pages) => Some(Ok(Event::default()
            .event("pace")
            .data(pages.refresh_seconds.to_string()))),
        Err(error) => {
            tracing::debug!("a page is not told how often to update itself: {}", Chain(&error));
            None
        }
    }
}

/// An event for each change after the call; those within a second become one.
fn changes(changes: watch::Receiver<u64>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((changes, false), |(mut changes, pause)| async move {
        if pause {
            tokio::time::sleep(INTERVAL).await;
        }
        // An error means that nobody can tell of changes any more.
        changes.changed().await.ok()?;
        Some((Ok(Event::default().event("change").data("jobs")), (changes, true)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_changes_within_a_second_are_one_event() {
        let (sender, receiver) = watch::channel(0);
        let mut events = std::pin::pin!(changes(receiver));
        let began = tokio::time::Instant::now();
        sender.send_modify(|number| *number += 1);
        assert!(events.next().await.is_some());
        for _ in 0..1000 {
            sender.send_modify(|number| *number += 1);
        }
        assert!(events.next().await.is_some());
        assert_eq!(began.elapsed(), INTERVAL);
        let third = tokio::time::timeout(Duration::from_mins(1), events.next()).await;
        assert!(third.is_err(), "an event without a change");
    }

    #[tokio::test]
    async fn the_stream_ends_when_nobody_can_tell_of_changes() {
        let (sender, receiver) = watch::channel(0);
        drop(sender);
        assert!(std::pin::pin!(changes(receiver)).next().await.is_none());
    }
}

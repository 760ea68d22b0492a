//! Requests under way while the database is slow.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::control::{Actor, JobAction};
use crate::db::control::ActOnJobs;
use crate::db::pages::sample::{Sample, id};
use crate::deliveries::Allowed;
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, Statements};

/// Sessions that wait for a lock, as `transaction statement`.
const WAITING: &str = "SELECT xact_start || ' ' || split_part(query, E'\\n', 1) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY xact_start";

#[tokio::test]
async fn an_answer_is_heard_while_the_table_can_not_be_looked_at() {
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = receiver.local_addr().unwrap();
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let callback = format!("UPDATE job_details SET callback_url = 'http://{address}/done'");
    database.execute(&callback).await;
    let db = database.db();
    db.run(&ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("a")],
        action: &JobAction::Cancel,
    })
    .await
    .unwrap();
    let allowed = Allowed::new(vec![address.to_string().parse().unwrap()]);
    let sender = Sender {
        db: database.db(),
        changes: Changes::default(),
        post: Post::new(allowed, Duration::from_secs(20)).unwrap(),
        goobi: None,
        secrets: Arc::default(),
        patience: Patience {
            first_pause: Duration::from_secs(10),
            give_up_after: Duration::from_hours(1),
        },
    };
    let stop = CancellationToken::new();
    // Both statements wait for it: the one that takes, and the one that records.
    let locked = Statements("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE");
    let locked = Meets::new(&locked, "");
    let seen = async {
        let (mut connection, _) = receiver.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(connection.read(&mut request).await.unwrap() > 0);
        let meets = async {
            locked.reached.notified().await;
            let take = loop {
                if let Some(first) = database.texts(WAITING).await.pop() {
                    break first;
                }
            };
            connection
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
            let both = loop {
                let waiting = database.texts(WAITING).await;
                if waiting.len() == 2 || !waiting.contains(&take) {
                    break waiting;
                }
            };
            locked.go_on.notify_one();
            (take, both)
        };
        let (locked, seen) = tokio::join!(db.run(&locked), meets);
        locked.unwrap();
        stop.cancel();
        seen
    };
    let ((), (take, both)) = tokio::join!(sender.run(stop.clone()), seen);
    assert!(take.contains("deliveries.unclear"), "{take}");
    assert_eq!(
        both.first(),
        Some(&take),
        "it was given up before the answer was heard"
    );
    assert!(both[1].contains("deliveries."), "{both:?}");
}

//! What the dispatcher picks, and in which order.

use super::{Dispatch, Mark, Pick};
use crate::db::Db;
use crate::db::control::Age;
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;

async fn database(sample: &Sample) -> (TestDatabase, Db) {
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

/// Picks, and publishes what was picked; gives the titles of these, with the priorities of their messages.
async fn publish<'a>(db: &Db, titles: &[&'a str], window: i64) -> Vec<(&'a str, i64)> {
    let picked = db.run(&Pick { window }).await.unwrap();
    let published: Vec<Dispatch> = picked.iter().map(|(dispatch, _)| dispatch.clone()).collect();
    let mark = Mark {
        published: &published,
        failed: &[],
    };
    db.run(&mark).await.unwrap();
    let title = |dispatch: &Dispatch| titles.iter().find(|title| id(title) == dispatch.job_id);
    picked
        .iter()
        .map(|(dispatch, priority)| (*title(dispatch).unwrap(), i64::from(*priority)))
        .collect()
}

#[tokio::test]
async fn no_more_are_published_of_each_level_than_its_window_holds_the_highest_first() {
    let titles = ["a1", "a2", "a3", "b1", "b2", "b3", "c1"];
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    for title in &titles[..3] {
        sample.waiting("OCR", title, 2);
    }
    for title in &titles[3..6] {
        sample.waiting("OCR", title, 8);
    }
    sample.waiting("OCR", "c1", 5);
    let (database, db) = database(&sample).await;
    let first = [("b1", 8), ("b2", 8), ("c1", 5), ("a1", 2), ("a2", 2)];
    assert_eq!(publish(&db, &titles, 2).await, first);
    assert_eq!(publish(&db, &titles, 2).await, [], "each level's window is full");
    // A job of the level is claimed: one more has room there, and there alone.
    database
        .execute(
            "UPDATE jobs SET state = 'STARTED', attempt = 1, claim_attempt = 1, claim_id = gen_random_uuid()
             WHERE title = 'a2'",
        )
        .await;
    assert_eq!(publish(&db, &titles, 2).await, [("a3", 2)]);
    // A message that a raised number has made stale takes no room: its job is published anew.
    database
        .execute("UPDATE jobs SET dispatch = dispatch + 1 WHERE title = 'b1'")
        .await;
    assert_eq!(publish(&db, &titles, 2).await, [("b1", 8)]);
    assert_eq!(publish(&db, &titles, 3).await, [("b3", 8)], "a wider window");
}

#[tokio::test]
async fn a_window_is_each_plugins_own() {
    let titles = ["o1", "o2", "s1", "s2"];
    let mut sample = Sample::default();
    sample.plugin("OCR").plugin("SHELL");
    for title in titles {
        let plugin = if title.starts_with('o') { "OCR" } else { "SHELL" };
        sample.waiting(plugin, title, 5);
    }
    let (_database, db) = database(&sample).await;
    assert_eq!(publish(&db, &titles, 1).await, [("o1", 5), ("s1", 5)]);
    assert_eq!(publish(&db, &titles, 1).await, []);
}

#[tokio::test]
async fn who_has_waited_long_enough_is_published_before_newer_jobs_of_a_higher_priority() {
    let titles = ["patient", "waits", "new", "newest"];
    let mut sample = Sample::default();
    sample
        .plugin("OCR")
        .waiting("OCR", "waits", 1)
        .waiting("OCR", "patient", 2);
    let (database, db) = database(&sample).await;
    database.execute("UPDATE plugins SET ageing_minutes = 10").await;
    let lower_first = [("patient", 2), ("waits", 1)];
    assert_eq!(publish(&db, &titles, 9).await, lower_first);
    database.advance("51 minutes").await;
    let mut newer = Sample::default();
    newer.waiting("OCR", "new", 6).waiting("OCR", "newest", 8);
    database.execute(&newer.sql()).await;
    assert_eq!(db.run(&Age).await.unwrap(), 2);
    // Those that have waited are published anew: their messages of before are refused.
    assert_eq!(
        publish(&db, &titles, 9).await,
        [("newest", 8), ("patient", 7), ("waits", 6), ("new", 6)]
    );
}

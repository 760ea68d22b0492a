//! Moves compared with the same moves of a plain list.

use proptest::prelude::*;
use shared::job::JobId;
use shared::job::decide::Place;

use crate::control::{Actor, JobAction};
use crate::db::Db;
use crate::db::control::{ActOnJobs, JobOutcome, WhyNot};
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, meet};

/// Waiting jobs of one priority each; their titles are their names.
const LINES: [(i32, &[&str]); 2] = [(5, &["a", "b", "c", "d", "e", "f"]), (7, &["x", "y", "z"])];

async fn database() -> (TestDatabase, Db) {
    let mut sample = Sample::default();
    sample.plugin("OCR");
    for (priority, titles) in LINES {
        for title in titles {
            sample.waiting("OCR", title, priority);
        }
    }
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    (database, db)
}

fn move_jobs<'a>(actor: &'a Actor, ids: &'a [JobId], action: &'a JobAction) -> ActOnJobs<'a> {
    ActOnJobs { actor, ids, action }
}

/// The lines as they are, each as one word.
async fn lines(database: &TestDatabase) -> Vec<String> {
    database
        .texts(
            "SELECT string_agg(title, '' ORDER BY position, id) FROM jobs GROUP BY effective_priority
             ORDER BY effective_priority",
        )
        .await
}

/// A plain list, and a move of each job by itself.
fn in_a_list(line: &str, named: &str, to: Place) -> String {
    let mut line: Vec<char> = line.chars().collect();
    let mut jobs: Vec<char> = line.iter().copied().filter(|job| named.contains(*job)).collect();
    // The foremost first where they go forward one by one, the last first where they go to the top.
    if matches!(to, Place::Down | Place::Top) {
        jobs.reverse();
    }
    for job in jobs {
        let place = line.iter().position(|other| *other == job).unwrap();
        let free = |place: Option<usize>| place.filter(|p| line.get(*p).is_some_and(|o| !named.contains(*o)));
        let goal = match to {
            Place::Up => free(place.checked_sub(1)),
            Place::Down => free(Some(place + 1)),
            Place::Top => Some(0),
            Place::Bottom => Some(line.len() - 1),
        };
        if let Some(goal) = goal {
            line.remove(place);
            line.insert(goal, job);
        }
    }
    line.into_iter().collect()
}

fn any_move() -> impl Strategy<Value = (String, Place)> {
    let titles: Vec<&str> = LINES
        .iter()
        .flat_map(|(_, titles)| titles.iter().copied())
        .collect();
    let some = prop::sample::subsequence(titles, 1..=9).prop_shuffle();
    let to = prop_oneof![
        Just(Place::Up),
        Just(Place::Down),
        Just(Place::Top),
        Just(Place::Bottom)
    ];
    (some.prop_map(|titles| titles.concat()), to)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn jobs_that_are_moved_together_stand_as_in_a_list(moves in prop::collection::vec(any_move(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (database, db) = database().await;
            let mut expected: Vec<String> = LINES.iter().map(|(_, titles)| titles.concat()).collect();
            for (named, to) in moves {
                let before = expected.clone();
                for line in &mut expected {
                    *line = in_a_list(line, &named, to);
                }
                let ids: Vec<JobId> = named.chars().map(|title| id(&title.to_string())).collect();
                let actor = Actor::on_this_machine();
                let done = db.run(&move_jobs(&actor, &ids, &JobAction::Move { to })).await.unwrap();
                assert_eq!(lines(&database).await, expected, "{named} {to:?} in {before:?}");
                let changed = done.outcomes.iter().any(|(_, outcome)| *outcome == JobOutcome::Done);
                assert_eq!(changed, before != expected, "{named} {to:?} in {before:?}: {:?}", done.outcomes);
            }
        });
    }
}

#[tokio::test]
async fn of_two_people_who_move_at_once_the_second_begins_from_what_the_first_has_left() {
    let (database, db) = database().await;
    let actor = Actor::on_this_machine();
    let up = JobAction::Move { to: Place::Up };
    let (c, d) = ([id("c")], [id("d")]);
    let first = move_jobs(&actor, &c, &up);
    meet(
        &database,
        &db,
        &Meets::new(&first, ""),
        &move_jobs(&actor, &d, &up),
    )
    .await;
    assert_eq!(lines(&database).await, ["acdbef", "xyz"]);
}

#[tokio::test]
async fn a_running_job_has_no_place_and_a_job_that_comes_back_keeps_its_own() {
    let (database, db) = database().await;
    let runs = "UPDATE jobs SET state = 'PROCESSING', claim_attempt = 1, claim_id = gen_random_uuid() WHERE title = 'b'";
    database.execute(runs).await;
    let actor = Actor::on_this_machine();
    let ids = [id("b"), id("c")];
    let done = db
        .run(&move_jobs(&actor, &ids, &JobAction::Move { to: Place::Up }))
        .await
        .unwrap();
    let outcome = |wanted| done.outcomes.iter().find(|(id, _)| *id == wanted).unwrap().1;
    let running = JobOutcome::Refused { why: WhyNot::Running };
    assert_eq!((outcome(ids[0]), outcome(ids[1])), (running, JobOutcome::Done));
    database
        .execute("UPDATE jobs SET state = 'QUEUED' WHERE title = 'b'")
        .await;
    assert_eq!(
        lines(&database).await,
        ["cbadef", "xyz"],
        "c has passed a, and b stands where it stood"
    );
}

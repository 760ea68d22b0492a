//! What changes while the order is reckoned.

use shared::job::Priority;

use super::*;
use crate::control::{Actor, JobAction, PluginAction, Settings};
use crate::db::control::{ActOnJobs, ActOnPlugins};
use crate::db::pages::sample::{Sample, id};
use crate::testing::TestDatabase;
use crate::testing::meeting::{Meets, meet};

#[tokio::test]
async fn a_priority_that_a_person_gives_while_waiting_is_reckoned_is_not_raised_by_what_was_before() {
    let mut sample = Sample::default();
    sample.plugin("OCR").waiting("OCR", "a", 5);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    let db = database.db();
    let ageing = Settings {
        ageing_minutes: Some(Some(10)),
        ..Settings::default()
    };
    db.run(&ActOnPlugins {
        actor: &Actor::on_this_machine(),
        plugin: Some("OCR"),
        action: &PluginAction::Configure(ageing),
    })
    .await
    .unwrap();
    database.advance("35 minutes").await;
    let lower = ActOnJobs {
        actor: &Actor::on_this_machine(),
        ids: &[id("a")],
        action: &JobAction::SetPriority {
            priority: Priority::try_from(2).unwrap(),
        },
    };
    let (_, aged) = meet(&database, &db, &Meets::new(&lower, ""), &Age).await;
    assert_eq!(aged, 0);
    let row = "SELECT effective_priority || ' ' || dispatch FROM jobs";
    assert_eq!(
        database.texts(row).await,
        ["2 2"],
        "the person's message is replaced once"
    );
}

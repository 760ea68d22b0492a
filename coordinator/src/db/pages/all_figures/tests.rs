//! The figures of all plugins are those that the lists show one by one.

use super::*;
use crate::db::pages::sample::Sample;
use crate::db::pages::{Dashboard, ListJobs};
use crate::testing::TestDatabase;

#[tokio::test]
async fn the_figures_of_all_plugins_are_those_that_each_list_shows() {
    let mut sample = Sample::default();
    sample
        .plugin("JP2")
        .plugin("NOOP")
        .plugin("OCR")
        .running("OCR", "runs", 5)
        .running("JP2", "runs too", 5)
        .waiting("OCR", "waits", 5)
        .waiting("OCR", "waits too", 5)
        .ended("OCR", "done", "DONE", 1)
        .ended("OCR", "done too", "DONE", 1)
        .ended("JP2", "done there", "DONE", 1)
        .ended("OCR", "failed", "ERROR", 1)
        .ended("JP2", "cancelled", "CANCELLED", 1);
    let database = TestDatabase::create().await;
    database.execute(&sample.sql()).await;
    database
        .execute(
            "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
             SELECT (tm_now() AT TIME ZONE 'UTC')::date - ago, plugin, '', outcome, jobs, jobs * 10, 1, 1
             FROM (VALUES (0, 'OCR', 'done', 3), (0, 'OCR', 'error', 2), (0, 'OCR', 'cancelled', 1),
                          (0, 'JP2', 'done', 4), (1, 'OCR', 'done', 100)) AS s (ago, plugin, outcome, jobs)",
        )
        .await;
    let db = database.db();
    let mut figures = db.run(&ReadFigures).await.unwrap();
    let names: Vec<&str> = figures.of_plugins.keys().map(String::as_str).collect();
    assert_eq!(names, ["JP2", "NOOP", "OCR"]);
    for plugin in [None, Some("JP2"), Some("NOOP"), Some("OCR")] {
        let own = match plugin {
            None => &mut figures.all,
            Some(name) => figures.of_plugins.get_mut(name).unwrap(),
        };
        for tab in Tab::ALL {
            let list = ListJobs {
                tab,
                plugin: plugin.map(str::to_owned),
                limit: 1,
                after: None,
            };
            let shown = db.run(&Dashboard { list }).await.unwrap();
            assert_eq!(Some(*own.of(tab)), shown.sums, "{tab:?} of {plugin:?}");
            assert_eq!(own.today, shown.today, "{plugin:?}");
        }
    }
    let ocr = figures.of_plugins["OCR"];
    let jobs = [ocr.queue.jobs, ocr.done.jobs, ocr.error.jobs];
    assert_eq!(jobs, [3, 2, 1], "each list has jobs");
    assert_eq!([ocr.queue.files, ocr.queue.pages], [4, 2]);
    let today = Today {
        done: 7,
        failed: 2,
        items: 100,
    };
    assert_eq!(figures.all.today, today);
}

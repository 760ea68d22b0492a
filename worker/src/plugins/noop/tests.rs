use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use shared::job::decide::ErrorClass;
use shared::job::{ClaimId, JobId, Token};
use shared::message::reply::Grant;
use shared::message::worker::AttemptReport;

use super::*;
use crate::progress::Progress;

fn context(folder: &Path, job_id: JobId, parameters: &Value, done_items: Vec<DoneItem>) -> Context {
    let claim_id = ClaimId::generate();
    let target = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    Context {
        grant: Grant {
            job_id,
            store: None,
            plugin: "NOOP".parse().unwrap(),
            attempt: 1,
            claim_id,
            lease_seconds: 60,
            run_budget_seconds: 60,
            disconnect_limit_seconds: None,
            title: "test".to_owned(),
            source: None,
            target: Some(folder.display().to_string()),
            ask_for_transfer: false,
            parameters: parameters.as_object().unwrap().clone(),
            template: None,
            done_items,
            manifest: None,
        },
        stop: CancellationToken::new(),
        pause: CancellationToken::new(),
        progress: Progress::new(Arc::default()),
        scratch: folder.to_owned(),
        source: None,
        store: Some(ItemStore::open(target, job_id, claim_id)),
    }
}

fn report(context: &Context) -> AttemptReport {
    context.progress.report(
        context.grant.job_id,
        Token {
            attempt: 1,
            claim_id: context.grant.claim_id,
        },
    )
}

#[tokio::test]
async fn a_later_attempt_keeps_the_items_whose_files_are_there() {
    let (folder, job_id) = (tempfile::tempdir().unwrap(), JobId::generate());
    let parameters = json!({"items": 3, "write": true});
    let first = context(folder.path(), job_id, &parameters, Vec::new());
    let finished = Noop::new(1).run(&first).await.unwrap();
    assert_eq!((finished.files.len(), report(&first).items_done), (3, 3));
    let items: Vec<DoneItem> = report(&first)
        .items
        .into_iter()
        .map(|item| DoneItem {
            name: item.name,
            files: item.files,
        })
        .collect();
    let store = folder.path().join(format!(".taskmanager-{job_id}/noop"));
    std::fs::write(store.join("00000002.txt"), "spoilt").unwrap();
    let second = context(folder.path(), job_id, &parameters, items);
    let again = Noop::new(1).run(&second).await.unwrap();
    assert_eq!(again.files, finished.files);
    let names: Vec<String> = report(&second).items.into_iter().map(|item| item.name).collect();
    assert_eq!(names, ["00000002"], "only the spoilt one was done again");
    assert_eq!((report(&second).items_done, report(&second).items_total), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn it_stops_between_its_items() {
    let folder = tempfile::tempdir().unwrap();
    let parameters = json!({"items": 1000, "item_ms": 60_000});
    let context = context(folder.path(), JobId::generate(), &parameters, Vec::new());
    let stop = context.stop.clone();
    let noop = Noop::new(1);
    let (outcome, ()) = tokio::join!(noop.run(&context), async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        stop.cancel();
    });
    assert_eq!(outcome, Err(AttemptError::Stopped));
    assert_eq!(
        (report(&context).items_done, report(&context).detail.as_str()),
        (1, "item 1 of 1000")
    );
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (fail, class) in [
        (json!(true), ErrorClass::Permanent),
        (json!("permanent"), ErrorClass::Permanent),
        (json!("retryable"), ErrorClass::Retryable),
        (json!("sometimes"), ErrorClass::Permanent),
    ] {
        let context = context(
            folder.path(),
            JobId::generate(),
            &json!({"fail": fail}),
            Vec::new(),
        );
        let outcome = Noop::new(1).run(&context).await;
        assert!(
            matches!(&outcome, Err(AttemptError::Failed { class: found, .. }) if *found == class),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn the_witness_tells_what_ran_and_written_items_name_their_attempt() {
    let (folder, job_id) = (tempfile::tempdir().unwrap(), JobId::generate());
    let parameters = json!({"items": 2, "write": true, "witness": "told"});
    let mut context = context(folder.path(), job_id, &parameters, Vec::new());
    let blind = Noop::new(1).run(&context).await;
    assert!(
        matches!(&blind, Err(AttemptError::Failed { message, .. }) if message.contains("source")),
        "{blind:?}"
    );
    context.source = Some(Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap());
    Noop::new(1).run(&context).await.unwrap();
    let claim = context.grant.claim_id;
    let lines = [
        "attempt -",
        "begun 00000001",
        "done 00000001",
        "begun 00000002",
        "done 00000002",
    ]
    .map(|line| line.split_once(' ').unwrap())
    .map(|(what, item)| format!("{what} {job_id} 1 {claim} {item}\n"));
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    assert_eq!(told, lines.concat());
    let item = folder
        .path()
        .join(format!(".taskmanager-{job_id}/noop/00000002.txt"));
    assert_eq!(
        std::fs::read_to_string(item).unwrap(),
        format!("item 00000002 1 {claim}\n")
    );
}

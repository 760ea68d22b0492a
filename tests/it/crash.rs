//! kill -9 in the middle of the real OCR job, once for each part of the system.
//!
//! Each blow falls while the job is PROCESSING with at least one and not all of its pages done: the worker is stopped
//! for that moment, so that what is asserted is what was hit.
//! Afterwards the job ends DONE, each page is published once, and no page that was done is recognised again.

use std::collections::BTreeMap;

use serde_json::json;
use shared::job::JobId;
use tests::api::Item;
use tests::volume::PAGES;
use tests::{Builder, Cluster, Job, LIMIT, Volume, eventually};

/// What had been done when the blow fell.
struct Blow {
    done: Vec<Item>,
    recognised: Vec<String>,
}

/// Seconds; an outage can outlast it in a test.
const SHORT_LEASE: u32 = 10;

/// A job that takes some seconds, on a system whose Tesseract notes what it does.
fn cluster(name: &str) -> Builder {
    Cluster::named(name)
        .plugins("OCR=1,NOOP=1")
        .lease_seconds(SHORT_LEASE)
        .one_page_at_a_time()
        .recording_tesseract()
}

fn submit(cluster: &Cluster) -> (Volume, JobId) {
    let volume = cluster.volume(27, "huckfinn_1884");
    let mut message = volume.goobi_message();
    // Three languages take longer than one.
    message["language"] = "eng,ger,lat".into();
    let id = cluster.submit(&message);
    (volume, id)
}

/// Waits for the middle of the job and stops the worker there.
fn freeze_in_the_middle(cluster: &mut Cluster, id: JobId, volume: &Volume) -> Blow {
    cluster.wait_until(id, "has done a page and not all", |job| {
        assert!(job.items_done < 4, "the job was too fast to be hit in its middle");
        job.state == "PROCESSING" && job.items_done > 0
    });
    cluster.workers[0].freeze();
    let job = cluster.api().job(id).unwrap();
    assert_eq!(job.state, "PROCESSING");
    assert!(
        (1..4).contains(&job.items_done),
        "{} pages are done",
        job.items_done
    );
    let on_disk = volume.pages_in_item_store();
    assert!((1..4).contains(&on_disk), "{on_disk} pages are in the item store");
    let done = job
        .items
        .into_iter()
        .filter(|item| item.state == "done")
        .collect();
    Blow {
        done,
        recognised: cluster.recognised(),
    }
}

/// Waits until the worker has recognised all pages, while something is missing that it needs to go on.
fn wait_for_all_pages(volume: &Volume) {
    eventually(LIMIT, "all pages in the item store", || {
        match volume.pages_in_item_store() {
            4 => Ok(()),
            pages => Err(format!("{pages} pages")),
        }
    });
}

/// Waits until the job's lease has been over for some rounds of the sweeper, which must not hold that against the worker:
/// it could not report.
fn wait_until_the_lease_is_long_over(cluster: &Cluster) {
    eventually(LIMIT, "the end of the lease", || {
        let over =
            cluster.count("SELECT count(*) FROM leases WHERE lease_end < tm_now() - interval '3 seconds'");
        if over == 1 { Ok(()) } else { Err(over.to_string()) }
    });
}

/// The job has ended as if nothing had happened.
fn ended_well(cluster: &Cluster, id: JobId, volume: &Volume, blow: &Blow) -> Job {
    let job = cluster.wait_until_done(id);
    assert_eq!(job.items_in("done"), PAGES);
    let pages: BTreeMap<&str, &Item> = job.items.iter().map(|item| (item.name.as_str(), item)).collect();
    for before in &blow.done {
        let after = pages[before.name.as_str()];
        assert_eq!(
            (after.attempt, after.duration_ms, &after.files),
            (before.attempt, before.duration_ms, &before.files),
            "page {} was done before the blow, and yet has changed",
            before.name
        );
    }
    let recognised = cluster.recognised();
    for page in &blow.done {
        let times = recognised.iter().filter(|name| **name == page.name).count();
        assert_eq!(
            times, 1,
            "page {} was done and is recognised again: {recognised:?}",
            page.name
        );
    }
    let files = volume.files_in_target();
    assert_eq!(files.len(), 17);
    assert_eq!(
        job.outputs.iter().collect::<Vec<_>>(),
        files.values().collect::<Vec<_>>(),
        "the target folder is not what was published"
    );
    assert!(!volume.has_item_store(), "the item store is still there");
    assert_eq!(
        cluster.count("SELECT sum(jobs)::bigint FROM statistics WHERE plugin = 'OCR'"),
        1
    );
    job
}

/// The one attempt went on through the outage; nothing at all was done twice.
fn by_one_attempt(cluster: &Cluster, job: &Job) {
    assert_eq!(job.outcomes(), ["done"]);
    assert_eq!(cluster.recognised(), PAGES);
}

#[test]
fn a_killed_workers_job_is_finished_by_another_one_without_doing_pages_again() {
    let mut cluster = cluster("kill-worker").expecting("have lost their worker").start();
    let (volume, id) = submit(&cluster);
    let blow = freeze_in_the_middle(&mut cluster, id, &volume);
    cluster.workers[0].kill9();
    cluster.workers[0].thaw();
    cluster.wait_until_no_tool_runs();

    cluster.add_worker();
    let job = ended_well(&cluster, id, &volume, &blow);
    assert_eq!(job.outcomes(), ["lost", "done"]);
    let log = cluster.api().log(id).unwrap();
    for page in &blow.done {
        let line = format!("page {} kept from an earlier attempt", page.name);
        assert!(log.contains(&line), "the log does not say \"{line}\": {log:#?}");
    }
    // The page in hand was lost, and no more.
    assert!(
        cluster.recognised().len() <= PAGES.len() + 1,
        "{:?}",
        cluster.recognised()
    );
    assert!(cluster.recognised().len() > blow.recognised.len());
}

#[test]
fn a_killed_coordinator_stops_no_running_job() {
    let mut cluster = cluster("kill-coordinator")
        .expecting("without an answer")
        .expecting("no answer yet")
        .start();
    let (volume, id) = submit(&cluster);
    let blow = freeze_in_the_middle(&mut cluster, id, &volume);
    cluster.coordinator.kill9();
    cluster.workers[0].thaw();
    wait_for_all_pages(&volume);
    assert!(
        volume
            .files_in_target()
            .keys()
            .all(|path| path.starts_with(".taskmanager-"))
    );
    wait_until_the_lease_is_long_over(&cluster);

    cluster.coordinator.start_again();
    let job = ended_well(&cluster, id, &volume, &blow);
    by_one_attempt(&cluster, &job);
}

#[test]
fn a_killed_rabbitmq_stops_no_running_job() {
    let mut cluster = cluster("kill-rabbitmq")
        .private_rabbitmq()
        .expecting("to RabbitMQ at")
        .expecting("without an answer")
        .expecting("no answer yet")
        .start();
    let (volume, id) = submit(&cluster);
    let blow = freeze_in_the_middle(&mut cluster, id, &volume);
    cluster.rabbitmq().kill9().unwrap();
    cluster.workers[0].thaw();
    wait_for_all_pages(&volume);
    wait_until_the_lease_is_long_over(&cluster);

    cluster.rabbitmq().restart().unwrap();
    let job = ended_well(&cluster, id, &volume, &blow);
    by_one_attempt(&cluster, &job);
    takes_new_jobs(&cluster);
}

#[test]
fn a_killed_postgresql_stops_no_running_job() {
    let mut cluster = cluster("kill-postgresql")
        .private_postgres()
        .expecting("PostgreSQL")
        .expecting("messages were given back")
        .expecting("deadpool.postgres")
        .expecting("without an answer")
        .expecting("no answer yet")
        .start();
    let (volume, id) = submit(&cluster);
    let blow = freeze_in_the_middle(&mut cluster, id, &volume);
    cluster.postgres().kill9().unwrap();
    cluster.workers[0].thaw();
    wait_for_all_pages(&volume);
    // Long enough that the worker meets it: it has asked whether it may publish, and nobody has answered.
    eventually(LIMIT, "a request to publish without an answer", || {
        let log = cluster.workers[0].log();
        let asked = log.contains("a request to publish has no answer yet");
        asked.then_some(()).ok_or(log)
    });

    cluster.postgres().restart().unwrap();
    let job = ended_well(&cluster, id, &volume, &blow);
    by_one_attempt(&cluster, &job);
    takes_new_jobs(&cluster);
}

/// What was lost has been built anew.
fn takes_new_jobs(cluster: &Cluster) {
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "afterwards"}));
    cluster.wait_until_done(id);
}

#[test]
fn jobs_whose_queue_is_lost_are_sent_again() {
    const QUEUE: &str = "taskmanager.jobs.noop";
    let cluster = Cluster::named("lost-queue")
        .plugins("NOOP=1")
        .expecting("are sent again")
        .start();
    let api = cluster.api();
    let job = |title: &str, milliseconds: u32| json!({"plugin": "NOOP", "title": title, "parameters": {"items": 1, "item_ms": milliseconds}});
    // Holds the only slot, so that the others stay in the queue.
    let running = api.submit(&job("running", 5_000));
    cluster.wait_until(running, "runs", |job| job.state == "PROCESSING");
    let waiting: Vec<JobId> = (0..3)
        .map(|number| api.submit(&job(&format!("waiting {number}"), 0)))
        .collect();
    let amqp = cluster.amqp();
    eventually(LIMIT, "three messages in the queue", || match amqp.depth(QUEUE) {
        3 => Ok(()),
        other => Err(other.to_string()),
    });
    amqp.delete_queue(QUEUE);
    for id in waiting.into_iter().chain([running]) {
        let job = cluster.wait_until_done(id);
        assert_eq!(job.outcomes(), ["done"]);
    }
}

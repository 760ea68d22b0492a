//! Ending: an orderly end always comes, and comes in time; a sudden one leaves no process behind.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Cluster, LIMIT, eventually};

/// Grace period of both programs here, seconds.
const GRACE_SECONDS: u64 = 10;

fn cluster(name: &str) -> tests::Builder {
    Cluster::named(name)
        .coordinator_env("TASKMANAGER_GRACE_SECONDS", GRACE_SECONDS.to_string())
        .worker_env("TASKMANAGER_GRACE_SECONDS", GRACE_SECONDS.to_string())
}

fn grace() -> Duration {
    Duration::from_secs(GRACE_SECONDS)
}

#[test]
fn idle_programs_end_at_once_after_sigterm() {
    let mut cluster = cluster("idle-end").plugins("NOOP=1").start();
    let began = Instant::now();
    assert!(cluster.workers[0].terminate(grace()).success());
    assert!(cluster.coordinator.terminate(grace()).success());
    assert!(began.elapsed() < grace() / 2, "it took {:?}", began.elapsed());
}

#[test]
fn a_coordinator_ends_in_its_grace_period_although_a_page_is_open_and_a_job_runs() {
    let mut cluster = cluster("end-coordinator")
        .plugins("NOOP=1")
        .expecting("without an answer")
        .start();
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "long",
        "parameters": {"items": 60, "item_ms": 100}}));
    let mut page = open_events(cluster.coordinator.port());
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING" && job.items_done > 0);

    assert!(cluster.coordinator.terminate(grace()).success());
    let mut rest = Vec::new();
    page.read_to_end(&mut rest)
        .expect("the stream ends, it does not break");

    cluster.coordinator.start_again();
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), ["done"], "the job had to begin anew");
}

/// What a browser page holds open; gives the stream behind its first event.
fn open_events(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 1024];
    while !String::from_utf8_lossy(&seen).contains("event: change") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the stream ended: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&seen);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/event-stream"), "{head}");
    stream
}

#[test]
fn a_worker_that_is_asked_to_end_gives_its_job_back_without_using_up_a_retry() {
    let mut cluster = cluster("end-worker")
        .plugins("OCR=1")
        .one_page_at_a_time()
        .recording_tesseract()
        .start();
    let volume = cluster.volume(1, "huckfinn");
    let id = cluster.submit(&volume.goobi_message());
    let before = cluster.wait_until(id, "has done a page and not all", |job| {
        assert!(job.items_done < 4, "the job was too fast");
        job.state == "PROCESSING" && job.items_done > 0
    });

    assert!(cluster.workers[0].terminate(grace()).success());
    assert_eq!(cluster.tool_processes(), Vec::<String>::new());
    let job = cluster.api().job(id).unwrap();
    assert_eq!(
        (job.state.as_str(), job.outcomes()),
        ("QUEUED", vec!["interrupted"])
    );
    assert_eq!(cluster.count("SELECT workers_lost::bigint FROM jobs"), 0);
    assert!(!volume.target.join("ocr").exists(), "something was published");

    cluster.workers[0].start_again();
    let job = cluster.wait_until_done(id);
    assert_eq!(job.outcomes(), ["interrupted", "done"]);
    let recognised = cluster.recognised();
    for page in before.items_in("done") {
        let times = recognised.iter().filter(|name| *name == page).count();
        assert_eq!(times, 1, "page {page} was done and is recognised again");
    }
}

#[test]
fn a_killed_worker_leaves_no_process_of_its_jobs_behind() {
    let mut cluster = cluster("no-orphans")
        .plugins("OCR=1,SHELL=1")
        .lease_seconds(5)
        // Its child has children of its own, one of which leaves the process group.
        .templates(
            "[SHELL.family]\ncommand = [\"sh\", \"-c\", \"setsid sleep 1000 & sleep 1000 & echo started; wait\"]\n",
        )
        .expecting("have lost their worker")
        .start();
    let volume = cluster.volume(1, "huckfinn");
    let ocr = cluster.submit(&volume.goobi_message());
    let shell = cluster.submit(&json!({"plugin": "SHELL", "template": "family", "title": "family"}));
    let running = eventually(LIMIT, "tesseract and both sleeping processes", || {
        let processes = cluster.tool_processes();
        let count = |text: &str| processes.iter().filter(|line| line.contains(text)).count();
        // Each tool's wrapper shows the tool's command line too.
        let sleeping = processes
            .iter()
            .filter(|line| line.ends_with("sleep 1000 "))
            .count();
        if count("tesseract") >= 1 && sleeping >= 2 {
            Ok(processes)
        } else {
            Err(format!("{processes:?}"))
        }
    });
    cluster.workers[0].kill9();
    cluster.wait_until_no_tool_runs();
    assert!(!running.is_empty());
    for id in [ocr, shell] {
        cluster.wait_until(id, "waits for another worker", |job| job.state == "QUEUED");
    }
}

#[test]
fn programs_end_also_while_their_servers_are_gone() {
    let mut cluster = cluster("end-without-servers")
        .plugins("NOOP=2")
        .private_postgres()
        .private_rabbitmq()
        .expecting("RabbitMQ")
        .expecting("PostgreSQL")
        .expecting("messages were given back")
        .expecting("deadpool.postgres")
        .expecting("answer")
        .expecting("recorded")
        // Its result can't be delivered, and lies in the scratch folder for the next start.
        .expecting("attempts are still running")
        .start();
    let id = cluster.submit(&json!({"plugin": "NOOP", "title": "long",
        "parameters": {"items": 1, "item_ms": 600_000}}));
    cluster.wait_until(id, "runs", |job| job.state == "PROCESSING");
    cluster.postgres().kill9().unwrap();
    cluster.rabbitmq().kill9().unwrap();
    for program in [0, 1] {
        let program = if program == 0 {
            &mut cluster.workers[0]
        } else {
            &mut cluster.coordinator
        };
        let began = Instant::now();
        program.terminate(grace() + Duration::from_secs(3));
        assert!(
            began.elapsed() <= grace() + Duration::from_secs(2),
            "it took {:?}",
            began.elapsed()
        );
    }
}

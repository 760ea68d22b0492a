//! Measures the whole path with jobs that do nothing: submissions recorded a second, jobs ended a second, and the
//! time from submission to start under a light load. It measures, it asserts nothing about time.
//!
//! `cargo xtask bench [JOBS]` runs it on release builds and private servers; figures are kept in `README.md`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::thread;
use std::time::{Duration, Instant};

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::json;
use shared::amqp::topology::SUBMIT_EXCHANGE;
use tests::{Cluster, eventually};

/// Jobs that a worker runs at once.
const SLOTS: u32 = 32;
/// Jobs a second of the light load, and for how many seconds.
const LIGHT_RATE: u32 = 100;
const LIGHT_SECONDS: u32 = 20;

fn main() {
    let jobs: u32 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5_000);
    let cluster = Cluster::named("throughput")
        .plugins(&format!("NOOP={SLOTS}"))
        .start();
    let began = Instant::now();
    publish(&cluster, jobs, None);
    eventually(tests::LIMIT, "all submissions to be recorded", || {
        let recorded =
            cluster.count("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM job_history)");
        (recorded == i64::from(jobs))
            .then_some(())
            .ok_or(format!("{recorded} of {jobs}"))
    });
    let recorded = began.elapsed().as_secs_f64();
    while cluster.count("SELECT count(*) FROM jobs") > 0 {
        thread::yield_now();
    }
    let ended = began.elapsed().as_secs_f64();
    println!("jobs {jobs}, slots {SLOTS}");
    println!(
        "recorded: {:.0} jobs/s ({recorded:.2} s)",
        f64::from(jobs) / recorded
    );
    println!("end to end: {:.0} jobs/s ({ended:.2} s)", f64::from(jobs) / ended);

    let light = LIGHT_RATE * LIGHT_SECONDS;
    publish(&cluster, light, Some(Duration::from_secs(1) / LIGHT_RATE));
    eventually(tests::LIMIT, "the light load to end", || {
        let left = cluster.count("SELECT count(*) FROM jobs");
        (left == 0).then_some(()).ok_or(format!("{left} left"))
    });
    let row = &cluster.sql(
        "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
             ORDER BY extract(epoch FROM started_at - submitted_at)::float8 * 1000)
         FROM (SELECT * FROM job_history ORDER BY submitted_at DESC LIMIT $1) AS light",
        &[&i64::from(light)],
    )[0];
    let quantiles: Vec<f64> = row.get(0);
    println!(
        "submission to start at {LIGHT_RATE}/s: p50 {:.1} ms, p99 {:.1} ms",
        quantiles[0], quantiles[1]
    );
}

/// Publishes jobs with pipelined confirms, or at a steady pace.
fn publish(cluster: &Cluster, jobs: u32, pace: Option<Duration>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
    runtime.block_on(async {
        let connection = Connection::connect(&cluster.amqp_url(), ConnectionProperties::default())
            .await
            .expect("RabbitMQ can be reached");
        let channel = connection.create_channel().await.expect("a channel");
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .expect("confirms");
        let mut ticks = pace.map(tokio::time::interval);
        let mut confirms = Vec::new();
        for number in 0..jobs {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            let body = json!({ "plugin": "NOOP", "title": format!("job {number}") }).to_string();
            let properties = BasicProperties::default()
                .with_delivery_mode(2)
                .with_message_id(uuid::Uuid::new_v4().to_string().into());
            let confirm = channel
                .basic_publish(
                    SUBMIT_EXCHANGE.into(),
                    "NOOP".into(),
                    BasicPublishOptions::default(),
                    body.as_bytes(),
                    properties,
                )
                .await
                .expect("a message can be published");
            confirms.push(confirm);
        }
        for confirm in confirms {
            confirm.await.expect("RabbitMQ confirms");
        }
    });
}

//! Workers come and go with the demand, as an autoscaler lets them: by the figure of `/api/v1/demand`, and the longest
//! busy ones last.

use std::time::Duration;

use serde_json::{Value, json};
use shared::job::JobId;
use tests::{Cluster, LIMIT, Program, eventually};

/// What an autoscaler starts at most.
const WORKERS_MAX: usize = 8;
/// More than that, so that some wait.
const JOBS: usize = 12;
/// Longer than any grace period here.
const END_LIMIT: Duration = Duration::from_secs(40);
/// Of each job.
const ITEMS: usize = 40;

/// Starts and ends worker processes, each with one slot, as Kubernetes does with pods.
struct Scaler {
    cluster: Cluster,
    /// How many it may have.
    most: usize,
    /// How long each of those that it has ended had been busy, and how long the others were.
    ended: Vec<(Option<i64>, Vec<Option<i64>>)>,
}

impl Scaler {
    fn demand(&self) -> usize {
        let answer = self.cluster.api().json("/api/v1/demand?plugins=NOOP").unwrap();
        usize::try_from(answer["demand"].as_u64().unwrap()).unwrap()
    }

    /// One look, as an autoscaler takes it from time to time.
    fn look(&mut self) {
        let wanted = self.demand().min(self.most);
        while self.cluster.workers.len() < wanted {
            self.cluster.add_worker();
        }
        while self.cluster.workers.len() > wanted {
            self.end_one();
        }
    }

    /// Ends an idle worker, or else the one that has been busy for the shortest time.
    fn end_one(&mut self) {
        let mut busy = self.busy();
        busy.sort_by_key(|(_, seconds)| *seconds);
        let (name, seconds) = busy.remove(0);
        let others = busy.into_iter().map(|(_, seconds)| seconds).collect();
        self.ended.push((seconds, others));
        let place = self
            .cluster
            .workers
            .iter()
            .position(|worker| worker.name() == name);
        let mut worker = self.cluster.workers.remove(place.expect("it is one of ours"));
        let status = worker.terminate(END_LIMIT);
        assert!(status.success(), "{name}: {status}");
    }

    /// How long each worker has been busy, as soon as all are known.
    fn busy(&self) -> Vec<(String, Option<i64>)> {
        let names: Vec<&str> = self.cluster.workers.iter().map(Program::name).collect();
        let mut busy = Vec::new();
        eventually(LIMIT, "the coordinator knows all workers", || {
            let answer = self.cluster.api().json("/api/v1/workers")?;
            let workers = answer["workers"].as_array().unwrap();
            let ours = |worker: &&Value| {
                worker["alive"] == true && names.iter().any(|name| worker["name"] == **name)
            };
            busy = workers
                .iter()
                .filter(ours)
                .map(|worker| {
                    let has_jobs = worker["jobs"] != json!([]);
                    assert_eq!(worker["busy_seconds"].is_number(), has_jobs, "{worker:#}");
                    (
                        worker["name"].as_str().unwrap().to_owned(),
                        worker["busy_seconds"].as_i64(),
                    )
                })
                .collect();
            if busy.len() == names.len() {
                Ok(())
            } else {
                Err(format!("{busy:?}, {names:?}"))
            }
        });
        busy
    }
}

#[test]
fn workers_follow_the_demand_from_none_to_eight_and_back_and_no_job_begins_from_zero() {
    let mut cluster = Cluster::named("autoscaling").plugins("NOOP=1").start();
    let mut first = cluster.workers.remove(0);
    assert!(first.terminate(END_LIMIT).success());
    let mut scaler = Scaler {
        cluster,
        most: WORKERS_MAX,
        ended: Vec::new(),
    };
    scaler.look();
    assert_eq!(scaler.cluster.workers.len(), 0, "nothing is to be done");

    let target = scaler.cluster.data().join("out");
    let submit = |number: usize| {
        scaler.cluster.submit(&json!({
            "plugin": "NOOP", "title": format!("volume {number}"), "target": target.join(number.to_string()),
            "parameters": {"items": ITEMS, "item_ms": 100, "write": true},
        }))
    };
    let jobs: Vec<JobId> = (0..JOBS).map(submit).collect();
    eventually(LIMIT, "a slot for each of them is wanted", || {
        match scaler.demand() {
            JOBS => Ok(()),
            other => Err(other.to_string()),
        }
    });
    scaler.look();
    assert_eq!(scaler.cluster.workers.len(), WORKERS_MAX);
    let at_work = "SELECT count(*) FROM leases WHERE items_done > 0";
    eventually(LIMIT, "all are in the middle of a job", || {
        match scaler.cluster.count(at_work) {
            8 => Ok(()),
            other => Err(other.to_string()),
        }
    });

    // Somebody needs the machines: workers end in the middle of their jobs.
    scaler.most = 3;
    scaler.look();
    assert_eq!(scaler.cluster.workers.len(), 3);
    scaler.most = WORKERS_MAX;
    eventually(
        LIMIT,
        "nothing is left to be done and nobody is there to do it",
        || {
            scaler.look();
            match scaler.demand() {
                0 if scaler.cluster.workers.is_empty() => Ok(()),
                left => Err(left.to_string()),
            }
        },
    );

    let mut interrupted = 0;
    for id in jobs {
        let job = scaler.cluster.wait_until_done(id);
        let outcomes = job.outcomes();
        let (last, before) = outcomes.split_last().unwrap();
        assert!(
            *last == "done" && before.iter().all(|outcome| *outcome == "interrupted"),
            "{outcomes:?}"
        );
        interrupted += before.len();
        assert_eq!(job.items_in("done").len(), ITEMS);
        for attempt in (1..).take(before.len()) {
            let kept = job.items.iter().filter(|item| item.attempt == attempt).count();
            assert!(kept > 0, "{id}: nothing of attempt {attempt} was kept");
        }
    }
    assert!(interrupted >= 1, "no worker ended in the middle of its job");
    for (ended, others) in &scaler.ended {
        assert!(
            others.iter().all(|other| ended <= other),
            "{ended:?} before {others:?}"
        );
    }
    let idle = scaler
        .ended
        .iter()
        .filter(|(seconds, _)| seconds.is_none())
        .count();
    assert!(idle >= 3, "idle workers ended: {idle} of {}", scaler.ended.len());
}

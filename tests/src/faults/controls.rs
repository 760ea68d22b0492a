//! People's decisions at random: cancel, hold, priorities, places, stopped plugins, autostart.
//!
//! **Invariant**: the plan is a pure function of seed, orders and length; only whether the job is known and still there
//! when its turn comes is the run's. In the end nothing is held, stopped or switched off.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::job::JobId;

use super::journal::Journal;
use super::load::{Order, Submitters, title};
use super::random::Random;
use crate::api::Api;

/// The longest wait for an answer: whoever clicks does not wait for long.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long undoing may take once the faults have ceased.
const UNDO_LIMIT: Duration = Duration::from_mins(1);
const UNDO_PAUSE: Duration = Duration::from_millis(300);
/// Jobs that were submitted this long before are decided about, milliseconds.
const RECENT_MS: u64 = 4_000;

const PLUGINS: [&str; 2] = ["NOOP", "SHELL"];

/// One decision.
#[derive(Debug, Clone, PartialEq)]
struct Decision {
    at_ms: u64,
    about: About,
    body: Value,
    /// Which coordinator is asked.
    coordinator: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Order(u32),
    Plugin(&'static str),
}

/// What people have wanted, and what they were told.
#[derive(Debug, Clone, Default)]
pub(super) struct Decided {
    /// Jobs that somebody wanted cancelled, whatever the answer.
    pub(super) cancel_wanted: BTreeSet<JobId>,
    /// Jobs of which somebody was told that they are cancelled.
    pub(super) cancel_agreed: BTreeSet<JobId>,
    /// Answers by action and status.
    pub(super) answers: BTreeMap<String, u32>,
    held: BTreeSet<JobId>,
}

/// All decisions of a run.
#[derive(Debug)]
pub(super) struct Plan {
    decisions: Vec<Decision>,
}

impl Plan {
    pub(super) fn new(seed: u64, orders: &[Order], length_ms: u64) -> Self {
        let mut random = Random::new(seed, "controls");
        let mut decisions = Vec::new();
        let mut at_ms = random.between(1_000, 3_000);
        while at_ms < length_ms {
            let coordinator = usize::from(random.percent(50));
            let later_ms = at_ms + random.between(1_500, 6_000);
            let recent: Vec<u32> = orders
                .iter()
                .filter(|order| order.at_ms() + RECENT_MS > at_ms && order.at_ms() < at_ms)
                .map(|order| order.number)
                .collect();
            let mut decide = |at_ms, about, body| {
                decisions.push(Decision {
                    at_ms,
                    about,
                    body,
                    coordinator,
                });
            };
            if random.percent(12) {
                let plugin = About::Plugin(random.one_of(&PLUGINS));
                if random.percent(70) {
                    let deadline = random.between(1, 8);
                    let stop = json!({"action": "stop", "reason": "a test", "deadline_seconds": deadline});
                    decide(at_ms, plugin, stop);
                    decide(later_ms, plugin, json!({"action": "start"}));
                } else {
                    decide(at_ms, plugin, json!({"action": "autostart", "on": false}));
                    decide(later_ms, plugin, json!({"action": "autostart", "on": true}));
                }
            } else if !recent.is_empty() {
                let order = About::Order(random.one_of(&recent));
                match random.between(1, 10) {
                    1..=3 => decide(at_ms, order, json!({"action": "cancel"})),
                    4..=6 => {
                        decide(at_ms, order, json!({"action": "hold"}));
                        decide(later_ms, order, json!({"action": "release"}));
                    }
                    7 => decide(at_ms, order, json!({"action": "start_now"})),
                    8 | 9 => {
                        let priority = random.between(0, 10);
                        decide(
                            at_ms,
                            order,
                            json!({"action": "set_priority", "priority": priority}),
                        );
                    }
                    _ => {
                        let to = random.one_of(&["top", "up", "down", "bottom"]);
                        decide(at_ms, order, json!({"action": "move", "to": to}));
                    }
                }
            }
            at_ms += random.between(300, 1_500);
        }
        decisions.sort_by_key(|decision| decision.at_ms);
        Self { decisions }
    }

    /// Makes the decisions, each at its time.
    pub(super) fn carry_out(&self, ports: &[u16], submitters: &Submitters, journal: &Journal) -> Decided {
        let apis: Vec<Api> = ports.iter().map(|port| Api::within(*port, PATIENCE)).collect();
        let mut decided = Decided::default();
        for decision in &self.decisions {
            journal.sleep_until(decision.at_ms);
            let action = decision.body["action"].as_str().unwrap_or_default();
            let api = &apis[decision.coordinator];
            let (status, of) = match decision.about {
                About::Plugin(plugin) => (on_plugin(api, plugin, &decision.body), plugin.to_owned()),
                About::Order(number) => {
                    let Some(job) = submitters.job(number) else {
                        continue;
                    };
                    match action {
                        "cancel" => _ = decided.cancel_wanted.insert(job),
                        "hold" => _ = decided.held.insert(job),
                        _ => {}
                    }
                    let status = on_job(api, job, &decision.body);
                    if action == "cancel" && status == "200" {
                        decided.cancel_agreed.insert(job);
                    }
                    (status, format!("{} ({job})", title(number)))
                }
            };
            journal.note(format!("{action} {of}: {status}"));
            *decided.answers.entry(format!("{action} {status}")).or_default() += 1;
        }
        decided
    }
}

impl Decided {
    /// Lets everything go on that was kept from it; gives what could not be undone.
    pub(super) fn undo(&self, ports: &[u16]) -> Vec<String> {
        let apis: Vec<Api> = ports.iter().map(|port| Api::within(*port, PATIENCE)).collect();
        let end = Instant::now() + UNDO_LIMIT;
        let mut troubles = Vec::new();
        let mut insist = |what: String, ask: &dyn Fn(&Api) -> String, enough: &[&str]| {
            for api in apis.iter().cycle() {
                let status = ask(api);
                if enough.contains(&status.as_str()) {
                    return;
                }
                if Instant::now() > end {
                    return troubles.push(format!("{what}: {status}"));
                }
                std::thread::sleep(UNDO_PAUSE);
            }
        };
        for plugin in PLUGINS {
            for body in [
                json!({"action": "start"}),
                json!({"action": "autostart", "on": true}),
            ] {
                insist(
                    format!("{body} of {plugin}"),
                    &|api| on_plugin(api, plugin, &body),
                    &["200"],
                );
            }
        }
        for job in &self.held {
            // One that has ended is held by nobody.
            insist(
                format!("release of {job}"),
                &|api| on_job(api, *job, &json!({"action": "release"})),
                &["200", "409"],
            );
        }
        troubles
    }
}

fn on_job(api: &Api, job: JobId, body: &Value) -> String {
    status(api, &format!("/api/v1/jobs/{job}/actions"), body)
}

fn on_plugin(api: &Api, plugin: &str, body: &Value) -> String {
    status(api, &format!("/api/v1/plugins/{plugin}/actions"), body)
}

fn status(api: &Api, path: &str, body: &Value) -> String {
    match api.post(path, body.to_string().as_bytes()) {
        Ok(answer) => answer.status.to_string(),
        Err(_) => "no answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::load;
    use super::*;

    fn plan(seed: u64) -> Plan {
        let orders = load::orders(seed, 300, 180_000, Path::new("/data"));
        Plan::new(seed, &orders, 180_000)
    }

    #[test]
    fn a_seed_is_always_the_same_jobs_and_the_same_decisions() {
        assert_eq!(plan(3).decisions, plan(3).decisions);
        assert_ne!(plan(3).decisions, plan(4).decisions);
    }

    #[test]
    fn three_minutes_see_every_kind_of_decision() {
        let decisions = plan(1).decisions;
        for action in [
            "cancel",
            "hold",
            "release",
            "start_now",
            "set_priority",
            "move",
            "stop",
            "start",
            "autostart",
        ] {
            assert!(
                decisions.iter().any(|decision| decision.body["action"] == action),
                "{action}"
            );
        }
    }
}

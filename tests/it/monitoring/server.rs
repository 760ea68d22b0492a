//! A real Prometheus with the real rules, which reads the programs of a cluster every second.

use std::collections::BTreeMap;
use std::time::Duration;

use launcher::{Place, Prometheus, PrometheusOptions};
use serde_json::Value;
use tests::{Cluster, LIMIT, eventually};

use super::rules;

/// How often it reads and evaluates.
const INTERVAL: Duration = Duration::from_secs(1);

/// A Prometheus, and a way to ask it.
#[derive(Debug)]
pub(super) struct Server {
    base: String,
    agent: ureq::Agent,
    /// Ends with this value, before its place is removed.
    _prometheus: Prometheus,
    _place: Place,
}

/// A series of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Server {
    /// Starts one that reads all programs of the cluster.
    pub(super) fn start(cluster: &Cluster) -> Self {
        let coordinators = [&cluster.coordinator]
            .into_iter()
            .chain(&cluster.other_coordinator);
        let place = Place::temporary("prometheus").unwrap();
        let options = PrometheusOptions {
            targets: vec![
                (
                    "coordinator".to_owned(),
                    coordinators.map(tests::Program::port).collect(),
                ),
                (
                    "worker".to_owned(),
                    cluster.workers.iter().map(tests::Program::port).collect(),
                ),
            ],
            rules: ["recording.yml", "alerts.yml"]
                .map(|name| rules(name).file)
                .into(),
            interval: INTERVAL,
        };
        let prometheus = Prometheus::start(&place, &options).unwrap();
        Self {
            base: format!("http://127.0.0.1:{}/api/v1", prometheus.port()),
            agent: ureq::Agent::config_builder()
                .http_status_as_error(false)
                .proxy(None)
                .build()
                .into(),
            _prometheus: prometheus,
            _place: place,
        }
    }

    /// What it answers; `Err` with its own words when it refuses.
    fn ask(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, String> {
        let request = self.agent.post(format!("{}/{path}", self.base));
        let answer = request.send_form(fields.iter().copied());
        let body = answer
            .and_then(|mut answer| answer.body_mut().read_to_string())
            .map_err(|error| error.to_string())?;
        let mut document: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
        if document["status"] == "success" {
            Ok(document["data"].take())
        } else {
            Err(body)
        }
    }

    /// The value of an expression at this moment.
    pub(super) fn query(&self, expression: &str) -> Result<Vec<Sample>, String> {
        let data = self
            .ask("query", &[("query", expression)])
            .map_err(|error| format!("{expression}: {error}"))?;
        let result = data["result"].as_array().ok_or("no result")?;
        result
            .iter()
            .map(|series| {
                let labels = serde_json::from_value(series["metric"].clone()).map_err(|e| e.to_string())?;
                let value = series["value"][1].as_str().and_then(|text| text.parse().ok());
                let value = value.ok_or_else(|| format!("{expression}: {series} has no value"))?;
                Ok(Sample { labels, value })
            })
            .collect()
    }

    /// The one value of an expression.
    pub(super) fn number(&self, expression: &str) -> Result<f64, String> {
        match self.query(expression)?.as_slice() {
            [sample] => Ok(sample.value),
            samples => Err(format!("{expression} has not one value: {samples:?}")),
        }
    }

    /// The values that a label has in the series of a selector.
    pub(super) fn values(&self, label: &str, selector: &str) -> Vec<String> {
        let series = self.query(&format!("count by ({label}) ({selector})")).unwrap();
        let values = series
            .iter()
            .filter_map(|sample| sample.labels.get(label).cloned());
        let mut values: Vec<String> = values.collect();
        values.sort();
        values
    }

    /// All rules: what they are called, whether they are well, and, of alerts, how they stand.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let answer = self.agent.get(format!("{}/rules", self.base)).call().unwrap();
        let body = answer.into_body().read_to_string().unwrap();
        let document: Value = serde_json::from_str(&body).unwrap();
        let groups = document["data"]["groups"].as_array().unwrap();
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .map(|rule| Rule {
                name: text(rule, "name"),
                expression: text(rule, "query"),
                health: text(rule, "health"),
                error: text(rule, "lastError"),
                state: text(rule, "state"),
            })
            .collect()
    }

    /// Waits until it has read every program, and then has evaluated every rule.
    pub(super) fn wait_until_it_has_read(&self, programs: usize) {
        eventually(LIMIT, "Prometheus reads all programs", || {
            let up = self.number("sum(up)")?;
            if (up - f64::from(u32::try_from(programs).unwrap())).abs() < f64::EPSILON {
                Ok(())
            } else {
                Err(format!("{up} of {programs}"))
            }
        });
        eventually(LIMIT, "Prometheus evaluates all rules", || {
            let rules = self.rules();
            match rules.iter().find(|rule| rule.health == "unknown") {
                None => Ok(()),
                Some(rule) => Err(format!("{rule:?}")),
            }
        });
    }
}

/// A rule as it stands.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) expression: String,
    /// ok, err, unknown.
    pub(super) health: String,
    pub(super) error: String,
    /// Of alerts: inactive, pending, firing.
    pub(super) state: String,
}

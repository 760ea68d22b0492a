//! The HTTP API as a client sees it. The shapes are written down here once more, so that a changed name is noticed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use shared::job::JobId;
use shared::message::manifest::FileEntry;
use shared::message::submit::SubmitReply;

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A coordinator's API.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    agent: ureq::Agent,
}

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A job as `GET /api/v1/jobs/{id}` shows it.
#[derive(Debug, Clone, Deserialize)]
#[expect(
    missing_docs,
    reason = "docs/protocol.md and the API's own types describe the fields"
)]
pub struct Job {
    pub id: JobId,
    pub plugin: String,
    pub title: String,
    pub state: String,
    pub priority: i64,
    pub percent: f64,
    pub items_done: u32,
    pub items_failed: u32,
    pub items_total: u32,
    pub error: Option<String>,
    pub process_id: Option<String>,
    pub step_id: Option<String>,
    pub started_at: Option<String>,
    pub finished_at: Option<String>,
    pub template: Option<String>,
    pub source: Option<String>,
    pub target: Option<String>,
    pub parameters: Map<String, Value>,
    pub extra: Map<String, Value>,
    pub submitted_by: String,
    pub summary: Map<String, Value>,
    pub items: Vec<Item>,
    pub attempts: Vec<Attempt>,
    pub outputs: Vec<FileEntry>,
    pub deliveries: Vec<Delivery>,
}

/// A page of a job.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "as for Job")]
pub struct Item {
    pub name: String,
    pub position: u32,
    pub state: String,
    pub attempt: i32,
    pub duration_ms: u64,
    pub error: Option<String>,
    pub files: Vec<FileEntry>,
}

/// A message to another system about a job.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "as for Job")]
pub struct Delivery {
    pub id: String,
    pub kind: String,
    pub target: String,
    pub state: String,
    pub tries: u32,
    pub last_answer: Option<String>,
    pub next_try_at: Option<String>,
    pub settled_at: Option<String>,
}

/// A run of a job.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "as for Job")]
pub struct Attempt {
    pub attempt: i32,
    pub worker_id: String,
    pub outcome: Option<String>,
    pub error: Option<String>,
}

impl Job {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        ["DONE", "ERROR", "CANCELLED"].contains(&self.state.as_str())
    }

    /// How its attempts ended, the first one first; `running` for one that has not.
    pub fn outcomes(&self) -> Vec<&str> {
        let mut attempts: Vec<&Attempt> = self.attempts.iter().collect();
        attempts.sort_by_key(|attempt| attempt.attempt);
        attempts
            .into_iter()
            .map(|attempt| attempt.outcome.as_deref().unwrap_or("running"))
            .collect()
    }

    /// Names of the items in this state.
    pub fn items_in(&self, state: &str) -> Vec<&str> {
        self.items
            .iter()
            .filter(|item| item.state == state)
            .map(|item| item.name.as_str())
            .collect()
    }
}

impl Api {
    pub(crate) fn new(port: u16) -> Self {
        Self::within(port, TIMEOUT)
    }

    /// With another wait for each answer.
    pub(crate) fn within(port: u16, limit: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .proxy(None)
            .build();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            agent: config.into(),
        }
    }

    /// The address that people would type.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Asks for any path.
    ///
    /// # Errors
    /// Why there was no answer.
    pub fn get(&self, path: &str) -> Result<Answer, String> {
        let response = self.agent.get(format!("{}{path}", self.base)).call();
        read(response)
    }

    /// Asks for JSON.
    ///
    /// # Errors
    /// Why there was no such answer.
    pub fn json(&self, path: &str) -> Result<Value, String> {
        let answer = self.get(path)?;
        if answer.status != 200 {
            return Err(format!("{path}: {}: {}", answer.status, answer.body));
        }
        serde_json::from_str(&answer.body).map_err(|error| format!("{path}: {error}"))
    }

    /// Submits a job.
    ///
    /// # Errors
    /// Why there was no answer.
    pub fn post_job(&self, body: &[u8]) -> Result<Answer, String> {
        self.post("/api/v1/jobs", body)
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// Why there was no answer.
    pub fn post(&self, path: &str, body: &[u8]) -> Result<Answer, String> {
        let request = self.agent.post(format!("{}{path}", self.base));
        read(request.header("Content-Type", "application/json").send(body))
    }

    /// Asks for an action; gives the status and the answer.
    pub fn act(&self, path: &str, action: &Value) -> (u16, Value) {
        let request = self.agent.post(format!("{}{path}", self.base));
        let answer = read(
            request
                .header("Content-Type", "application/json")
                .send(action.to_string().as_bytes()),
        )
        .expect("the API answers");
        let body = serde_json::from_str(&answer.body).expect("the answer is JSON");
        (answer.status, body)
    }

    /// Submits a job that has to be accepted.
    pub fn submit(&self, job: &Value) -> JobId {
        let answer = self
            .post_job(job.to_string().as_bytes())
            .expect("the API answers");
        assert_eq!(answer.status, 201, "{job}: {}", answer.body);
        match shared::message::decode(answer.body.as_bytes()).expect("the answer can be read") {
            SubmitReply::Accepted { job_id } => job_id,
            other => panic!("{job}: {other:?}"),
        }
    }

    /// A job.
    ///
    /// # Errors
    /// Why there was no such answer.
    pub fn job(&self, id: JobId) -> Result<Job, String> {
        let path = format!("/api/v1/jobs/{id}");
        serde_json::from_value(self.json(&path)?).map_err(|error| format!("{path}: {error}"))
    }

    /// A job's log, line by line.
    ///
    /// # Errors
    /// Why there was no such answer.
    pub fn log(&self, id: JobId) -> Result<Vec<String>, String> {
        let log = self.json(&format!("/api/v1/jobs/{id}/log"))?;
        let lines = log["lines"].as_array().ok_or("no lines")?;
        Ok(lines
            .iter()
            .filter_map(|line| line["text"].as_str())
            .map(str::to_owned)
            .collect())
    }

    /// The sum of a metric over all its series whose labels contain all of these.
    ///
    /// # Errors
    /// Why there was no answer.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Result<f64, String> {
        let text = self.get("/metrics")?.body;
        Ok(sum(&text, name, labels))
    }
}

fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '))
        .filter(|(series, _)| series.is_empty() || series.starts_with('{'))
        .filter(|(series, _)| labels.iter().all(|label| series.contains(label)))
        .filter_map(|(_, value)| value.parse::<f64>().ok())
        .sum()
}

fn read(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = response.map_err(|error| error.to_string())?;
    let body = response
        .body_mut()
        .read_to_string()
        .map_err(|error| error.to_string())?;
    Ok(Answer {
        status: response.status().as_u16(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_the_sum_of_its_matching_series() {
        let text = "# HELP a_total x\na_total{name=\"x\",outcome=\"ok\"} 3\na_total{name=\"y\",outcome=\"ok\"} 4\n\
                    a_total_other 9\nb 2.5\n";
        assert!((sum(text, "a_total", &[]) - 7.0).abs() < f64::EPSILON);
        assert!((sum(text, "a_total", &["name=\"x\""]) - 3.0).abs() < f64::EPSILON);
        assert!((sum(text, "b", &[]) - 2.5).abs() < f64::EPSILON);
        assert!(sum(text, "c", &[]).abs() < f64::EPSILON);
    }
}

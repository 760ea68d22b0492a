//! `taskmanager worker pod-costs`: tells Kubernetes which workers to end first when it ends some of them.
//!
//! Of the pods of a deployment it ends those first whose annotation [`ANNOTATION`] is the smallest number. An idle
//! worker costs nothing; a busy one the more, the longer its oldest job has run. Workers need no right in Kubernetes
//! for that: this program alone has it.
//!
//! Invariant: an annotation is written only when it changes, and it changes ever more rarely the longer a job runs, as
//! each change is work for the whole cluster.

mod kubernetes;

use std::collections::HashMap;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use crate::Answer;
use crate::api::{Worker, Workers};
use crate::client::Client;
use crate::output;
use kubernetes::{Annotated, Kubernetes};

/// The annotation that Kubernetes reads (<https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost>).
const ANNOTATION: &str = "controller.kubernetes.io/pod-deletion-cost";

/// Tell Kubernetes which workers to end first: idle ones, then those with the youngest jobs.
///
/// Workers are found by their hosts, which are their pods' names. Runs until it is ended.
#[derive(Debug, Args)]
pub(crate) struct PodCosts {
    /// Seconds between two looks at the workers.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Look once and end.
    #[arg(long)]
    once: bool,
    /// Kubernetes' API; inside a pod it is known.
    #[arg(long, value_name = "URL")]
    kubernetes: Option<String>,
    /// Its host, as every pod is told.
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", hide = true)]
    host: Option<String>,
    /// Its port, as every pod is told.
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", hide = true)]
    port: Option<u16>,
    /// The folder with the pod's token, namespace and the API's certificate.
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    service_account: PathBuf,
}

impl PodCosts {
    /// The address of Kubernetes' API.
    fn address(&self) -> anyhow::Result<String> {
        match (&self.kubernetes, &self.host, self.port) {
            (Some(url), _, _) => Ok(url.trim_end_matches('/').to_owned()),
            (None, Some(host), Some(port)) if host.contains(':') => Ok(format!("https://[{host}]:{port}")),
            (None, Some(host), Some(port)) => Ok(format!("https://{host}:{port}")),
            _ => bail!("this is no pod of Kubernetes: name its API with --kubernetes"),
        }
    }
}

/// Looks and tells until it is ended.
pub(crate) fn run(client: &Client, command: &PodCosts) -> anyhow::Result<Answer> {
    let kubernetes = Kubernetes::new(&command.address()?, &command.service_account)?;
    let mut told = HashMap::new();
    let mut silent = false;
    loop {
        match client.get("/api/v1/workers", &[]) {
            Ok(answer) => {
                silent = false;
                tell(&kubernetes, &answer.read::<Workers>()?.workers, &mut told)?;
            }
            Err(error) if error.is_passing() && !command.once => {
                if !silent {
                    output::note(&format!("{error}; asking on"));
                }
                silent = true;
            }
            Err(error) => return Err(error.into()),
        }
        if command.once {
            return Ok(Answer::Yes);
        }
        thread::sleep(Duration::from_secs(command.every));
    }
}

/// Tells what has changed; `told` holds what Kubernetes knows, by pod.
fn tell(kubernetes: &Kubernetes, workers: &[Worker], told: &mut HashMap<String, u8>) -> anyhow::Result<()> {
    let costs: HashMap<String, u8> = workers
        .iter()
        .filter(|worker| worker.alive)
        .map(|worker| (worker.host.clone(), cost(worker.busy_seconds)))
        .collect();
    for (pod, cost) in &costs {
        if told.get(pod) == Some(cost) {
            continue;
        }
        let annotated = kubernetes.annotate(pod, ANNOTATION, &cost.to_string())?;
        if annotated == Annotated::NoSuchPod && !told.contains_key(pod) {
            output::note(&format!("worker on {pod}: there is no such pod, it is left out"));
        }
    }
    *told = costs;
    Ok(())
}

/// What the end of a worker costs: 0 while it is idle, 1 in the first minute of its oldest job, 2 until the third, 3
/// until the seventh, and so on: one more each time that the time has doubled.
fn cost(busy_seconds: Option<u64>) -> u8 {
    let Some(seconds) = busy_seconds else { return 0 };
    let minutes = seconds / 60 + 1;
    u8::try_from(minutes.ilog2() + 1).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::cost;

    #[test]
    fn an_idle_worker_costs_nothing_and_a_busy_one_more_and_more_rarely_the_longer_it_works() {
        let told = [
            None,
            Some(0),
            Some(59),
            Some(60),
            Some(179),
            Some(180),
            Some(36_000),
        ]
        .map(cost);
        assert_eq!(told, [0, 1, 1, 2, 2, 3, 10]);
        assert!(cost(Some(u64::MAX)) > cost(Some(36_000)));
    }
}

//! Kubernetes' API, as far as it is needed: one annotation of a pod is written.
//!
//! Invariant: the token is read for each request, as Kubernetes changes it, and is never printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::json;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Longest time for a request and its whole answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// What became of an annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Annotated {
    /// It is written.
    Yes,
    /// The pod is gone, or the worker runs elsewhere.
    NoSuchPod,
}

/// The API, and who asks it.
pub(super) struct Kubernetes {
    agent: Agent,
    /// The address of the pods of our namespace, without a slash at its end.
    pods: String,
    token: PathBuf,
}

impl Kubernetes {
    /// The API at `url`; `account` is the folder with the pod's own papers.
    pub(super) fn new(url: &str, account: &Path) -> anyhow::Result<Self> {
        let namespace = read(&account.join("namespace"))?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(CALL_TIMEOUT));
        if url.starts_with("https:") {
            let roots = RootCerts::Specific(Arc::new(certificates(&account.join("ca.crt"))?));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self {
            agent: config.build().new_agent(),
            pods: format!("{url}/api/v1/namespaces/{namespace}/pods"),
            token: account.join("token"),
        })
    }

    /// Writes an annotation of a pod.
    pub(super) fn annotate(&self, pod: &str, name: &str, value: &str) -> anyhow::Result<Annotated> {
        if !is_a_pods_name(pod) {
            return Ok(Annotated::NoSuchPod);
        }
        let patch = json!({"metadata": {"annotations": {name: value}}}).to_string();
        let answer = self
            .agent
            .patch(format!("{}/{pod}", self.pods))
            .header("Authorization", format!("Bearer {}", read(&self.token)?))
            .content_type("application/merge-patch+json")
            .send(patch.as_bytes())
            .with_context(|| format!("can't reach Kubernetes' API at {}", self.pods))?;
        match answer.status().as_u16() {
            200..=299 => Ok(Annotated::Yes),
            404 => Ok(Annotated::NoSuchPod),
            status @ (401 | 403) => bail!(
                "Kubernetes does not let us annotate pod {pod} (status {status}): the service account needs the verb \
                 `patch` on pods"
            ),
            status => bail!("Kubernetes answered status {status} when pod {pod} was to be annotated"),
        }
    }
}

/// Whether it may stand in an address: RFC 1123, as pods' names do.
fn is_a_pods_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(fits)
        && !text.contains("..")
        && !text.starts_with('.')
}

fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate<'static>>> {
    let pem = read(path)?;
    let mut found = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        if let PemItem::Certificate(certificate) =
            item.with_context(|| format!("{} is no PEM", path.display()))?
        {
            found.push(certificate);
        }
    }
    ensure!(!found.is_empty(), "there is no certificate in {}", path.display());
    Ok(found)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_a_pods_name;

    #[test]
    fn a_workers_host_leads_to_no_other_address() {
        assert!(is_a_pods_name("worker-ocr-5d8f7-x2x"));
        for name in ["", "..", "a/b", "a?b", "Großrechner", "a..b", ".a", "a%2fb"] {
            assert!(!is_a_pods_name(name), "{name}");
        }
    }
}

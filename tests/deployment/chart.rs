//! The chart as Helm renders it, once for all tests: each file in `values/` is a set, each in `wrong/` has to be refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use launcher::workspace;
use serde::Deserialize;
use serde_json::Value;
use tests::python_tool;

use crate::succeed;

/// Releases of Kubernetes that the manifests are held against.
pub(crate) const KUBERNETES: [&str; 6] = ["1.29", "1.30", "1.31", "1.32", "1.33", "1.34"];

/// All that Helm's engine says.
#[derive(Debug, Deserialize)]
pub(crate) struct Rendered {
    /// By the name of its file.
    pub(crate) good: BTreeMap<String, Set>,
    /// Why each was refused; empty where it was not.
    pub(crate) bad: BTreeMap<String, String>,
    /// Prometheus' groups of rules in `deploy/prometheus`.
    pub(crate) groups: Vec<Value>,
    /// The chart's values.yaml.
    pub(crate) defaults: Value,
}

/// What one file of values gives.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Set {
    pub(crate) objects: Vec<Manifest>,
    pub(crate) notes: String,
    pub(crate) lint: Vec<String>,
    pub(crate) refused: Option<String>,
}

/// One object.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    /// The template that it comes from.
    pub(crate) path: String,
    pub(crate) object: Value,
    /// What Kubernetes' schemas have against it; `None` where Kubernetes has no such kind.
    pub(crate) complaints: Option<Vec<String>>,
}

/// A pod's description, wherever it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pod<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: &'a Value,
    pub(crate) spec: &'a Value,
}

/// The folder of this test's own files.
pub(crate) fn folder() -> PathBuf {
    workspace().join("tests/deployment")
}

/// The chart.
pub(crate) fn chart() -> PathBuf {
    workspace().join("helm/taskmanager")
}

/// What Helm renders; the first who asks waits for it.
pub(crate) fn rendered() -> &'static Rendered {
    static RENDERED: OnceLock<Rendered> = OnceLock::new();
    RENDERED.get_or_init(|| {
        let output = succeed(
            Command::new(python_tool("python"))
                .arg(folder().join("tools/render.py"))
                .arg(chart())
                .arg(folder().join("values"))
                .arg(folder().join("wrong"))
                .arg(workspace().join("deploy/prometheus"))
                .args(KUBERNETES),
        );
        serde_json::from_slice(&output.stdout).unwrap()
    })
}

/// Every object of every set, with the set's name.
pub(crate) fn objects() -> impl Iterator<Item = (&'static str, &'static Manifest)> {
    rendered()
        .good
        .iter()
        .flat_map(|(name, set)| set.objects.iter().map(move |manifest| (name.as_str(), manifest)))
}

impl Set {
    /// The objects of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .iter()
            .map(|manifest| &manifest.object)
            .filter(move |object| object["kind"] == kind)
    }

    /// All pods that the chart itself describes.
    pub(crate) fn pods(&self) -> Vec<Pod<'_>> {
        let deployments = self.of_kind("Deployment").map(|object| Pod {
            name: name(object),
            labels: &object["spec"]["template"]["metadata"]["labels"],
            spec: &object["spec"]["template"]["spec"],
        });
        let single = self.of_kind("Pod").map(|object| Pod {
            name: name(object),
            labels: &object["metadata"]["labels"],
            spec: &object["spec"],
        });
        deployments.chain(single).collect()
    }
}

impl<'a> Pod<'a> {
    /// Its containers.
    pub(crate) fn containers(self) -> impl Iterator<Item = &'a Value> {
        list(&self.spec["containers"]).iter()
    }

    /// What kind of process it is: coordinator, worker or test.
    pub(crate) fn component(self) -> &'a str {
        self.labels["app.kubernetes.io/component"].as_str().unwrap()
    }

    /// The value of a variable of its first container.
    pub(crate) fn variable(self, name: &str) -> Option<&'a str> {
        list(&self.spec["containers"][0]["env"])
            .iter()
            .find(|variable| variable["name"] == name)?["value"]
            .as_str()
    }
}

/// An object's name.
pub(crate) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// A list; what is not there is empty.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether `labels` have all that `matchLabels` of a selector ask for.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object();
    wanted.is_none_or(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value))
}

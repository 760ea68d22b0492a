//! Objects of operators, held against the types that these publish: TypeScript's compiler finds what is missing, of
//! another type, or not known. An unknown field would be dropped by a cluster without a word.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use launcher::workspace;

use crate::chart::objects;
use crate::schemas::kind;

/// Kinds, and the module that has the type of each.
pub(crate) const CHECKED: [(&str, &str); 6] = [
    (
        "keda.sh/v1alpha1 ScaledObject",
        "keda/keda.sh/v1alpha1/ScaledObject",
    ),
    (
        "keda.sh/v1alpha1 TriggerAuthentication",
        "keda/keda.sh/v1alpha1/TriggerAuthentication",
    ),
    (
        "monitoring.coreos.com/v1 ServiceMonitor",
        "prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor",
    ),
    (
        "monitoring.coreos.com/v1 PodMonitor",
        "prometheus-operator/monitoring.coreos.com/v1/PodMonitor",
    ),
    (
        "monitoring.coreos.com/v1 PrometheusRule",
        "prometheus-operator/monitoring.coreos.com/v1/PrometheusRule",
    ),
    (
        "gateway.networking.k8s.io/v1 HTTPRoute",
        "gateway-api/gateway.networking.k8s.io/v1/HTTPRoute",
    ),
];

/// What the compiler has against a text.
fn complaints(folder: &Path, text: &str) -> String {
    let file = folder.join("objects.ts");
    fs::write(&file, text).unwrap();
    let output = Command::new("node")
        .arg(folder.join("node_modules/typescript/bin/tsc"))
        .args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"])
        .args(["--module", "nodenext", "--moduleResolution", "nodenext"])
        .arg(&file)
        .output()
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn objects_of_operators_are_what_these_have_published() {
    let folder = workspace().join("target/tools/deployment");
    assert!(
        folder.join("node_modules/typescript").is_dir(),
        "run `cargo xtask test`, which installs the operators' types"
    );
    let mut text = String::new();
    for (at, (_, module)) in CHECKED.iter().enumerate() {
        let (_, name) = module.rsplit_once('/').unwrap();
        writeln!(
            text,
            "import type {{I{name} as Kind{at}}} from '@kubernetes-models/{module}';"
        )
        .unwrap();
    }
    let mut seen = BTreeSet::new();
    for (line, (set, manifest)) in objects().enumerate() {
        let kind = kind(manifest);
        if let Some(at) = CHECKED.iter().position(|(checked, _)| **checked == kind) {
            seen.insert(at);
            let object = serde_json::to_string(&manifest.object).unwrap();
            writeln!(
                text,
                "export const o{line}: Kind{at} = {object}; // {set}: {}",
                manifest.path
            )
            .unwrap();
        }
    }
    assert!(
        seen.len() >= CHECKED.len() - 1,
        "no object of some kinds: {seen:?}"
    );
    assert_eq!(complaints(&folder, &text), "");
    let misspelt = text.replace("\"minReplicaCount\"", "\"minReplicas\"");
    let found = complaints(&folder, &misspelt);
    assert!(
        found.contains("known properties") && found.contains("minReplicas"),
        "{found}"
    );
}

//! Whether manifests are what Kubernetes understands, and wrong values are refused in words.

use std::collections::BTreeSet;
use std::fs;

use crate::chart::{Manifest, folder, objects, rendered};
use crate::custom::CHECKED;

/// Kinds of operators whose packages of schemas no registry has; `docs/unproven.md` names them.
const UNCHECKED: [&str; 2] = [
    "postgresql.cnpg.io/v1 Cluster",
    "rabbitmq.com/v1beta1 RabbitmqCluster",
];

/// Version and kind of an object.
pub(crate) fn kind(manifest: &Manifest) -> String {
    let word = |field: &str| manifest.object[field].as_str().unwrap();
    format!("{} {}", word("apiVersion"), word("kind"))
}

#[test]
fn every_set_of_values_is_rendered_and_helms_linter_finds_nothing() {
    let sets = &rendered().good;
    assert!(sets.len() >= 8, "{} sets", sets.len());
    for (name, set) in sets {
        assert_eq!(set.refused, None, "{name}");
        assert!(set.lint.is_empty(), "{name}: {:?}", set.lint);
    }
}

#[test]
fn every_manifest_is_valid_for_each_kubernetes_from_1_29_to_1_34() {
    for (set, manifest) in objects() {
        let complaints = manifest.complaints.as_deref().unwrap_or_default();
        assert!(complaints.is_empty(), "{set}: {}: {complaints:?}", manifest.path);
    }
}

#[test]
fn a_kind_that_kubernetes_does_not_know_is_checked_otherwise_or_listed_as_unproven() {
    let foreign: BTreeSet<String> = objects()
        .filter(|(_, manifest)| manifest.complaints.is_none())
        .map(|(_, manifest)| kind(manifest))
        .collect();
    let judged: BTreeSet<String> = CHECKED
        .iter()
        .map(|(kind, _)| *kind)
        .chain(UNCHECKED)
        .map(str::to_owned)
        .collect();
    let nobody: Vec<&String> = foreign.difference(&judged).collect();
    assert!(nobody.is_empty(), "nobody looks at {nobody:?}");
    let unproven = fs::read_to_string(launcher::workspace().join("docs/unproven.md")).unwrap();
    for kind in UNCHECKED {
        let (_, kind) = kind.split_once(' ').unwrap();
        assert!(unproven.contains(kind), "docs/unproven.md does not name {kind}");
    }
}

#[test]
fn wrong_values_are_refused_with_what_is_wrong_with_them() {
    let refused = &rendered().bad;
    assert!(refused.len() >= 10, "{} files", refused.len());
    for (name, message) in refused {
        let text = fs::read_to_string(folder().join(format!("wrong/{name}.yaml"))).unwrap();
        let (_, expected) = text.lines().next().unwrap().split_once("says: ").unwrap();
        assert!(message.contains(expected), "{name}: {message:?}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let message = &rendered().bad["several-problems"];
    assert!(message.contains("networkPolicy.coordinatorFrom"), "{message}");
    assert!(message.contains("two worker pools"), "{message}");
}

#[test]
fn the_notes_say_how_to_go_on() {
    let sets = &rendered().good;
    for (name, set) in sets {
        assert!(set.notes.contains("helm test demo --namespace prod"), "{name}");
    }
    assert!(sets["defaults"].notes.contains("No storage is mounted"));
    assert!(!sets["small"].notes.contains("No storage is mounted"));
    assert!(sets["small"].notes.contains("networkPolicy.enabled is false"));
    assert!(
        sets["ingress"]
            .notes
            .contains("Open https://jobs.library.example")
    );
}

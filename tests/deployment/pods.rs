//! What every pod of the chart keeps, whatever the values: the Pod Security Standard "restricted", and more.

use serde_json::{Value, json};

use crate::chart::{Pod, list, rendered};

/// Calls `check` with each pod of each set.
fn each(mut check: impl FnMut(&str, Pod<'static>)) {
    let mut seen = 0;
    for (name, set) in &rendered().good {
        for pod in set.pods() {
            check(&format!("{name}: {}", pod.name), pod);
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} pods");
}

#[test]
fn every_pod_keeps_the_standard_restricted() {
    each(|place, pod| {
        let security = &pod.spec["securityContext"];
        assert_eq!(security["runAsNonRoot"], true, "{place}");
        assert!(security["runAsUser"].as_u64().unwrap() > 0, "{place}");
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{place}");
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(pod.spec[field], Value::Null, "{place}: {field}");
        }
        for container in pod.containers() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{place}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{place}");
            assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}), "{place}");
            assert_eq!(security["privileged"], Value::Null, "{place}");
        }
        for volume in list(&pod.spec["volumes"]) {
            assert_eq!(volume["hostPath"], Value::Null, "{place}");
        }
    });
}

#[test]
fn who_tells_which_workers_to_end_first_may_patch_pods_and_no_other_process_has_any_right_in_kubernetes() {
    each(|place, pod| {
        let tells = pod.component() == "pod-costs";
        assert_eq!(pod.spec["automountServiceAccountToken"], tells, "{place}");
    });
    let mut told = Vec::new();
    for (name, set) in &rendered().good {
        for account in set.of_kind("ServiceAccount") {
            assert_eq!(account["automountServiceAccountToken"], false, "{name}");
        }
        for kind in ["ClusterRole", "ClusterRoleBinding"] {
            assert_eq!(set.of_kind(kind).count(), 0, "{name}");
        }
        let roles: Vec<&Value> = set.of_kind("Role").collect();
        let bindings: Vec<&Value> = set.of_kind("RoleBinding").collect();
        let Some(pod) = set.pods().into_iter().find(|pod| pod.component() == "pod-costs") else {
            assert!(roles.is_empty() && bindings.is_empty(), "{name}");
            continue;
        };
        told.push(name.as_str());
        let account = &pod.spec["serviceAccountName"];
        if name == "keda-prometheus" {
            assert_eq!(
                (account, roles.len()),
                (&json!("ours"), 0),
                "it is made by somebody else"
            );
            continue;
        }
        let [role, binding] = [roles[0], bindings[0]];
        assert_eq!((roles.len(), bindings.len()), (1, 1), "{name}");
        assert_eq!(
            role["rules"],
            json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["patch"]}])
        );
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        assert_eq!(
            binding["subjects"],
            json!([{"kind": "ServiceAccount", "name": account, "namespace": "prod"}])
        );
        assert!(
            set.of_kind("ServiceAccount")
                .any(|made| &made["metadata"]["name"] == account),
            "{name}"
        );
    }
    assert_eq!(told, ["hpa", "keda", "keda-prometheus"], "where pools are scaled");
}

#[test]
fn every_container_has_requests_and_a_limit_of_memory() {
    each(|place, pod| {
        for container in pod.containers() {
            assert!(container["resources"]["requests"].is_object(), "{place}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{place}");
        }
    });
}

#[test]
fn every_process_that_lasts_is_probed_and_an_outage_elsewhere_does_not_end_it() {
    each(|place, pod| {
        if ["test", "pod-costs"].contains(&pod.component()) {
            return;
        }
        for container in pod.containers() {
            let probe = |kind: &str| &container[kind]["httpGet"];
            assert_eq!(probe("startupProbe")["path"], "/healthz", "{place}");
            assert_eq!(probe("livenessProbe")["path"], "/healthz", "{place}");
            assert_eq!(probe("readinessProbe")["path"], "/readyz", "{place}");
            let ports = list(&container["ports"]);
            assert!(
                ports
                    .iter()
                    .any(|port| port["name"] == probe("livenessProbe")["port"]),
                "{place}"
            );
            let listen = match pod.component() {
                "coordinator" => pod.variable("TASKMANAGER_LISTEN"),
                _ => pod.variable("TASKMANAGER_WORKER_LISTEN"),
            };
            let (_, port) = listen.unwrap().rsplit_once(':').unwrap();
            assert_eq!(ports[0]["containerPort"].to_string(), port, "{place}");
        }
    });
}

#[test]
fn every_image_is_named_by_a_tag_that_stays_or_a_digest() {
    each(|place, pod| {
        for container in pod.containers() {
            let image = container["image"].as_str().unwrap();
            let (_, tag) = image.rsplit_once([':', '@']).unwrap_or((image, ""));
            assert!(
                !tag.is_empty() && !tag.contains('/') && tag != "latest",
                "{place}: {image}"
            );
        }
    });
}

#[test]
fn a_process_has_the_time_that_it_takes_to_end() {
    each(|place, pod| {
        if ["test", "pod-costs"].contains(&pod.component()) {
            return;
        }
        let grace: u64 = pod
            .variable("TASKMANAGER_GRACE_SECONDS")
            .unwrap()
            .parse()
            .unwrap();
        let before = &pod.spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"];
        let given = pod.spec["terminationGracePeriodSeconds"].as_u64().unwrap();
        assert!(
            given >= grace + before.as_u64().unwrap_or(0) + 10,
            "{place}: {given} s"
        );
    });
}

#[test]
fn what_is_mounted_is_there_and_what_is_there_is_mounted() {
    each(|place, pod| {
        let mut volumes: Vec<&Value> = list(&pod.spec["volumes"])
            .iter()
            .map(|volume| &volume["name"])
            .collect();
        let mounts = pod
            .containers()
            .flat_map(|container| list(&container["volumeMounts"]));
        let mut mounted: Vec<&Value> = mounts.map(|mount| &mount["name"]).collect();
        volumes.sort_by_key(ToString::to_string);
        mounted.sort_by_key(ToString::to_string);
        assert_eq!(volumes, mounted, "{place}");
    });
}

#[test]
fn no_secret_stands_in_a_manifest() {
    for (name, set) in &rendered().good {
        assert_eq!(
            set.of_kind("Secret").count(),
            0,
            "{name}: a Secret would be in Helm's history"
        );
        for pod in set.pods() {
            for container in pod.containers() {
                for variable in list(&container["env"]) {
                    let (variable, value) = (variable["name"].as_str().unwrap(), &variable["value"]);
                    let value = value.as_str().unwrap_or_default();
                    let secret = ["PASSWORD", "TOKEN", "KEY", "SECRET", "CREDENTIALS"];
                    let is_secret = secret.iter().any(|word| variable.contains(word))
                        || ["DATABASE_URL", "AMQP_URL"]
                            .iter()
                            .any(|url| variable.starts_with(url));
                    assert!(!is_secret || variable.ends_with("_FILE"), "{name}: {variable}");
                    assert!(
                        !is_secret || value.starts_with("/run/secrets/"),
                        "{name}: {variable}"
                    );
                    assert!(
                        !value.contains('@') || !value.contains("://"),
                        "{name}: {variable}"
                    );
                }
            }
        }
    }
}

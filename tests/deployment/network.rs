//! Policies of the network: nothing is open but what is needed, and that is.

use serde_json::{Value, json};

use crate::chart::{Pod, Set, list, rendered, selects};

/// Sets that have policies.
fn guarded() -> impl Iterator<Item = (&'static String, &'static Set)> {
    rendered().good.iter().filter(|(name, _)| *name != "small")
}

fn has_type(policy: &Value, wanted: &str) -> bool {
    list(&policy["spec"]["policyTypes"])
        .iter()
        .any(|name| name == wanted)
}

/// The policies that hold for a pod.
fn of<'a>(set: &'a Set, pod: Pod<'a>) -> Vec<&'a Value> {
    set.of_kind("NetworkPolicy")
        .filter(|policy| selects(&policy["spec"]["podSelector"], pod.labels))
        .collect()
}

/// The rules of egress that allow a port.
fn ways_out<'a>(set: &'a Set, pod: Pod<'a>, port: u64) -> Vec<&'a Value> {
    let rules = of(set, pod)
        .into_iter()
        .flat_map(|policy| list(&policy["spec"]["egress"]));
    rules
        .filter(|rule| list(&rule["ports"]).iter().any(|allowed| allowed["port"] == port))
        .collect()
}

/// Whom the pod answers at its port; `None` where that is everybody.
fn callers<'a>(set: &'a Set, pod: Pod<'a>) -> Option<Vec<&'a Value>> {
    let rules = of(set, pod)
        .into_iter()
        .flat_map(|policy| list(&policy["spec"]["ingress"]));
    let mut callers = Vec::new();
    for rule in rules {
        let from = list(&rule["from"]);
        if from.is_empty() {
            return None;
        }
        assert_eq!(rule["ports"][0]["port"], "http", "{rule}");
        callers.extend(from);
    }
    Some(callers)
}

#[test]
fn every_pod_is_behind_a_policy_that_lets_nothing_through() {
    for (name, set) in guarded() {
        for pod in set.pods() {
            let denied = of(set, pod).into_iter().any(|policy| {
                let spec = &policy["spec"];
                let no_rules = list(&spec["ingress"]).is_empty() && list(&spec["egress"]).is_empty();
                no_rules && has_type(policy, "Ingress") && has_type(policy, "Egress")
            });
            assert!(denied, "{name}: {}", pod.name);
        }
    }
    assert_eq!(rendered().good["small"].of_kind("NetworkPolicy").count(), 0);
}

#[test]
fn no_policy_selects_all_pods_of_the_namespace() {
    for (name, set) in guarded() {
        for policy in set.of_kind("NetworkPolicy") {
            let labels = policy["spec"]["podSelector"]["matchLabels"].as_object();
            assert!(
                labels.is_some_and(|labels| !labels.is_empty()),
                "{name}: {policy}"
            );
        }
    }
}

#[test]
fn each_process_reaches_what_it_needs_and_no_worker_the_database() {
    for (name, set) in guarded() {
        for pod in set.pods() {
            let reaches = |port| !ways_out(set, pod, port).is_empty();
            assert!(reaches(53), "{name}: {} can't ask for names", pod.name);
            let (database, broker) = (reaches(5432), reaches(5672));
            let expected = match pod.component() {
                "coordinator" => (true, true),
                "worker" => (false, true),
                _ => (false, false),
            };
            assert_eq!((database, broker), expected, "{name}: {}", pod.name);
        }
    }
}

#[test]
fn who_tells_which_workers_to_end_first_reaches_coordinators_and_kubernetes() {
    for name in ["hpa", "keda", "keda-prometheus"] {
        let set = &rendered().good[name];
        let pods = set.pods();
        let [tells, coordinator] = ["pod-costs", "coordinator"]
            .map(|component| *pods.iter().find(|pod| pod.component() == component).unwrap());
        let to_coordinators = ways_out(set, tells, 8080);
        assert!(
            to_coordinators
                .iter()
                .any(|rule| selects(&rule["to"][0]["podSelector"], coordinator.labels)),
            "{name}"
        );
        let (ports, to) = match name {
            "hpa" => (&[8443][..], json!([{"ipBlock": {"cidr": "192.0.2.1/32"}}])),
            _ => (&[443, 6443][..], Value::Null),
        };
        for port in ports {
            let ways = ways_out(set, tells, *port);
            assert_eq!((ways.len(), &ways[0]["to"]), (1, &to), "{name}: {port}");
        }
        let token = tells.variable("TASKMANAGER_TOKEN_FILE").unwrap();
        let container = &tells.spec["containers"][0];
        let folder = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
        assert_eq!(token, format!("{folder}/token"), "{name}");
        let secret = &tells.spec["volumes"][0]["secret"];
        let expected = if name == "keda" {
            "taskmanager-scaler"
        } else {
            "costs"
        };
        assert_eq!(secret["secretName"], expected, "{name}");
        assert_eq!(
            secret["items"],
            json!([{"key": "token", "path": "token"}]),
            "{name}"
        );
        let url = tells.variable("TASKMANAGER_URL").unwrap();
        let service = set.of_kind("Service").next().unwrap();
        let host = format!("http://{}.", crate::chart::name(service));
        assert!(url.starts_with(&host) && url.ends_with(":8080"), "{name}: {url}");
    }
}

#[test]
fn where_database_and_broker_are_known_only_they_are_reached() {
    for name in ["bundled", "everything"] {
        let set = &rendered().good[name];
        for pod in set.pods() {
            for rule in [5432, 5672].into_iter().flat_map(|port| ways_out(set, pod, port)) {
                assert!(!list(&rule["to"]).is_empty(), "{name}: {rule}");
            }
        }
    }
}

#[test]
fn coordinators_answer_only_who_was_named_and_workers_only_prometheus() {
    let of_set = |set: &str, component: &str| -> Vec<String> {
        let set = &rendered().good[set];
        let pod = set
            .pods()
            .into_iter()
            .find(|pod| pod.component() == component)
            .unwrap();
        let callers = callers(set, pod).expect("not everybody");
        let word = |peer: &Value| {
            let namespace = &peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"];
            let component = &peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"];
            namespace.as_str().or(component.as_str()).unwrap().to_owned()
        };
        callers.into_iter().map(word).collect()
    };
    assert_eq!(of_set("defaults", "coordinator"), ["test"]);
    assert_eq!(of_set("ingress", "coordinator"), ["test", "ingress-nginx"]);
    assert_eq!(of_set("keda", "coordinator"), ["test", "pod-costs", "keda"]);
    assert_eq!(of_set("keda", "pod-costs"), [""; 0]);
    assert_eq!(of_set("monitored", "coordinator"), ["test", "monitoring"]);
    assert_eq!(of_set("defaults", "worker"), [""; 0]);
    assert_eq!(of_set("monitored", "worker"), ["monitoring"]);
}

#[test]
fn a_bundled_database_answers_coordinators_and_no_worker() {
    let set = &rendered().good["bundled"];
    let policy = set
        .of_kind("NetworkPolicy")
        .find(|policy| crate::chart::name(policy).ends_with("-database"))
        .unwrap();
    let cluster = set.of_kind("Cluster").next().unwrap();
    assert_eq!(
        policy["spec"]["podSelector"]["matchLabels"]["cnpg.io/cluster"],
        cluster["metadata"]["name"]
    );
    let rule = &policy["spec"]["ingress"][0];
    assert_eq!(rule["ports"][0]["port"], 5432);
    for pod in set.pods() {
        let let_in = list(&rule["from"])
            .iter()
            .any(|peer| selects(&peer["podSelector"], pod.labels));
        assert_eq!(let_in, pod.component() == "coordinator", "{}", pod.name);
    }
}

//! Whether objects of the chart find each other: Services their pods, autoscalers their Deployments, Prometheus its files.

use std::fs;

use launcher::workspace;
use serde_json::{Value, json};

use crate::chart::{Pod, list, name, rendered, selects};

#[test]
fn each_deployment_selects_its_own_pods_and_no_others() {
    for (set_name, set) in &rendered().good {
        for deployment in set.of_kind("Deployment") {
            let selected: Vec<&str> = set
                .pods()
                .into_iter()
                .filter(|pod| selects(&deployment["spec"]["selector"], pod.labels))
                .map(|pod| pod.name)
                .collect();
            assert_eq!(selected, [name(deployment)], "{set_name}");
        }
    }
}

#[test]
fn service_budget_and_monitors_mean_the_pods_that_they_are_for() {
    for (set_name, set) in &rendered().good {
        let selected = |selector: &Value| -> Vec<&str> {
            let pods = set.pods().into_iter();
            pods.filter(|pod| selects(selector, pod.labels))
                .map(Pod::component)
                .collect()
        };
        for service in set.of_kind("Service") {
            let selector = json!({"matchLabels": service["spec"]["selector"]});
            assert_eq!(selected(&selector), ["coordinator"], "{set_name}");
            for monitor in set.of_kind("ServiceMonitor") {
                assert!(
                    selects(&monitor["spec"]["selector"], &service["metadata"]["labels"]),
                    "{set_name}"
                );
                assert_eq!(
                    monitor["spec"]["endpoints"][0]["port"],
                    service["spec"]["ports"][0]["name"]
                );
            }
        }
        for budget in set.of_kind("PodDisruptionBudget") {
            assert_eq!(
                selected(&budget["spec"]["selector"]),
                ["coordinator"],
                "{set_name}"
            );
        }
        for monitor in set.of_kind("PodMonitor") {
            let pods = selected(&monitor["spec"]["selector"]);
            assert!(
                !pods.is_empty() && pods.iter().all(|pod| *pod == "worker"),
                "{set_name}"
            );
        }
    }
    let budgets = |set: &str| rendered().good[set].of_kind("PodDisruptionBudget").count();
    assert_eq!(
        (budgets("defaults"), budgets("small")),
        (1, 0),
        "one coordinator alone could never be evicted"
    );
}

#[test]
fn coordinators_are_spread_over_nodes() {
    let deployment = rendered().good["defaults"].of_kind("Deployment").next().unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
    let pod = &deployment["spec"]["template"];
    let rule =
        &pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0];
    let term = &rule["podAffinityTerm"];
    assert_eq!(term["topologyKey"], "kubernetes.io/hostname");
    assert!(selects(&term["labelSelector"], &pod["metadata"]["labels"]));
}

#[test]
fn an_autoscaler_counts_a_deployment_that_does_not_say_how_many() {
    let mut scalers = 0;
    for (set_name, set) in &rendered().good {
        let mut scaled = Vec::new();
        for kind in ["ScaledObject", "HorizontalPodAutoscaler"] {
            scaled.extend(
                set.of_kind(kind)
                    .map(|scaler| scaler["spec"]["scaleTargetRef"]["name"].as_str().unwrap()),
            );
        }
        scalers += scaled.len();
        for target in &scaled {
            assert!(
                set.of_kind("Deployment")
                    .any(|deployment| name(deployment) == *target),
                "{set_name}: {target}"
            );
        }
        for deployment in set.of_kind("Deployment") {
            let is_scaled = scaled.contains(&name(deployment));
            assert_eq!(
                deployment["spec"]["replicas"].is_null(),
                is_scaled,
                "{set_name}: {}",
                name(deployment)
            );
        }
    }
    assert!(scalers >= 4, "only {scalers}");
}

#[test]
fn keda_asks_for_the_pools_plugins_and_counts_the_slots_of_one_worker() {
    let set = &rendered().good["keda"];
    let scaler = set.of_kind("ScaledObject").next().unwrap();
    assert_eq!(scaler["spec"]["minReplicaCount"], 0);
    let trigger = &scaler["spec"]["triggers"][0];
    assert_eq!(
        trigger["metadata"]["url"],
        "http://demo-taskmanager.prod.svc:8080/api/v1/demand?plugins=NOOP,OCR"
    );
    assert_eq!(trigger["metadata"]["valueLocation"], "demand");
    assert_eq!(trigger["metadata"]["targetValue"], "3");
    let service = set.of_kind("Service").next().unwrap();
    assert_eq!(name(service), "demo-taskmanager");
    let secret = &set.of_kind("TriggerAuthentication").next().unwrap();
    assert_eq!(trigger["authenticationRef"]["name"], secret["metadata"]["name"]);

    let set = &rendered().good["keda-prometheus"];
    let trigger = &set.of_kind("ScaledObject").next().unwrap()["spec"]["triggers"][0];
    let query = trigger["metadata"]["query"].as_str().unwrap();
    assert!(query.contains(shared::metrics::JOBS), "{query}");
    assert!(query.contains(r#"plugin=~"OCR""#), "{query}");
    assert_eq!(trigger["metadata"]["threshold"], "1");
}

#[test]
fn pages_are_led_to_the_coordinators_service() {
    let ingress = rendered().good["ingress"].of_kind("Ingress").next().unwrap();
    let backend = &ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    assert_eq!(
        *backend,
        json!({"name": "demo-taskmanager", "port": {"name": "http"}})
    );
    let route = rendered().good["gateway"].of_kind("HTTPRoute").next().unwrap();
    assert_eq!(
        route["spec"]["rules"][0]["backendRefs"],
        json!([{"name": "demo-taskmanager", "port": 8080}])
    );
}

#[test]
fn the_charts_rules_are_those_of_the_compose_file() {
    let set = &rendered().good["monitored"];
    let groups: Vec<Value> = set
        .of_kind("PrometheusRule")
        .flat_map(|rule| list(&rule["spec"]["groups"]).to_vec())
        .collect();
    assert_eq!(groups, rendered().groups);
}

#[test]
fn the_charts_dashboards_are_those_of_the_compose_file() {
    let mut files: Vec<(String, String)> = fs::read_dir(workspace().join("deploy/grafana/dashboards"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    let set = &rendered().good["monitored"];
    let maps = set
        .of_kind("ConfigMap")
        .filter(|map| map["metadata"]["labels"]["grafana_dashboard"] == "1");
    let mut shipped: Vec<(String, String)> = maps
        .flat_map(|map| map["data"].as_object().unwrap())
        .map(|(file, text)| (file.clone(), text.as_str().unwrap().to_owned()))
        .collect();
    shipped.sort();
    assert_eq!(shipped, files);
}

#[test]
fn workers_get_the_address_of_their_own_user_and_coordinators_know_who_serves_what() {
    for (set_name, set) in &rendered().good {
        let mut served = Vec::new();
        for pod in set.pods() {
            let amqp = list(&pod.spec["volumes"])
                .iter()
                .find(|volume| volume["name"] == "amqp");
            let key = |at: &Value| at["secret"]["items"][0]["key"].as_str().unwrap().to_owned();
            match pod.component() {
                "coordinator" => assert_eq!(key(amqp.unwrap()), "coordinator.url", "{set_name}"),
                "worker" => {
                    let user = key(amqp.unwrap());
                    let plugins = pod.variable("TASKMANAGER_PLUGINS").unwrap().split(',');
                    let plugins = plugins.map(|plugin| plugin.split_once('=').unwrap().0.to_owned());
                    served.extend(plugins.map(|plugin| (user.trim_end_matches(".url").to_owned(), plugin)));
                }
                _ => assert!(amqp.is_none(), "{set_name}"),
            }
        }
        let coordinator = set
            .pods()
            .into_iter()
            .find(|pod| pod.component() == "coordinator")
            .unwrap();
        let known = coordinator
            .variable("TASKMANAGER_WORKER_USERS")
            .unwrap_or_default();
        for (user, plugin) in served {
            let group: shared::amqp::roles::WorkerGroup = known
                .split(';')
                .find(|group| group.starts_with(&format!("{user}=")))
                .unwrap()
                .parse()
                .unwrap();
            assert!(
                group.plugins.iter().any(|known| known.as_str() == plugin),
                "{set_name}: {user}, {plugin}"
            );
        }
    }
}

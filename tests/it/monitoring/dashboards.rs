//! The dashboards as Grafana reads them: what each panel asks, and how that is shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files;
use super::scan::groupings;

/// A dashboard.
#[derive(Debug)]
pub(super) struct Dashboard {
    /// Its file's name: `overview`.
    pub(super) name: String,
    document: Value,
}

/// What a panel, or an annotation, asks Prometheus.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The panel's title.
    pub(super) panel: String,
    pub(super) expression: String,
    /// How a series is called: `{{plugin}}`.
    pub(super) legend: String,
    /// It marks moments; there may be none.
    pub(super) is_annotation: bool,
}

/// All of them, by name.
pub(super) fn dashboards() -> Vec<Dashboard> {
    files("deploy/grafana/dashboards", "json")
        .into_iter()
        .map(|source| Dashboard {
            name: source.stem(),
            document: serde_json::from_str(&source.text)
                .unwrap_or_else(|error| panic!("{}: {error}", source.file.display())),
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl Dashboard {
    fn panels(&self) -> &[Value] {
        list(&self.document["panels"])
    }

    /// Whatever it asks.
    pub(super) fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        for panel in self.panels() {
            for target in list(&panel["targets"]) {
                questions.push(Question {
                    panel: text(&panel["title"]),
                    expression: text(&target["expr"]),
                    legend: text(&target["legendFormat"]),
                    is_annotation: false,
                });
            }
        }
        for annotation in list(&self.document["annotations"]["list"]) {
            questions.push(Question {
                panel: text(&annotation["name"]),
                expression: text(&annotation["expr"]),
                legend: text(&annotation["titleFormat"]),
                is_annotation: true,
            });
        }
        questions
    }

    /// The questions of the panel with this title.
    pub(super) fn asked_by(&self, panel: &str) -> Vec<Question> {
        let mut questions = self.questions();
        questions.retain(|question| question.panel == panel);
        assert!(!questions.is_empty(), "{} has no panel \"{panel}\"", self.name);
        questions
    }
}

impl Question {
    /// The expression with Grafana's variables filled in.
    pub(super) fn filled_in(&self, plugin: &str) -> String {
        fill_in(&self.expression, plugin)
    }

    /// Labels that its series are called by, although nothing that it asks for is grouped by them.
    pub(super) fn labels_shown_in_vain(&self) -> Vec<String> {
        let grouped = groupings(&self.expression);
        let shown = self
            .legend
            .split("{{")
            .skip(1)
            .filter_map(|part| part.split("}}").next());
        shown
            .filter(|label| !grouped.iter().any(|known| known == label))
            .map(|label| format!("its legend shows {label}, by which nothing is grouped"))
            .collect()
    }
}

/// An expression with Grafana's variables filled in.
pub(super) fn fill_in(expression: &str, plugin: &str) -> String {
    let filled = expression
        .replace("$namespace", ".*")
        .replace("$plugin", plugin)
        .replace("$__rate_interval", "1m")
        .replace("$__range", "1h");
    assert!(!filled.contains('$'), "a variable is left in {filled}");
    filled
}

#[test]
fn every_dashboard_can_be_read_by_whoever_opens_it_for_the_first_time() {
    let mut uids = BTreeSet::new();
    for dashboard in dashboards() {
        let (name, document) = (&dashboard.name, &dashboard.document);
        assert!(
            uids.insert(text(&document["uid"])),
            "{name}: its uid is another's"
        );
        assert_ne!(text(&document["title"]), "", "{name}");
        assert_ne!(text(&document["description"]), "", "{name}");
        let variables: Vec<String> = list(&document["templating"]["list"])
            .iter()
            .map(|variable| text(&variable["name"]))
            .collect();
        assert_eq!(variables, ["datasource", "namespace", "plugin"], "{name}");
        for variable in &list(&document["templating"]["list"])[1..] {
            assert_eq!(variable["allValue"], ".*", "{name}: all has to include none");
        }
        let marks: Vec<String> = list(&document["annotations"]["list"])
            .iter()
            .map(|mark| text(&mark["name"]))
            .collect();
        assert_eq!(marks, ["Stops", "Releases"], "{name}");
        let mut taken: BTreeSet<(u64, u64)> = BTreeSet::new();
        let mut names = BTreeSet::new();
        for panel in dashboard.panels() {
            let title = text(&panel["title"]);
            assert!(
                names.insert(title.clone()),
                "{name}: two panels are called \"{title}\""
            );
            assert!(
                !list(&panel["targets"]).is_empty(),
                "{name}, {title}: it asks nothing"
            );
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{name}, {title}");
            let is_named_by_mapping = panel["type"] == "state-timeline";
            let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
            assert!(
                is_named_by_mapping || !unit.is_empty(),
                "{name}, {title}: no unit"
            );
            let number = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            for x in number("x")..number("x") + number("w") {
                assert!(x < 24, "{name}, {title}: it is wider than the page");
                for y in number("y")..number("y") + number("h") {
                    assert!(taken.insert((x, y)), "{name}, {title}: it lies on another panel");
                }
            }
        }
        for question in dashboard.questions() {
            assert!(
                question.expression.contains("$namespace"),
                "{name}, {}: it asks about all namespaces",
                question.panel
            );
        }
    }
}

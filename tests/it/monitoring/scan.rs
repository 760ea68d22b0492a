//! Finds what a text asks Prometheus for: series with their matchers, and the labels that it groups by.

use shared::metrics::{ALL, Kind, Label, Metric, Values};

/// Labels that Prometheus gives, not we.
const GIVEN: [&str; 4] = ["namespace", "instance", "pod", "job"];

/// Words before a list of labels.
const GROUPING: [&str; 4] = ["by", "without", "on", "ignoring"];

/// A series that is named, with the conditions in its braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) name: String,
    pub(super) matchers: Vec<Matcher>,
}

/// A condition such as `state="QUEUED"`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    label: String,
    /// `=`, `!=`, `=~`, `!~`.
    operator: String,
    value: String,
}

/// All series of ours that a text names.
pub(super) fn selectors(text: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("taskmanager_") {
        let begin = rest[..at]
            .rfind(|letter| !is_of_name(letter))
            .map_or(0, |before| before + 1);
        let after = &rest[begin..];
        let end = after.find(|letter| !is_of_name(letter)).unwrap_or(after.len());
        let (name, behind) = after.split_at(end);
        let (matchers, behind) = matchers(behind);
        found.push(Selector {
            name: name.to_owned(),
            matchers,
        });
        rest = behind;
    }
    found
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

/// The matchers at the beginning of a text, and what comes behind them.
fn matchers(text: &str) -> (Vec<Matcher>, &str) {
    let Some(mut rest) = text.strip_prefix('{') else {
        return (Vec::new(), text);
    };
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ', '\n']);
        if let Some(behind) = rest.strip_prefix('}') {
            return (found, behind);
        }
        let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
        let (label, behind) = rest.split_at(end);
        let value = behind.trim_start_matches(['=', '!', '~']);
        let operator = &behind[..behind.len() - value.len()];
        let Some((value, behind)) = value.strip_prefix('"').and_then(|value| value.split_once('"')) else {
            // Braces of something else, such as a document's example.
            return (found, behind);
        };
        found.push(Matcher {
            label: label.to_owned(),
            operator: operator.to_owned(),
            value: value.to_owned(),
        });
        rest = behind;
    }
}

/// The labels that a text groups or joins by.
pub(super) fn groupings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end();
        let word = before
            .rsplit(|letter: char| !is_of_name(letter))
            .next()
            .unwrap_or_default();
        if let (true, Some((labels, _))) = (GROUPING.contains(&word), text[at + 1..].split_once(')')) {
            found.extend(labels.split(',').map(|label| label.trim().to_owned()));
        }
    }
    found.retain(|label| !label.is_empty());
    found
}

/// What a series consists of.
enum Series<'a> {
    /// A metric of ours; with a bucket's limit or not.
    Metric(&'static Metric, bool),
    /// A recorded one.
    Recorded(&'a str),
}

/// What the series of a name consists of; `None` where there is no such.
fn series<'a>(name: &'a str, recorded: &[&str]) -> Option<Series<'a>> {
    if name.contains(':') {
        return recorded.contains(&name).then_some(Series::Recorded(name));
    }
    let metric = |name: &str| ALL.iter().find(|metric| metric.name == name);
    let histogram = |name: &str| metric(name).filter(|metric| metric.kind == Kind::Histogram);
    if let Some(own) = name.strip_suffix("_bucket").and_then(histogram) {
        return Some(Series::Metric(own, true));
    }
    let part = name.strip_suffix("_sum").or_else(|| name.strip_suffix("_count"));
    let plain = part.and_then(histogram).or_else(|| metric(name));
    plain.map(|metric| Series::Metric(metric, false))
}

impl Series<'_> {
    /// Whether it can have this label, and with it this value.
    fn allows(&self, label: &str) -> bool {
        GIVEN.contains(&label)
            || match self {
                Self::Metric(metric, is_bucket) => {
                    own(metric, label).is_some() || (*is_bucket && label == "le")
                }
                Self::Recorded(name) => name
                    .split(':')
                    .next()
                    .is_some_and(|level| level.split('_').any(|known| known == label)),
            }
    }

    fn allows_value(&self, matcher: &Matcher) -> bool {
        let Self::Metric(metric, _) = self else {
            return true;
        };
        let Some(Values::These(known)) = own(metric, &matcher.label).map(|label| label.values) else {
            return true;
        };
        let asked: Vec<&str> = if matcher.operator.ends_with('~') {
            matcher.value.split('|').collect()
        } else {
            vec![&matcher.value]
        };
        asked
            .iter()
            .all(|value| value.starts_with('$') || known.contains(value))
    }
}

fn own(metric: &'static Metric, label: &str) -> Option<&'static Label> {
    metric.labels.iter().find(|own| own.name == label)
}

/// What a text asks for that is not there; `recorded` are the series that rules make.
pub(super) fn faults(text: &str, recorded: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut named = Vec::new();
    let selectors = selectors(text);
    for selector in &selectors {
        let Some(series) = series(&selector.name, recorded) else {
            faults.push(format!("there is no {}", selector.name));
            continue;
        };
        for matcher in &selector.matchers {
            let Matcher {
                label,
                operator,
                value,
            } = matcher;
            if !series.allows(label) {
                faults.push(format!("{} has no label {label}", selector.name));
            } else if !series.allows_value(matcher) {
                faults.push(format!("{}: {label} is never {operator} {value}", selector.name));
            }
        }
        named.push(series);
    }
    for label in groupings(text) {
        if !named.iter().any(|series| series.allows(&label)) && label != "le" {
            faults.push(format!("nothing that is asked for has a label {label}"));
        }
    }
    faults
}

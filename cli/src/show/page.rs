//! A job as a page of text.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::api::{Attempt, Delivery, File, Item, Job, LogLine};
use crate::output::Look;
use crate::table::{self, Column};
use crate::text;

/// Up to this many items or files are listed; of more, only what needs attention.
const LISTED_MAX: usize = 20;

/// Everything but the log.
pub(super) fn render(job: &Job, look: Look, zone: &TimeZone) -> String {
    let summary = &job.summary;
    let mut page = format!(
        "{}\n",
        look.heading(&text::printable(&format!("{} {}", summary.plugin, summary.title)))
    );
    let at = |time: Option<Timestamp>| time.map(|time| text::second(time, zone)).unwrap_or_default();
    let facts = [
        ("Id", summary.id.clone()),
        ("State", state(job, look)),
        ("Waits for", summary.waits_for.clone().unwrap_or_default()),
        ("Error", summary.error.clone().unwrap_or_default()),
        ("Priority", summary.priority.to_string()),
        ("Template", job.template.clone().unwrap_or_default()),
        ("Source", job.source.clone().unwrap_or_default()),
        ("Target", job.target.clone().unwrap_or_default()),
        ("Process", summary.process_id.clone().unwrap_or_default()),
        ("Step", step(job)),
        ("Project", job.project.clone().unwrap_or_default()),
        ("Callback", job.callback_url.clone().unwrap_or_default()),
        ("Submitted", submitted(job, zone)),
        ("Started", at(summary.started_at)),
        ("Finished", finished(job, zone)),
    ];
    for (name, value) in facts {
        field(&mut page, name, &value);
    }
    section(&mut page, look, "Parameters", &pairs(&job.parameters));
    section(&mut page, look, "Other fields as sent", &pairs(&job.extra));
    section(
        &mut page,
        look,
        "Result",
        &job.facts.as_ref().map(pairs).unwrap_or_default(),
    );
    section(&mut page, look, "Items", &items(&job.items, look));
    section(&mut page, look, "Attempts", &attempts(&job.attempts, look, zone));
    section(&mut page, look, "Outputs", &outputs(&job.outputs, look));
    section(
        &mut page,
        look,
        "Messages to other systems",
        &deliveries(&job.deliveries, zone),
    );
    page
}

/// The log's lines, with the attempt in front where there was more than one.
pub(super) fn log(lines: &[LogLine], look: Look, zone: &TimeZone) -> String {
    let several = lines.windows(2).any(|pair| pair[0].attempt != pair[1].attempt);
    let mut body = String::new();
    for line in lines {
        let time = line
            .at
            .map(|at| at.to_zoned(zone.clone()).strftime("%H:%M:%S ").to_string())
            .unwrap_or_default();
        let attempt = if several {
            format!("#{} ", line.attempt)
        } else {
            String::new()
        };
        text::push_line(
            &mut body,
            &format!("{time}{attempt}{}", text::printable(&line.text)),
        );
    }
    if body.is_empty() {
        body.push_str("(no lines)\n");
    }
    let mut page = String::new();
    section(&mut page, look, "Log", &body);
    page
}

fn deliveries(deliveries: &[Delivery], zone: &TimeZone) -> String {
    let mut lines = String::new();
    for delivery in deliveries {
        let tries = text::count(delivery.tries, "try", "tries");
        let mut said = vec![delivery.state.clone(), tries];
        said.extend(delivery.last_answer.clone());
        said.extend(
            delivery
                .next_try_at
                .map(|at| format!("next try {}", text::second(at, zone))),
        );
        let line = format!("{} to {}: {}", delivery.kind, delivery.target, said.join(", "));
        text::push_line(&mut lines, &text::printable(&line));
    }
    lines
}

fn state(job: &Job, look: Look) -> String {
    let summary = &job.summary;
    let mut said = vec![look.state(&summary.state, &text::printable(&summary.state))];
    if summary.items_total > 0 {
        let pages = text::count(summary.items_total, "page", "pages");
        said.push(format!("{} of {pages} done", summary.items_done));
    }
    if summary.items_failed > 0 {
        said.push(format!("{} failed", summary.items_failed));
    }
    if !summary.has_ended() {
        said.push(text::percent(summary.percent));
        said.extend(
            summary
                .detail
                .clone()
                .filter(|detail| !detail.is_empty())
                .map(|text| text::printable(&text)),
        );
    }
    said.join(", ")
}

fn step(job: &Job) -> String {
    match (&job.summary.step_id, &job.step_name) {
        (Some(id), Some(name)) => format!("{id} ({name})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => String::new(),
    }
}

fn submitted(job: &Job, zone: &TimeZone) -> String {
    let time = job
        .summary
        .submitted_at
        .map(|at| text::second(at, zone))
        .unwrap_or_default();
    match &job.submitted_by {
        Some(by) if !by.is_empty() => format!("{time} by {by}"),
        _ => time,
    }
}

fn finished(job: &Job, zone: &TimeZone) -> String {
    let Some(end) = job.summary.finished_at else {
        return String::new();
    };
    let took = job.summary.started_at.and_then(|start| text::between(start, end));
    let took = took
        .map(|time| format!(" (after {})", text::duration(time)))
        .unwrap_or_default();
    format!("{}{took}", text::second(end, zone))
}

fn items(items: &[Item], look: Look) -> String {
    const COLUMNS: [Column; 5] = [
        Column::text("NAME"),
        Column::text("STATE"),
        Column::figure("ATTEMPT"),
        Column::figure("TIME"),
        Column::text("WHY"),
    ];
    let all = items.len() <= LISTED_MAX;
    let listed: Vec<&Item> = items.iter().filter(|item| all || item.state != "done").collect();
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|item| {
            vec![
                text::printable(&item.name),
                text::printable(&item.state),
                item.attempt.map(|number| number.to_string()).unwrap_or_default(),
                item.duration_ms
                    .map(|ms| text::duration(std::time::Duration::from_millis(ms)))
                    .unwrap_or_default(),
                text::printable(item.error.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    let mut body = if rows.is_empty() {
        String::new()
    } else {
        table::render(&COLUMNS, &rows, look)
    };
    let left_out = items.len() - listed.len();
    if left_out > 0 {
        text::push_line(
            &mut body,
            &format!("({left_out} done ones are not listed; --json has them)"),
        );
    }
    body
}

fn attempts(attempts: &[Attempt], look: Look, zone: &TimeZone) -> String {
    const COLUMNS: [Column; 6] = [
        Column::figure("NUMBER"),
        Column::text("STARTED"),
        Column::figure("TIME"),
        Column::text("OUTCOME"),
        Column::text("WORKER"),
        Column::text("WHY"),
    ];
    let rows: Vec<Vec<String>> = attempts
        .iter()
        .map(|attempt| {
            let ran = attempt
                .started_at
                .zip(attempt.ended_at)
                .and_then(|(start, end)| text::between(start, end));
            let code = attempt.exit_code.map(|code| format!("exit code {code}"));
            let error = attempt
                .error
                .as_deref()
                .map(text::printable)
                .filter(|error| !error.is_empty());
            vec![
                attempt.number.to_string(),
                attempt
                    .started_at
                    .map(|at| text::second(at, zone))
                    .unwrap_or_default(),
                ran.map(text::duration).unwrap_or_default(),
                text::printable(attempt.outcome.as_deref().unwrap_or("running")),
                text::printable(attempt.worker_id.as_deref().unwrap_or_default()),
                error.into_iter().chain(code).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        table::render(&COLUMNS, &rows, look)
    }
}

fn outputs(files: &[File], look: Look) -> String {
    const COLUMNS: [Column; 2] = [Column::figure("SIZE"), Column::text("PATH")];
    let rows: Vec<Vec<String>> = files
        .iter()
        .take(LISTED_MAX)
        .map(|file| vec![text::bytes(file.size), text::printable(&file.path)])
        .collect();
    let mut body = if rows.is_empty() {
        String::new()
    } else {
        table::render(&COLUMNS, &rows, look)
    };
    if files.len() > LISTED_MAX {
        let size = files
            .iter()
            .fold(0, |sum: u64, file| sum.saturating_add(file.size));
        let all = format!("{} files, {} in all", files.len(), text::bytes(size));
        let left_out = files.len() - LISTED_MAX;
        text::push_line(
            &mut body,
            &format!("({all}; {left_out} are not listed; --json has them)"),
        );
    }
    body
}

/// One `name  value` line; nothing where there is no value. Values that the caller has dressed keep their colours.
fn field(page: &mut String, name: &str, value: &str) {
    const NAME_WIDTH: usize = 10;
    let mut label = name;
    for line in value.lines().filter(|line| !line.trim().is_empty()) {
        let line = if name == "State" {
            line.to_owned()
        } else {
            text::printable(line)
        };
        text::push_line(page, &format!("{label:NAME_WIDTH$} {line}"));
        label = "";
    }
}

fn section(page: &mut String, look: Look, heading: &str, body: &str) {
    if body.is_empty() {
        return;
    }
    text::push_line(page, &format!("\n{}", look.heading(heading)));
    for line in body.lines() {
        text::push_line(page, &format!("  {line}"));
    }
}

/// `name = value` lines; values as JSON, texts without quotes.
fn pairs(map: &Map<String, Value>) -> String {
    let mut lines = String::new();
    for (name, value) in map {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text::push_line(
            &mut lines,
            &format!("{} = {}", text::printable(name), text::printable(&value)),
        );
    }
    lines
}

#[cfg(test)]
mod tests;

//! What is compared: the database's rows, the witness's lines, the programs' logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use shared::message::manifest::Manifest;
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::journal::Journal;
use super::super::nemesis::Hurt;
use super::super::schedule::{Fault, Target};
use super::super::site::{Site, witness};

/// A job that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: Uuid,
    pub(super) state: String,
    pub(super) error: Option<String>,
    pub(super) items_done: i32,
    pub(super) manifest: Option<Manifest>,
}

/// An attempt as it is recorded.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) job: Uuid,
    pub(super) number: i32,
    pub(super) claim: Uuid,
    pub(super) worker: String,
    pub(super) started_ms: f64,
    pub(super) ended_ms: Option<f64>,
    pub(super) outcome: Option<String>,
}

/// What the plugin itself has written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) what: String,
    pub(super) job: String,
    pub(super) attempt: i32,
    pub(super) claim: String,
    pub(super) item: String,
}

/// An item that is recorded as done.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) job: Uuid,
    pub(super) name: String,
    pub(super) attempt: i32,
}

/// A line of a log.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at_ms: f64,
    pub(super) text: String,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Facts {
    /// By title; more than one row where something is wrong.
    pub(super) ended: BTreeMap<String, Vec<Ended>>,
    /// Titles and ids of jobs that have not ended.
    pub(super) unfinished: Vec<(String, Uuid)>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) done_items: Vec<Item>,
    pub(super) told: Vec<Told>,
    /// Lines with which coordinators say that messages were missing.
    pub(super) sent_again: Vec<Line>,
    pub(super) panics: Vec<String>,
}

impl Facts {
    pub(super) fn gather(site: &Site, hurts: &[Hurt], journal: &Journal) -> Result<Self> {
        let began_at = journal.began_at();
        let ms = |epoch: f64| (epoch - began_at) * 1_000.0;
        let mut ended: BTreeMap<String, Vec<Ended>> = BTreeMap::new();
        for row in site.sql(
            "SELECT title, id, state, error, items_done, manifest FROM job_history ORDER BY title",
            &[],
        )? {
            ended.entry(row.get(0)).or_default().push(ended_job(&row)?);
        }
        let unfinished = site
            .sql("SELECT title, id FROM jobs", &[])?
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let attempts = site
            .sql(
                "SELECT job_id, attempt, claim_id, worker_id, extract(epoch FROM started_at)::float8,
                     extract(epoch FROM ended_at)::float8, outcome
                 FROM attempts ORDER BY job_id, attempt",
                &[],
            )?
            .iter()
            .map(|row| Attempt {
                job: row.get(0),
                number: row.get(1),
                claim: row.get(2),
                worker: row.get(3),
                started_ms: ms(row.get(4)),
                ended_ms: row.get::<_, Option<f64>>(5).map(ms),
                outcome: row.get(6),
            })
            .collect();
        let done_items = site
            .sql(
                "SELECT job_id, name, attempt FROM items WHERE state = 'done'",
                &[],
            )?
            .iter()
            .map(|row| Item {
                job: row.get(0),
                name: row.get(1),
                attempt: row.get(2),
            })
            .collect();
        let (sent_again, panics) = read_logs(&site.logs(), began_at, hurts)?;
        Ok(Self {
            ended,
            unfinished,
            attempts,
            done_items,
            told: read_witness(site)?,
            sent_again,
            panics,
        })
    }

    /// How many jobs ended how.
    pub(super) fn states(&self) -> Vec<(String, i64)> {
        let mut states = BTreeMap::new();
        for job in self.ended.values().flatten() {
            *states.entry(job.state.clone()).or_insert(0) += 1;
        }
        states.into_iter().collect()
    }
}

fn ended_job(row: &Row) -> Result<Ended> {
    let manifest: Option<serde_json::Value> = row.get(5);
    Ok(Ended {
        id: row.get(1),
        state: row.get(2),
        error: row.get(3),
        items_done: row.get(4),
        manifest: manifest
            .map(serde_json::from_value)
            .transpose()
            .context("a manifest in job_history can't be read")?,
    })
}

fn read_witness(site: &Site) -> Result<Vec<Told>> {
    let mut told = Vec::new();
    for file in fs::read_dir(witness(&site.data()))? {
        let file = file?.path();
        for line in fs::read_to_string(&file)?.lines() {
            let told_line = told_line(line);
            told.push(told_line.with_context(|| format!("{}: \"{line}\"", file.display()))?);
        }
    }
    Ok(told)
}

fn told_line(line: &str) -> Option<Told> {
    let mut words = line.split(' ').map(str::to_owned);
    Some(Told {
        what: words.next()?,
        job: words.next()?,
        attempt: words.next()?.parse().ok()?,
        claim: words.next()?,
        item: words.next()?,
    })
}

/// When a coordinator wrote a line that it says to be from then: its clock may have been wrong by hours.
fn right_time(said_ms: f64, log: &str, hurts: &[Hurt]) -> f64 {
    let ms = |ms: u64| Duration::from_millis(ms).as_secs_f64() * 1_000.0;
    let by_wrong_clock = hurts.iter().find_map(|hurt| {
        let (Target::Clock(index), Fault::Wrong(seconds)) = (hurt.step.target, hurt.step.fault) else {
            return None;
        };
        let hours = i32::try_from(seconds).ok().map(f64::from)?;
        let at_ms = said_ms - hours * 1_000.0;
        let then = ms(hurt.began_ms) - 1_000.0..=ms(hurt.ended_ms) + 1_000.0;
        (log.starts_with(&format!("coordinator-{index}-")) && then.contains(&at_ms)).then_some(at_ms)
    });
    by_wrong_clock.unwrap_or(said_ms)
}

fn read_logs(logs: &[PathBuf], began_at: f64, hurts: &[Hurt]) -> Result<(Vec<Line>, Vec<String>)> {
    let (mut sent_again, mut panics) = (Vec::new(), Vec::new());
    for log in logs {
        let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for line in String::from_utf8_lossy(&fs::read(log)?).lines() {
            if line.contains("panicked at") {
                panics.push(format!("{name}: {line}"));
            }
            if line.contains("are sent again: messages are missing") {
                let at = line.split_whitespace().next().unwrap_or_default();
                let at: jiff::Timestamp = at.parse().with_context(|| format!("{name}: {line}"))?;
                let epoch = at.as_duration().as_secs_f64();
                sent_again.push(Line {
                    at_ms: right_time((epoch - began_at) * 1_000.0, &name, hurts),
                    text: format!("{name}: {line}"),
                });
            }
        }
    }
    Ok((sent_again, panics))
}

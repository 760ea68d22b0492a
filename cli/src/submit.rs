//! `taskmanager submit`: hands a job over and, with `--wait`, follows it.

mod body;

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{ArgGroup, Args};

use crate::api::Submitted;
use crate::client::{self, Client};
use crate::{Answer, output, wait};
use body::Parameter;

const EXAMPLES: &str = "\
Examples:
  taskmanager submit -t OCR -T \"Kochbuch 1884\" -s /data/27/images -d /data/27 \\
      --language ger,lat --wait
  taskmanager submit -t SHELL -n iii-create_jpeg -T Kochbuch -s /data/27/master -d /data/27 \\
      --param quality=85
  taskmanager submit --file job.json
  generate-job | taskmanager submit --file - --json";

/// Hand over a job; prints its id.
///
/// The id stands alone on the first line of standard output. When the same job is known already (same --key,
/// or an unfinished job of the same plugin, process, step, template and target), its id is printed and a note
/// is written to standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("job").required(true).multiple(true).args(["plugin", "file"])))]
pub(crate) struct Arguments {
    /// Job type: OCR, SHELL, …
    #[arg(long, short = 't', value_name = "NAME", requires = "title")]
    plugin: Option<String>,

    /// Preset of the plugin's parameters on the server.
    #[arg(long, short = 'n', value_name = "NAME")]
    template: Option<String>,

    /// What people call the job.
    #[arg(long, short = 'T', value_name = "TEXT")]
    title: Option<String>,

    /// Input folder; a relative one counts from the current folder. Or a place on object storage: `s3://bucket/folder`.
    #[arg(long, short = 's', value_name = "FOLDER")]
    source: Option<PathBuf>,

    /// Output folder; a relative one counts from the current folder. Or a place on object storage.
    #[arg(long, short = 'd', value_name = "FOLDER")]
    target: Option<PathBuf>,

    /// 0 to 10; a higher number is served first [default: the plugin's].
    #[arg(long, short = 'p', value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=10))]
    priority: Option<u8>,

    /// Not before this point in time: 2026-12-24T22:00:00+01:00.
    #[arg(long, value_name = "TIME")]
    start_at: Option<jiff::Timestamp>,

    /// The workflow's process.
    #[arg(long, value_name = "ID")]
    process_id: Option<String>,

    /// The workflow's step.
    #[arg(long, value_name = "ID")]
    step_id: Option<String>,

    /// The project that the process belongs to.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,

    /// Languages of the text, ISO 639-2 codes separated by commas: ger,lat.
    #[arg(long, value_name = "CODES")]
    language: Option<String>,

    /// Font of the text: antiqua or fracture.
    #[arg(long, value_name = "NAME")]
    font_type: Option<String>,

    /// A parameter of the plugin; VALUE is taken as JSON where it is JSON (85, true, [1, 2]), else as text.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = body::parameter)]
    parameters: Vec<Parameter>,

    /// Submissions with the same key are one job: give one to be able to repeat safely.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// A JSON file that is sent as it is, or - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "plugin", "template", "title", "source", "target", "priority", "start_at", "process_id", "step_id",
        "project",
        "language", "font_type", "parameters",
    ])]
    file: Option<PathBuf>,

    /// Follow the job until it ends, as `taskmanager wait` does.
    #[arg(long)]
    wait: bool,

    /// With --wait: give up after this time (90, 90s, 10m, 2h).
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = wait::parse_timeout)]
    timeout: Option<std::time::Duration>,

    /// Print the coordinator's answer, one JSON document on a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let (body, header) = match &arguments.file {
        // The key can't be put into a document that is sent as it is, so it travels beside it.
        Some(file) => (
            read(file)?,
            arguments.key.as_deref().map(header_value).transpose()?,
        ),
        None => (body::of(arguments)?, None),
    };
    let headers: Vec<(&str, &str)> = header
        .iter()
        .map(|key| ("Idempotency-Key", key.as_str()))
        .collect();
    let answer = match client.post("/api/v1/jobs", &body, &headers) {
        Ok(answer) => answer,
        Err(
            error @ client::Error::Problem {
                status: 400..=499, ..
            },
        ) if !error.is_passing() => {
            output::note(&format!("the job was not accepted: {error}"));
            return Ok(Answer::No);
        }
        Err(error @ client::Error::NoAnswer { .. }) => {
            let advice = if arguments.key.is_some() {
                "repeat the command: with the same --key it is the same job"
            } else {
                "the job may have been recorded: look with `taskmanager list` before you repeat"
            };
            bail!("{error}; {advice}");
        }
        Err(error) => return Err(error.into()),
    };
    let submitted: Submitted = answer.read()?;
    if arguments.json {
        output::json_line(&answer.json)?;
    } else {
        output::result(&format!("{}\n", submitted.job_id))?;
    }
    if submitted.status == "duplicate" {
        output::note(&format!(
            "already known: job {} was submitted before",
            submitted.job_id
        ));
    }
    if arguments.wait {
        return wait::follow(
            client,
            &[submitted.job_id],
            wait::Manner {
                json: arguments.json,
                timeout: arguments.timeout,
                contacted: true,
            },
        );
    }
    Ok(Answer::Yes)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut body = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut body)
            .context("can't read the job from standard input")?;
        return Ok(body);
    }
    std::fs::read(file).with_context(|| format!("can't read the job from {}", file.display()))
}

fn header_value(key: &str) -> anyhow::Result<String> {
    if !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        Ok(key.to_owned())
    } else {
        bail!("--key \"{key}\" can't be sent beside --file: use printable ASCII characters")
    }
}

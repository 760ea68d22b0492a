//! `taskclient`: hands a job over with the options of `TaskClient`, for steps of Goobi that call it as a script.
//!
//! Invariant: Goobi takes anything on standard error for an error, so that nothing is written there when the job is
//! being done; and the exit code is 0 or 99 then and never otherwise.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared::message::itm::ItmReply;
use shared::message::taskclient::{self, Call};
use ureq::Agent;
use uuid::Uuid;

const USAGE: &str = "\
taskclient -itm URL|-ocr URL [options]: hands a job to the task manager

  -itm URL                  the service: http://localhost:8080/itm/service
  -ocr URL                  the same, for a job of type OCR
  -t, --jobtype NAME        job type
  -n, --templatename NAME   preset on the server, with or without .xml
  -T, --title TEXT          process title
  -gid ID                   Goobi process id
  -i ID                     Goobi step id
  -s, --source DIR          source directory
  -d, --destination DIR     target directory
  -f FONT                   font type: antiqua or fracture
  -p N                      priority 0 to 10, a higher number is served first
  -x_y VALUE                an option of one plugin, kept with the job
  -e, --returnError         end with 99 when the job is accepted: Goobi keeps the step open

Exit codes: 0 accepted, 99 accepted with -e, 1 not accepted, 2 wrong options.
The same job that is unfinished already counts as accepted.
With a login, TASKMANAGER_TOKEN_FILE names the file whose first line is a token; none belongs among the options,
which Goobi writes into its journal.
A server that does not answer is asked again for a minute; TASKCLIENT_PATIENCE_SECONDS sets another time.
";

/// Goobi keeps a step in work whose script ends so; any other one but 0 is an error to it.
const KEEP_OPEN: u8 = 99;
const NOT_ACCEPTED: u8 = 1;
const WRONG_OPTIONS: u8 = 2;

/// Longest time for one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long is tried: a restart of the service must not fail a workflow's step.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(2);
/// Most bytes of an answer.
const ANSWER_MAX_BYTES: u64 = 64 * 1024;

/// Why a job is not being done.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The same may succeed a little later.
    #[error("{0}")]
    Passing(String),
    /// It will not.
    #[error("{0}")]
    Lasting(String),
}

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(OsString::into_string);
    let words: Vec<String> = match words.collect() {
        Ok(words) => words,
        Err(word) => {
            let shown = word.to_string_lossy();
            return complain(&format!("\"{shown}\" is not UTF-8"), WRONG_OPTIONS);
        }
    };
    if let [word] = words.as_slice() {
        match word.as_str() {
            "-h" | "--help" => return say(USAGE.trim_end(), ExitCode::SUCCESS),
            "--version" => {
                return say(
                    concat!("taskclient ", env!("CARGO_PKG_VERSION")),
                    ExitCode::SUCCESS,
                );
            }
            _ => {}
        }
    }
    let call = match taskclient::read(&words) {
        Ok(call) => call,
        Err(rejection) => return complain(&rejection.reason, WRONG_OPTIONS),
    };
    let Some(address) = &call.address else {
        return complain(
            "no service is named: use -itm http://HOST:8080/itm/service; --help lists all options",
            WRONG_OPTIONS,
        );
    };
    let patience = match patience() {
        Ok(patience) => patience,
        Err(problem) => return complain(&problem, WRONG_OPTIONS),
    };
    let authorization = match token() {
        Ok(token) => token.map(|token| format!("Bearer {token}")),
        Err(problem) => return complain(&problem, WRONG_OPTIONS),
    };
    let job = Job {
        address,
        authorization,
        body: body(&call),
    };
    match submit(&job, patience) {
        Ok(said) if call.keep_open => say(&format!("{said}; the step stays open"), KEEP_OPEN.into()),
        Ok(said) => say(&said, ExitCode::SUCCESS),
        Err(error) => complain(&error.to_string(), NOT_ACCEPTED),
    }
}

/// Says it where Goobi reads what a script has to say. The job is what counts, not whether anybody listens.
fn say(text: &str, code: ExitCode) -> ExitCode {
    let _heard = writeln!(std::io::stdout(), "{text}");
    code
}

fn complain(text: &str, code: u8) -> ExitCode {
    let _heard = writeln!(std::io::stderr(), "taskclient: {text}");
    code.into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the options are TaskClient's own, so that this one is a variable"
)]
fn patience() -> Result<Duration, String> {
    match std::env::var("TASKCLIENT_PATIENCE_SECONDS") {
        Err(std::env::VarError::NotPresent) => Ok(PATIENCE),
        Ok(text) => text.trim().parse().map(Duration::from_secs).map_err(|_| text),
        Err(std::env::VarError::NotUnicode(text)) => Err(text.to_string_lossy().into_owned()),
    }
    .map_err(|text| format!("TASKCLIENT_PATIENCE_SECONDS is {text:?}: use a whole number of seconds"))
}

/// What to come in with, if there is anything.
#[expect(
    clippy::disallowed_methods,
    reason = "as an option it would stand in Goobi's journal, and the others are TaskClient's own"
)]
fn token() -> Result<Option<String>, String> {
    let direct = std::env::var("TASKMANAGER_TOKEN")
        .ok()
        .filter(|token| !token.is_empty());
    let Some(file) = std::env::var_os("TASKMANAGER_TOKEN_FILE").filter(|file| !file.is_empty()) else {
        return Ok(direct);
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("the token can't be read from {}: {error}", file.to_string_lossy()))?;
    Ok(text.lines().next().map(|line| line.trim().to_owned()))
}

/// What is sent.
struct Job<'a> {
    address: &'a str,
    authorization: Option<String>,
    body: Vec<u8>,
}

/// The submission. Who names process and step is known by these when the request is repeated; for all others this
/// call gets a key of its own.
fn body(call: &Call) -> Vec<u8> {
    let mut fields = call.fields.clone();
    if !(fields.contains_key("goobiId") && fields.contains_key("postOCR")) {
        let key = format!("taskclient:{}", Uuid::now_v7());
        fields.insert("idempotency_key".to_owned(), key.into());
    }
    Value::Object(fields).to_string().into_bytes()
}

/// Submits it, again and again for a while if nobody can take it; says what became of it.
fn submit(job: &Job<'_>, patience: Duration) -> Result<String, Error> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(TRY_TIMEOUT))
        .user_agent(concat!("taskclient/", env!("CARGO_PKG_VERSION")))
        // The service stands beside Goobi; TaskClient asks no proxy either.
        .proxy(None)
        .build()
        .into();
    let since = Instant::now();
    loop {
        match post(&agent, job) {
            Err(Error::Passing(_)) if since.elapsed() + PAUSE < patience => std::thread::sleep(PAUSE),
            ended => return ended,
        }
    }
}

fn post(agent: &Agent, job: &Job<'_>) -> Result<String, Error> {
    let address = job.address;
    let mut request = agent.post(address).content_type("application/json");
    if let Some(authorization) = &job.authorization {
        request = request.header("Authorization", authorization);
    }
    let sent = request.send(&job.body);
    let mut response = match sent {
        Ok(response) => response,
        Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
            return Err(Error::Lasting(format!("\"{address}\" is no address: {error}")));
        }
        Err(error) => {
            return Err(Error::Passing(format!(
                "can't reach the task manager at {address}: {error}"
            )));
        }
    };
    let status = response.status().as_u16();
    let body = response
        .body_mut()
        .with_config()
        .limit(ANSWER_MAX_BYTES)
        .read_to_vec();
    let body = body.map_err(|error| {
        Error::Passing(format!(
            "the answer of the task manager at {address} did not come: {error}"
        ))
    })?;
    understand(address, status, &body)
}

/// What an answer means.
fn understand(address: &str, status: u16, body: &[u8]) -> Result<String, Error> {
    let reply = serde_json::from_slice::<ItmReply>(body).ok();
    let passing = matches!(status, 408 | 429 | 500 | 502..=504);
    match reply {
        Some(reply) if status < 300 && reply.is_being_done() => {
            let job = match (reply.id, reply.job_id) {
                (Some(number), Some(id)) => format!("job {number} ({id})"),
                (None, Some(id)) => format!("job {id}"),
                (Some(number), None) => format!("job {number}"),
                (None, None) => "the job".to_owned(),
            };
            let what = match reply.error_message {
                None => "is accepted",
                Some(_) => "is being done already",
            };
            Ok(format!("{job} {what}"))
        }
        Some(reply) => {
            let why = reply.error_message.unwrap_or_else(|| format!("status {status}"));
            let said = format!("the job is not accepted: {why}");
            Err(if passing {
                Error::Passing(said)
            } else {
                Error::Lasting(said)
            })
        }
        None => {
            let said =
                format!("{address} answers (status {status}) as no task manager does: is the address right?");
            Err(if passing {
                Error::Passing(said)
            } else {
                Error::Lasting(said)
            })
        }
    }
}

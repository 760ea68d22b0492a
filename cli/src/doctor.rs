//! `taskmanager doctor`: whether everything is as it should be, and what to do where it is not.

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Check, Doctor};
use crate::client::{self, Client};
use crate::output::Look;
use crate::{Answer, output, text};

/// Check the whole installation: coordinator, database, broker, workers and their tools.
///
/// Prints one line a check, with what to do where something is not as it should be; ends with 1 then.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Print the checks as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(client: &Client, arguments: &Arguments) -> anyhow::Result<Answer> {
    let (checks, documents) = match client.get("/api/v1/doctor", &[]) {
        Ok(answer) => {
            let told = answer
                .json
                .get("checks")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let mut checks = vec![coordinator(true, format!("{} answers", client.server()))];
            checks.extend(answer.read::<Doctor>()?.checks);
            (checks, told)
        }
        Err(error @ client::Error::Foreign { .. }) => return Err(error.into()),
        Err(error) => (vec![coordinator(false, error.to_string())], Vec::new()),
    };
    if arguments.json {
        let own = checks
            .first()
            .map(|check| json!({"name": check.name, "ok": check.ok, "message": check.message}));
        let all: Vec<Value> = own.into_iter().chain(documents).collect();
        output::json(&json!({ "checks": all }))?;
    } else {
        output::result(&render(&checks, Look::of_stdout()))?;
    }
    Ok(if checks.iter().all(|check| check.ok) {
        Answer::Yes
    } else {
        Answer::No
    })
}

/// What only the command line can find out: whether the coordinator answers.
fn coordinator(ok: bool, message: String) -> Check {
    Check {
        name: "coordinator".to_owned(),
        ok,
        message,
    }
}

fn render(checks: &[Check], look: Look) -> String {
    let mut page = String::new();
    for check in checks {
        let (name, message) = (text::printable(&check.name), check.message.trim());
        let mut lines = message.lines();
        let first = text::printable(lines.next().unwrap_or_default());
        let colon = if first.is_empty() { "" } else { ": " };
        text::push_line(
            &mut page,
            &format!("{} {name}{colon}{first}", look.mark(check.ok)),
        );
        for line in lines {
            text::push_line(&mut page, &format!("  {}", text::printable(line)));
        }
    }
    let bad = checks.iter().filter(|check| !check.ok).count();
    let verdict = match (bad, checks.len()) {
        (0, 1) => "The check is fine.".to_owned(),
        (0, all) => format!("All {all} checks are fine."),
        (1, 1) => "The check is not fine.".to_owned(),
        (bad, all) => format!(
            "{bad} of {all} checks {} not fine.",
            if bad == 1 { "is" } else { "are" }
        ),
    };
    text::push_line(&mut page, &format!("\n{verdict}"));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, ok: bool, message: &str) -> Check {
        Check {
            name: name.to_owned(),
            ok,
            message: message.to_owned(),
        }
    }

    #[test]
    fn each_check_has_a_mark_and_says_what_to_do() {
        let checks = [
            coordinator(true, "http://127.0.0.1:8080 answers".to_owned()),
            check("database", true, "PostgreSQL 15.8, schema 1"),
            check(
                "w1: language deu",
                false,
                "is not installed\ninstall the package tesseract-ocr-deu",
            ),
        ];
        insta::assert_snapshot!(render(&checks, Look::PLAIN));
    }

    #[test]
    fn when_all_is_fine_the_last_line_says_so() {
        let checks = [check("a", true, ""), check("b", true, "ok")];
        assert_eq!(
            render(&checks, Look::PLAIN),
            "✓ a\n✓ b: ok\n\nAll 2 checks are fine.\n"
        );
    }
}

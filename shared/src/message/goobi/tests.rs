//! Tickets as Goobi writes them, and as it should not; commands as its listener needs them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn ticket(scripts: &Value) -> Value {
    json!({"processId": 27, "stepId": 6519, "stepName": "OCR", "jwt": "eyJ0.s3cret", "restJwt": "eyJ1.s3cret",
        "scriptNames": ["OCR"], "scripts": scripts, "numberOfObjects": 0})
}

fn read(ticket: &Value) -> Ticket {
    Ticket::read(ticket.to_string().as_bytes())
}

fn reason(ticket: &Value) -> String {
    read(ticket).job.unwrap_err().reason
}

#[test]
fn a_ticket_becomes_a_job_of_its_step() {
    let ticket = read(&ticket(&json!([[
        "/usr/local/bin/taskclient",
        "-t",
        "OCR",
        "-s",
        "/data/27",
        "-tv_r",
        "x"
    ]])));
    assert_eq!(
        ticket.step,
        Some(Step {
            process_id: 27,
            step_id: 6519
        })
    );
    let job = ticket.job.clone().unwrap();
    assert_eq!(
        (
            job.process_id.as_deref(),
            job.step_id.as_deref(),
            job.step_name.as_deref()
        ),
        (Some("27"), Some("6519"), Some("OCR"))
    );
    assert_eq!(
        (job.title.as_str(), job.source.as_deref()),
        ("process 27", Some("/data/27"))
    );
    assert_eq!(job.extra["tv_r"], "x");
    assert_eq!(job.token.as_ref().unwrap().secret, "eyJ0.s3cret");
    assert_eq!(job.token.as_ref().unwrap().header, TokenHeader::Jwt);
    assert!(!format!("{ticket:?}").contains("s3cret"), "{ticket:?}");
    // What the script names by itself is the same, or it is a mistake.
    let same = json!([[
        "taskclient",
        "-e",
        "-itm",
        "http://x/",
        "-t",
        "OCR",
        "-gid",
        "27",
        "-i",
        "6519",
        "-T",
        "Book"
    ]]);
    assert_eq!(read(&self::ticket(&same)).job.unwrap().title, "Book");
    let other = json!([["taskclient", "-t", "OCR", "-gid", "28"]]);
    assert!(
        reason(&self::ticket(&other)).contains("\"process_id\" and \"goobiId\" mean the same but differ")
    );
}

#[test]
fn what_is_no_job_says_why_and_whose_it_is() {
    let cases = [
        (json!(null), "must be a list of lists of texts"),
        (json!([["taskclient", 7]]), "must be a list of lists of texts"),
        (json!([]), "the step has 0 scripts"),
        (json!([["taskclient"], ["taskclient"]]), "the step has 2 scripts"),
        (json!([[]]), "does not call taskclient"),
        (json!([["/bin/rm", "-rf", "/"]]), "does not call taskclient"),
        (json!([["taskclient", "-q"]]), "option \"-q\" is unknown"),
        (json!([["taskclient", "-s", "/x"]]), "field \"plugin\""),
        (json!([["taskclient", "-t", "OCR", "-T", "a\u{0}b"]]), "NUL"),
        (
            json!([["taskclient", "-t", "OCR", "-callback_url", "http://evil/"]]),
            "option -callback_url can't be used",
        ),
    ];
    for (scripts, words) in cases {
        let ticket = read(&ticket(&scripts));
        assert!(ticket.step.is_some() && ticket.jwt.is_some(), "{scripts}");
        let reason = ticket.job.unwrap_err().reason;
        assert!(reason.contains(words), "{words} is not in {reason}");
    }
    let all = reason(&json!({"processId": "27", "stepId": 4_000_000_000_i64}));
    for words in [
        "\"processId\" and \"stepId\"",
        "\"jwt\" is missing",
        "\"scripts\"",
    ] {
        assert!(all.contains(words), "{words} is not in {all}");
    }
    for (body, words) in [
        (&b"{"[..], "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "not valid JSON"),
    ] {
        let reason = Ticket::read(body).job.unwrap_err().reason;
        assert!(reason.contains(words), "{reason}");
    }
}

#[test]
fn a_command_that_goobi_would_not_understand_does_not_leave() {
    let step = |process_id, step_id| Step { process_id, step_id };
    let entry = |step, content: &str| Command::journal(step, LogType::Info, content).signed("eyJ0");
    assert!(entry(step(27, 6519), "fine").is_ok());
    for refused in [
        entry(step(0, 6519), "x"),
        entry(step(27, -1), "x"),
        entry(step(27, 6519), " \n"),
        Command::journal(step(27, 6519), LogType::Info, "x").signed(" "),
    ] {
        refused.unwrap_err();
    }
    let end = |number_of_objects| Command::ChangeStep {
        step: step(27, 6519),
        step_name: None,
        new_status: NewStatus::Done,
        number_of_objects,
    };
    assert!(end(-1).signed("eyJ0").is_err());
    let signed: Value = serde_json::from_slice(&end(312).signed("eyJ0").unwrap()).unwrap();
    let expected = json!({"command": "changeStep", "processId": 27, "stepId": 6519, "newStatus": "done",
        "numberOfObjects": 312, "jwt": "eyJ0"});
    assert_eq!(signed, expected);
    let long = Command::journal(step(27, 6519), LogType::Error, &"ä".repeat(10_000))
        .signed("eyJ0")
        .unwrap();
    assert!(long.len() < 5_000, "{}", long.len());
}

proptest! {
    #[test]
    fn any_bytes_are_a_ticket_or_a_reason(body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Ticket::read(&body).job.is_err());
    }

    #[test]
    fn any_words_in_a_ticket_are_a_job_or_a_reason(words in prop::collection::vec("(-{0,2}[a-zA-Z_]{0,6})|\\PC{0,9}", 0..9)) {
        let script: Vec<String> = std::iter::once("taskclient".to_owned()).chain(words).collect();
        let ticket = read(&ticket(&json!([script])));
        match ticket.job {
            Ok(job) => prop_assert_eq!(job.process_id.as_deref(), Some("27")),
            Err(rejection) => prop_assert!(!rejection.reason.is_empty()),
        }
    }
}

use serde_json::json;
use shared::job::{ClaimId, JobId};

use super::*;

fn grant(parameters: &Value) -> Grant {
    Grant {
        job_id: JobId::generate(),
        store: None,
        plugin: "SHELL".parse().unwrap(),
        attempt: 1,
        claim_id: ClaimId::generate(),
        lease_seconds: 60,
        run_budget_seconds: 60,
        disconnect_limit_seconds: None,
        title: "Faust I".to_owned(),
        source: Some("/data/27/images".to_owned()),
        target: None,
        ask_for_transfer: false,
        parameters: parameters.as_object().unwrap().clone(),
        template: None,
        done_items: Vec::new(),
        manifest: None,
    }
}

fn arguments(command: &[&str], parameters: &Value) -> Result<Vec<String>, Error> {
    let template = json!({"command": command});
    expand(template.as_object().unwrap(), &grant(parameters)).map(|command| command.arguments)
}

#[test]
fn placeholders_are_replaced_inside_their_argument_and_never_split_it() {
    let command = [
        "convert",
        "{source}/*.tif",
        "--title={title}",
        "{{}}",
        "-q{parameters.quality}",
        "plain",
        "",
    ];
    let found = arguments(&command, &json!({"quality": 85})).unwrap();
    assert_eq!(
        found,
        [
            "/data/27/images/*.tif",
            "--title=Faust I",
            "{}",
            "-q85",
            "plain",
            ""
        ]
    );
    let odd = "a b; rm -rf / $(x) '\" {title} {source}";
    assert_eq!(
        arguments(&["echo", "x{parameters.odd}"], &json!({"odd": odd})).unwrap(),
        [format!("x{odd}")]
    );
}

#[test]
fn a_value_can_not_become_an_option() {
    let parameters = json!({"name": "-rf", "empty": ""});
    let refused = Err(Error::Option("parameters.name".to_owned()));
    assert_eq!(arguments(&["rm", "{parameters.name}"], &parameters), refused);
    assert_eq!(
        arguments(&["rm", "{parameters.empty}{parameters.name}"], &parameters),
        refused
    );
    assert_eq!(
        arguments(&["rm", "./{parameters.name}"], &parameters).unwrap(),
        ["./-rf"]
    );
}

#[test]
fn a_value_can_not_lead_out_of_a_folder() {
    for way_up in ["..", "../x", "a/../../x", "/.."] {
        let parameters = json!({"name": way_up});
        let found = arguments(&["cp", "{source}/{parameters.name}"], &parameters);
        assert_eq!(found, Err(Error::WayUp("parameters.name".to_owned())), "{way_up}");
    }
    assert!(arguments(&["cp", "{source}/{parameters.name}"], &json!({"name": "a..b"})).is_ok());
}

#[test]
fn the_command_comes_only_from_the_template() {
    let parameters = json!({"command": ["rm"], "program": "rm"});
    assert_eq!(expand(&Map::new(), &grant(&parameters)), Err(Error::Form));
    assert!(matches!(
        arguments(&["{parameters.program}"], &parameters),
        Err(Error::Program(_))
    ));
    for odd in [
        json!([]),
        json!("rm -rf"),
        json!(["rm", 1]),
        json!([""]),
        json!({"a": "rm"}),
    ] {
        let template = json!({"command": odd});
        assert_eq!(
            expand(template.as_object().unwrap(), &grant(&parameters)),
            Err(Error::Form)
        );
    }
}

#[test]
fn what_can_not_be_replaced_is_named() {
    let parameters = json!({"list": [1], "nothing": null, "nul": "a\0b"});
    let message = |argument: &str| arguments(&["x", argument], &parameters).unwrap_err().to_string();
    assert!(message("{process_id}").starts_with("unknown placeholder {process_id}: there are {source}"));
    assert_eq!(message("{target}/x"), "the job has no value for {target}");
    assert_eq!(
        message("{parameters.nothing}"),
        "the job has no value for {parameters.nothing}"
    );
    assert!(message("{parameters.list}").contains("list or an object"));
    assert!(message("{parameters.nul}").contains("NUL"));
    for single in ["{source", "a}b", "{"] {
        assert_eq!(
            message(single),
            format!("argument \"{single}\" has a single brace: write {{{{ or }}}} for a brace")
        );
    }
}

#[test]
fn a_target_on_object_storage_is_refused_where_a_command_would_write_to_it() {
    let grant = Grant {
        target: Some("s3://scans/27".to_owned()),
        ..grant(&json!({}))
    };
    let expanded = |argument: &str| {
        let template = json!({"command": ["cp", argument]});
        expand(template.as_object().unwrap(), &grant)
    };
    assert_eq!(expanded("{target}/a"), Err(Error::OnObjects("target".to_owned())));
    assert!(expanded("{source}/a").is_ok());
}

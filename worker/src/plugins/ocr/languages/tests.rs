use serde_json::json;
use shared::job::{ClaimId, JobId};
use shared::message::reply::{Grant, Template};

use super::*;

const INSTALLED: [&str; 6] = ["Fraktur", "deu", "eng", "lat", "fra", "chi_sim"];

fn choose_from(parameters: &Value, installed: &[&str]) -> Result<Vec<String>, String> {
    let grant = Grant {
        job_id: JobId::generate(),
        store: None,
        plugin: "OCR".parse().unwrap(),
        attempt: 1,
        claim_id: ClaimId::generate(),
        lease_seconds: 60,
        run_budget_seconds: 60,
        disconnect_limit_seconds: None,
        title: "test".to_owned(),
        source: None,
        target: None,
        ask_for_transfer: false,
        parameters: parameters.as_object().unwrap().clone(),
        template: None::<Template>,
        done_items: Vec::new(),
        manifest: None,
    };
    let installed: Vec<String> = installed.iter().map(|&name| name.to_owned()).collect();
    choose(&Parameters::of(&grant), &installed).map_err(|error| error.to_string())
}

fn chosen(parameters: &Value) -> String {
    choose_from(parameters, &INSTALLED).unwrap().join("+")
}

#[test]
fn catalogue_codes_of_all_kinds_become_tesseracts_names() {
    for german in ["ger", "deu", "de", "GER", "deu,ger+de"] {
        assert_eq!(chosen(&json!({"language": german})), "deu", "{german}");
    }
    assert_eq!(chosen(&json!({"language": "ger,lat"})), "deu+lat");
    assert_eq!(
        chosen(&json!({"language": ["fre", "en lat", "zh"]})),
        "fra+eng+lat+chi_sim"
    );
    assert_eq!(chosen(&json!({"language": "Fraktur"})), "Fraktur");
}

#[test]
fn where_no_language_is_named_it_is_german() {
    for none in [
        json!({}),
        json!({"language": ""}),
        json!({"language": "und, mul"}),
        json!({"language": null}),
    ] {
        assert_eq!(chosen(&none), DEFAULT);
    }
}

#[test]
fn fracture_takes_the_fraktur_data_that_is_installed() {
    for name in ["fracture", "Fraktur", "gothic"] {
        assert_eq!(
            chosen(&json!({"language": "lat,ger", "font_type": name})),
            "lat+Fraktur",
            "{name}"
        );
    }
    assert_eq!(chosen(&json!({"font_type": "fracture"})), "Fraktur");
    assert_eq!(
        chosen(&json!({"font_type": "fracture", "language": "eng"})),
        "Fraktur+eng"
    );
    assert_eq!(chosen(&json!({"font_type": "antiqua", "language": "ger"})), "deu");
    for data in ["script/Fraktur", "frk", "deu_frak", "deu_latf"] {
        let found = choose_from(
            &json!({"font_type": "fracture", "language": "ger"}),
            &["deu", data],
        );
        assert_eq!(found.unwrap(), [data]);
    }
}

#[test]
fn what_is_not_installed_names_its_package() {
    let message = |parameters: &Value| choose_from(parameters, &["eng"]).unwrap_err();
    assert!(message(&json!({"language": "ger"})).contains("install the package tesseract-ocr-deu on"));
    assert!(message(&json!({"language": "srp_latn"})).contains("tesseract-ocr-srp-latn"));
    assert!(message(&json!({"font_type": "fracture"})).contains("tesseract-ocr-script-frak"));
    assert!(message(&json!({"language": "script/Cyrillic"})).contains("tesseract-ocr-script"));
    assert!(message(&json!({"language": "gmh"})).contains("no data for \"gmh\""));
}

#[test]
fn what_is_no_language_is_refused() {
    for bad in ["-l", "../eng", "eng;$(x)", "{meta.DocLanguage}", "ä"] {
        let refused = choose_from(&json!({"language": bad}), &INSTALLED);
        assert!(refused.is_err(), "{bad}: {refused:?}");
    }
    assert!(choose_from(&json!({"language": 3}), &INSTALLED).is_err());
    assert!(choose_from(&json!({"language": [3]}), &INSTALLED).is_err());
    assert!(
        choose_from(&json!({"font_type": "comic"}), &INSTALLED)
            .unwrap_err()
            .contains("\"antiqua\" or")
    );
}

#[test]
fn the_schema_refuses_what_no_installed_data_could_help() {
    let all = |name: &str, values: &[Value], expected: bool| {
        for value in values {
            let parameters = json!({ name: value });
            let read = choose_from(&parameters, &INSTALLED);
            // What is only not installed is another matter, for another worker may have it.
            let read = read.is_ok() || read.is_err_and(|error| !error.contains("but must be"));
            assert_eq!(read, expected, "{parameters}");
            assert_eq!(
                jsonschema::is_valid(&schema(), &parameters),
                expected,
                "{parameters}"
            );
        }
    };
    let good = [
        json!("ger,lat"),
        json!(["fre", "en lat"]),
        json!(""),
        json!(null),
        json!("script/Cyrillic; xyz+de"),
    ];
    all("language", &good, true);
    all(
        "language",
        &[
            json!(3),
            json!(["ger", 3]),
            json!("../x"),
            json!("deu --psm"),
            json!({"a": "b"}),
        ],
        false,
    );
    all(
        "font_type",
        &[
            json!("antiqua"),
            json!(" Fracture "),
            json!("GOTHIC"),
            json!(""),
            json!(null),
        ],
        true,
    );
    all(
        "font_type",
        &[json!("arial"), json!(true), json!(["antiqua"])],
        false,
    );
}

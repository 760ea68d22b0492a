//! What is accepted under which names, and what is refused with which words.

use serde_json::json;

use super::*;

fn reason(body: &[u8]) -> String {
    Submission::parse(body).unwrap_err().reason
}

#[test]
fn the_body_of_goobis_ocr_plugin_is_understood_and_unknown_fields_are_kept() {
    let body = json!({
        "goobiId": "27", "sourceDir": "/opt/digiverso/goobi/metadata/27/images/x_media/",
        "targetDir": "/opt/digiverso/goobi/metadata/27/ocr_partial_12/antiqua", "fontType": "antiqua",
        "priority": 10, "postOCR": "6519", "titleprefix": "x_antiqua", "templatename": "template.xml",
        "jobtype": "OCR", "serverType": "intranda-tesseract",
        "title": "http://goobi/goobi/api/plugins/ocr/12/done", "goobiTitle": "x", "language": "ger,lat",
        "callbackUrl": "http://goobi/goobi/api/plugins/ocr/12/done", "goobiToken": "s3cret"
    });
    let job = Submission::from_json(body).unwrap();
    assert_eq!(job.plugin.as_str(), "OCR");
    assert_eq!(job.template.as_deref(), Some("template"));
    assert_eq!(job.title, "x");
    assert_eq!(job.process_id.as_deref(), Some("27"));
    assert_eq!(job.step_id.as_deref(), Some("6519"));
    assert_eq!(job.priority, Some(Priority::HIGHEST));
    assert_eq!(job.parameters["language"], "ger,lat");
    assert_eq!(job.parameters["font_type"], "antiqua");
    assert_eq!(job.extra["serverType"], "intranda-tesseract");
    assert_eq!(job.extra["title"], "http://goobi/goobi/api/plugins/ocr/12/done");
    assert_eq!(job.extra["goobiToken"], SECRET_MASK);
}

#[test]
fn a_number_is_an_identifier_too_and_empty_fields_count_as_absent() {
    let job =
        Submission::from_json(json!({"plugin": "ocr", "goobiId": 27, "stepId": 1, "source": ""})).unwrap();
    assert_eq!(job.title, "process 27");
    assert_eq!(job.process_id.as_deref(), Some("27"));
    assert_eq!(job.source, None);
}

#[test]
fn broken_bodies_are_refused_with_words_for_a_person() {
    assert!(reason(b"{\"plugin\":").contains("not valid JSON: EOF"));
    assert!(reason(b"[1]").contains("must be a JSON object"));
    assert!(reason("{\"title\":\"B\u{fc}cher\"}".replace('ü', "?").as_bytes()).contains("\"plugin\""));
    assert!(reason(b"{\"title\":\"B\xfccher\"}").contains("not UTF-8: byte 0xfc at position 11"));
    assert!(reason(br#"{"plugin":"OCR","title":"a\u0000b"}"#).contains("NUL"));
    assert!(reason(&vec![b'x'; 2_000_000]).contains("2000000 bytes"));
    assert!(reason(br#"{"plugin":"OCR","title":"a","priority":11}"#).contains("priority 11 is out of range"));
    assert!(reason(br#"{"plugin":"OCR","title":"a","version":99}"#).contains("version"));
}

#[test]
fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
    assert!(reason("[".repeat(100_000).as_bytes()).contains("recursion limit"));
}

#[test]
fn all_problems_are_told_at_once() {
    let reason = reason(br#"{"title":7,"priority":"high","goobiId":"1","process_id":"2"}"#);
    for part in [
        "\"plugin\"",
        "\"title\" must be a text",
        "\"priority\"",
        "mean the same but differ",
    ] {
        assert!(reason.contains(part), "{part} not in {reason}");
    }
}

#[test]
fn the_derived_key_keeps_its_parts_apart() {
    let key = |process: &str, step: &str| {
        let body = json!({"plugin": "OCR", "title": "t", "process_id": process, "step_id": step});
        Submission::from_json(body).unwrap().derived_key()
    };
    assert_ne!(key("1", "23"), key("12", "3"));
    assert_ne!(key("a\",\"b", "c"), key("a", "b\",\"c"));
    assert_eq!(key("1", "2"), key("1", "2"));
}

#[test]
fn identifiers_and_keys_always_fit_into_an_index() {
    let long = "ä".repeat(3_000);
    let refused =
        Submission::from_json(json!({"plugin": "OCR", "title": "t", "process_id": long})).unwrap_err();
    assert!(
        refused
            .reason
            .contains("\"process_id\" is longer than 200 characters"),
        "{refused}"
    );
    let refused = Submission::from_json(json!({"plugin": "OCR", "title": "t", "project": long})).unwrap_err();
    assert!(refused.reason.contains("\"project\" is longer"), "{refused}");
    let body = json!({"plugin": "OCR", "title": "t", "process_id": "1", "step_id": "2", "target": long});
    assert!(Submission::from_json(body).unwrap().derived_key().unwrap().len() < 100);
}

#[test]
fn a_token_is_found_under_each_of_its_names_and_can_be_neither_printed_nor_copied() {
    let token = |body| Submission::from_json(body).unwrap().token;
    let found =
        token(json!({"plugin": "OCR", "title": "t", "goobiToken": " s3cret ", "jwt": "other"})).unwrap();
    assert_eq!(
        (found.secret.as_str(), found.header),
        ("s3cret", TokenHeader::Jwt)
    );
    let both = json!({"plugin": "OCR", "title": "t", "Token": "s3cret", "goobiToken": "x"});
    let submission = Submission::from_json(both).unwrap();
    assert_eq!(submission.token.as_ref().unwrap().header, TokenHeader::Token);
    assert_eq!(submission.extra["Token"], SECRET_MASK);
    let written = serde_json::to_string(&submission).unwrap();
    assert!(!written.contains("s3cret"), "{written}");
    assert!(!format!("{submission:?}").contains("s3cret"), "{submission:?}");
    assert_eq!(token(json!({"plugin": "OCR", "title": "t", "token": ""})), None);
    assert_eq!(
        token(json!({"plugin": "OCR", "title": "t", "password": "x"})),
        None
    );
}

#[test]
fn a_receiver_with_itms_customs_is_told_of_success_only_unless_it_says_otherwise() {
    let when = |more: serde_json::Value| {
        let mut body = json!({"plugin": "OCR", "title": "t"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Submission::from_json(body).map(|job| job.callback_when)
    };
    assert_eq!(
        when(json!({"callbackUrl": "http://a/"})).unwrap(),
        CallbackWhen::Done
    );
    assert_eq!(
        when(json!({"callback_url": "http://a/"})).unwrap(),
        CallbackWhen::Ended
    );
    let both = json!({"callbackUrl": "http://a/", "callback_when": "ended"});
    assert_eq!(when(both).unwrap(), CallbackWhen::Ended);
    let refused = when(json!({"callback_when": "never"})).unwrap_err();
    assert!(refused.reason.contains("\"callback_when\" must be"), "{refused}");
}

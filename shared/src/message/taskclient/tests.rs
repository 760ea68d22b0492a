//! The command lines of the manual and of Goobi's samples, and whatever else somebody may write.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::message::submit::Submission;

const SERVICE: &str = "http://localhost:8080/itm/service";

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn call(line: &str) -> Call {
    read(&words(line)).unwrap_or_else(|rejection| panic!("{line}: {rejection}"))
}

fn reason(line: &str) -> String {
    read(&words(line)).unwrap_err().reason
}

#[test]
fn the_calls_of_the_manual_and_of_shipped_samples_are_understood() {
    let calls = [
        (
            "java -jar TaskClient.jar -itm http://localhost:8080/itm/service -e -i 6519 -T kochbuch_1884 -t SHELL \
             -n iii-create_jpeg -s /data/27/master -d /data/27 -gid 27",
            json!({"postOCR": "6519", "goobiTitle": "kochbuch_1884", "jobtype": "SHELL",
                "templatename": "iii-create_jpeg", "sourceDir": "/data/27/master", "targetDir": "/data/27",
                "goobiId": "27"}),
        ),
        (
            "java -jar TaskClient.jar -itm http://localhost:8080/itm/service -d /data/27 -s /data/27/master -e -i 6519 \
             -T kochbuch_1884 -t JP2 -n template -gid 27",
            json!({"postOCR": "6519", "goobiTitle": "kochbuch_1884", "jobtype": "JP2", "templatename": "template",
                "sourceDir": "/data/27/master", "targetDir": "/data/27", "goobiId": "27"}),
        ),
        (
            "java -jar TaskClient.jar -itm http://localhost:8080/itm/service -s /data/27/media \
             -d /data/27/ocr/kochbuch_1884_alto/ -e -gid 27 -i 6519 -T kochbuch_1884 -t ALTOCONVERT -n altoconvert",
            json!({"postOCR": "6519", "goobiTitle": "kochbuch_1884", "jobtype": "ALTOCONVERT",
                "templatename": "altoconvert", "sourceDir": "/data/27/media",
                "targetDir": "/data/27/ocr/kochbuch_1884_alto/", "goobiId": "27"}),
        ),
        (
            "java -jar TaskClient.jar -ocr http://localhost:8080/itm/service -s /data/27/media -d /data/27 -e -i 6519 \
             -T kochbuch_1884 -f antiqua -n template.xml",
            json!({"postOCR": "6519", "goobiTitle": "kochbuch_1884", "jobtype": "OCR", "templatename": "template.xml",
                "sourceDir": "/data/27/media", "targetDir": "/data/27", "fontType": "antiqua"}),
        ),
    ];
    for (line, fields) in calls {
        let script = words(line);
        let call =
            read(of_script(&script).unwrap()).unwrap_or_else(|rejection| panic!("{line}: {rejection}"));
        assert_eq!(call.address.as_deref(), Some(SERVICE), "{line}");
        assert!(call.keep_open, "{line}");
        assert_eq!(Value::Object(call.fields.clone()), fields, "{line}");
        let submission = Submission::from_json(Value::Object(call.fields)).unwrap();
        assert_eq!(submission.step_id.as_deref(), Some("6519"), "{line}");
        assert_eq!(submission.title, "kochbuch_1884", "{line}");
        assert_eq!(submission.extra, Map::new(), "{line}");
        // The same with another program in the place of `java`, and in that of all three words.
        assert_eq!(read(&script[1..]).unwrap(), read(&script[3..]).unwrap(), "{line}");
    }
}

#[test]
fn long_names_mean_the_same_and_a_step_is_closed_unless_somebody_says_otherwise() {
    let short = call("-itm http://a/ -T x -t JP2 -n jp2 -s /in -d /out -p 10");
    let long = call(
        "-itm http://a/ --title x --jobtype JP2 --templatename=jp2 --source /in --destination=/out -p 10",
    );
    assert_eq!(short, long);
    assert!(!short.keep_open);
    assert_eq!(short.fields["priority"], 10);
    assert!(call("--returnError").keep_open);
}

#[test]
fn options_of_one_plugin_become_fields_that_are_kept() {
    let call = call("-itm http://a/ -T x -t TandemVault -tv_r http://vault/ -tv_t 7 -tv_n my_volume");
    let submission = Submission::from_json(Value::Object(call.fields)).unwrap();
    let kept = json!({"tv_r": "http://vault/", "tv_t": "7", "tv_n": "my_volume"});
    assert_eq!(Value::Object(submission.extra), kept);
}

#[test]
fn an_unset_variable_is_no_value_of_the_next_option() {
    let quoted: Vec<String> = ["-f", "", "-n", "template.xml"].map(str::to_owned).into();
    assert_eq!(read(&quoted).unwrap().fields, call("-n template.xml").fields);
    for (line, option) in [
        ("-f -n template.xml", "-f"),
        ("-f -tv_r x", "-f"),
        ("-s", "-s"),
        ("-d --title=x", "-d"),
    ] {
        assert_eq!(reason(line), format!("option {option} has no value"), "{line}");
    }
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    let reason =
        reason("-q 1 -p 11 -T two words -t OCR -t JP2 -ocr http://a/ -itm http://b/ --returnError=1 -s");
    for part in [
        "option \"-q\" is unknown",
        "\"1\" belongs to no option",
        "option -p is \"11\": use a whole number from 0 to 10",
        "\"words\" belongs to no option: put values with spaces into quotes",
        "option -t says \"JP2\", but \"OCR\" is said already",
        "option -itm names another address",
        "option \"--returnError=1\" is unknown",
        "option -s has no value",
    ] {
        assert!(reason.contains(part), "{part} is not in {reason}");
    }
    let conflict = "option -ocr says \"OCR\", but \"JP2\" is said already: say it once";
    assert_eq!(self::reason("-t JP2 -ocr http://a/"), conflict);
}

#[test]
fn only_taskclient_is_taken_for_taskclient() {
    for script in [
        "/usr/local/bin/taskclient -t OCR",
        "/usr/bin/java -Xmx1g -jar /opt/TaskClient.jar -t OCR",
    ] {
        let script = words(script);
        assert_eq!(read(of_script(&script).unwrap()).unwrap(), call("-t OCR"));
    }
    for script in [
        "",
        "/bin/sh taskclient -t OCR",
        "/usr/bin/java -jar other.jar",
        "/opt/taskclient/other",
    ] {
        assert_eq!(of_script(&words(script)), None, "{script}");
    }
}

proptest! {
    #[test]
    fn any_words_are_read_or_refused_with_a_reason(words in prop::collection::vec("(-{0,2}[a-zA-Z_=]{0,12})|\\PC{0,20}", 0..12)) {
        match read(&words) {
            Ok(call) => prop_assert!(call.fields.len() <= words.len()),
            Err(rejection) => prop_assert!(!rejection.reason.is_empty()),
        }
    }

    #[test]
    fn a_value_arrives_as_it_was_written(option in 0..OPTIONS.len(), value in "[^-\\x00][^\\x00]{0,80}") {
        let (name, meaning) = OPTIONS[option];
        prop_assume!(meaning != Meaning::Priority);
        let call = read(&[name.to_owned(), value.clone()]).unwrap();
        let arrived = match meaning {
            Meaning::Field(field) => call.fields[field].as_str().map(str::to_owned),
            _ => call.address,
        };
        prop_assert_eq!(arrived, Some(value));
    }
}

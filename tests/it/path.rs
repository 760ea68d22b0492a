//! The main path: a message with Goobi's names comes in, searchable text comes out.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use shared::message::submit::SubmitReply;
use tests::text::{share_in_order, words};
use tests::volume::{PAGES, expected_text};
use tests::{Cluster, Job, LIMIT, Volume, eventually};

/// Part of the words that a page's text has to have, in order.
const ENOUGH: f64 = 0.95;

#[test]
fn scanned_pages_become_searchable_text() {
    let cluster = Cluster::named("path").one_page_at_a_time().start();
    let volume = cluster.volume(27, "huckfinn_1884");
    let mut message = volume.goobi_message();
    // Goobi's own view of the folders, as its step knows them.
    message["sourceDir"] = json!("/opt/digiverso/goobi/metadata/27/images/huckfinn_1884_media/");
    message["targetDir"] = json!("/opt/digiverso/goobi/metadata/27/");
    message["project"] = json!("Twain");
    message["serverType"] = json!("intranda-tesseract");
    message["goobiToken"] = json!("very-secret");

    let SubmitReply::Accepted { job_id } = cluster.amqp().ask(&message) else {
        panic!("a good message is accepted");
    };
    let seen = watch(&cluster, job_id);
    let job = cluster.wait_until_done(job_id);

    assert!(
        (1..4).any(|done| seen.contains(&("PROCESSING".to_owned(), done))),
        "progress was never seen between no page and all pages: {seen:?}"
    );
    assert_eq!((job.items_done, job.items_failed, job.items_total), (4, 0, 4));
    assert_eq!(job.items_in("done"), PAGES);
    assert!((job.percent - 100.0).abs() < f64::EPSILON);
    assert_eq!(job.outcomes(), ["done"]);
    assert_eq!(job.summary["pages"], 4);

    as_it_was_sent(&job, &volume);
    published(&job, &volume);
    text_is_right(&volume);
    recorded_in_statistics(&cluster);
}

/// Looks at the job until it has ended; gives each state that was seen, with the pages done then.
fn watch(cluster: &Cluster, id: shared::job::JobId) -> BTreeSet<(String, u32)> {
    let api = cluster.api();
    let mut seen = BTreeSet::new();
    eventually(LIMIT, "the job's end", || {
        let job = api.job(id)?;
        seen.insert((job.state.clone(), job.items_done));
        if job.has_ended() { Ok(()) } else { Err(job.state) }
    });
    seen
}

/// Nothing of the message was lost but its secret.
fn as_it_was_sent(job: &Job, volume: &Volume) {
    assert_eq!(job.process_id.as_deref(), Some("27"));
    assert_eq!(job.step_id.as_deref(), Some("6519"));
    assert_eq!(job.title, volume.title);
    assert_eq!(job.template.as_deref(), Some("template"));
    assert_eq!(
        job.source.as_deref().map(Path::new),
        Some(volume.source.as_path())
    );
    assert_eq!(job.parameters["language"], "eng");
    assert_eq!(job.parameters["font_type"], "antiqua");
    assert_eq!(job.extra["serverType"], "intranda-tesseract");
    let token = job.extra["goobiToken"].to_string();
    assert!(!token.contains("very-secret"), "a secret was kept: {token}");
}

/// The target folder holds what the manifest says, and nothing else.
fn published(job: &Job, volume: &Volume) {
    let files = volume.files_in_target();
    assert_eq!(
        job.outputs.iter().collect::<Vec<_>>(),
        files.values().collect::<Vec<_>>()
    );
    let mut expected = vec![format!("ocr/{0}_volume/{0}.pdf", volume.title)];
    for page in 1..=4 {
        for (kind, ending) in [("alto", "xml"), ("hocr", "hocr"), ("pdf", "pdf"), ("txt", "txt")] {
            expected.push(format!("ocr/{}_{kind}/{page:08}.{ending}", volume.title));
        }
    }
    expected.sort();
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    assert!(!volume.has_item_store(), "the item store is still there");
}

/// The text of page 1 is what is printed on it, in each kind of output, also to tools that are not ours.
fn text_is_right(volume: &Volume) {
    let expected = words(&expected_text());
    let plain = words(&std::fs::read_to_string(volume.output("txt", "00000001.txt")).unwrap());
    let share = share_in_order(&expected, &plain);
    assert!(
        share >= ENOUGH,
        "only {:.1} % of the words were found in order",
        share * 100.0
    );

    let alto = words(&tests::volume::text_of_alto(
        &volume.output("alto", "00000001.xml"),
    ));
    // ALTO has a hyphen as an element of its own, so the same words may be divided otherwise.
    let same = share_in_order(&plain, &alto);
    assert!(
        same >= 0.99,
        "ALTO has {:.1} % of the plain text's words",
        same * 100.0
    );

    let pdf = volume.output("pdf", "00000001.pdf");
    let pdf = words(&run("pdftotext", &["-raw".as_ref(), pdf.as_ref(), "-".as_ref()]));
    let same = share_in_order(&expected, &pdf);
    assert!(same >= ENOUGH, "the PDF has {:.1} % of the words", same * 100.0);

    let whole = volume.output("volume", &format!("{}.pdf", volume.title));
    let facts = run("pdfinfo", &[whole.as_ref()]);
    assert!(
        facts
            .lines()
            .any(|line| line.split_whitespace().eq(["Pages:", "4"])),
        "{facts}"
    );
    let text = words(&run(
        "pdftotext",
        &["-raw".as_ref(), whole.as_ref(), "-".as_ref()],
    ));
    assert!(
        share_in_order(&expected, &text) >= ENOUGH,
        "the volume's PDF can't be searched"
    );
}

fn recorded_in_statistics(cluster: &Cluster) {
    let rows = cluster.sql(
        "SELECT plugin, project, outcome, jobs, items FROM statistics",
        &[],
    );
    let rows: Vec<(String, String, String, i64, i64)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
        .collect();
    assert_eq!(
        rows,
        [("OCR".to_owned(), "Twain".to_owned(), "done".to_owned(), 1, 4)]
    );
    assert_eq!(
        cluster.count("SELECT count(*) FROM jobs"),
        0,
        "an ended job is still among the unfinished"
    );
    assert_eq!(cluster.count("SELECT count(*) FROM leases"), 0);
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install the package poppler-utils"));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_job_with_no_more_than_the_required_fields_runs() {
    let cluster = Cluster::named("minimal").plugins("NOOP=1").start();
    let by_message = cluster.submit(&json!({"plugin": "NOOP", "title": "by message"}));
    let by_http = cluster
        .api()
        .submit(&json!({"plugin": "NOOP", "title": "by HTTP"}));
    assert_eq!(cluster.wait_until_done(by_message).title, "by message");
    let job = cluster.wait_until_done(by_http);
    assert_eq!((job.priority, job.submitted_by.as_str()), (5, "http: local"));
    assert_eq!(Value::from(job.parameters), json!({}));
}

//! Pages that can't be read, and languages that are not installed: the job says which, why and what to do.

use serde_json::json;
use shared::job::JobId;
use tests::{Cluster, Job, Volume};

/// The first bytes of a JPEG file, and then nothing that belongs to one.
const CORRUPT: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00 this is where the scanner's network broke";

/// The pages of the volume here.
const THREE_PAGES: [&str; 3] = ["00000001.jpg", "00000002.jpg", "00000003.jpg"];

/// Two good pages around a bad one, and a file that is none.
fn volume_with_a_bad_page(cluster: &Cluster) -> Volume {
    let volume = Volume::empty(cluster.data(), 7, "damaged");
    volume.add_page("00000003.jpg", "00000001.jpg");
    volume.add_file("00000002.jpg", CORRUPT);
    volume.add_page("00000004.jpg", "00000003.jpg");
    volume.add_file("notes.txt", b"scanned on Monday");
    volume
}

fn names_the_page(cluster: &Cluster, id: JobId) -> Job {
    let job = cluster.wait_for_end(id);
    assert_eq!(job.state, "ERROR");
    let error = job.error.clone().unwrap();
    assert!(
        error.starts_with("1 of 3 pages could not be read: 00000002.jpg: "),
        "{error}"
    );
    assert!(
        error.len() > "1 of 3 pages could not be read: 00000002.jpg: ".len(),
        "no reason: {error}"
    );
    assert_eq!(job.items_in("failed"), ["00000002.jpg"]);
    assert_eq!(job.items_in("done"), ["00000001.jpg", "00000003.jpg"]);
    assert_eq!(job.items_in("skipped"), ["notes.txt"]);
    let failed = job.items.iter().find(|item| item.state == "failed").unwrap();
    let reason = failed.error.as_deref().unwrap();
    assert!(error.contains(reason), "\"{reason}\" is not in \"{error}\"");
    assert_eq!(
        cluster.count("SELECT jobs FROM statistics WHERE outcome = 'error'"),
        1
    );

    let page = cluster.api().get(&format!("/jobs/{id}")).unwrap();
    assert_eq!(page.status, 200);
    for text in ["00000002.jpg", "1 of 3 pages could not be read"] {
        assert!(page.body.contains(text), "the job's page does not say \"{text}\"");
    }
    job
}

#[test]
fn a_bad_page_fails_the_job_and_the_good_ones_are_not_published() {
    let cluster = Cluster::named("bad-page").plugins("OCR=1").start();
    let volume = volume_with_a_bad_page(&cluster);
    let id = cluster.submit(&volume.goobi_message());
    let job = names_the_page(&cluster, id);
    assert!(job.outputs.is_empty());
    assert!(!volume.target.join("ocr").exists(), "something was published");
    assert!(volume.has_item_store(), "what was done is kept for a retry");
}

/// Does a job again; gives the new one.
fn retry(cluster: &Cluster, id: JobId, items: &str) -> JobId {
    let action = json!({"action": "retry", "items": items});
    let (status, answer) = cluster.api().act(&format!("/api/v1/jobs/{id}/actions"), &action);
    assert_eq!((status, &answer["outcome"]), (200, &json!("retried")), "{answer}");
    serde_json::from_value(answer["new_job"].clone()).unwrap()
}

/// The job is done, with three pages in four kinds and the volume; what lies in the target folder is what it says.
fn is_whole(cluster: &Cluster, id: JobId, volume: &Volume) -> Job {
    let job = cluster.wait_until_done(id);
    assert_eq!(job.items_in("done"), THREE_PAGES);
    let files = volume.files_in_target();
    assert_eq!(files.len(), 13);
    assert_eq!(
        job.outputs.iter().collect::<Vec<_>>(),
        files.values().collect::<Vec<_>>()
    );
    assert!(!volume.has_item_store(), "the item store is still there");
    job
}

#[test]
fn a_retry_by_hand_recognises_the_mended_page_alone_and_every_page_again_where_all_are_asked_for() {
    let cluster = Cluster::named("retry-pages")
        .plugins("OCR=1")
        .one_page_at_a_time()
        .recording_tesseract()
        .start();
    let volume = volume_with_a_bad_page(&cluster);
    let failed = names_the_page(&cluster, cluster.submit(&volume.goobi_message()));
    let before = cluster.recognised();
    for page in ["00000001.jpg", "00000003.jpg"] {
        assert!(before.iter().any(|name| name == page), "{before:?}");
    }

    volume.add_page("00000001.jpg", "00000002.jpg");
    let mended = retry(&cluster, failed.id, "failed");
    let job = is_whole(&cluster, mended, &volume);
    let recognised = cluster.recognised();
    assert_eq!(recognised[before.len()..], ["00000002.jpg"]);
    for page in ["00000001.jpg", "00000003.jpg"] {
        let [first, kept] = [&failed, &job].map(|job| {
            let item = job.items.iter().find(|item| item.name == page).unwrap();
            (item.duration_ms, &item.files)
        });
        assert_eq!(kept, first, "what was done of {page} has changed");
    }

    let all = retry(&cluster, mended, "all");
    is_whole(&cluster, all, &volume);
    assert_eq!(cluster.recognised()[recognised.len()..], THREE_PAGES);
}

#[test]
fn with_a_template_that_says_so_the_good_pages_are_published() {
    let cluster = Cluster::named("partial").plugins("OCR=1").start();
    let volume = volume_with_a_bad_page(&cluster);
    let mut message = volume.goobi_message();
    message["templatename"] = "partial".into();
    let id = cluster.submit(&message);
    let job = names_the_page(&cluster, id);
    assert!(volume.output("txt", "00000001.txt").is_file());
    assert!(volume.output("txt", "00000003.txt").is_file());
    assert!(!volume.output("txt", "00000002.txt").exists());
    assert_eq!(job.outputs.len(), 9, "two pages in four kinds, and the volume");
}

#[test]
fn a_submitter_can_not_ask_for_partial_publishing() {
    let cluster = Cluster::named("not-partial").plugins("OCR=1").start();
    let volume = volume_with_a_bad_page(&cluster);
    let mut message = volume.goobi_message();
    message["parameters"] = json!({"publish_partial": true});
    let id = cluster.submit(&message);
    names_the_page(&cluster, id);
    assert!(!volume.target.join("ocr").exists(), "something was published");
}

#[test]
fn a_language_that_is_not_installed_is_an_error_that_names_the_package() {
    let cluster = Cluster::named("language").plugins("OCR=1").start();
    let volume = cluster.volume(7, "russian");
    let mut message = volume.goobi_message();
    message["language"] = "ger,rus".into();
    let job = cluster.wait_for_end(cluster.submit(&message));
    assert_eq!(job.state, "ERROR");
    let error = job.error.unwrap();
    assert!(error.contains("tesseract-ocr-rus"), "{error}");
    assert_eq!(cluster.tool_processes(), Vec::<String>::new());
    assert_eq!(job.attempts.len(), 1, "trying again can't help");
}

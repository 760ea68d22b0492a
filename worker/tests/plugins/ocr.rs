use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, json};
use shared::job::Stage;
use shared::job::decide::ErrorClass;
use shared::message::manifest::Manifest;
use shared::message::reply::DoneItem;
use shared::message::worker::{ItemState, Outcome};
use worker::plugin::{AttemptError, Finished, Plugin};
use worker::plugins::PluginSettings;
use worker::plugins::ocr::Ocr;
use worker::publish;

use crate::fixture::{Job, done_items, failure, log, processes_in, report, settings};

/// The two smallest pages of the test volume.
const SMALL: &str = "00000004.jpg";
const MIDDLE: &str = "00000003.jpg";

fn ocr() -> Ocr {
    Ocr::new(1, &settings())
}

fn english(pages: &[(&str, &str)]) -> Job {
    Job::new("OCR", json!({"language": "eng"})).with_pages(pages)
}

fn paths(finished: &Finished) -> Vec<&str> {
    finished.files.iter().map(|file| file.path.as_str()).collect()
}

fn output_of(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .arg("-")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn pages_become_alto_hocr_text_and_pdf_and_a_volume() {
    let job = english(&[(SMALL, "10.jpg"), (MIDDLE, "9.jpg")]);
    std::fs::write(job.source("notes.txt"), "not a page").unwrap();
    let attempt = job.attempt(Vec::new());
    let finished = ocr().run(&attempt).await.unwrap();
    assert_eq!(
        paths(&finished),
        [
            "ocr/Huckleberry_Finn_alto/9.xml",
            "ocr/Huckleberry_Finn_hocr/9.hocr",
            "ocr/Huckleberry_Finn_txt/9.txt",
            "ocr/Huckleberry_Finn_pdf/9.pdf",
            "ocr/Huckleberry_Finn_alto/10.xml",
            "ocr/Huckleberry_Finn_hocr/10.hocr",
            "ocr/Huckleberry_Finn_txt/10.txt",
            "ocr/Huckleberry_Finn_pdf/10.pdf",
            "ocr/Huckleberry_Finn_volume/Huckleberry_Finn.pdf",
        ]
    );
    let told = report(&attempt);
    assert_eq!(
        (told.stage, told.items_done, told.items_failed, told.items_total),
        (Stage::Processing, 2, 0, 2)
    );
    let images = std::fs::metadata(job.source("10.jpg")).unwrap().len()
        + std::fs::metadata(job.source("9.jpg")).unwrap().len();
    assert_eq!(told.bytes, images);
    let skipped: Vec<_> = told
        .items
        .iter()
        .filter(|item| item.state == ItemState::Skipped)
        .collect();
    assert_eq!(
        (skipped.len(), skipped[0].name.as_str(), skipped[0].position),
        (1, "notes.txt", 3)
    );
    assert_eq!(finished.summary["pages"], 2);
    assert_eq!(finished.summary["languages"], "eng");
    assert!(
        finished.summary["words"].as_u64().unwrap() > 100,
        "{:?}",
        finished.summary
    );

    let outcome = Outcome::Done { summary: Map::new() };
    let manifest = Manifest {
        files: finished.files,
        outcome,
    };
    publish::complete(attempt.store.as_ref().unwrap(), &manifest, &attempt.progress)
        .await
        .unwrap();
    attempt.store.as_ref().unwrap().remove().await.unwrap();
    let text = std::fs::read_to_string(job.target("ocr/Huckleberry_Finn_txt/10.txt")).unwrap();
    assert!(text.contains("silver snuff-box"), "{text}");
    let alto = std::fs::read_to_string(job.target("ocr/Huckleberry_Finn_alto/10.xml")).unwrap();
    assert!(alto.contains("CONTENT=\"Deacon\"") && alto.contains("<fileName>10.jpg</fileName>"));
    let volume = job.target("ocr/Huckleberry_Finn_volume/Huckleberry_Finn.pdf");
    let second_page = output_of("pdftotext", &["-f", "2", "-l", "2"], &volume);
    assert!(
        second_page.contains("silver snuff-box"),
        "page 10 comes after page 9: {second_page}"
    );
    let names: Vec<_> = std::fs::read_dir(job.target(""))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["ocr"], "nothing else is left in the target");
    assert!(processes_in(&attempt.scratch).is_empty());
}

#[tokio::test]
async fn png_tiff_and_jpeg_2000_are_recognised_too() {
    let job = english(&[(SMALL, "1.jpg")]);
    let attempt = job.attempt(Vec::new());
    ocr().run(&attempt).await.unwrap();
    let pdf = job.in_store("ocr/Huckleberry_Finn_pdf/1.pdf");
    let formats = Job::new("OCR", json!({"language": "eng"}));
    for (option, name) in [("-png", "a"), ("-tiff", "b")] {
        let to = formats.source(name);
        let made = Command::new("pdftoppm")
            .args(["-singlefile", "-r", "300", option])
            .arg(&pdf)
            .arg(&to)
            .status();
        assert!(made.unwrap().success());
    }
    let jp2 = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/page.jp2");
    std::fs::copy(jp2, formats.source("c.jp2")).unwrap();
    let attempt = formats.attempt(Vec::new());
    ocr().run(&attempt).await.unwrap();
    for page in ["a", "b", "c"] {
        let path = format!("ocr/Huckleberry_Finn_txt/{page}.txt");
        let text = std::fs::read_to_string(formats.in_store(&path)).unwrap();
        assert!(text.contains("back in the woods"), "{page}: {text}");
    }
}

/// Four images of which one is cut short and one is something else.
fn damaged() -> Job {
    let job = english(&[
        (SMALL, "1.jpg"),
        (SMALL, "2.jpg"),
        (SMALL, "3.jpg"),
        (SMALL, "4.jpg"),
    ]);
    let whole = std::fs::read(job.source("2.jpg")).unwrap();
    std::fs::write(job.source("2.jpg"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(job.source("3.jpg"), "<html>404</html>").unwrap();
    job
}

#[tokio::test]
async fn unreadable_pages_fail_alone_and_the_job_names_them() {
    let job = damaged();
    let attempt = job.attempt(Vec::new());
    let (class, message) = failure(ocr().run(&attempt).await.unwrap_err());
    assert_eq!(class, ErrorClass::Permanent);
    assert!(
        message.starts_with("2 of 4 pages could not be read: 2.jpg: tesseract ended with exit code 1: "),
        "{message}"
    );
    assert!(message.contains("; 3.jpg: its content is no JPEG"), "{message}");
    let told = report(&attempt);
    assert_eq!((told.items_done, told.items_failed, told.items_total), (2, 2, 4));
    let failed: Vec<_> = told
        .items
        .iter()
        .filter(|item| item.state == ItemState::Failed)
        .collect();
    assert!(
        failed
            .iter()
            .all(|item| item.error.is_some() && item.files.is_empty()),
        "{failed:?}"
    );
}

#[tokio::test]
async fn the_good_pages_are_published_only_when_the_template_says_so() {
    let mut job = damaged().with_template(json!({"publish_partial": true}));
    let finished = ocr().run(&job.attempt(Vec::new())).await.unwrap();
    assert_eq!(finished.files.len(), 2 * 4 + 1);
    let (class, message) = failure(finished.failed.unwrap());
    assert!(
        class == ErrorClass::Permanent && message.starts_with("2 of 4 pages"),
        "{message}"
    );
    job.template = None;
    job.parameters = json!({"language": "eng", "publish_partial": true});
    assert!(
        ocr().run(&job.attempt(Vec::new())).await.is_err(),
        "a submitter can't decide that"
    );
}

#[tokio::test]
async fn pages_that_an_earlier_attempt_has_done_are_kept_unless_their_files_are_damaged() {
    let job = english(&[(SMALL, "1.jpg"), (SMALL, "2.jpg"), (SMALL, "3.jpg")]);
    let first = job.attempt(Vec::new());
    let finished = ocr().run(&first).await.unwrap();
    std::fs::write(job.in_store("ocr/Huckleberry_Finn_txt/2.txt"), "spoilt").unwrap();
    let mut done = done_items(&first);
    done.retain(|item| item.name != "3.jpg");
    done[0].files.reverse();
    let second = job.attempt(done);
    let again = ocr().run(&second).await.unwrap();
    let mut recognised: Vec<_> = report(&second).items.into_iter().map(|item| item.name).collect();
    recognised.sort();
    assert_eq!(recognised, ["2.jpg", "3.jpg"]);
    assert!(log(&second).contains(&"page 1.jpg kept from an earlier attempt".to_owned()));
    assert_eq!(
        (report(&second).items_done, report(&second).detail.as_str()),
        (3, "putting the volume together")
    );
    assert_eq!(paths(&again), paths(&finished));
    assert_eq!(again.summary["words"], finished.summary["words"]);
}

#[tokio::test]
async fn a_stop_ends_every_process_soon_and_keeps_what_is_done() {
    let pages = [
        (SMALL, "1.jpg"),
        ("00000001.jpg", "2.jpg"),
        ("00000001.jpg", "3.jpg"),
        ("00000001.jpg", "4.jpg"),
    ];
    let job = english(&pages);
    let attempt = job.attempt(Vec::new());
    let ocr = ocr();
    let (outcome, ()) = tokio::join!(ocr.run(&attempt), async {
        while report(&attempt).items_done == 0 {
            job.changed.notified().await;
        }
        assert_eq!(report(&attempt).detail, "page 1 of 4");
        attempt.stop.cancel();
    });
    assert_eq!(outcome, Err(AttemptError::Stopped));
    assert!(processes_in(&attempt.scratch).is_empty());
    assert!(
        attempt
            .store
            .as_ref()
            .unwrap()
            .verify(&done_items(&attempt)[0])
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_tesseract_that_is_killed_from_outside_is_not_the_pages_fault() {
    let job = english(&[("00000001.jpg", "1.jpg")]);
    let attempt = job.attempt(Vec::new());
    let ocr = ocr();
    let (outcome, ()) = tokio::join!(ocr.run(&attempt), async {
        let recognising = || {
            let named = |process: &PathBuf| std::fs::read_to_string(process.join("comm")).unwrap_or_default();
            let pages = attempt.scratch.join("page-1");
            processes_in(&pages)
                .into_iter()
                .find(|process| named(process) == "tesseract\n")
        };
        let process = loop {
            match recognising() {
                Some(process) => break process,
                None => tokio::task::yield_now().await,
            }
        };
        let pid = process.file_name().unwrap();
        assert!(
            Command::new("kill")
                .arg("-9")
                .arg(pid)
                .status()
                .unwrap()
                .success()
        );
    });
    let (class, message) = failure(outcome.unwrap_err());
    assert_eq!(
        (class, report(&attempt).items_failed),
        (ErrorClass::Retryable, 0),
        "{message}"
    );
    assert!(message.contains("was memory short?"), "{message}");
}

#[tokio::test]
async fn a_volume_of_many_pages_is_joined_in_parts_and_keeps_their_order() {
    // One page more than are joined at once, all of them done by an earlier attempt: their images are not read.
    const PAGES: usize = 201;
    let made = english(&[(SMALL, "1.jpg"), (MIDDLE, "2.jpg")]);
    ocr().run(&made.attempt(Vec::new())).await.unwrap();
    let job = english(&[]);
    let first = job.attempt(Vec::new());
    let store = first.store.as_ref().unwrap();
    let mut done = Vec::new();
    for number in 1..=PAGES {
        std::fs::write(job.source(&format!("{number}.jpg")), b"\xff\xd8\xff").unwrap();
        let like = if number == PAGES { 1 } else { 2 };
        let mut files = Vec::new();
        for (suffix, ending) in [("alto", "xml"), ("hocr", "hocr"), ("txt", "txt"), ("pdf", "pdf")] {
            let original = made.in_store(&format!("ocr/Huckleberry_Finn_{suffix}/{like}.{ending}"));
            let path = format!("ocr/Huckleberry_Finn_{suffix}/{number}.{ending}");
            files.push(store.put(&path, &original).await.unwrap());
        }
        done.push(DoneItem {
            name: format!("{number}.jpg"),
            files,
        });
    }
    ocr().run(&job.attempt(done)).await.unwrap();
    let volume = job.in_store("ocr/Huckleberry_Finn_volume/Huckleberry_Finn.pdf");
    let pages = output_of("pdftotext", &[], &volume).matches('\u{c}').count();
    assert_eq!(pages, PAGES);
    let last = output_of("pdftotext", &["-f", "201"], &volume);
    assert!(last.contains("back in the woods"), "{last}");
}

#[tokio::test]
async fn fracture_is_read_with_the_fraktur_data() {
    let job =
        Job::new("OCR", json!({"language": "ger", "font_type": "fracture"})).with_pages(&[(SMALL, "1.jpg")]);
    let attempt = job.attempt(Vec::new());
    let finished = ocr().run(&attempt).await.unwrap();
    assert_eq!(finished.summary["languages"], "Fraktur");
}

#[tokio::test]
async fn what_can_never_succeed_fails_permanently_and_says_why() {
    let empty = english(&[]);
    std::fs::write(empty.source("notes.txt"), "not a page").unwrap();
    let (class, message) = failure(ocr().run(&empty.attempt(Vec::new())).await.unwrap_err());
    assert_eq!(class, ErrorClass::Permanent);
    assert!(
        message.ends_with("has no images (JPEG, PNG, TIFF, JPEG 2000), and 1 other files"),
        "{message}"
    );
    let job = Job::new("OCR", json!({"language": "ice"})).with_pages(&[(SMALL, "1.jpg")]);
    let (class, message) = failure(ocr().run(&job.attempt(Vec::new())).await.unwrap_err());
    assert_eq!(class, ErrorClass::Permanent);
    assert!(
        message.contains("install the package tesseract-ocr-isl on the workers"),
        "{message}"
    );
}

#[tokio::test]
async fn missing_language_data_is_not_the_pages_fault() {
    let nowhere = tempfile::tempdir().unwrap();
    let settings = PluginSettings {
        tessdata: Some(nowhere.path().to_owned()),
        ..settings()
    };
    let job = english(&[(SMALL, "1.jpg")]);
    let (_, message) = failure(
        Ocr::new(1, &settings)
            .run(&job.attempt(Vec::new()))
            .await
            .unwrap_err(),
    );
    assert!(message.contains("tesseract-ocr-eng"), "{message}");
    // Data that is there but broken: Tesseract lists it and can't load it.
    std::fs::write(nowhere.path().join("eng.traineddata"), "broken").unwrap();
    let attempt = job.attempt(Vec::new());
    let (class, message) = failure(Ocr::new(1, &settings).run(&attempt).await.unwrap_err());
    assert_eq!(
        (class, report(&attempt).items_failed),
        (ErrorClass::Retryable, 0),
        "{message}"
    );
}

#[tokio::test]
async fn the_checks_find_the_tools_and_the_languages() {
    let checks = ocr().checks().await;
    for name in [
        "tesseract",
        "language eng",
        "language deu",
        "language lat",
        "language Fraktur",
        "pdfunite",
    ] {
        let check = checks.iter().find(|check| check.name == name);
        assert!(check.is_some_and(|check| check.ok), "{name}: {checks:?}");
    }
}

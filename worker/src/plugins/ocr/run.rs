//! One OCR attempt: what is there, what is kept, all pages at once, the volume.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use cap_std::fs::Dir;
use futures_util::stream::{self, StreamExt};
use serde_json::{Map, Value};
use shared::job::Stage;
use shared::message::manifest::FileEntry;
use shared::message::worker::{ItemReport, ItemState};

use super::page::{self, Ending, Job, count_words, outputs, safe_part};
use super::pages::{self, Listing, Page};
use super::tesseract::FORMATS;
use super::{Ocr, languages, volume};
use crate::context::Context;
use crate::item_store::{ItemStore, blocking, storage_failure};
use crate::plugin::{AttemptError, Finished};
use crate::plugins::parameters::Parameters;

/// Failed pages that the job's message names.
const NAMED_MAX: usize = 5;

/// What is known of a page that is done.
#[derive(Debug, Default)]
struct Done {
    files: Vec<FileEntry>,
    words: u64,
}

/// The pages of an attempt by their position.
#[derive(Debug, Default)]
struct Pages {
    done: BTreeMap<u32, Done>,
    /// Name and reason.
    failed: BTreeMap<u32, (String, String)>,
}

pub(super) async fn run(ocr: &Ocr, context: &Context) -> Result<Finished, AttemptError> {
    let source = context
        .source
        .as_ref()
        .ok_or_else(|| AttemptError::permanent("an OCR job needs a source folder"))?;
    let store = context
        .store
        .as_ref()
        .ok_or_else(|| AttemptError::permanent("an OCR job needs a target folder"))?;
    let parameters = Parameters::of(&context.grant);
    let partial = publish_partial(context)?;
    let installed = ocr.tesseract.languages(&context.scratch, &context.stop).await?;
    let languages = languages::choose(&parameters, &installed)?.join("+");
    let version = ocr.tesseract.version(&context.scratch, &context.stop).await?;
    context
        .progress
        .log(format!("tesseract {version}, languages {languages}"));

    context.progress.stage(Stage::Upload);
    let listing = list(context, source).await?;
    let title = safe_part(&context.grant.title);
    let mut pages = Pages {
        done: kept(context, store, &title, &listing).await?,
        ..Pages::default()
    };
    let total = count(listing.pages.len() + listing.unreadable.len());
    context.progress.items(total, count(pages.done.len()));
    leave_aside(context, &listing, &mut pages);

    // A child, so that trouble with one page ends the processes of the others too.
    let stop = context.stop.child_token();
    let job = Job {
        tesseract: &ocr.tesseract,
        languages: &languages,
        title: &title,
        source,
        store,
        scratch: &context.scratch,
        progress: &context.progress,
        stop: &stop,
        pause: &context.pause,
    };
    recognise(ocr, context, job, &listing, &mut pages, total).await?;
    let failure = failure(&pages, total);
    match failure {
        Some(failure) if !partial || pages.done.is_empty() => return Err(failure),
        _ => {}
    }

    context.progress.detail("putting the volume together");
    let pdfs: Vec<FileEntry> = pages
        .done
        .values()
        .filter_map(|done| pdf(done).cloned())
        .collect();
    let volume = volume::build(&ocr.tesseract, store, &title, &pdfs, &context.scratch, &stop).await?;
    let summary = summary(&pages, &languages, &version);
    let mut files: Vec<FileEntry> = pages.done.into_values().flat_map(|done| done.files).collect();
    files.push(volume);
    Ok(Finished {
        files,
        summary,
        failed: failure,
    })
}

/// Whether the good pages are to be published without the others. Only an operator, by the template, decides that.
fn publish_partial(context: &Context) -> Result<bool, AttemptError> {
    let template = context.grant.template.as_ref();
    match template.and_then(|template| template.parameters.get("publish_partial")) {
        None | Some(Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(other) => {
            let problem = format!("the template's publish_partial is {other}, but must be true or false");
            Err(AttemptError::permanent(problem))
        }
    }
}

async fn list(context: &Context, source: &Dir) -> Result<Listing, AttemptError> {
    let folder = context.grant.source.as_deref().unwrap_or("the source folder");
    let unreadable = |error| storage_failure(&format!("can't read {folder}"), &error);
    let source = source.try_clone().map_err(unreadable)?;
    let listing = blocking(move || pages::list(&source)).await.map_err(unreadable)?;
    if listing.pages.is_empty() && listing.unreadable.is_empty() {
        return Err(AttemptError::permanent(format!(
            "{folder} has no images (JPEG, PNG, TIFF, JPEG 2000), and {} other files",
            listing.others.len()
        )));
    }
    Ok(listing)
}

/// The pages that an earlier attempt has done and whose outputs are still there.
async fn kept(
    context: &Context,
    store: &ItemStore,
    title: &str,
    listing: &Listing,
) -> Result<BTreeMap<u32, Done>, AttemptError> {
    let by_name: HashMap<&str, &Page> = listing
        .pages
        .iter()
        .map(|page| (page.name.as_str(), page))
        .collect();
    let mut kept = BTreeMap::new();
    for item in &context.grant.done_items {
        let Some(page) = by_name.get(item.name.as_str()) else {
            continue;
        };
        // The same files as this attempt would make: images may have been added meanwhile.
        let file = |path: &String| item.files.iter().find(|file| file.path == *path).cloned();
        let files: Vec<FileEntry> = outputs(title, page).iter().filter_map(file).collect();
        if files.len() != FORMATS.len() || !store.verify(item).await? {
            context.progress.log(format!(
                "page {} is done again: its files are not there",
                page.name
            ));
            continue;
        }
        context
            .progress
            .log(format!("page {} kept from an earlier attempt", page.name));
        let mut done = Done { files, words: 0 };
        if let Some(text) = output(&done, "txt") {
            let copy = context.scratch.join("kept.txt");
            store.fetch(text, &copy).await?;
            let text = tokio::fs::read(&copy)
                .await
                .map_err(|error| storage_failure(&format!("can't read {}", copy.display()), &error))?;
            done.words = count_words(&text);
        }
        kept.insert(page.position, done);
    }
    Ok(kept)
}

/// Reports what is no page, and the images that can't be read.
fn leave_aside(context: &Context, listing: &Listing, pages: &mut Pages) {
    let sides = [
        (&listing.others, ItemState::Skipped),
        (&listing.unreadable, ItemState::Failed),
    ];
    for (files, state) in sides {
        for file in files {
            context.progress.item(ItemReport {
                name: file.name.clone(),
                position: file.position,
                state,
                files: Vec::new(),
                duration_ms: 0,
                error: Some(file.reason.clone()),
            });
        }
    }
    for file in &listing.unreadable {
        pages
            .failed
            .insert(file.position, (file.name.clone(), file.reason.clone()));
    }
}

async fn recognise(
    ocr: &Ocr,
    context: &Context,
    job: Job<'_>,
    listing: &Listing,
    pages: &mut Pages,
    total: u32,
) -> Result<(), AttemptError> {
    let open: Vec<&Page> = listing
        .pages
        .iter()
        .filter(|page| !pages.done.contains_key(&page.position))
        .collect();
    let runs: Vec<_> = open.into_iter().map(|page| one(ocr, job, page)).collect();
    let mut running = stream::iter(runs).buffer_unordered(ocr.cores_count.into());
    let mut trouble = None;
    // To the end in any case: each page's processes have ended when its future has.
    while let Some((page, milliseconds, ending)) = running.next().await {
        let (state, files, error) = match ending {
            Ok(Ending::Done { files, words }) => {
                pages.done.insert(
                    page.position,
                    Done {
                        files: files.clone(),
                        words,
                    },
                );
                (ItemState::Done, files, None)
            }
            Ok(Ending::Failed { reason }) => {
                context
                    .progress
                    .log(format!("page {} can't be read: {reason}", page.name));
                pages
                    .failed
                    .insert(page.position, (page.name.clone(), reason.clone()));
                (ItemState::Failed, Vec::new(), Some(reason))
            }
            Err(AttemptError::Yielded) => {
                // Pages in hand are finished.
                trouble.get_or_insert(AttemptError::Yielded);
                continue;
            }
            Err(error) => {
                // The others are stopped because of the first.
                if matches!(trouble, None | Some(AttemptError::Yielded)) {
                    trouble = Some(error);
                }
                job.stop.cancel();
                continue;
            }
        };
        let (name, position) = (page.name.clone(), page.position);
        context.progress.item(ItemReport {
            name,
            position,
            state,
            files,
            duration_ms: milliseconds,
            error,
        });
        context.progress.detail(format!(
            "page {} of {total}",
            pages.done.len() + pages.failed.len()
        ));
    }
    trouble.map_or(Ok(()), Err)
}

/// Waits for a core, then recognises the page; gives the milliseconds without the wait.
async fn one<'a>(ocr: &Ocr, job: Job<'_>, page: &'a Page) -> (&'a Page, u64, Result<Ending, AttemptError>) {
    let _core = match core(ocr, job).await {
        Ok(core) => core,
        Err(ended) => return (page, 0, Err(ended)),
    };
    job.progress.stage(Stage::Processing);
    let begun = Instant::now();
    let ending = page::recognise(job, page).await;
    (
        page,
        begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        ending,
    )
}

async fn core<'a>(ocr: &'a Ocr, job: Job<'_>) -> Result<tokio::sync::SemaphorePermit<'a>, AttemptError> {
    tokio::select! {
        biased;
        () = job.stop.cancelled() => Err(AttemptError::Stopped),
        () = job.pause.cancelled() => Err(AttemptError::Yielded),
        core = ocr.cores.acquire() => Ok(core.expect("the cores' semaphore is never closed")),
    }
}

/// The job's failure when pages could not be read: how many, which, and why.
fn failure(pages: &Pages, total: u32) -> Option<AttemptError> {
    if pages.failed.is_empty() {
        return None;
    }
    let named = pages
        .failed
        .values()
        .take(NAMED_MAX)
        .map(|(name, reason)| format!("{name}: {reason}"));
    let mut named = named.collect::<Vec<_>>().join("; ");
    if pages.failed.len() > NAMED_MAX {
        named = format!("{named}; and {} more", pages.failed.len() - NAMED_MAX);
    }
    let failed = pages.failed.len();
    Some(AttemptError::permanent(format!(
        "{failed} of {total} pages could not be read: {named}"
    )))
}

fn summary(pages: &Pages, languages: &str, version: &str) -> Map<String, Value> {
    let words: u64 = pages.done.values().map(|done| done.words).sum();
    Map::from_iter([
        ("pages".to_owned(), pages.done.len().into()),
        ("pages_failed".to_owned(), pages.failed.len().into()),
        ("words".to_owned(), words.into()),
        ("languages".to_owned(), languages.into()),
        ("tesseract".to_owned(), version.into()),
    ])
}

fn pdf(done: &Done) -> Option<&FileEntry> {
    output(done, "pdf")
}

/// The output of this kind; files are in the order of [`FORMATS`].
fn output<'a>(done: &'a Done, suffix: &str) -> Option<&'a FileEntry> {
    let index = FORMATS.iter().position(|format| format.suffix == suffix)?;
    done.files.get(index)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

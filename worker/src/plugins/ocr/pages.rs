//! What lies in the source folder: pages, images that can't be pages, and other files.
//!
//! Hidden files and folders are left out. A file is an image by its content (its first bytes) or by its ending; one
//! that has the ending and not the content is a page that can't be read. Order is natural: `2.jpg` before `10.jpg`.
//!
//! Invariants: no two pages have the same output name, not even where capital and small letters are the same; and
//! the names depend on the folder's content only, so that every attempt gives the same ones.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;

use cap_std::fs::Dir;
use rustix::io::Errno;

/// Endings of files that are meant to be images.
const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "tif", "tiff", "jp2", "j2k", "jpf", "jpx"];
/// First bytes of JPEG, PNG, TIFF, `BigTIFF` (both byte orders), JPEG 2000 (file and codestream).
const BEGINNINGS: [&[u8]; 8] = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
];
/// The longest of them.
const BEGINNING_BYTES: u64 = 12;
/// Most bytes of an output's name before its ending: with `.hocr` it is still a file name.
const STEM_BYTES_MAX: usize = 250;

/// An image that is to be recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Its file name.
    pub(super) name: String,
    /// Its place among the images, from 1.
    pub(super) position: u32,
    /// Its outputs' names without their endings: the file's name without its ending, or the whole name when another
    /// page (`a.jpg` before `a.tif`) has that already.
    pub(super) stem: String,
}

/// A file that is left aside, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aside {
    pub(super) name: String,
    /// Its place: among the images when it should be one, else behind them.
    pub(super) position: u32,
    pub(super) reason: String,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// The pages, in natural order.
    pub(super) pages: Vec<Page>,
    /// Images by name that can't be read.
    pub(super) unreadable: Vec<Aside>,
    /// Everything else.
    pub(super) others: Vec<Aside>,
}

/// Looks through the folder. Blocks.
pub(super) fn list(source: &Dir) -> io::Result<Listing> {
    let mut names = Vec::new();
    for entry in source.entries()? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
    let (mut listing, mut taken) = (Listing::default(), HashSet::new());
    let mut others = Vec::new();
    let mut position = 0;
    for name in names {
        let kind = look(source, &name)?;
        if matches!(kind, Kind::Image | Kind::Unreadable(_)) {
            position += 1;
        }
        match kind {
            Kind::Folder => {}
            Kind::Other => others.push(name),
            Kind::Unreadable(reason) => listing.unreadable.push(Aside {
                name,
                position,
                reason,
            }),
            Kind::Image => {
                if let Some(stem) = stem(&name, &mut taken) {
                    listing.pages.push(Page { name, position, stem });
                } else {
                    let reason =
                        "its name is too long or that of another image's outputs; rename it".to_owned();
                    listing.unreadable.push(Aside {
                        name,
                        position,
                        reason,
                    });
                }
            }
        }
    }
    for name in others {
        position += 1;
        let reason = "not an image (JPEG, PNG, TIFF, JPEG 2000)".to_owned();
        listing.others.push(Aside {
            name,
            position,
            reason,
        });
    }
    Ok(listing)
}

enum Kind {
    Image,
    Unreadable(String),
    Other,
    Folder,
}

fn look(source: &Dir, name: &str) -> io::Result<Kind> {
    let ending = Path::new(name)
        .extension()
        .and_then(|ending| ending.to_str())
        .map(str::to_ascii_lowercase);
    let meant = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    let aside = |reason: String| {
        Ok(if meant {
            Kind::Unreadable(reason)
        } else {
            Kind::Other
        })
    };
    if name.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return aside("its name has characters that are not UTF-8 or invisible; rename it".to_owned());
    }
    // The metadata first: opening a pipe would hang.
    let file = source
        .metadata(name)
        .map(|metadata| (!metadata.is_dir()).then(|| (metadata.is_file(), metadata.len())));
    match file {
        Ok(None) => Ok(Kind::Folder),
        Ok(Some((false, _))) => aside("it is not a regular file".to_owned()),
        Ok(Some((true, 0))) => aside("it is empty".to_owned()),
        Ok(Some((true, _))) => match beginning(source, name) {
            Ok(bytes) if BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning)) => Ok(Kind::Image),
            Ok(_) => aside("its content is no JPEG, PNG, TIFF or JPEG 2000".to_owned()),
            Err(error) => unreadable(error, aside),
        },
        Err(error) => unreadable(error, aside),
    }
}

/// Errors of this one file; those of the storage end the listing.
fn unreadable(error: io::Error, aside: impl Fn(String) -> io::Result<Kind>) -> io::Result<Kind> {
    if is_of_the_file(&error) {
        aside(reason(&error))
    } else {
        Err(error)
    }
}

/// Whether an error in reading concerns this file and not the whole storage.
pub(super) fn is_of_the_file(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    ) || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// What such an error says, for people.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is missing, or a link to nothing".to_owned(),
        // cap-std's own refusal has no number of the system's.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            "it is a link that leads out of the source folder".to_owned()
        }
        io::ErrorKind::PermissionDenied => "the worker's user may not read it".to_owned(),
        _ => error.to_string(),
    }
}

fn beginning(source: &Dir, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.open(name)?.take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A name for the outputs that no page before has.
fn stem(name: &str, taken: &mut HashSet<String>) -> Option<String> {
    let stem = Path::new(name)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or(name);
    let free = [stem, name]
        .into_iter()
        .find(|text| !taken.contains(&text.to_lowercase()))?;
    taken.insert(free.to_lowercase());
    (free.len() <= STEM_BYTES_MAX).then(|| free.to_owned())
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0 and so on";

    fn listing(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Listing) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let listing = list(&dir).unwrap();
        (folder, listing)
    }

    fn names(asides: &[Aside]) -> Vec<(&str, u32)> {
        asides
            .iter()
            .map(|aside| (aside.name.as_str(), aside.position))
            .collect()
    }

    #[test]
    fn pages_come_in_natural_order_and_other_files_behind_them() {
        let (_folder, found) = listing(&[
            ("10.jpg", JPEG),
            ("2.png", b"\x89PNG\r\n\x1a\n..."),
            ("1.tif", b"II*\0..."),
            ("3.jp2", b"\0\0\0\x0cjP  \r\n\x87\n..."),
            ("scan without ending", JPEG),
            ("0_readme.txt", b"hello"),
            (".hidden.jpg", JPEG),
        ]);
        let pages: Vec<_> = found
            .pages
            .iter()
            .map(|page| (page.name.as_str(), page.position))
            .collect();
        assert_eq!(
            pages,
            [
                ("1.tif", 1),
                ("2.png", 2),
                ("3.jp2", 3),
                ("10.jpg", 4),
                ("scan without ending", 5)
            ]
        );
        assert_eq!(names(&found.others), [("0_readme.txt", 6)]);
        assert!(found.unreadable.is_empty());
    }

    #[test]
    fn an_image_by_its_ending_only_is_unreadable_with_the_reason() {
        let (_folder, found) = listing(&[("1.jpg", JPEG), ("2.jpg", b"<html>"), ("3.TIF", b"")]);
        assert_eq!(names(&found.unreadable), [("2.jpg", 2), ("3.TIF", 3)]);
        assert_eq!(
            found.unreadable[0].reason,
            "its content is no JPEG, PNG, TIFF or JPEG 2000"
        );
        assert_eq!(found.unreadable[1].reason, "it is empty");
    }

    #[test]
    fn folders_are_left_out_and_links_that_lead_out_are_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub.jpg")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("1.jpg")).unwrap();
        std::os::unix::fs::symlink("gone.jpg", folder.path().join("2.jpg")).unwrap();
        let found = list(&Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap()).unwrap();
        let reasons: Vec<&str> = found
            .unreadable
            .iter()
            .map(|aside| aside.reason.as_str())
            .collect();
        assert_eq!(
            reasons,
            [
                "it is a link that leads out of the source folder",
                "it is missing, or a link to nothing"
            ]
        );
    }

    #[test]
    fn images_of_the_same_stem_get_outputs_of_their_own() {
        let files = ["a.jpg", "a.tif", "A.png", "a.tif.jpg"].map(|name| (name, JPEG));
        let (_folder, found) = listing(&files);
        let mut stems: Vec<String> = found.pages.iter().map(|page| page.stem.to_lowercase()).collect();
        stems.sort();
        stems.dedup();
        assert_eq!(stems.len() + found.unreadable.len(), 4, "{found:?}");
        let of = |name: &str| {
            found
                .pages
                .iter()
                .find(|page| page.name == name)
                .map(|page| page.stem.as_str())
        };
        assert_eq!(of("A.png"), Some("A"));
        assert_eq!(of("a.jpg"), Some("a.jpg"));
    }
}

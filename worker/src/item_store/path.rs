//! Which relative paths an output may have.
//!
//! Invariant: a path that passes names a file strictly beneath the folder that it is relative to, and never a
//! hidden one, so it can't reach the store's own folders or another job's store.

use super::Error;

/// Most bytes of one part of a path, as on all common file systems.
const PART_MAX_BYTES: usize = 255;

/// Splits a valid path into its folder (empty when there is none) and its last part.
pub(crate) fn split(path: &str) -> Result<(&str, &str), Error> {
    if let Some(reason) = problem(path) {
        return Err(Error::InvalidPath {
            path: path.to_owned(),
            reason,
        });
    }
    Ok(path.rsplit_once('/').unwrap_or(("", path)))
}

fn problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') {
        return Some("it must be relative to the target folder");
    }
    if path.chars().any(char::is_control) {
        return Some("it contains a control character");
    }
    if path.starts_with('.') {
        return Some("its first part must not be hidden");
    }
    path.split('/').find_map(|part| match part {
        "" => Some("it has an empty part"),
        "." | ".." => Some("it contains \".\" or \"..\""),
        long if long.len() > PART_MAX_BYTES => Some("one of its parts has more than 255 bytes"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_stay_inside_pass() {
        assert_eq!(split("ocr/x_alto/0001.xml").unwrap(), ("ocr/x_alto", "0001.xml"));
        assert_eq!(split("a.txt").unwrap(), ("", "a.txt"));
        let long = "x".repeat(256);
        for bad in [
            "",
            "/a",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "a/./b",
            ".new/x",
            ".taskmanager-1/x",
            "a\0b",
            &long,
        ] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }
}

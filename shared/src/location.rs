//! Where inputs and outputs lie: in a folder (`/data/27/images`), or on object storage (`s3://scans/27/images`).
//!
//! Invariants: one place has one name, without doubled and trailing slashes; no name has `..` in it, so that a place
//! beneath another one stays there, as far as names tell.

use std::fmt;
use std::str::FromStr;

/// How the names of places on object storage begin; the bucket follows.
const OBJECTS: &str = "s3://";
/// Lengths that the name of a bucket may have, as on Amazon S3.
const BUCKET_LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;

/// A folder, or what is called one on object storage: the keys of a bucket that begin with the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    bucket: Option<String>,
    /// Its parts, none of them empty, `.` or `..`.
    parts: Vec<String>,
}

/// Why a text names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Neither an absolute path nor an address on object storage.
    #[error("is neither an absolute path nor an address on object storage (s3://bucket/folder)")]
    NotAbsolute,
    /// A part of it leads upwards.
    #[error("must not contain \"..\"")]
    Upwards,
    /// A NUL byte, which no system takes, or, on object storage, any control character.
    #[error("must not contain control characters")]
    Control,
    /// No name that a bucket can have.
    #[error("names no bucket: 3 to 63 small letters, digits, dots and hyphens after s3://")]
    Bucket,
}

impl Location {
    /// The bucket, where it lies on object storage.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// The way to it in its bucket, or from the root of all folders: parts separated by `/`, none at either end.
    pub fn key(&self) -> String {
        self.parts.join("/")
    }

    /// The way from `root` to here, written as [`Self::key`]; `None` when it lies elsewhere.
    pub fn beneath(&self, root: &Self) -> Option<String> {
        let rest = self.parts.strip_prefix(root.parts.as_slice())?;
        (self.bucket == root.bucket).then(|| rest.join("/"))
    }

    /// Whether a text means object storage, be it right or not.
    pub fn is_on_objects(text: &str) -> bool {
        text.starts_with(OBJECTS)
    }
}

impl FromStr for Location {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (bucket, path) = match text.strip_prefix(OBJECTS) {
            Some(rest) => {
                let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
                if !is_bucket(bucket) {
                    return Err(Problem::Bucket);
                }
                if path.chars().any(char::is_control) {
                    return Err(Problem::Control);
                }
                (Some(bucket.to_owned()), path)
            }
            None => (None, text.strip_prefix('/').ok_or(Problem::NotAbsolute)?),
        };
        if path.contains('\0') {
            return Err(Problem::Control);
        }
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        if parts.iter().any(|part| part == "..") {
            return Err(Problem::Upwards);
        }
        Ok(Self { bucket, parts })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bucket {
            Some(bucket) if self.parts.is_empty() => write!(f, "{OBJECTS}{bucket}"),
            Some(bucket) => write!(f, "{OBJECTS}{bucket}/{}", self.key()),
            None => write!(f, "/{}", self.key()),
        }
    }
}

fn is_bucket(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    BUCKET_LENGTHS.contains(&name.len())
        && name.bytes().all(plain)
        && edge(name.as_bytes().first())
        && edge(name.as_bytes().last())
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn location(text: &str) -> Location {
        text.parse()
            .unwrap_or_else(|problem| panic!("\"{text}\" {problem}"))
    }

    #[test]
    fn one_place_has_one_name_whatever_slashes_are_written() {
        for (written, name) in [
            ("/data/27//images/", "/data/27/images"),
            ("/./data", "/data"),
            ("//", "/"),
            ("s3://scans", "s3://scans"),
            ("s3://scans//27/./images/", "s3://scans/27/images"),
        ] {
            assert_eq!(location(written).to_string(), name);
        }
    }

    #[test]
    fn what_names_no_place_is_refused_with_the_reason() {
        for (bad, problem) in [
            ("", Problem::NotAbsolute),
            ("data", Problem::NotAbsolute),
            ("S3://scans", Problem::NotAbsolute),
            ("/data/../etc", Problem::Upwards),
            ("s3://scans/../other", Problem::Upwards),
            ("/a\0b", Problem::Control),
            ("s3://scans/a\nb", Problem::Control),
            ("s3://", Problem::Bucket),
            ("s3:///scans", Problem::Bucket),
            ("s3://Scans", Problem::Bucket),
            ("s3://-scans", Problem::Bucket),
            ("s3://user:secret@scans", Problem::Bucket),
        ] {
            assert_eq!(bad.parse::<Location>(), Err(problem), "{bad}");
        }
    }

    #[test]
    fn a_place_lies_beneath_whole_names_only_and_never_in_another_bucket() {
        let beneath = |place: &str, root: &str| location(place).beneath(&location(root));
        assert_eq!(beneath("/data/27/images", "/data").as_deref(), Some("27/images"));
        assert_eq!(beneath("/data", "/data/").as_deref(), Some(""));
        assert_eq!(beneath("/database", "/data"), None);
        assert_eq!(beneath("s3://scans/27", "s3://scans").as_deref(), Some("27"));
        assert_eq!(beneath("s3://scans/27", "s3://other"), None);
        assert_eq!(beneath("s3://scans/27", "/"), None);
        assert_eq!(beneath("/scans/27", "s3://scans"), None);
    }

    proptest! {
        #[test]
        fn a_name_that_is_read_is_written_as_it_is_read(text in "(/|s3://)[a-z0-9./ä -]{0,40}") {
            if let Ok(location) = text.parse::<Location>() {
                let name = location.to_string();
                prop_assert_eq!(name.parse::<Location>(), Ok(location));
            }
        }
    }
}

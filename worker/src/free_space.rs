//! Free space, looked at before an attempt starts: one that would run into a full disk waits instead, and says so.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{fstatvfs, statvfs};

use crate::item_store::shown;

/// How much has to be free before an attempt starts, bytes. Clones share it.
#[derive(Debug, Clone)]
pub struct FreeSpace {
    /// Where attempts have their scratch folders.
    pub scratch: Arc<Path>,
    /// On the scratch folder's file system.
    pub scratch_min: u64,
    /// On the target folder's file system.
    pub target_min: u64,
}

/// A folder whose file system is too full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("waits for free space: {}", self.lack())]
pub struct Full {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that are free there for the worker's user.
    pub free: u64,
    /// Bytes that have to be.
    pub needed: u64,
}

impl Full {
    /// What is missing where, and what to do.
    pub fn lack(&self) -> String {
        let Self { folder, free, needed } = self;
        let (free, needed) = (Amount(*free), Amount(*needed));
        format!(
            "{} has {free}, {needed} are needed; make room there",
            folder.display()
        )
    }
}

impl FreeSpace {
    /// Whether there is room for an attempt that writes to `target`. A file system that does not tell counts as having
    /// room: what can't be written will say so itself.
    ///
    /// # Errors
    /// [`Full`] for the first folder without.
    pub fn check(&self, target: Option<&Dir>) -> Result<(), Full> {
        self.check_scratch(0)?;
        target.map_or(Ok(()), |target| self.check_target(target))
    }

    /// Whether a target folder's file system has the room that an attempt needs.
    ///
    /// # Errors
    /// [`Full`] when it has not.
    pub fn check_target(&self, target: &Dir) -> Result<(), Full> {
        let blocks = fstatvfs(target).ok().map(|fs| (fs.f_bavail, fs.f_frsize));
        compare(blocks, self.target_min, || {
            Path::new(&shown(target, "")).components().collect()
        })
    }

    /// Whether so many bytes fit into the scratch folder, beside what has to stay free there.
    ///
    /// # Errors
    /// [`Full`] when they don't.
    pub fn check_scratch(&self, bytes: u64) -> Result<(), Full> {
        let scratch = statvfs(&*self.scratch).ok().map(|fs| (fs.f_bavail, fs.f_frsize));
        compare(scratch, self.scratch_min.saturating_add(bytes), || {
            self.scratch.to_path_buf()
        })
    }
}

fn compare(blocks: Option<(u64, u64)>, needed: u64, folder: impl FnOnce() -> PathBuf) -> Result<(), Full> {
    let Some((blocks, size)) = blocks else {
        return Ok(());
    };
    let free = blocks.saturating_mul(size);
    if free >= needed {
        return Ok(());
    }
    let folder = folder();
    Err(Full { folder, free, needed })
}

/// Bytes as people read them.
struct Amount(u64);

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        for (bits, unit) in UNITS {
            if self.0 >> bits > 0 {
                let tenths = self.0.saturating_mul(10) >> bits;
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

/// Reads an amount of space: `256M`, `2G`, or bytes.
///
/// # Errors
/// What would be right, where it is something else.
pub fn parse_amount(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (digits, bits) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << bits))
        .ok_or_else(|| format!("\"{text}\" is no amount of space: write bytes, or for example 256M or 2G"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_and_without_units() {
        assert_eq!(parse_amount("0"), Ok(0));
        assert_eq!(parse_amount(" 256M "), Ok(256 << 20));
        assert_eq!(parse_amount("2g"), Ok(2 << 30));
        for bad in [
            "",
            "M",
            "-1",
            "1.5G",
            "2T",
            "99999999999999999999",
            "18446744073709551615K",
        ] {
            assert!(parse_amount(bad).unwrap_err().contains("256M"), "{bad}");
        }
    }

    #[test]
    fn too_little_space_is_told_with_the_folder_and_both_amounts() {
        let folder = || PathBuf::from("/data/27");
        assert!(compare(Some((100, 4_096)), 409_600, folder).is_ok());
        assert!(compare(None, 1, folder).is_ok());
        let full = compare(Some((100, 4_096)), 256 << 20, folder).unwrap_err();
        assert_eq!(
            full.to_string(),
            "waits for free space: /data/27 has 400.0 KiB, 256.0 MiB are needed; make room there"
        );
    }

    #[test]
    fn the_scratch_folder_and_the_target_are_each_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let target = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let space = |scratch_min, target_min| FreeSpace {
            scratch: folder.path().into(),
            scratch_min,
            target_min,
        };
        assert_eq!(space(0, 0).check(Some(&target)), Ok(()));
        assert_eq!(space(0, u64::MAX).check(None), Ok(()));
        assert!(space(u64::MAX, 0).check(None).is_err());
        let full = space(0, u64::MAX).check(Some(&target)).unwrap_err();
        assert_eq!(full.folder, folder.path());
    }
}

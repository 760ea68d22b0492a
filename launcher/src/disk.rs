//! A small disk that can be full: a tmpfs of its own, with a file in it that takes all the room or gives it back.
//!
//! Making one needs the right to mount, which root has on a machine of its own and often not in a container.
//! **Invariant**: no mount outlives its place: dropping the disk unmounts it, and so does removing the place, also after
//! the launcher that mounted it was killed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::statvfs;

use crate::{Error, Place};

/// The file that takes the room.
const BALLAST: &str = ".ballast";

/// How much of it is written at once.
const PIECE: usize = 1 << 20;

/// The bit of the right to mount (`CAP_SYS_ADMIN`) in the kernel's lists of capabilities.
const SYS_ADMIN: u64 = 1 << 21;

/// A mounted small disk. Dropping it unmounts it with all that it holds.
#[derive(Debug)]
pub struct SmallDisk {
    folder: PathBuf,
    /// Lives as long as what is mounted in it.
    _place: Place,
}

impl SmallDisk {
    /// Mounts an empty disk of so many MiB on a folder of the place, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Failed`] when the kernel refuses; [`SmallDisk::may_be_made`] tells whether it would.
    pub fn mount(place: &Place, folder: &Path, mebibytes: u32) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o"])
            .arg(format!("size={mebibytes}m,mode=755"))
            .arg("tmpfs")
            .arg(folder);
        run(mount)?;
        Ok(Self {
            folder: folder.to_owned(),
            _place: place.clone(),
        })
    }

    /// Whether this process has the right to mount.
    pub fn may_be_made() -> bool {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        rights
            .and_then(|rights| u64::from_str_radix(rights.trim(), 16).ok())
            .is_some_and(|rights| rights & SYS_ADMIN != 0)
    }

    /// Takes the room on it up to so many bytes.
    ///
    /// # Errors
    /// [`Error::File`] when that can't be done.
    pub fn fill(&self, leaving: u64) -> Result<(), Error> {
        let path = self.folder.join(BALLAST);
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(Error::file("write", &path))?;
        let zeros = vec![0; PIECE];
        loop {
            let room = self.room()?.saturating_sub(leaving);
            let piece = usize::try_from(room).unwrap_or(PIECE).min(PIECE);
            if piece == 0 {
                return Ok(());
            }
            match ballast.write_all(&zeros[..piece]) {
                Ok(()) => {}
                // Somebody else has taken it between our look and our write.
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(Error::file("write", &path)(error)),
            }
        }
    }

    /// Gives back what [`SmallDisk::fill`] took.
    ///
    /// # Errors
    /// [`Error::File`] when that can't be done.
    pub fn make_room(&self) -> Result<(), Error> {
        let path = self.folder.join(BALLAST);
        // Emptied first: a child of ours that is just being started may have the file open for a moment.
        let emptied = File::options()
            .write(true)
            .open(&path)
            .and_then(|ballast| ballast.set_len(0));
        match emptied.and_then(|()| fs::remove_file(&path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// The bytes that are free.
    ///
    /// # Errors
    /// [`Error::File`] when the kernel does not tell.
    pub fn room(&self) -> Result<u64, Error> {
        let stat =
            statvfs(&self.folder).map_err(|errno| Error::file("look at", &self.folder)(errno.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What can't be unmounted now is when the place is removed.
        let _ = unmount(&self.folder);
    }
}

/// Unmounts everything beneath a folder that is about to be removed.
pub(crate) fn unmount_beneath(folder: &Path) -> Result<(), Error> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for mounted in mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(Path::new)
        .filter(|mounted| mounted.starts_with(folder))
    {
        unmount(mounted)?;
    }
    Ok(())
}

/// Lazily: whoever still has a file open there keeps it, and nobody finds it any more.
fn unmount(folder: &Path) -> Result<(), Error> {
    let mut umount = Command::new("umount");
    umount.arg("--lazy").arg(folder);
    run(umount)
}

fn run(mut command: Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| Error::Start {
        name: program.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program,
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::print_stderr, reason = "why nothing was shown")]
    fn a_small_disk_is_full_until_there_is_room_and_goes_with_its_place() {
        if !SmallDisk::may_be_made() {
            return eprintln!("skipped: this process may not mount anything");
        }
        let place = Place::temporary("small-disk").unwrap();
        let folder = place.path().join("small");
        let disk = SmallDisk::mount(&place, &folder, 4).unwrap();
        disk.fill(0).unwrap();
        let file = folder.join("file");
        let error = fs::write(&file, "more than nothing").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        disk.make_room().unwrap();
        fs::write(&file, "more than nothing").unwrap();
        disk.fill(1 << 20).unwrap();
        assert_eq!(disk.room().unwrap(), 1 << 20);

        // As after a launcher that was killed: nobody drops the disk.
        std::mem::forget(disk);
        unmount_beneath(place.path()).unwrap();
        assert!(!file.exists());
        fs::remove_dir(&folder).unwrap();
    }
}

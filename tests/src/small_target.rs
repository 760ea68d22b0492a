//! A file system of a few megabytes in a folder, to be filled up. Only root may mount one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted file system; dropping it takes it away.
#[derive(Debug)]
pub struct SmallTarget {
    folder: PathBuf,
}

impl SmallTarget {
    /// Mounts one of this size (`1m`) and with room for so many files. Where mounting is not allowed it says so and
    /// gives `None`.
    #[expect(
        clippy::print_stderr,
        reason = "whoever runs the tests has to know that one was left out"
    )]
    pub fn mount(folder: &Path, size: &str, files: u32) -> Option<Self> {
        fs::create_dir_all(folder).expect("the folder of a mount can be made");
        let options = format!("size={size},nr_inodes={files}");
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder)
            .output()
            .expect("mount can be started");
        if output.status.success() {
            return Some(Self {
                folder: folder.to_owned(),
            });
        }
        eprintln!(
            "skipped: small file systems can't be mounted here, which needs root: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        None
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts a file of so many bytes there.
    pub fn fill(&self, bytes: usize) {
        fs::write(self.filler(), vec![1; bytes]).expect("the disk has room for the filler");
    }

    /// Takes that file away.
    pub fn make_room(&self) {
        fs::remove_file(self.filler()).expect("the filler can be removed");
    }

    /// Makes empty files until there is room for no other; gives their folder.
    pub fn use_up_files(&self) -> PathBuf {
        let folder = self.folder.join("many");
        fs::create_dir(&folder).expect("a folder can be made");
        for number in 0.. {
            if fs::write(folder.join(number.to_string()), "").is_err() {
                break;
            }
        }
        folder
    }

    /// Makes it larger.
    pub fn grow(&self, size: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.folder)
            .status()
            .expect("mount can be started");
        assert!(status.success(), "{} can't be made larger", self.folder.display());
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallTarget {
    fn drop(&mut self) {
        // Lazily: somebody may still have a file of it open. What fails here is seen by whoever removes the folder.
        let _status = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

//! Starting the real binary.

use std::process::{Command, Stdio};

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Exit code 0, nothing on standard error, and this on standard output.
    #[track_caller]
    pub(crate) fn gives(&self, stdout: &str) {
        assert_eq!(
            (self.code, self.stdout.as_str(), self.stderr.as_str()),
            (Some(0), stdout, "")
        );
    }

    /// This exit code, nothing on standard output, and one line with all `parts` on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (Some(code), ""),
            "{}",
            self.stderr
        );
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "\"{part}\" is not in {}", self.stderr);
        }
    }
}

/// The binary with `arguments` against `server`, in an environment that the person's does not reach.
pub(crate) fn taskmanager(server: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskmanager"));
    command
        .env_clear()
        .env("TZ", "UTC")
        .env("TASKMANAGER_URL", server)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn run(server: &str, arguments: &[&str]) -> Run {
    let output = taskmanager(server, arguments).output().unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

//! What `cargo xtask test` tells the tests through the environment.

use std::path::{Path, PathBuf};

use launcher::workspace;

/// A variable that has to be there.
pub(crate) fn required(name: &str) -> String {
    optional(name).unwrap_or_else(|| {
        panic!("{name} is not set: run `cargo xtask test`, which builds the programs and starts the servers")
    })
}

/// A variable; an empty one counts as none.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness's one look at the environment"
)]
pub(crate) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// One of the project's programs, as it was built for this run.
pub fn program(name: &str) -> PathBuf {
    let path = Path::new(&required("TASKMANAGER_BIN_DIR")).join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo xtask test`",
        path.display()
    );
    path
}

/// A program of the system that has to be installed; `package` says where it comes from.
pub fn tool(name: &str, package: &str) -> PathBuf {
    let path = required("PATH");
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: install the package {package}"))
}

/// A program that `cargo xtask test` installs for the tests only.
pub fn python_tool(name: &str) -> PathBuf {
    let path = workspace().join("target/tools/python/bin").join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo xtask test`, which installs it",
        path.display()
    );
    path
}

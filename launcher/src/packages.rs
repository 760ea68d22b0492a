//! What has to be installed from the distribution, and its installation.
//!
//! The installation is one shell script, so that a person without root's rights here can be given one line to run.
//! It keeps the packages' services from starting; see its head for how.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::is_root;
use crate::{Error, Place, process, workspace};

/// Those of the packages that are not installed, in the order given.
///
/// # Errors
/// [`Error::Missing`] on a system without Debian's package tools.
pub fn missing_packages(packages: &[&str]) -> Result<Vec<String>, Error> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package}\t${db:Status-Status}\n", "--"])
        .args(packages)
        .output()
        .map_err(|_| Error::Missing {
            what: "dpkg-query".into(),
            advice: format!(
                "only Debian and Ubuntu are known here; install what these packages hold: {}",
                packages.join(" ")
            ),
        })?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let installed = |package: &str| {
        listed.lines().any(|line| {
            line.split_once('\t')
                .is_some_and(|entry| entry == (package, "installed"))
        })
    };
    Ok(packages
        .iter()
        .filter(|package| !installed(package))
        .map(|package| (*package).to_owned())
        .collect())
}

/// The one line that installs these packages, for a person to run from the workspace.
pub fn install_line(packages: &[String]) -> String {
    format!("sudo sh launcher/install-packages.sh {}", packages.join(" "))
}

/// Whether [`install`] can do its work: as root, or where `sudo` asks for no password.
pub fn may_install() -> bool {
    is_root() || sudo_works()
}

/// Installs the packages as root, or through `sudo` where it asks for no password.
///
/// No service is running afterwards that was not running before.
/// An interrupt is heeded only after the installation: half an installation helps nobody.
///
/// # Errors
/// [`Error::NeedsRoot`] with the line to run when this user may not install anything, [`Error::Failed`] with the end of
/// apt's output, [`Error::Interrupted`].
pub fn install(place: &Place, packages: &[String]) -> Result<(), Error> {
    if packages.is_empty() {
        return Ok(());
    }
    let mut command = if is_root() {
        Command::new("sh")
    } else if sudo_works() {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "sh"]);
        sudo
    } else {
        return Err(Error::NeedsRoot {
            packages: packages.to_vec(),
            line: install_line(packages),
        });
    };
    let log_path = place.log_path("packages");
    let log = File::create(&log_path).map_err(Error::file("write", &log_path))?;
    let errors = log.try_clone().map_err(Error::file("write", &log_path))?;
    let status = command
        .arg(script())
        .args(packages)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        // Ctrl-C must not hit apt in the middle of its work.
        .process_group(0)
        .status()
        .map_err(|source| Error::Start {
            name: "the package installation".into(),
            source,
        })?;
    if !status.success() {
        let program = format!("installing {}", packages.join(" "));
        return Err(Error::Failed {
            program,
            status,
            output: process::tail(&log_path),
        });
    }
    if place.interrupted() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

fn script() -> PathBuf {
    workspace().join(Path::new("launcher/install-packages.sh"))
}

/// Whether `sudo` grants root's rights without asking.
fn sudo_works() -> bool {
    Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_package_is_missing_and_an_essential_one_is_not() {
        let missing = missing_packages(&["dpkg", "no-package-has-this-name"]).unwrap();
        assert_eq!(missing, ["no-package-has-this-name"]);
    }

    #[test]
    fn the_line_for_a_person_names_a_script_that_is_there() {
        let line = install_line(&["postgresql".to_owned()]);
        let path = line.split(' ').nth(2).unwrap();
        assert!(workspace().join(path).exists(), "{line}");
        assert!(line.ends_with(" postgresql"), "{line}");
    }
}

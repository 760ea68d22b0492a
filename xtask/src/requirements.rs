//! Which packages of the distribution a command needs, and getting them.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use launcher::{Place, Postgres, Prometheus, RabbitMq, install, may_install, missing_packages};

use crate::existing::Existing;
use crate::say;

/// What the plugins call: Tesseract with the demo's languages, the tools for PDF, and the program of the templates that are
/// shipped.
const TOOLS: [&str; 7] = [
    "tesseract-ocr",
    "tesseract-ocr-eng",
    "tesseract-ocr-deu",
    "tesseract-ocr-lat",
    "tesseract-ocr-script-frak",
    "poppler-utils",
    "imagemagick",
];

/// The browser of the dashboard's tests, and the program that drives it.
const BROWSER: [&str; 2] = ["chromium", "chromium-driver"];

/// Gives programs a wrong clock.
const WRONG_CLOCKS: &str = "libfaketime";

/// Reads the figures of the programs, and checks rules.
const PROMETHEUS: &str = "prometheus";

/// What is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The two servers alone.
    Servers,
    /// Jobs that run.
    Stack,
    /// The same, hurt.
    Faults,
    /// The whole test suite.
    Tests,
}

/// Installs what is missing.
pub(crate) fn provide(place: &Place, existing: &Existing, purpose: Purpose) -> Result<()> {
    let missing = missing_packages(&packages(existing, purpose, &Installed::look()))?;
    if missing.is_empty() {
        return Ok(());
    }
    if missing.iter().any(|package| package == BROWSER[0]) && is_ubuntu() {
        bail!(
            "Ubuntu has its chromium as a snap only, which is not installed here; \
             set CHROME to a Chromium or Chrome that has its chromedriver in the PATH"
        );
    }
    if may_install() {
        say::progress(&format!("installing {}", missing.join(" ")));
    }
    let since = Instant::now();
    install(place, &missing)?;
    say::ready("packages", since);
    Ok(())
}

/// Which programs are there, from whatever package.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a program that may be there"
)]
struct Installed {
    postgres: bool,
    rabbitmq: bool,
    npm: bool,
    prometheus: bool,
}

impl Installed {
    fn look() -> Self {
        Self {
            postgres: Postgres::is_installed(),
            rabbitmq: RabbitMq::is_installed(),
            npm: Command::new("npm")
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success()),
            prometheus: Prometheus::is_installed(),
        }
    }
}

fn packages(existing: &Existing, purpose: Purpose, installed: &Installed) -> Vec<&'static str> {
    let mut packages = Vec::new();
    if existing.database.is_none() && !installed.postgres {
        packages.push("postgresql");
    }
    if existing.amqp.is_none() && !installed.rabbitmq {
        packages.push("rabbitmq-server");
    }
    if purpose != Purpose::Servers {
        packages.extend(TOOLS);
    }
    if matches!(purpose, Purpose::Faults | Purpose::Tests) {
        packages.push(WRONG_CLOCKS);
    }
    if purpose == Purpose::Tests {
        // For the tool that reads our ALTO files and is not ours.
        packages.push("python3-venv");
        if !installed.npm {
            packages.push("npm");
        }
        if !installed.prometheus {
            packages.push(PROMETHEUS);
        }
        if existing.browser.is_none() {
            packages.extend(BROWSER);
        }
    }
    packages
}

fn is_ubuntu() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=ubuntu"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Installed = Installed {
        postgres: false,
        rabbitmq: false,
        npm: false,
        prometheus: false,
    };

    #[test]
    fn a_server_that_the_environment_names_need_not_be_installed() {
        let existing = Existing {
            database: Some("postgres://db".into()),
            ..Existing::default()
        };
        assert_eq!(
            packages(&existing, Purpose::Servers, &NOTHING),
            ["rabbitmq-server"]
        );
    }

    #[test]
    fn a_server_from_another_package_is_good_enough() {
        let installed = Installed {
            postgres: true,
            rabbitmq: true,
            npm: true,
            prometheus: true,
        };
        assert_eq!(
            packages(&Existing::default(), Purpose::Servers, &installed),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn only_the_tests_need_prometheus() {
        let needs = |purpose| packages(&Existing::default(), purpose, &NOTHING).contains(&"prometheus");
        assert!(needs(Purpose::Tests));
        assert!(!needs(Purpose::Faults) && !needs(Purpose::Stack));
    }

    #[test]
    fn only_the_tests_need_a_browser_and_only_where_none_is_named() {
        let named = Existing {
            browser: Some("/opt/chrome".into()),
            ..Existing::default()
        };
        let needs =
            |existing: &Existing, purpose| packages(existing, purpose, &NOTHING).contains(&"chromium");
        assert!(!needs(&Existing::default(), Purpose::Stack));
        assert!(needs(&Existing::default(), Purpose::Tests));
        assert!(!needs(&named, Purpose::Tests));
    }
}

//! Headless Chromium, driven over the WebDriver protocol.
//!
//! `CHROME` and `CHROMEDRIVER` name other programs than Debian's; a missing one fails the test.
//! Everything that the browser complains about in its console is kept until [`Browser::complaints`] asks for it.

mod acts;
mod axe;
mod base64;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use launcher::{Place, Process, workspace};
use serde_json::{Value, json};

use crate::environment::{optional, tool};
use crate::eventually::{LIMIT, eventually};

/// Longest wait for one command, such as opening a page.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A browser with one tab.
#[derive(Debug)]
pub struct Browser {
    agent: ureq::Agent,
    /// The session's address.
    session: String,
    // Ends with everything that it started.
    _driver: Process,
}

/// What a page is looked at with.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// A phone: small, touched instead of pointed at.
    pub phone: bool,
    /// The person prefers dark pages.
    pub dark: bool,
}

impl Screen {
    /// A computer's.
    pub const DESKTOP: Self = Self {
        width: 1280,
        height: 900,
        phone: false,
        dark: false,
    };
    /// A window in which tables just have the room to stand as tables.
    pub const WINDOW: Self = Self {
        width: 1160,
        ..Self::DESKTOP
    };
    /// That of a small laptop.
    pub const LAPTOP: Self = Self {
        width: 1024,
        height: 700,
        ..Self::DESKTOP
    };
    /// A tablet's, held upright.
    pub const TABLET: Self = Self {
        width: 820,
        height: 1180,
        ..Self::DESKTOP
    };
    /// A phone's.
    pub const PHONE: Self = Self {
        width: 390,
        height: 844,
        phone: true,
        dark: false,
    };

    /// The same, dark.
    #[must_use]
    pub fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}

impl Browser {
    /// Starts a browser whose language is English; everything that it writes goes into the folder.
    pub fn start(place: &Place) -> Self {
        let driver =
            optional("CHROMEDRIVER").map_or_else(|| tool("chromedriver", "chromium-driver"), PathBuf::from);
        let chrome = optional("CHROME").map_or_else(|| tool("chromium", "chromium"), PathBuf::from);
        let port = launcher::free_port().expect("a free port");
        let mut command = Command::new(driver);
        command.arg(format!("--port={port}"));
        let driver = Process::start(place, "chromedriver", &command).expect("chromedriver starts");
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build();
        let mut browser = Self {
            agent: config.into(),
            session: format!("http://127.0.0.1:{port}"),
            _driver: driver,
        };
        eventually(LIMIT, "chromedriver answers", || {
            let answer = browser.agent.get(format!("{}/status", browser.session)).call();
            answer.map(drop).map_err(|error| error.to_string())
        });
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en",
            &format!("--user-data-dir={}", place.path().join("browser").display()),
        ];
        let session = browser.post(
            "/session",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {"binary": chrome, "args": arguments, "prefs": {"intl.accept_languages": "en"}},
                "goog:loggingPrefs": {"browser": "ALL"},
            }}}),
        );
        let id = session["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Runs a function body in the page; gives what it returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Looks at pages with another screen from now on.
    pub fn use_screen(&self, screen: Screen) {
        let scheme = if screen.dark { "dark" } else { "light" };
        let metrics = json!({"width": screen.width, "height": screen.height,
            "deviceScaleFactor": 1, "mobile": screen.phone});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        self.devtools(
            "Emulation.setTouchEmulationEnabled",
            &json!({"enabled": screen.phone}),
        );
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Runs no page's script from now on.
    pub fn run_no_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    }

    /// Saves a picture of the whole page as `target/screenshots/<name>.png`.
    pub fn take_picture(&self, name: &str) {
        self.save_picture(name, true);
    }

    /// The same of what is to be seen without scrolling; gives the file.
    pub fn take_picture_of_window(&self, name: &str) -> PathBuf {
        self.save_picture(&format!("window-{name}"), false)
    }

    fn save_picture(&self, name: &str, whole: bool) -> PathBuf {
        self.devtools("Emulation.setScrollbarsHidden", &json!({"hidden": !whole}));
        let shot = self.devtools(
            "Page.captureScreenshot",
            &json!({"format": "png", "captureBeyondViewport": whole}),
        );
        let picture = base64::decode(shot["data"].as_str().expect("a picture has data"));
        assert!(picture.starts_with(b"\x89PNG"), "the picture {name} is none");
        let folder = workspace().join("target/screenshots");
        fs::create_dir_all(&folder).expect("the folder for pictures can be made");
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, picture).expect("a picture can be saved");
        file
    }

    /// What the browser has complained about since this was last asked: script errors, blocked content, missing files.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().expect("a log is a list");
        let bad = |entry: &&Value| {
            let level = entry["level"].as_str().unwrap_or_default();
            matches!(level, "SEVERE" | "WARNING") || entry["source"] == "security"
        };
        entries.iter().filter(bad).map(ToString::to_string).collect()
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.session))
            .send_json(body)
            .unwrap_or_else(|error| panic!("WebDriver {path}: {error}"));
        let answer = response
            .body_mut()
            .with_config()
            .limit(100 * 1024 * 1024)
            .read_json::<Value>();
        let mut answer = answer.unwrap_or_else(|error| panic!("WebDriver {path}: {error}"));
        assert!(response.status().is_success(), "WebDriver {path}: {answer}");
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // An orderly end; where it fails the driver's end takes the browser with it.
        let _ended = self.agent.delete(&self.session).call();
    }
}

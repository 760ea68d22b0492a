//! Every page that the coordinator has, in both languages, light and dark, on a computer and on a phone: what a screen
//! reader or a small screen would stumble over, and what is left in the wrong language.
//!
//! The pages are those of the coordinator's own list; one that has no address here fails the test.

mod answers;
pub(crate) mod english;
mod rare;

use coordinator::http::Kind;
use shared::job::JobId;
use tests::browser::Screen;
use tests::{Browser, Cluster, LIMIT, eventually};
use uuid::Uuid;

use crate::door::{come_in, printed_link};
use english::Texts;
use rare::Rare;

/// A page to look at.
#[derive(Debug)]
struct Page {
    /// For its pictures.
    name: &'static str,
    address: String,
}

/// What is looked at while nobody has come in yet, and what comes afterwards.
#[derive(Debug, Default)]
struct Pages {
    before: Vec<Page>,
    inside: Vec<Page>,
    /// Routes of the coordinator that nothing here leads to.
    unknown: Vec<String>,
}

/// The addresses of the pages with these paths.
fn pages<'a>(paths: impl Iterator<Item = &'a str>, link: &str, rare: &Rare) -> Pages {
    let Rare {
        failed,
        waiting,
        running,
    } = rare;
    let mut pages = Pages::default();
    for path in paths {
        let inside: Vec<(&'static str, String)> = match path {
            "/" => vec![
                ("dashboard", "/".to_owned()),
                ("queue", "/?tab=queue".to_owned()),
                ("done", "/?tab=done".to_owned()),
                ("errors", "/?tab=error".to_owned()),
                ("plugin", "/?plugin=NOOP".to_owned()),
                ("plugin-stopped", "/?plugin=JP2".to_owned()),
                ("plugin-stopping", "/?plugin=PDF".to_owned()),
                ("plugin-empty", "/?plugin=JP2&tab=done".to_owned()),
            ],
            "/jobs/{id}" => vec![
                ("job-failed", format!("/jobs/{failed}")),
                ("job-waiting", format!("/jobs/{waiting}")),
                ("job-running", format!("/jobs/{running}?said=unchanged")),
            ],
            "/search" => vec![
                ("search", "/search?title=Adressbuch".to_owned()),
                ("search-short", "/search?title=Ad".to_owned()),
            ],
            "/jobs/outcome" => vec![(
                "outcome",
                "/jobs/outcome?action=hold&done=3&has_ended=2&stopping=1&forbidden=1&unknown=1".to_owned(),
            )],
            "/workers" => vec![("workers", path.to_owned())],
            "/settings" => vec![
                ("settings", path.to_owned()),
                ("settings-plugin", "/settings?plugin=METS".to_owned()),
            ],
            "/account" => vec![("account", path.to_owned())],
            "/accounts" => vec![("accounts", path.to_owned())],
            "/audit" => vec![("audit", path.to_owned())],
            "/login" => {
                pages.before.push(Page {
                    name: "login",
                    address: path.to_owned(),
                });
                vec![]
            }
            "/setup" => {
                let at = link.find(path).expect("the link leads there");
                pages.before.push(Page {
                    name: "setup",
                    address: link[at..].to_owned(),
                });
                vec![("setup-over", link[at..].to_owned())]
            }
            // Plain text.
            "/jobs/{id}/log" | "/statistics/months.csv" => vec![],
            other => {
                pages.unknown.push(other.to_owned());
                vec![]
            }
        };
        let inside = inside.into_iter();
        pages
            .inside
            .extend(inside.map(|(name, address)| Page { name, address }));
    }
    pages.inside.push(Page {
        name: "not-found",
        address: "/nothing-here".to_owned(),
    });
    pages
}

/// Someone who looks at pages in one language with two screens; between both languages it is four of them.
struct Viewer<'a> {
    browser: &'a Browser,
    base: &'a str,
    texts: &'a Texts,
    language: &'static str,
    screens: [(&'static str, Screen); 2],
    /// What was found wrong, so that all of it is known at once.
    wrong: Vec<String>,
}

impl<'a> Viewer<'a> {
    /// One for each language.
    fn both(browser: &'a Browser, base: &'a str, texts: &'a Texts) -> [Self; 2] {
        [
            (
                "en",
                [
                    ("desktop-light", Screen::DESKTOP),
                    ("phone-dark", Screen::PHONE.dark()),
                ],
            ),
            (
                "de",
                [
                    ("desktop-dark", Screen::DESKTOP.dark()),
                    ("phone-light", Screen::PHONE),
                ],
            ),
        ]
        .map(|(language, screens)| Self {
            browser,
            base,
            texts,
            language,
            screens,
            wrong: Vec::new(),
        })
    }

    fn open(&self, path: &str) {
        let joint = if path.contains('?') { '&' } else { '?' };
        self.browser
            .open(&format!("{}{path}{joint}lang={}", self.base, self.language));
    }

    /// Looks at the page that is open, with all that can be opened on it.
    fn look(&mut self, name: &str) {
        let browser = self.browser;
        browser.run("for (const details of document.querySelectorAll('details')) details.open = true");
        let language = browser.run("return document.documentElement.lang");
        if language != self.language {
            self.wrong.push(format!("{name} says that it is in {language}"));
        }
        if self.language == "de" {
            for english in self.texts.english_on(browser) {
                self.wrong.push(format!("{name} says in English: {english}"));
            }
        }
        for (screen_name, screen) in self.screens {
            browser.use_screen(screen);
            let barriers = browser.barriers();
            let found = barriers.iter().map(|barrier| format!("{name}: {barrier}"));
            self.wrong.extend(found);
            self.fits(name, screen);
            browser.take_picture(&format!("{name}-{}-{screen_name}", self.language));
        }
        if self.language == "de" {
            // Its words are the longer ones.
            for screen in [Screen::WINDOW, Screen::LAPTOP, Screen::TABLET] {
                browser.use_screen(screen);
                self.fits(name, screen);
            }
        }
        browser.use_screen(Screen::DESKTOP);
        // The browser itself notes that an answer is no success.
        let complaints = browser.complaints().into_iter();
        let complaints = complaints.filter(|text| !text.contains("404") && !text.contains("422"));
        self.wrong
            .extend(complaints.map(|text| format!("{name}: {text}")));
    }

    fn fits(&mut self, name: &str, screen: Screen) {
        let width = self.browser.run("return document.documentElement.scrollWidth");
        if width.as_u64() > Some(screen.width.into()) {
            let language = self.language;
            self.wrong.push(format!(
                "{name} in {language} is {width} pixels wide, not {}",
                screen.width
            ));
        }
        let cut_off = self.browser.run(CUT_OFF);
        for what in cut_off.as_array().expect("a list") {
            let (language, width) = (self.language, screen.width);
            self.wrong
                .push(format!("{name} in {language} on {width} pixels cuts off {what}"));
        }
    }
}

/// What can be pressed or filled in, and reaches beyond its card, which cuts it off.
const CUT_OFF: &str = "
    const found = [];
    for (const card of document.querySelectorAll('.card')) {
        const edges = card.getBoundingClientRect();
        for (const thing of card.querySelectorAll('a, button, input, select, summary, textarea')) {
            // What scrolls sideways may be longer than its place.
            if (thing.closest('.sideways, .scroll, .log')) continue;
            const place = thing.getBoundingClientRect();
            if (place.width > 0 && (place.left < edges.left - 1 || place.right > edges.right + 1)) {
                found.push(thing.outerHTML.slice(0, 100));
            }
        }
    }
    return found;
";

#[test]
fn every_page_of_the_coordinators_list_is_whole_in_both_languages_on_every_screen() {
    let cluster = Cluster::named("registry")
        .plugins("NOOP=1")
        .with_login()
        // What waits here was never sent.
        .expecting("are sent again")
        .start();
    let base = cluster.api().base().to_owned();
    let texts = Texts::read();
    let browser = cluster.browser();
    let rare = rare::fill(&cluster);
    eventually(LIMIT, "the worker to announce its plugin", || {
        let served = cluster.count("SELECT count(*) FROM worker_plugins WHERE plugin = 'NOOP'");
        (served == 1).then_some(()).ok_or_else(|| served.to_string())
    });
    let routes = coordinator::http::routes();
    let shown = routes.iter().filter(|route| route.kind == Kind::Page);
    let pages = pages(shown.map(|route| route.path), &printed_link(&cluster), &rare);
    assert_eq!(
        pages.unknown,
        Vec::<String>::new(),
        "pages that this test does not look at"
    );

    let mut viewers = Viewer::both(&browser, &base, &texts);
    for viewer in &mut viewers {
        for page in &pages.before {
            viewer.open(&page.address);
            viewer.look(page.name);
        }
        answers::before(viewer);
    }
    come_in(&cluster, &browser);
    for viewer in &mut viewers {
        for page in &pages.inside {
            viewer.open(&page.address);
            viewer.look(page.name);
        }
        answers::inside(viewer);
    }
    let wrong: Vec<&String> = viewers.iter().flat_map(|viewer| &viewer.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_page_that_has_no_address_here_is_named() {
    let nobody = JobId(Uuid::nil());
    let rare = Rare {
        failed: nobody,
        waiting: nobody,
        running: nobody,
    };
    let paths = ["/", "/somewhere/new"].into_iter();
    assert_eq!(pages(paths, "", &rare).unknown, ["/somewhere/new"]);
}

//! Whether a German page says something in English, by the coordinator's own lists of texts.
//!
//! Whatever a page's data say stands in no list, so that data can't be found here unless they sound like one.

use std::fs;
use std::path::Path;

use launcher::workspace;
use tests::Browser;

/// Where the lists are.
const LISTS: [&str; 2] = ["coordinator/src/http/text.rs", "coordinator/src/http/text"];

/// All that a person can see or be told of a page, piece by piece, but for what names its own language.
const PIECES: &str = "
    const aside = '[lang=en], script, style, pre';
    const pieces = [document.title];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const node = texts.currentNode;
        if (!node.parentElement.closest(aside)) pieces.push(node.data);
    }
    for (const name of ['title', 'aria-label', 'alt', 'placeholder', 'data-on', 'data-off'])
        for (const element of document.querySelectorAll(`[${name}]`))
            if (!element.closest(aside)) pieces.push(element.getAttribute(name));
    return pieces.map(piece => piece.replace(/\\s+/g, ' ').trim()).filter(piece => piece);";

/// The texts of both languages, as patterns.
#[derive(Debug)]
pub(crate) struct Texts {
    english: Vec<Pattern>,
    german: Vec<Pattern>,
}

/// A text, cut where values are put in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern(Vec<String>);

impl Texts {
    /// As they stand in the coordinator's sources.
    pub(crate) fn read() -> Self {
        let mut literals = Vec::new();
        for list in LISTS {
            let list = workspace().join(list);
            if list.is_dir() {
                for entry in fs::read_dir(list).unwrap() {
                    let path = entry.unwrap().path();
                    // Beneath are what workers say, in quotes of their own, and no texts of pages.
                    if path.is_file() && path.file_name().is_some_and(|name| name != "tests.rs") {
                        literals.extend(pairs(&path));
                    }
                }
            } else {
                literals.extend(pairs(&list));
            }
        }
        Self::new(&literals)
    }

    fn new(pairs: &[(String, String)]) -> Self {
        // What both languages say alike is no sign of either.
        let differ = || pairs.iter().filter(|(english, german)| english != german);
        Self {
            english: differ().flat_map(|(english, _)| patterns(english)).collect(),
            german: pairs.iter().flat_map(|(_, german)| patterns(german)).collect(),
        }
    }

    /// What the page that is open says in English.
    pub(crate) fn english_on(&self, browser: &Browser) -> Vec<String> {
        let pieces = browser.run(PIECES);
        let pieces = pieces.as_array().expect("a page consists of pieces");
        assert!(pieces.len() > 10, "a page says more than {pieces:?}");
        pieces
            .iter()
            .filter_map(|piece| piece.as_str())
            .filter(|piece| self.is_english(piece))
            .map(str::to_owned)
            .collect()
    }

    fn is_english(&self, piece: &str) -> bool {
        let whole = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(piece));
        let part = |pattern: &Pattern| {
            pattern.0.iter().any(|part| {
                is_telling(part) && piece.contains(part) && !self.german.iter().any(|german| german.has(part))
            })
        };
        (whole(&self.english) && !whole(&self.german)) || self.english.iter().any(part)
    }
}

impl Pattern {
    /// Whether this is the whole of it, with something wherever a value stands.
    fn matches(&self, piece: &str) -> bool {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return false;
        };
        if self.0.len() == 1 {
            return piece == first;
        }
        let Some(mut rest) = piece.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in &self.0[1..self.0.len() - 1] {
            let Some(at) = rest.find(part.as_str()).filter(|at| *at > 0) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.len() > last.len() && rest.ends_with(last.as_str())
    }

    fn has(&self, part: &str) -> bool {
        self.0.iter().any(|own| own.contains(part))
    }
}

/// Whether a part of a text is long enough to be known within another one.
fn is_telling(part: &str) -> bool {
    part.trim().len() >= 8 && part.trim().contains(' ')
}

/// The ways in which a text is said: for one and for many. Those without any word say nothing about a language.
fn patterns(text: &str) -> Vec<Pattern> {
    let mut ways = vec![vec![String::new()]];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').expect("a place has an end");
        let words: Vec<&str> = place.split('|').skip(1).collect();
        for way in &mut ways {
            way.last_mut().expect("a way has a part").push_str(before);
        }
        if words.is_empty() {
            for way in &mut ways {
                way.push(String::new());
            }
        } else {
            ways = words
                .iter()
                .flat_map(|word| {
                    let mut said = ways.clone();
                    for way in &mut said {
                        way.last_mut().expect("a way has a part").push_str(word);
                    }
                    said
                })
                .collect();
        }
        rest = after;
    }
    for way in &mut ways {
        way.last_mut().expect("a way has a part").push_str(rest);
    }
    let has_words = |way: &Vec<String>| way.iter().any(|part| part.contains(char::is_alphabetic));
    ways.into_iter().filter(has_words).map(Pattern).collect()
}

/// English and German of each text of a list.
fn pairs(list: &Path) -> Vec<(String, String)> {
    let source = fs::read_to_string(list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let (source, _tests) = source.split_once("\nmod tests").unwrap_or((&source, ""));
    let mut pairs = Vec::new();
    if source.contains("\ntexts! {") {
        pairs.extend(literals(source).chunks(2).map(<[String]>::to_vec));
    } else {
        // Lists of tuples, some of which begin with a name.
        for list in source.split("\nconst ").skip(1) {
            let (kind, list) = list.split_once("= [").expect("a constant is a list");
            let (list, _) = list.split_once("\n];").expect("a list has an end");
            let size = kind.matches("&str").count();
            pairs.extend(
                literals(list)
                    .chunks(size)
                    .map(|tuple| tuple[size - 2..].to_vec()),
            );
        }
    }
    assert!(!pairs.is_empty(), "{} has no texts", list.display());
    let whole = |pair: Vec<String>| <[String; 2]>::try_from(pair).expect("a text of both languages");
    pairs
        .into_iter()
        .map(whole)
        .map(|[english, german]| (english, german))
        .collect()
}

/// All string literals, but for those in comments.
fn literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once('"') {
            let (literal, after) = after.split_once('"').expect("a text stands in one line");
            literals.push(literal.to_owned());
            rest = after;
        }
    }
    literals
}

#[test]
fn english_is_told_from_german_by_the_coordinators_texts() {
    let texts = Texts::read();
    for english in [
        "Dashboard",
        "Queue",
        "3 of 4",
        "Jobs",
        "Done; changed plugins: 1.",
        "Number 3 in line; 1 of 2 slots are in use",
        "seit 12:00 durch anna · starts again by hand",
        "Plugin JP2 is stopped",
        "Cancel: 2 jobs?",
        "change the page contract",
        "its worker was not heard of for the whole lease",
    ] {
        assert!(texts.is_english(english), "{english}");
    }
    for not in [
        "Übersicht",
        "3 von 4",
        "Plugin",
        "Version 1.0",
        "Abbrechen: 2 Aufgaben?",
        "Simplicissimus",
        "Das Plugin JP2 ist angehalten",
        "27",
    ] {
        assert!(!texts.is_english(not), "{not}");
    }
}

//! That both languages are complete, that templates speak through them, and that no text is left over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        ending,
        &mut found,
    );
    assert!(!found.is_empty());
    found
}

/// The values that a sentence takes; words for one and for many do not count, as each language has its own.
fn places(sentence: &str) -> BTreeSet<&str> {
    let places = sentence.split('{').skip(1);
    let places = places.map(|rest| rest.split_once('}').unwrap().0);
    places.filter(|place| !place.contains('|')).collect()
}

/// The texts of all lists.
fn all() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let lists = [
        ALL,
        failure::ALL,
        job_page::ALL,
        lists::ALL,
        sections::ALL,
        system::ALL,
    ];
    lists.into_iter().flatten()
}

#[test]
fn both_languages_say_something_and_have_the_same_places() {
    for (key, english, german) in all() {
        assert!(!english.trim().is_empty() && !german.trim().is_empty(), "{key}");
        assert_eq!(places(english), places(german), "{key}");
    }
}

#[test]
fn every_text_is_used() {
    let mut sources = files("src/http", ".rs");
    sources.extend(files("templates", ".html"));
    for (key, ..) in all() {
        let used = format!(".{key}");
        let is_used = sources.iter().any(|(_, source)| {
            source.match_indices(&used).any(|(at, _)| {
                !source[at + used.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            })
        });
        assert!(is_used, "text {key} is used nowhere");
    }
}

/// What a reader of the page would see of a template: no tags, no expressions, no comments.
fn words_of(template: &str) -> String {
    let mut words = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['<', '{']) {
        words.push_str(&rest[..at]);
        let end = match &rest[at..] {
            part if part.starts_with("{{") => "}}",
            part if part.starts_with("{%") => "%}",
            part if part.starts_with("{#") => "#}",
            part if part.starts_with("<!--") => "-->",
            part if part.starts_with('<') => ">",
            _ => "{",
        };
        rest = &rest[at..];
        rest = &rest[rest.find(end).map_or(rest.len(), |end_at| end_at + end.len())..];
    }
    words.push_str(rest);
    words
}

#[test]
fn templates_have_no_words_of_their_own() {
    for (path, template) in files("templates", ".html") {
        let words = words_of(&template).replace("TaskManager", "");
        let found: Vec<&str> = words
            .split_whitespace()
            .filter(|w| w.chars().any(char::is_alphabetic))
            .collect();
        assert!(
            found.is_empty(),
            "{}: {found:?} should come from text.rs",
            path.display()
        );
        for attribute in ["title=\"", "aria-label=\"", "alt=\"", "placeholder=\""] {
            for (at, _) in template.match_indices(attribute) {
                let value = &template[at + attribute.len()..];
                // Pictures that say nothing of their own have an empty description.
                let is_own = value.starts_with("{{") || value.starts_with('"');
                assert!(
                    is_own,
                    "{}: {attribute}{}",
                    path.display(),
                    value.lines().next().unwrap_or_default()
                );
            }
        }
    }
}

#[test]
fn templates_have_no_script_or_style_inside() {
    for (path, template) in files("templates", ".html") {
        for inline in [
            "<style",
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "<script>",
        ] {
            assert!(!template.contains(inline), "{}: {inline}", path.display());
        }
    }
}

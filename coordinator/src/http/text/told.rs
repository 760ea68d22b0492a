//! What workers, their plugins and the coordinator say of a job in sentences of their own, and in German. They are
//! recorded in English, as programs read them, too; what tools and people say is shown as they said it.

mod failures;

use std::io;

use crate::http::language::Language;
use failures::{FAILURES, SYSTEM};

/// English and German; each `{}` stands for the same words in both, which may be one of these sentences.
const SENTENCES: [(&str, &str); 23] = [
    // Why an attempt ended.
    ("the worker was shut down", "der Worker wurde beendet"),
    (
        "it did not yield in time",
        "sie hat nicht rechtzeitig Platz gemacht",
    ),
    (
        "it had no contact for too long",
        "sie hatte zu lange keinen Kontakt",
    ),
    (
        "it ran longer than its plugin allows",
        "sie lief länger, als ihr Plugin erlaubt",
    ),
    ("it yielded", "sie hat Platz gemacht"),
    (
        "it was stopped while it published; the next attempt goes on with that",
        "sie wurde angehalten, während sie ihre Ergebnisse ablegte; der nächste Versuch macht damit weiter",
    ),
    (
        "it stopped without being told to",
        "sie hat von selbst angehalten",
    ),
    (
        "its worker was not heard of for the whole lease",
        "ihr Worker hat sich zu lange nicht gemeldet",
    ),
    (
        "Its worker died {} times ({}). Look at those workers' logs and memory limits before you start it again.",
        "Ihr Worker ist {}-mal gestorben ({}). Sehen Sie in die Protokolle und Speichergrenzen dieser Worker, bevor Sie sie erneut starten.",
    ),
    (
        "It ran longer than its plugin allows, and its worker did not end it. Look at that worker: something of it may hang.",
        "Sie lief länger, als ihr Plugin erlaubt, und ihr Worker hat sie nicht beendet. Sehen Sie nach diesem Worker: Vielleicht hängt dort etwas.",
    ),
    // What it does or waits for.
    ("page {} of {}", "Seite {} von {}"),
    ("item {} of {}", "Datei {} von {}"),
    ("putting the volume together", "setzt den Band zusammen"),
    ("publishing file {} of {}", "legt Datei {} von {} ab"),
    ("fetching file {} of {}", "holt Datei {} von {}"),
    ("looking what is in {}", "sieht nach, was in {} liegt"),
    (
        "waits for a transfer slot: {} of {} transfers of {} run{}",
        "wartet, bis sie übertragen darf: {} von {} Übertragungen von {} laufen{}",
    ),
    (", 1 more waits before it", ", 1 weitere wartet vor ihr"),
    (", {} more wait before it", ", {} weitere warten vor ihr"),
    (
        "waits for free space: {} has {}, {} are needed; make room there",
        "wartet auf freien Speicherplatz: {} hat {}, nötig sind {}; schaffen Sie dort Platz",
    ),
    (
        "waits for free space: {} can't be made; make room there",
        "wartet auf freien Speicherplatz: {} lässt sich nicht anlegen; schaffen Sie dort Platz",
    ),
    (
        "waits to go on publishing: {}",
        "wartet, bis die Ergebnisse abgelegt werden können: {}",
    ),
    ("{} is running", "{} läuft"),
];

/// A sentence in a language, as far as it is one of our own.
pub(in crate::http) fn told(language: Language, sentence: &str) -> String {
    let german = || {
        let ours = SENTENCES.iter().chain(&FAILURES);
        let mut ours = ours.filter_map(|(english, german)| {
            let words = words_in(english, sentence)?;
            let fill = |said: String, words: &&str| said.replacen("{}", &told(language, words), 1);
            Some(words.iter().fold((*german).to_owned(), fill))
        });
        ours.next().or_else(|| {
            SYSTEM.iter().find_map(|(number, german)| {
                let said = io::Error::from_raw_os_error(*number).to_string();
                let rest = sentence.strip_prefix(&said)?;
                Some(format!("{german} (os error {number}){}", told(language, rest)))
            })
        })
    };
    match language {
        Language::English => None,
        Language::German => german(),
    }
    .unwrap_or_else(|| sentence.to_owned())
}

/// What stands in the places of a pattern; none where the sentence is another one.
fn words_in<'a>(pattern: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split("{}");
    let mut rest = sentence.strip_prefix(parts.next()?)?;
    let mut words = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = match parts.peek() {
            Some(_) => rest.find(part)?,
            None => rest.strip_suffix(part)?.len(),
        };
        words.push(&rest[..end]);
        rest = &rest[end + part.len()..];
    }
    // What a sentence begins with is a name, not half of somebody else's sentence.
    let begins_well = !pattern.starts_with("{}") || words.first().is_some_and(|name| !name.contains(' '));
    (rest.is_empty() && begins_well).then_some(words)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_known_sentence_is_said_in_german_with_its_own_words_and_any_other_as_it_is() {
        let german = |sentence| told(Language::German, sentence);
        assert_eq!(german("page 3 of 12"), "Seite 3 von 12");
        assert_eq!(german("page 3 is unreadable"), "page 3 is unreadable");
        assert_eq!(german("it yielded"), "sie hat Platz gemacht");
        assert_eq!(
            german("waits for a transfer slot: 2 of 2 transfers of /data run, 3 more wait before it"),
            "wartet, bis sie übertragen darf: 2 von 2 Übertragungen von /data laufen, 3 weitere warten vor ihr"
        );
        assert_eq!(german("tesseract is running"), "tesseract läuft");
        assert_eq!(german("another program is running"), "another program is running");
        assert_eq!(
            german(
                "can't write to /data/27: No space left on device (os error 28); make room there (or raise the quota): what is done is kept"
            ),
            "/data/27 lässt sich nicht schreiben: Kein Platz mehr auf dem Datenträger (os error 28); schaffen Sie dort Platz (oder heben Sie die Quota an): Was fertig ist, bleibt erhalten"
        );
        assert_eq!(
            german("parameter \"write\" is 5, but must be true or false"),
            "Der Parameter „write“ ist 5, muss aber true oder false sein"
        );
        assert_eq!(
            german(
                "2 of 4 pages could not be read: 1.jpg: tesseract ended with exit code 1: Premature end of JPEG file"
            ),
            "2 von 4 Seiten nicht lesbar: 1.jpg: tesseract ended with exit code 1: Premature end of JPEG file"
        );
        assert_eq!(told(Language::English, "page 3 of 12"), "page 3 of 12");
    }

    /// All text of a folder's source files, with line breaks inside of sentences taken out.
    fn sources(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.to_string_lossy().contains("text/told")
            {
                let text = fs::read_to_string(&path).expect("a source file");
                into.push_str(
                    &text
                        .split("\\\n")
                        .map(str::trim_start)
                        .collect::<Vec<_>>()
                        .concat()
                        .replace("\\\"", "\""),
                );
            }
        }
    }

    #[test]
    fn each_sentence_is_still_said_by_some_program() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut said = String::new();
        sources(&here.join("src"), &mut said);
        sources(&here.join("../worker/src"), &mut said);
        for (english, german) in SENTENCES.into_iter().chain(FAILURES) {
            for part in english.split("{}").filter(|part| part.trim().len() > 3) {
                // Causes are added behind a colon.
                let part = part.strip_suffix(": ").unwrap_or(part);
                assert!(said.contains(part), "nobody says \"{part}\" any more");
            }
            let places = |text: &str| text.matches("{}").count();
            assert_eq!(places(english), places(german), "{english}");
        }
    }
    #[test]
    fn what_the_system_says_is_known_by_its_number() {
        for (number, german) in SYSTEM {
            let said = io::Error::from_raw_os_error(number).to_string();
            let expected = format!("{german} (os error {number})");
            assert_eq!(told(Language::German, &said), expected, "{said}");
            assert!(said.ends_with(&format!("(os error {number})")), "{said}");
        }
    }
}

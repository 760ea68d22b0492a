//! Which of Tesseract's data a job is recognised with.
//!
//! - `language`: text (`ger,lat`; also separated by `+`, `;` or spaces) or array. Codes of ISO 639-1 and 639-2 (both
//!   kinds) and Tesseract's own names. `und`, `mul`, `mis` and `zxx` say nothing and are passed over. Where nothing is
//!   left it is [`DEFAULT`].
//! - `font_type`: `antiqua` (default) or `fracture` (also `fraktur`, `gothic`). With `fracture` German is read with
//!   the Fraktur data that is installed; when German is not among the languages, Fraktur is put before them.
//!
//! Invariant: only names of installed data are returned, so nothing that a submitter wrote reaches a command line.

mod table;

use serde_json::{Value, json};

use super::super::parameters::{Parameters, wrong};
use crate::plugin::AttemptError;
use table::LANGUAGES;

/// The language where a job names none: most of what is digitised with Goobi and Kitodo is German.
pub const DEFAULT: &str = "deu";

/// Codes that name no language.
const NO_LANGUAGE: [&str; 4] = ["und", "mul", "mis", "zxx"];
/// German data, which `fracture` replaces.
const GERMAN: [&str; 4] = ["deu", "deu_latf", "deu_frak", "frk"];
/// Data for Fraktur, the best first: Debian's name for the script's data, Tesseract's own name for it, and the older
/// data for German in Fraktur.
const FRAKTUR: [&str; 5] = ["Fraktur", "script/Fraktur", "deu_latf", "frk", "deu_frak"];
/// The package that has the first of [`FRAKTUR`].
const FRAKTUR_PACKAGE: &str = "tesseract-ocr-script-frak";

/// What `language` may be.
const LANGUAGE: &str = "a text or an array of texts, made of language codes such as \"ger,lat\"";
/// What `font_type` may be.
const FONT_TYPE: &str = "\"antiqua\" or \"fracture\"";

/// JSON Schema of the parameters that [`choose`] reads. Whether a language is installed, only the worker knows.
pub(super) fn schema() -> Value {
    const CODES: &str = r"^[A-Za-z0-9_/,+;\s]*$";
    // JSON Schema's patterns have no flag for it.
    let any_case = |word: &str| -> String {
        let letter = |c: char| format!("[{}{c}]", c.to_ascii_uppercase());
        word.chars().map(letter).collect()
    };
    let fonts = ["antiqua", "fracture", "fraktur", "gothic"]
        .map(any_case)
        .join("|");
    json!({
        "type": "object",
        "properties": {
            "language": {
                "type": ["string", "array", "null"],
                "pattern": CODES,
                "items": {"type": "string", "pattern": CODES},
                "description": LANGUAGE,
            },
            "font_type": {
                "type": ["string", "null"],
                "pattern": format!(r"^\s*({fonts})?\s*$"),
                "description": FONT_TYPE,
            },
        },
    })
}

/// The data to recognise a job with, in the order of importance.
///
/// # Errors
/// Permanent: a value that is no language, or data that is not installed (naming the package).
pub(super) fn choose(parameters: &Parameters, installed: &[String]) -> Result<Vec<String>, AttemptError> {
    let fraktur = is_fraktur(parameters)?;
    let mut chosen: Vec<String> = Vec::new();
    let mut add = |data: String| {
        if !chosen.contains(&data) {
            chosen.push(data);
        }
    };
    let mut german = false;
    for code in codes(parameters)? {
        let data = data_for(&code, installed)?;
        if fraktur && GERMAN.contains(&data.as_str()) {
            german = true;
            add(installed_fraktur(installed)?);
        } else if installed.contains(&data) {
            add(data);
        } else {
            return Err(missing(&code, &data));
        }
    }
    if fraktur && !german {
        let data = installed_fraktur(installed)?;
        chosen.retain(|other| *other != data);
        chosen.insert(0, data);
    }
    Ok(chosen)
}

/// The codes of the job, or the default.
fn codes(parameters: &Parameters) -> Result<Vec<String>, AttemptError> {
    let given: Vec<String> = match parameters.get("language") {
        None => Vec::new(),
        Some(Value::String(text)) => split(text),
        Some(list @ Value::Array(values)) => {
            let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
            let texts = texts.ok_or_else(|| wrong("language", list, LANGUAGE))?;
            texts.into_iter().flat_map(split).collect()
        }
        Some(other) => return Err(wrong("language", other, LANGUAGE)),
    };
    let mut codes = Vec::new();
    for code in given {
        if !code
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '/')
        {
            let value = Value::String(code);
            return Err(wrong("language", &value, LANGUAGE));
        }
        if !NO_LANGUAGE.contains(&code.to_ascii_lowercase().as_str()) {
            codes.push(code);
        }
    }
    if codes.is_empty() {
        codes.push(DEFAULT.to_owned());
    }
    Ok(codes)
}

fn split(text: &str) -> Vec<String> {
    let separator = |c: char| c == ',' || c == '+' || c == ';' || c.is_whitespace();
    text.split(separator)
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_fraktur(parameters: &Parameters) -> Result<bool, AttemptError> {
    let Some(value) = parameters.get("font_type") else {
        return Ok(false);
    };
    match value.as_str().map(|text| text.trim().to_lowercase()).as_deref() {
        Some("" | "antiqua") => Ok(false),
        Some("fracture" | "fraktur" | "gothic") => Ok(true),
        _ => Err(wrong("font_type", value, FONT_TYPE)),
    }
}

/// The name of the data for a code: as it is when such data is installed, else by the table.
fn data_for(code: &str, installed: &[String]) -> Result<String, AttemptError> {
    if installed.iter().any(|data| data == code) {
        return Ok(code.to_owned());
    }
    let lower = code.to_ascii_lowercase();
    let language = LANGUAGES
        .iter()
        .find(|language| language.data == lower || language.codes.contains(&lower.as_str()))
        .map(|language| language.data.to_owned());
    // Names of scripts (Latin, script/Cyrillic) are Tesseract's own; they begin with a capital letter.
    let script = code
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    match language {
        Some(data) => Ok(data),
        None if script || GERMAN.contains(&lower.as_str()) => Ok(code.to_owned()),
        None => Err(AttemptError::permanent(format!(
            "parameter \"language\": Tesseract has no data for \"{code}\"; leave it out or name a related language"
        ))),
    }
}

fn installed_fraktur(installed: &[String]) -> Result<String, AttemptError> {
    let found = FRAKTUR
        .iter()
        .find(|data| installed.iter().any(|other| other == *data));
    found.map(|data| (*data).to_owned()).ok_or_else(|| {
        AttemptError::permanent(format!(
            "font type \"fracture\": Tesseract's Fraktur data is not installed on this worker; \
             install the package {FRAKTUR_PACKAGE} on the workers"
        ))
    })
}

fn missing(code: &str, data: &str) -> AttemptError {
    let package = package(data);
    AttemptError::permanent(format!(
        "language \"{code}\": Tesseract's data \"{data}\" is not installed on this worker; \
         install {package} on the workers"
    ))
}

/// The package of this data, for messages.
pub(super) fn package(data: &str) -> String {
    if FRAKTUR[..2].contains(&data) {
        format!("the package {FRAKTUR_PACKAGE}")
    } else if data.contains(|c: char| c.is_ascii_uppercase()) {
        format!("the package tesseract-ocr-script-… that has {data} (apt-cache search tesseract-ocr-script)")
    } else {
        format!("the package tesseract-ocr-{}", data.replace('_', "-"))
    }
}

#[cfg(test)]
mod tests;

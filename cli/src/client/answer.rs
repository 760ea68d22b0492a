//! What an HTTP answer means: a document, a problem that the coordinator tells (RFC 9457), or nonsense.

use serde_json::Value;

/// Most characters of a foreign answer that are shown.
const EXCERPT_MAX_CHARS: usize = 80;

/// An answer that is not the document asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unusable {
    /// What the coordinator says is wrong.
    Problem(String),
    /// Why this can't be a coordinator's answer.
    Foreign(String),
}

/// The document of an answer.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Value, Unusable> {
    let json = serde_json::from_slice::<Value>(body);
    match (status, json) {
        (200..=299, Ok(json)) => Ok(json),
        (200..=299, Err(error)) => Err(Unusable::Foreign(format!("not JSON: {error}"))),
        (300..=399, _) => Err(Unusable::Foreign(format!("HTTP {status}, a redirection"))),
        (_, Ok(json)) => match problem(&json) {
            Some(detail) => Err(Unusable::Problem(detail)),
            None => Err(Unusable::Foreign(format!("HTTP {status}"))),
        },
        // Answers that come before the API's own code are plain text: a body that is too large, a time-out.
        (_, Err(_)) => Err(plain(status, body)),
    }
}

fn problem(json: &Value) -> Option<String> {
    let text = |name: &str| {
        json.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    text("detail").or_else(|| text("title")).map(str::to_owned)
}

fn plain(status: u16, body: &[u8]) -> Unusable {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        Some(line) if !line.starts_with('<') => {
            let excerpt: String = line.chars().take(EXCERPT_MAX_CHARS).collect();
            Unusable::Problem(format!("the coordinator answered HTTP {status}: {excerpt}"))
        }
        _ if (500..=599).contains(&status) || status == 413 || status == 408 => {
            Unusable::Problem(format!("the coordinator answered HTTP {status}"))
        }
        _ => Unusable::Foreign(format!("HTTP {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problems_detail_is_what_people_are_told() {
        let body =
            br#"{"type":"about:blank","title":"Unprocessable","status":422,"detail":"no such plugin"}"#;
        assert_eq!(read(422, body), Err(Unusable::Problem("no such plugin".into())));
        assert_eq!(
            read(503, br#"{"title":"Unavailable"}"#),
            Err(Unusable::Problem("Unavailable".into()))
        );
    }

    #[test]
    fn a_plain_text_refusal_is_passed_on_and_a_web_page_is_not() {
        let answer = read(413, b"length limit exceeded\n");
        assert_eq!(
            answer,
            Err(Unusable::Problem(
                "the coordinator answered HTTP 413: length limit exceeded".into()
            ))
        );
        assert_eq!(
            read(404, b"<html>nothing here</html>"),
            Err(Unusable::Foreign("HTTP 404".into()))
        );
        assert!(matches!(read(502, b"<html>"), Err(Unusable::Problem(_))));
    }

    #[test]
    fn success_without_json_is_no_coordinator() {
        assert!(matches!(read(200, b"<html>"), Err(Unusable::Foreign(_))));
        assert!(matches!(read(302, b""), Err(Unusable::Foreign(_))));
    }
}

//! Which language and time zone a page is written in.
//!
//! Invariant: a choice (`?lang=de`) wins over the remembered one (a cookie), that over the browser's wish
//! (`Accept-Language`), and English is spoken to everybody else.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use jiff::tz::TimeZone;

use super::text::Text;

/// Name of the cookie that remembers a choice.
const COOKIE_NAME: &str = "taskmanager_lang";
/// A choice is remembered for a year.
const COOKIE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::German];

    /// The code in `lang` attributes, cookies and addresses.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language's own name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        let primary = code.split('-').next().unwrap_or(code);
        Self::ALL
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.code()))
    }
}

/// Language, words and time zone of one answer.
#[derive(Debug, Clone)]
pub(super) struct Locale {
    pub(super) language: Language,
    pub(super) text: &'static Text,
    /// The server's own time zone (`TZ`), which is the site's; pages name it.
    pub(super) zone: TimeZone,
}

impl Locale {
    pub(super) fn new(language: Language) -> Self {
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        Self {
            language,
            text: Text::of(language),
            zone,
        }
    }

    pub(super) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let language = chosen(uri)
            .or_else(|| remembered(headers))
            .or_else(|| wished(headers));
        Self::new(language.unwrap_or(Language::English))
    }

    /// The zone's name for people: `Europe/Berlin`, or UTC.
    pub(super) fn zone_name(&self) -> &str {
        self.zone
            .iana_name()
            .filter(|name| !name.starts_with("Etc/"))
            .unwrap_or("UTC")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Locale {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri, &parts.headers))
    }
}

/// Remembers the language that an address chooses.
pub(super) async fn remember(request: Request, next: Next) -> Response {
    let choice = chosen(request.uri()).filter(|_| !is_fragment(request.uri()));
    let mut response = next.run(request).await;
    if let Some(language) = choice {
        let code = language.code();
        let cookie =
            format!("{COOKIE_NAME}={code}; Path=/; Max-Age={COOKIE_SECONDS}; SameSite=Lax; HttpOnly");
        let cookie = HeaderValue::try_from(cookie).expect("a language's cookie is plain ASCII");
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Whether a page's script asks for the page's changing part only.
pub(super) fn is_fragment(uri: &Uri) -> bool {
    parameter(uri, "fragment").is_some()
}

fn chosen(uri: &Uri) -> Option<Language> {
    parameter(uri, "lang").and_then(Language::from_code)
}

fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, v)| v)
}

fn remembered(headers: &HeaderMap) -> Option<Language> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .and_then(|(_, value)| Language::from_code(value))
}

/// The language of ours that the browser likes best.
fn wished(headers: &HeaderMap) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    let wishes = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for wish in wishes.flat_map(|value| value.split(',')) {
        let mut parts = wish.split(';');
        let Some(language) = parts.next().map(str::trim).and_then(Language::from_code) else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        // Of equals the first counts.
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(uri: &str, headers: &[(axum::http::HeaderName, &str)]) -> Language {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect();
        Locale::of(&uri.parse().unwrap(), &headers).language
    }

    #[test]
    fn the_browsers_best_wish_is_followed() {
        let wish = |text| spoken("/", &[(ACCEPT_LANGUAGE, text)]);
        assert_eq!(wish("de-DE,de;q=0.9,en;q=0.8"), Language::German);
        assert_eq!(wish("fr, en;q=0.3, de-AT;q=0.7"), Language::German);
        assert_eq!(wish("en-GB,de;q=0.9"), Language::English);
        assert_eq!(wish("fr"), Language::English);
        assert_eq!(wish("de;q=0"), Language::English);
        assert_eq!(spoken("/", &[]), Language::English);
    }

    #[test]
    fn a_choice_wins_over_the_cookie_and_the_cookie_over_the_browser() {
        let headers = [(ACCEPT_LANGUAGE, "en"), (COOKIE, "a=b; taskmanager_lang=de")];
        assert_eq!(spoken("/", &headers), Language::German);
        assert_eq!(spoken("/?tab=done&lang=en", &headers), Language::English);
        assert_eq!(spoken("/?lang=xx", &headers), Language::German);
    }
}

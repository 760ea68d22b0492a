//! Style sheet, script and icon: part of the executable, addressed by their content.
//!
//! Invariant: an address with `?v=…` is named by a page of this very build, so browsers may keep it for a year.

use axum::extract::{Path, RawQuery};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::problem::Error;

/// The style sheet's address.
pub(super) const STYLE: Asset = Asset::new(
    "app.css",
    "text/css; charset=utf-8",
    concat!(
        include_str!("../../assets/app.css"),
        "\n",
        include_str!("../../assets/lists.css"),
        "\n",
        include_str!("../../assets/narrow.css"),
    ),
);
/// The script's address.
pub(super) const SCRIPT: Asset = Asset::new(
    "live.js",
    "text/javascript; charset=utf-8",
    include_str!("../../assets/live.js"),
);
/// The icon's address.
pub(super) const ICON: Asset = Asset::new("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg"));

const ALL: [Asset; 3] = [STYLE, SCRIPT, ICON];

/// A file that pages refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
    version: u64,
}

impl Asset {
    const fn new(name: &'static str, media_type: &'static str, content: &'static str) -> Self {
        Self {
            name,
            media_type,
            content,
            version: fnv1a(content.as_bytes()),
        }
    }

    /// The address that changes with the content.
    pub(super) fn url(&self) -> String {
        format!("/assets/{}?v={:016x}", self.name, self.version)
    }
}

/// The 64-bit FNV-1a hash: it tells two builds' files apart, nothing more.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash ^= bytes[index] as u64;
        hash = u64::wrapping_mul(hash, 0x0100_0000_01b3);
        index += 1;
    }
    hash
}

/// `GET /assets/{name}`
pub(super) async fn serve(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let asset = ALL
        .into_iter()
        .find(|asset| asset.name == name)
        .ok_or(Error::UnknownAddress)?;
    let version = format!("{:016x}", asset.version);
    let etag = format!("\"{version}\"");
    let current = query.is_some_and(|query| query == format!("v={version}"));
    let caching = if current {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let head = [(CACHE_CONTROL, caching.to_owned()), (ETAG, etag)];
    Ok(if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, [(CONTENT_TYPE, asset.media_type)], asset.content).into_response()
    })
}

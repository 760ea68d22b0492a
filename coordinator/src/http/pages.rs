//! The pages: one file each. What is common to all of them stands here and in `pages/layout.rs`.
//!
//! Invariants: a page is complete without its script; every view has an address of its own; the parts that
//! change while a page is open carry `data-live` and an id, and the script asks for nothing else.

pub(super) mod account;
pub(super) mod accounts;
pub(super) mod audit;
pub(super) mod bulk;
pub(super) mod dashboard;
pub(super) mod failure;
pub(super) mod forms;
pub(super) mod job;
mod layout;
pub(super) mod list_functions;
pub(super) mod log;
pub(super) mod login;
pub(super) mod months;
mod part;
pub(super) mod plugin_forms;
mod said;
pub(super) mod search;
pub(super) mod settings;
pub(super) mod workers;

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_LANGUAGE, VARY};
use axum::response::{Html, IntoResponse, Response};

use super::language::Locale;
use super::problem::Error;
use layout::Layout;

/// Writes a page.
fn html(locale: &Locale, page: &impl Template) -> Result<Response, Error> {
    let head = [
        // Kept for going back, asked for again otherwise.
        (CACHE_CONTROL, "private, no-cache"),
        (CONTENT_LANGUAGE, locale.language.code()),
        (VARY, "Accept-Language, Cookie"),
    ];
    Ok((head, Html(page.render()?)).into_response())
}

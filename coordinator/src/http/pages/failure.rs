//! The page for whatever did not work: what is wrong, and what to do.
//!
//! Invariant: it needs neither database nor broker.

use askama::Template;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};

use super::layout::Section;
use super::{Layout, html};
use crate::db::pages::Tab;
use crate::http::language::Locale;
use crate::http::problem::{Kind, Problem};
use crate::http::text::Text;

#[derive(Debug, Template)]
#[template(path = "failure.html")]
struct Page {
    t: &'static Text,
    layout: Layout,
    status: u16,
    title: &'static str,
    more: &'static str,
    /// What exactly is wrong, in English; empty where the sentence above says it all.
    detail: String,
    again: Option<String>,
}

/// The page for a failure, at the address where it happened. Its status is the caller's to set.
pub(crate) fn show(locale: &Locale, method: &Method, address: &Uri, problem: &Problem) -> Response {
    let kind = problem.kind;
    let is_form = method == Method::POST;
    let (title, more) = match kind {
        Kind::BadRequest if is_form => (
            locale.text.failure.failure_form,
            locale.text.failure.failure_form_more,
        ),
        kind => words(kind, locale.text),
    };
    // A link can't send a form again.
    let may_pass = !is_form
        && matches!(
            kind,
            Kind::DatabaseAway | Kind::DatabaseFull | Kind::Timeout | Kind::Internal
        );
    let page = Page {
        t: locale.text,
        layout: Layout {
            fragment: false,
            ..Layout::new(locale, address, None, &[], Section::None, Tab::default())
        },
        status: kind.status().as_u16(),
        title,
        more,
        detail: match kind {
            Kind::BadRequest => problem.detail.clone(),
            _ => String::new(),
        },
        again: may_pass.then(|| address.to_string()),
    };
    html(locale, &page).unwrap_or_else(|error| {
        tracing::error!("the page of a failure could not be written: {error}");
        title.into_response()
    })
}

fn words(kind: Kind, text: &Text) -> (&'static str, &'static str) {
    match kind {
        Kind::UnknownAddress => (text.failure.failure_address, text.failure.failure_address_more),
        Kind::UnknownJob => (text.failure.failure_job, text.failure.failure_job_more),
        Kind::UnknownPlugin => (text.failure.failure_plugin, text.failure.failure_plugin_more),
        Kind::UnknownWorker => (text.failure.failure_worker, text.failure.failure_worker_more),
        Kind::UnknownStorage => (text.failure.failure_storage, text.failure.failure_storage_more),
        Kind::UnknownAccount => (text.said_unknown_account, text.failure.failure_address_more),
        Kind::Conflict => (text.failure.failure_conflict, text.failure.failure_conflict_more),
        Kind::Forbidden => (
            text.failure.failure_forbidden,
            text.failure.failure_forbidden_more,
        ),
        Kind::NotLoggedIn => (text.failure.failure_login, text.failure.failure_login_more),
        Kind::Busy => (text.failure.failure_busy, text.failure.failure_busy_more),
        Kind::BadRequest => (text.failure.failure_request, text.failure.failure_request_more),
        Kind::WrongMethod => (text.failure.failure_method, text.failure.failure_method_more),
        Kind::Rejected => (text.failure.failure_rejected, text.failure.failure_rejected_more),
        Kind::TooLarge => (text.failure.failure_large, text.failure.failure_large_more),
        Kind::CrossSite => (
            text.failure.failure_cross_site,
            text.failure.failure_cross_site_more,
        ),
        Kind::ForeignHost => (text.failure.failure_host, text.failure.failure_host_more),
        Kind::DatabaseAway => (text.failure.failure_database, text.failure.failure_database_more),
        Kind::DatabaseFull => (
            text.failure.failure_database_full,
            text.failure.failure_database_full_more,
        ),
        Kind::Timeout => (text.failure.failure_timeout, text.failure.failure_timeout_more),
        Kind::Internal => (text.failure.failure_internal, text.failure.failure_internal_more),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;
    use crate::http::language::Language;

    #[tokio::test]
    async fn a_link_to_try_again_is_offered_only_where_a_link_can() {
        for (method, is_offered) in [(Method::GET, true), (Method::POST, false)] {
            let address = "/plugins/OCR/actions".parse().unwrap();
            let problem = Problem::of(Kind::Timeout);
            let response = show(&Locale::new(Language::English), &method, &address, &problem);
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert_eq!(body.contains("Try again"), is_offered, "{method}: {body}");
        }
    }

    #[tokio::test]
    async fn every_kind_of_failure_has_a_page_in_both_languages() {
        for language in Language::ALL {
            for kind in Kind::ALL {
                let address = "/x?tab=done".parse().unwrap();
                let problem = Problem::of(kind);
                let response = show(&Locale::new(language), &Method::GET, &address, &problem);
                let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
                let body = String::from_utf8(body.to_vec()).unwrap();
                assert!(body.contains("</html>"), "{kind:?}: {body}");
                assert!(
                    body.contains(&format!("lang=\"{}\"", language.code())),
                    "{kind:?}"
                );
            }
        }
    }
}

//! What protects people who have a page open.
//!
//! Invariant: every answer carries these headers, errors included; and where there is no login, a page of another
//! site can't reach this server under a name of its own (DNS rebinding), as only names of the machine itself are
//! answered. With a login such a page has no session.

use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Error;

/// Everything comes from here, nothing stands inside the HTML, nobody puts a page into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Adds the headers that protect pages.
pub(super) async fn headers(mut response: Response) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Without a login, answers only requests that were meant for this machine.
pub(super) async fn check_host(State(is_open): State<bool>, request: Request, next: Next) -> Response {
    if !is_open {
        return next.run(request).await;
    }
    let named = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| {
            request
                .headers()
                .get(HOST)
                .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned())
        });
    match named {
        // No browser leaves the name out; simple programs that speak HTTP/1.0 do.
        None => next.run(request).await,
        Some(host) if is_this_machine(&host) => next.run(request).await,
        Some(_) => Error::ForeignHost.into_response(),
    }
}

/// Whether an authority (`localhost:8080`) is a loopback name, with any port.
fn is_this_machine(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_machine_itself_are_answered() {
        for good in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_this_machine(good), "{good}");
        }
        for bad in [
            "example.org",
            "localhost.example.org",
            "127.0.0.1.nip.io:8080",
            "10.0.0.1:8080",
            "",
            "a@localhost",
        ] {
            assert!(!is_this_machine(bad), "{bad}");
        }
    }
}

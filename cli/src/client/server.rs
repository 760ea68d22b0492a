//! The coordinator's address, checked once when the command line is read.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

/// A coordinator's address: `http://127.0.0.1:8080`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    base: String,
    host: String,
}

/// A text that is no address of a coordinator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an address such as http://127.0.0.1:8080")]
pub(crate) struct InvalidServer;

impl Server {
    /// The URL of `path`, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether the address is one of this machine's own.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Server {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| InvalidServer)?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        match uri.host() {
            Some(host) if is_http && !host.is_empty() && uri.query().is_none() => Ok(Self {
                base: text.trim_end_matches('/').to_owned(),
                host: host.to_owned(),
            }),
            _ => Err(InvalidServer),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_path_and_loses_its_last_slash() {
        let server: Server = "https://jobs.example.org/tasks/".parse().unwrap();
        assert_eq!(
            server.url("/api/v1/jobs"),
            "https://jobs.example.org/tasks/api/v1/jobs"
        );
    }

    #[test]
    fn what_is_no_http_address_is_refused() {
        for bad in [
            "",
            "localhost:8080",
            "ftp://host",
            "http://",
            "host",
            "http://host/?a=b",
        ] {
            assert!(bad.parse::<Server>().is_err(), "{bad}");
        }
    }

    #[test]
    fn this_machines_own_addresses_are_recognised() {
        let is_loopback = |text: &str| text.parse::<Server>().unwrap().is_loopback();
        for own in ["http://localhost:8080", "http://127.0.0.2", "http://[::1]:8080"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["http://10.0.0.1", "http://localhost.example.org"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}

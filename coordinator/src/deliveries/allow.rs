//! Whom the coordinator may call: hosts that an operator has named, as nobody else may choose what it connects to.
//!
//! Invariant: addresses are compared after they were taken apart as the HTTP client does it, never as texts.

use std::str::FromStr;

use reqwest::Url;

/// One entry of `--callback-allow`: `[scheme://]host[:port][/path]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    scheme: Option<String>,
    host: String,
    /// None: the port that the address's scheme has by itself.
    port: Option<u16>,
    /// Without a slash at the end.
    path: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is not HOST[:PORT][/PATH], such as goobi.example.org:8080/goobi/api");
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (Some(scheme.to_owned()), rest),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        // A scheme without a port of its own: a port that is named is seen as named.
        let parsed = Url::parse(&format!("http://{rest}")).map_err(|_| wrong())?;
        let authority = rest.split('/').next().unwrap_or_default();
        let names_80 = authority.ends_with(":80");
        let plain = parsed.username().is_empty()
            && parsed.password().is_none()
            && parsed.query().is_none()
            && parsed.fragment().is_none();
        match parsed.host_str() {
            Some(host) if plain && !authority.is_empty() && !text.contains(char::is_whitespace) => Ok(Self {
                text: text.to_owned(),
                scheme,
                host: host.to_owned(),
                port: parsed.port().or(names_80.then_some(80)),
                path: parsed.path().trim_end_matches('/').to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

impl Target {
    fn allows(&self, url: &Url) -> bool {
        let port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        let path = url.path();
        let plain = path.split('/').all(is_plain);
        let beneath = self.path.is_empty()
            || (plain
                && path
                    .strip_prefix(&self.path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        self.scheme.as_deref().is_none_or(|scheme| scheme == url.scheme())
            && url.host_str() == Some(&self.host)
            && port
            && beneath
    }
}

/// Whether a server sees one folder or file in this part of a path, however it reads it: what it decodes later, or
/// cuts off as a parameter (`..;x`), must not lead out of the folder that is allowed.
fn is_plain(segment: &str) -> bool {
    let lowered = segment.to_ascii_lowercase();
    !lowered.starts_with("..")
        && [";", "%25", "%2e", "%2f", "%3b", "%5c"]
            .iter()
            .all(|hidden| !lowered.contains(hidden))
}

/// Everybody who may be called.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    targets: Vec<Target>,
}

impl Allowed {
    /// These and nobody else.
    pub fn new(targets: Vec<Target>) -> Self {
        Self { targets }
    }

    /// Whether nobody is allowed.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Takes an address apart and checks it.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub fn check(&self, address: &str) -> Result<Url, String> {
        let url = Url::parse(address).map_err(|_| format!("\"{address}\" is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("\"{address}\" is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the address must not contain a user or a password: send a token".to_owned());
        }
        if self.targets.iter().any(|target| target.allows(&url)) {
            return Ok(url);
        }
        let host = host_of(&url);
        Err(if self.is_empty() {
            format!(
                "{host} may not be called: the coordinator calls nobody unless --callback-allow names whom; \
                 have it set to {host}, or leave the field out"
            )
        } else {
            let names: Vec<&str> = self.targets.iter().map(|target| target.text.as_str()).collect();
            format!(
                "\"{address}\" may not be called: --callback-allow names {} only",
                names.join(", ")
            )
        })
    }
}

/// Host and, where it is a special one, port.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(allowed: &str, address: &str) -> bool {
        Allowed::new(vec![allowed.parse().unwrap()])
            .check(address)
            .is_ok()
    }

    #[test]
    fn only_the_host_the_port_and_the_paths_that_are_named_may_be_called() {
        let goobi = "goobi.example.org:8080/goobi/api";
        assert!(may(
            goobi,
            "http://goobi.example.org:8080/goobi/api/plugins/ocr/12/done?x=1"
        ));
        assert!(may(goobi, "https://GOOBI.example.org:8080/goobi/api"));
        for other in [
            "http://goobi.example.org/goobi/api",
            "http://goobi.example.org:8081/goobi/api",
            "http://goobi.example.org:8080/goobi/apis",
            "http://goobi.example.org:8080/goobi/api/../admin",
            "http://goobi.example.org:8080/goobi/api/%2e%2e/admin",
            "http://goobi.example.org:8080/goobi/api/..%2fadmin",
            "http://goobi.example.org:8080/goobi/api/..\\admin",
            "http://goobi.example.org:8080/goobi/api/..;/admin",
            "http://goobi.example.org:8080/goobi/api/..;x=1/admin",
            "http://goobi.example.org:8080/goobi/api/.;/admin",
            "http://goobi.example.org:8080/goobi/api/x;jsessionid=1",
            "http://goobi.example.org:8080/goobi/api/..%3B/admin",
            "http://goobi.example.org:8080/goobi/api/..%00/admin",
            "http://goobi.example.org:8080/goobi/api/%252e%252E/admin",
            "http://goobi.example.org:8080/goobi/api/x%252fadmin",
            "http://goobi.example.org:8080/goobi/api/...",
            "http://goobi.example.org.evil.net:8080/goobi/api",
            "http://goobi.example.org:8080@evil.net/goobi/api",
            "http://evil.net:8080/goobi/api?goobi.example.org:8080/goobi/api",
            "http://evil.net#@goobi.example.org:8080/goobi/api",
            "file://goobi.example.org:8080/goobi/api",
            "ftp://goobi.example.org:8080/goobi/api",
            "http://user@goobi.example.org:8080/goobi/api",
            "/goobi/api",
            "",
        ] {
            assert!(!may(goobi, other), "{other}");
        }
    }

    #[test]
    fn without_a_port_the_schemes_own_is_meant_and_a_scheme_can_be_demanded() {
        assert!(may("goobi", "http://goobi/x") && may("goobi", "https://goobi/x"));
        assert!(may("goobi", "http://goobi:80/x") && !may("goobi", "http://goobi:8080/x"));
        assert!(may("goobi:80", "http://goobi/x") && !may("goobi:80", "https://goobi/x"));
        assert!(may("https://goobi", "https://goobi/x") && !may("https://goobi", "http://goobi/x"));
        // One host, however it is written.
        assert!(may("127.0.0.1:80", "http://127.1/x") && !may("goobi", "http://127.0.0.1/x"));
        assert!(may("[::1]:8080", "http://[::1]:8080/"));
    }

    #[test]
    fn the_refusal_says_what_to_do() {
        let nobody = Allowed::default().check("http://goobi:8080/x").unwrap_err();
        assert!(
            nobody.contains("--callback-allow") && nobody.contains("goobi:8080"),
            "{nobody}"
        );
        let others = Allowed::new(vec!["goobi".parse().unwrap()])
            .check("http://evil/x")
            .unwrap_err();
        assert!(others.ends_with("names goobi only"), "{others}");
    }

    #[test]
    fn entries_that_are_no_hosts_are_refused() {
        for wrong in [
            "",
            "/x",
            "ftp://goobi",
            "a b",
            "user@goobi",
            "goobi?x",
            "goobi:port",
        ] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}

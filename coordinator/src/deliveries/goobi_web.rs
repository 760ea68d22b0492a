//! Where Goobi is, and what it lets the coordinator in with.
//!
//! Invariants: the token goes to addresses of that Goobi's interface and nowhere else; it is never printed.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail};
use reqwest::Url;

/// The header that Goobi's interface reads a token from.
pub(super) const TOKEN_HEADER: &str = "token";

/// A Goobi.
#[derive(Clone, PartialEq, Eq)]
pub struct GoobiWeb {
    /// `http://goobi:8080/goobi`, without a slash at its end.
    base: String,
    /// None: nothing is said to it.
    token: Option<String>,
    /// The address of a process's page for people, with `{process}` in the place of its id; none: nothing leads there.
    page: Option<String>,
}

/// What stands in the address of a page in the place of the process's id.
const PROCESS: &str = "{process}";

impl fmt::Debug for GoobiWeb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoobiWeb")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl GoobiWeb {
    /// Reads the settings.
    ///
    /// # Errors
    /// When an address is none, or the file can't be read or holds no token.
    pub fn load(url: &str, token_file: Option<&Path>, page: Option<&str>) -> anyhow::Result<Self> {
        let token = token_file
            .map(|file| {
                std::fs::read_to_string(file)
                    .with_context(|| format!("--goobi-token-file {}", file.display()))
            })
            .transpose()?;
        let goobi = Self::new(url, token.as_deref())?;
        match page {
            Some(page) => goobi.with_page(page),
            None => Ok(goobi),
        }
    }

    /// The same with the address of a process's page.
    ///
    /// # Errors
    /// When it is none, or has no place for the process.
    pub fn with_page(self, page: &str) -> anyhow::Result<Self> {
        let leads_there = page.contains(PROCESS)
            && Url::parse(&page.replace(PROCESS, "1"))
                .is_ok_and(|page| matches!(page.scheme(), "http" | "https") && page.has_host());
        if !leads_there {
            bail!(
                "--goobi-process-url \"{page}\" is not the address of a process's page with {PROCESS} in the place of \
                 its number"
            );
        }
        Ok(Self {
            page: Some(page.to_owned()),
            ..self
        })
    }

    /// The address of a process's page for people; `None` where it is not known, or the id is none of Goobi's.
    pub fn page(&self, process: &str) -> Option<String> {
        let page = self.page.as_ref().filter(|_| is_id(process))?;
        Some(page.replace(PROCESS, process))
    }

    /// The Goobi at an address, with a token's text.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn new(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let parsed = Url::parse(url).ok().filter(|parsed| {
            matches!(parsed.scheme(), "http" | "https")
                && parsed.host_str().is_some()
                && parsed.username().is_empty()
                && parsed.password().is_none()
                && parsed.query().is_none()
                && parsed.fragment().is_none()
        });
        let Some(parsed) = parsed else {
            bail!("--goobi-url \"{url}\" is not an address such as http://goobi.library.example:8080/goobi");
        };
        let token = token.map(str::trim);
        if token.is_some_and(|token| token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            bail!("the file of --goobi-token-file must hold one token, as it stands in goobi_rest.xml");
        }
        Ok(Self {
            base: parsed.as_str().trim_end_matches('/').to_owned(),
            token: token.map(str::to_owned),
            page: None,
        })
    }

    /// Whether it can be told something.
    pub fn takes_messages(&self) -> bool {
        self.token.is_some()
    }

    /// The address of a process in the interface for programs; `None` where the id is none of Goobi's, which are numbers.
    pub fn process(&self, id: &str) -> Option<String> {
        is_id(id).then(|| format!("{}/api/process/{id}", self.base))
    }

    /// The address of a process's journal.
    pub(super) fn journal(&self, process: &str) -> Option<String> {
        Some(format!("{}/journal", self.process(process)?))
    }

    /// Whether an address is one of this Goobi's interface; gives it with the token.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub(super) fn open(&self, address: &str) -> Result<(Url, &str), String> {
        let Some(token) = &self.token else {
            return Err("the coordinator has no --goobi-token-file any more".to_owned());
        };
        let url = Url::parse(address).ok();
        url.filter(|url| url.as_str().starts_with(&format!("{}/api/process/", self.base)))
            .map(|url| (url, token.as_str()))
            .ok_or_else(|| {
                format!(
                    "\"{address}\" is not where --goobi-url says that Goobi is: {}",
                    self.base
                )
            })
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_and_a_file_without_a_token_are_refused_at_the_start() {
        for url in [
            "goobi",
            "ftp://goobi/goobi",
            "http://",
            "http://anna:secret@goobi/goobi",
            "http://goobi/goobi?x=1",
            "http://goobi/goobi#x",
        ] {
            let why = GoobiWeb::new(url, None).unwrap_err().to_string();
            assert!(why.contains("--goobi-url"), "{why}");
        }
        for token in ["", " \n", "two tokens", "tökén"] {
            assert!(
                GoobiWeb::new("http://goobi/goobi", Some(token)).is_err(),
                "{token}"
            );
        }
        let missing =
            GoobiWeb::load("http://goobi/goobi", Some(Path::new("/no/such/file")), None).unwrap_err();
        assert!(missing.to_string().contains("/no/such/file"), "{missing}");
    }

    #[test]
    fn goobis_addresses_are_made_of_numbers_only() {
        let goobi = GoobiWeb::new("https://goobi:8443/goobi/", Some("abc\n")).unwrap();
        assert_eq!(
            goobi.process("27").unwrap(),
            "https://goobi:8443/goobi/api/process/27"
        );
        assert_eq!(goobi.page("27"), None);
        let goobi = goobi.with_page("https://goobi/goobi/edit?id={process}").unwrap();
        assert_eq!(goobi.page("27").unwrap(), "https://goobi/goobi/edit?id=27");
        for page in ["https://goobi/edit", "javascript:{process}", "goobi/{process}"] {
            let why = goobi.clone().with_page(page).unwrap_err().to_string();
            assert!(why.contains("--goobi-process-url"), "{why}");
        }
        for no_id in ["", "x", "27/../28", "-1", "٢٧", "12345678901234567890"] {
            assert_eq!((goobi.process(no_id), goobi.page(no_id)), (None, None), "{no_id}");
        }
        assert!(!format!("{goobi:?}").contains("abc"));
    }

    #[test]
    fn the_token_goes_to_goobis_interface_and_nowhere_else() {
        let goobi = GoobiWeb::new("http://goobi:8080/goobi", Some("abc")).unwrap();
        let journal = goobi.journal("27").unwrap();
        assert_eq!(goobi.open(&journal).unwrap().1, "abc");
        for other in [
            "http://goobi:8080/goobi/api/process/../../admin",
            "http://goobi:8081/goobi/api/process/27/journal",
            "http://goobi:8080@evil.example/goobi/api/process/27/journal",
            "http://evil.example/goobi/api/process/27/journal",
            "no address",
        ] {
            assert!(goobi.open(other).is_err(), "{other}");
        }
        let mute = GoobiWeb::new("http://goobi:8080/goobi", None).unwrap();
        assert!(mute.open(&journal).is_err() && !mute.takes_messages());
    }
}

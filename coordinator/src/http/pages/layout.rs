//! The frame of every page: head, menu, languages, foot.

use axum::http::Uri;

use crate::control::Verb;
use crate::db::pages::{MenuEntry, Tab};
use crate::http::assets;
use crate::http::format::fill;
use crate::http::language::{Language, Locale, is_fragment};
use crate::http::listing;
use crate::http::text::Text;
use crate::http::who::Who;

/// What the frame shows.
#[derive(Debug)]
pub(super) struct Layout {
    /// Only the changing parts are wanted: no frame.
    pub(super) fragment: bool,
    pub(super) language: &'static str,
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
    pub(super) menu: Vec<Link>,
    /// Pages that are about the whole system, as far as whoever looks may see them.
    pub(super) system: Vec<Link>,
    /// Who is logged in; empty where nobody is.
    pub(super) user: String,
    pub(super) languages: Vec<LanguageLink>,
    pub(super) times_in: String,
    pub(super) version: String,
}

/// An entry of a menu, a tab or a filter.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) label: String,
    /// Says more than the label; empty when the label says it all.
    pub(super) title: String,
    pub(super) current: bool,
}

/// A language to change to.
#[derive(Debug)]
pub(super) struct LanguageLink {
    pub(super) href: String,
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) current: bool,
}

/// Where in the menu a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section<'a> {
    /// The dashboard.
    Dashboard,
    /// A plugin's.
    Plugin(&'a str),
    /// About the whole system.
    System(SystemPage),
    /// Nowhere.
    None,
}

/// A page about the whole system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SystemPage {
    /// Who does the work.
    Workers,
    /// What people can set.
    Settings,
    /// Users and tokens.
    Accounts,
    /// Who has done what.
    Audit,
    /// Jobs by what is known of them.
    Search,
}

impl SystemPage {
    const ALL: [Self; 5] = [
        Self::Search,
        Self::Workers,
        Self::Settings,
        Self::Accounts,
        Self::Audit,
    ];

    fn address(self) -> &'static str {
        match self {
            Self::Workers => "/workers",
            Self::Settings => "/settings",
            Self::Accounts => "/accounts",
            Self::Audit => "/audit",
            Self::Search => "/search",
        }
    }

    fn needs(self) -> Verb {
        match self {
            Self::Settings => Verb::Configure,
            Self::Accounts => Verb::ManageAccounts,
            Self::Audit => Verb::ReadAudit,
            Self::Search | Self::Workers => Verb::Look,
        }
    }

    fn name(self, text: &Text) -> &'static str {
        match self {
            Self::Workers => text.workers,
            Self::Settings => text.settings,
            Self::Accounts => text.accounts,
            Self::Audit => text.audit,
            Self::Search => text.search,
        }
    }
}

impl Layout {
    /// The frame of the page at `address`; its menu leads to lists of the same `tab`.
    pub(super) fn new(
        locale: &Locale,
        address: &Uri,
        who: Option<&Who>,
        plugins: &[MenuEntry],
        section: Section<'_>,
        tab: Tab,
    ) -> Self {
        let dashboard = Link {
            href: listing::HOME.to_owned(),
            label: locale.text.dashboard.to_owned(),
            title: String::new(),
            current: section == Section::Dashboard,
        };
        let plugins = plugins.iter().map(|plugin| Link {
            href: listing::address(tab, Some(&plugin.name), None),
            label: plugin.name.clone(),
            title: plugin.title(locale).to_owned(),
            current: section == Section::Plugin(&plugin.name),
        });
        let open = SystemPage::ALL.into_iter();
        let open = open.filter(|page| who.is_some_and(|who| who.could(page.needs())));
        let system = open.map(|page| Link {
            href: page.address().to_owned(),
            label: page.name(locale.text).to_owned(),
            title: String::new(),
            current: section == Section::System(page),
        });
        let languages = Language::ALL.into_iter().map(|language| LanguageLink {
            href: in_language(address, language),
            code: language.code(),
            name: language.name(),
            current: language == locale.language,
        });
        Self {
            fragment: is_fragment(address),
            language: locale.language.code(),
            style: assets::STYLE.url(),
            script: assets::SCRIPT.url(),
            icon: assets::ICON.url(),
            // Behind the door only; whoever stands before it sees nothing that leads nowhere.
            menu: who
                .map(|_| std::iter::once(dashboard).chain(plugins).collect())
                .unwrap_or_default(),
            system: system.collect(),
            user: who
                .filter(|who| who.session.is_some())
                .map_or_else(String::new, |who| who.actor.name.clone()),
            languages: languages.collect(),
            times_in: fill(locale.text.times_in, &[&locale.zone_name()]),
            version: fill(locale.text.version, &[&env!("CARGO_PKG_VERSION")]),
        }
    }
}

impl MenuEntry {
    /// The title in the page's language.
    pub(super) fn title(&self, locale: &Locale) -> &str {
        match locale.language {
            Language::English => &self.title_en,
            Language::German => &self.title_de,
        }
    }
}

/// The same page in another language.
fn in_language(address: &Uri, language: Language) -> String {
    let kept = address
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|pair| !pair.is_empty() && !pair.starts_with("lang=") && !pair.starts_with("fragment="));
    let pairs: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("lang={}", language.code())])
        .collect();
    format!("{}?{}", address.path(), pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_the_language_stays_on_the_page() {
        let address: Uri = "/?tab=done&lang=en&plugin=OCR&fragment=1".parse().unwrap();
        assert_eq!(
            in_language(&address, Language::German),
            "/?tab=done&plugin=OCR&lang=de"
        );
        assert_eq!(
            in_language(&"/jobs/7".parse().unwrap(), Language::English),
            "/jobs/7?lang=en"
        );
    }
}

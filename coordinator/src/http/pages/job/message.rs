//! "Send message to Goobi": the form, or what has to be set before there can be one.

use crate::control::{Actor, MessageType, Object, Verb, authorise};
use crate::db::pages::JobDetail;
use crate::deliveries::GoobiWeb;
use crate::http::language::Locale;
use crate::http::text::job_page;

/// What the page offers.
#[derive(Debug)]
pub(super) enum Message {
    /// Nothing: the job has no process in Goobi, or whoever looks may not do it.
    None,
    /// Says what to set.
    NotConfigured,
    /// A message of one of these types.
    Form(Vec<TypeChoice>),
}

/// A type of entry to choose.
#[derive(Debug)]
pub(super) struct TypeChoice {
    pub(super) name: &'static str,
    pub(super) word: &'static str,
    pub(super) chosen: bool,
}

impl Message {
    pub(super) fn of(locale: &Locale, actor: &Actor, job: &JobDetail, goobi: Option<&GoobiWeb>) -> Self {
        let may = authorise(actor, Verb::ControlJobs, Object::Plugin(&job.summary.plugin));
        let Some(process) = job.summary.process_id.as_deref().filter(|_| may) else {
            return Self::None;
        };
        let Some(goobi) = goobi.filter(|goobi| goobi.takes_messages()) else {
            return Self::NotConfigured;
        };
        if goobi.process(process).is_none() {
            return Self::None;
        }
        let words = job_page::Text::of(locale.language);
        let choice = |kind: MessageType| TypeChoice {
            name: kind.name(),
            word: match kind {
                MessageType::Error => words.type_error,
                MessageType::Warn => words.type_warn,
                MessageType::Info => words.type_info,
                MessageType::Debug => words.type_debug,
                MessageType::User => words.type_user,
                MessageType::Important => words.type_important,
            },
            chosen: kind == MessageType::Info,
        };
        Self::Form(MessageType::ALL.into_iter().map(choice).collect())
    }
}

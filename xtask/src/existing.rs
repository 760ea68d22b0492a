//! What the environment says is there already and need not be started or installed.

/// The names of existing things; whatever is `None` is for us to provide.
#[derive(Debug, Clone, Default)]
pub(crate) struct Existing {
    /// `DATABASE_URL`: a PostgreSQL database.
    pub(crate) database: Option<String>,
    /// `AMQP_URL`: a RabbitMQ virtual host.
    pub(crate) amqp: Option<String>,
    /// `AMQP_MANAGEMENT_URL`: that broker's management API.
    pub(crate) management: Option<String>,
    /// `CHROME`: a browser.
    pub(crate) browser: Option<String>,
}

impl Existing {
    /// Reads the environment; an empty variable counts as none.
    #[expect(clippy::disallowed_methods, reason = "xtask's one look at the environment")]
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            database: variable("DATABASE_URL"),
            amqp: variable("AMQP_URL"),
            management: variable("AMQP_MANAGEMENT_URL"),
            browser: variable("CHROME"),
        }
    }
}

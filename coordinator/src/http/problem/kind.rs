//! The kinds of failure that a requester can tell apart, with their status and words.

use axum::http::StatusCode;

use crate::db;

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No route has this address.
    UnknownAddress,
    /// No job has this id.
    UnknownJob,
    /// No plugin has this name.
    UnknownPlugin,
    /// No worker has this id.
    UnknownWorker,
    /// No storage has this path.
    UnknownStorage,
    /// No user or token is meant.
    UnknownAccount,
    /// It can't be done with things as they are.
    Conflict,
    /// Whoever asks may not do that.
    Forbidden,
    /// Nobody knows who asks.
    NotLoggedIn,
    /// Too many ask for something that takes time.
    Busy,
    /// A part of the address or the body can't be understood.
    BadRequest,
    /// The address exists, but not with this method.
    WrongMethod,
    /// A submission was refused.
    Rejected,
    /// The body is too large.
    TooLarge,
    /// Another site's page sent the request.
    CrossSite,
    /// The request names another host.
    ForeignHost,
    /// The database can't be reached.
    DatabaseAway,
    /// The database has no room to write.
    DatabaseFull,
    /// It took too long.
    Timeout,
    /// A defect of this program.
    Internal,
}

impl Kind {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 20] = [
        Self::UnknownAddress,
        Self::UnknownJob,
        Self::UnknownPlugin,
        Self::UnknownWorker,
        Self::UnknownStorage,
        Self::UnknownAccount,
        Self::Conflict,
        Self::Forbidden,
        Self::NotLoggedIn,
        Self::Busy,
        Self::BadRequest,
        Self::WrongMethod,
        Self::Rejected,
        Self::TooLarge,
        Self::CrossSite,
        Self::ForeignHost,
        Self::DatabaseAway,
        Self::DatabaseFull,
        Self::Timeout,
        Self::Internal,
    ];

    /// The kind of a refusal that carries nothing but its status.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownAddress,
            StatusCode::METHOD_NOT_ALLOWED => Self::WrongMethod,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNAUTHORIZED => Self::NotLoggedIn,
            StatusCode::FORBIDDEN => Self::CrossSite,
            StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => Self::Timeout,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    /// A database that holds something unreadable is a defect, and one that is sent what is no value is not to blame;
    /// otherwise it is away or overloaded.
    pub(super) fn of_database(error: &db::Error) -> Self {
        match error {
            db::Error::Inconsistent { .. } => Self::Internal,
            error if error.is_disk_full() => Self::DatabaseFull,
            error if error.is_no_value() => Self::BadRequest,
            _ => Self::DatabaseAway,
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::UnknownAddress
            | Self::UnknownJob
            | Self::UnknownPlugin
            | Self::UnknownWorker
            | Self::UnknownStorage
            | Self::UnknownAccount => StatusCode::NOT_FOUND,
            Self::NotLoggedIn => StatusCode::UNAUTHORIZED,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::CrossSite | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy | Self::DatabaseAway | Self::DatabaseFull => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The title in problem+json.
    pub(in crate::http) fn title(self) -> &'static str {
        match self {
            Self::UnknownAddress => "Not found",
            Self::UnknownJob => "No such job",
            Self::UnknownPlugin => "No such plugin",
            Self::UnknownWorker => "No such worker",
            Self::UnknownStorage => "No such storage",
            Self::UnknownAccount => "No such account",
            Self::Conflict => "Not possible now",
            Self::Forbidden => "Forbidden",
            Self::NotLoggedIn => "Not logged in",
            Self::Busy => "Busy",
            Self::BadRequest => "Bad request",
            Self::WrongMethod => "Method not allowed",
            Self::Rejected => "Submission rejected",
            Self::TooLarge => "Too large",
            Self::CrossSite => "Cross-site request",
            Self::ForeignHost => "Misdirected request",
            Self::DatabaseAway => "Database unavailable",
            Self::DatabaseFull => "Database disk full",
            Self::Timeout => "Timeout",
            Self::Internal => "Internal error",
        }
    }

    /// The detail where a failure brings none of its own.
    pub(in crate::http) fn detail(self) -> &'static str {
        match self {
            Self::UnknownAddress => "nothing has this address",
            Self::UnknownJob => "no job has this id",
            Self::UnknownPlugin => "no plugin has this name",
            Self::UnknownWorker => "no worker has this id",
            Self::UnknownStorage => "no storage has this path",
            Self::UnknownAccount => "there is no such user or token",
            Self::Conflict => "that can't be done with it as it is now",
            Self::Forbidden => "you may not do that",
            Self::NotLoggedIn => "log in, or send a token",
            Self::Busy => "too many log in at this moment: try again in some seconds",
            Self::BadRequest => "the request can't be understood: look at its address and its body",
            Self::WrongMethod => {
                "this address does not answer this method; the header Allow names those it does"
            }
            Self::Rejected => "the submission can't be accepted",
            Self::TooLarge => "the body is too large: pass folders, not contents",
            Self::CrossSite => "a page of another site sent this request; it was not carried out",
            Self::ForeignHost => "this server answers only to localhost, 127.0.0.1 and [::1]",
            Self::DatabaseAway => {
                "the database can't be reached: repeat the request soon (a submission with the same Idempotency-Key; an \
                 action on many jobs may have been done for some of them, and does nothing to those again). The \
                 coordinator's log says why"
            }
            Self::DatabaseFull => {
                "the database has no room left on its disk: somebody has to free some there. Repeat the request later (a \
                 submission with the same Idempotency-Key; an action on many jobs may have been done for some of them, \
                 and does nothing to those again)"
            }
            Self::Timeout => {
                "the answer took too long, and what was asked for may have been done all the same: look before you \
                 repeat it, and into the coordinator's log if it stays so"
            }
            Self::Internal => "a defect of the coordinator: its log says what happened",
        }
    }
}

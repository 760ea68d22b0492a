//! What can go wrong with object storage, and what it means for the attempt.

use object_store::Error as StoreError;

use crate::plugin::AttemptError;

/// Most characters of what a service says: some answer with whole pages.
const SAID_MAX: usize = 300;

/// A request that the service did not grant, or did not answer.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} {place}: {}", short(said))]
pub struct Failure {
    /// What was tried.
    action: &'static str,
    /// Where: an address.
    place: String,
    /// What was said.
    said: Box<StoreError>,
}

impl Failure {
    /// What is there is larger than anything that this program writes there.
    pub(super) fn too_large(place: String) -> Self {
        let said = StoreError::NotSupported {
            source: "it is larger than what this program writes there: move it away".into(),
        };
        Self::new("read", place, said)
    }

    pub(super) fn new(action: &'static str, place: String, said: StoreError) -> Self {
        Self {
            action,
            place,
            said: Box::new(said),
        }
    }
}

impl From<Failure> for AttemptError {
    /// All but names that can't be may pass: the service is away, or somebody gives it a right that it lacks.
    fn from(failure: Failure) -> Self {
        match *failure.said {
            StoreError::InvalidPath { .. } => Self::permanent(failure.to_string()),
            _ => Self::retryable(failure.to_string()),
        }
    }
}

/// What a service said, in a few words and with what to do.
pub(crate) fn short(error: &StoreError) -> String {
    let advice = match error {
        StoreError::PermissionDenied { .. } => {
            "; give the worker's access key the rights to read, write, list and delete there"
        }
        StoreError::Unauthenticated { .. } => "; look at the worker's access key and its secret",
        StoreError::NotFound { .. } => "; look whether the bucket is there",
        _ => "",
    };
    // The library's errors repeat their causes.
    let said = error.to_string();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match said.char_indices().nth(SAID_MAX) {
        Some((end, _)) => format!("{}…{advice}", &said[..end]),
        None => format!("{said}{advice}"),
    }
}

#[cfg(test)]
mod tests {
    use shared::job::decide::ErrorClass;

    use super::*;

    #[test]
    fn what_a_service_says_is_short_tells_what_to_do_and_may_pass() {
        let denied = StoreError::PermissionDenied {
            path: "27/current.json".to_owned(),
            source: format!("<html>\n{}", "Forbidden ".repeat(500)).into(),
        };
        let place = "s3://scans/27/current.json".to_owned();
        let AttemptError::Failed { class, message, .. } = Failure::new("write to", place, denied).into()
        else {
            panic!()
        };
        assert_eq!(class, ErrorClass::Retryable);
        assert!(
            message.starts_with("can't write to s3://scans/27/current.json: "),
            "{message}"
        );
        assert!(
            message.ends_with("the rights to read, write, list and delete there"),
            "{message}"
        );
        assert!(message.len() < 600 && !message.contains('\n'), "{message}");
    }
}

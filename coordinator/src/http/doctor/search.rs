//! What the doctor says of searching for parts of words, which needs an extension of PostgreSQL.

use shared::message::worker::Check;

use super::{failed, passed};

/// The check: without the extension only the newest jobs are looked through.
pub(super) fn check(can_search_parts: bool) -> Check {
    let name = "search";
    if can_search_parts {
        return passed(
            name,
            "parts of titles and errors are found by an index".to_owned(),
        );
    }
    failed(
        name,
        "the extension pg_trgm is missing, so that only the newest jobs are searched for parts of titles and errors; \
         install PostgreSQL's contrib package on its host where that is apart, then run this as the database's owner: \
         CREATE EXTENSION pg_trgm; SELECT ensure_search();"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_extension_is_a_finding_that_says_what_to_do() {
        assert!(check(true).ok);
        let found = check(false);
        assert!(
            !found.ok
                && found
                    .message
                    .contains("CREATE EXTENSION pg_trgm; SELECT ensure_search();")
        );
    }
}

//! What addresses of searches mean.

use super::*;

fn query(pairs: &[(&str, &str)]) -> SearchQuery {
    serde_json::from_value(pairs.iter().map(|(name, value)| (*name, *value)).collect()).unwrap()
}

fn filter(pairs: &[(&str, &str)]) -> JobFilter {
    query(pairs).filter(&TimeZone::UTC).unwrap()
}

#[test]
fn a_plugin_and_a_tab_are_a_list_and_anything_else_is_a_search() {
    assert!(!query(&[("plugin", "OCR"), ("tab", "done")]).is_search());
    assert!(!query(&[("title", "  ")]).is_search());
    for name in [
        "process",
        "step",
        "title",
        "error",
        "state",
        "submitted_from",
        "finished_to",
    ] {
        assert!(query(&[(name, "x")]).is_search(), "{name}");
    }
}

#[test]
fn a_tab_or_a_state_means_states_and_what_is_held_back_is_apart() {
    assert_eq!(
        filter(&[("state", "error")]).states,
        [JobState::Error, JobState::Cancelled]
    );
    assert_eq!(filter(&[("tab", "done")]).states, [JobState::Done]);
    assert!(
        filter(&[("state", "queue")])
            .states
            .iter()
            .all(|state| !state.is_final())
    );
    let paused = filter(&[("state", "PAUSED")]);
    assert_eq!(
        (&paused.states[..], paused.paused),
        (&[JobState::Queued][..], Some(true))
    );
    assert_eq!(filter(&[("state", "QUEUED")]).paused, Some(false));
}

#[test]
fn a_day_begins_and_ends_in_the_sites_time_zone_and_is_whole() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let query = query(&[("submitted_from", "2026-03-29"), ("submitted_to", "2026-03-29")]);
    let filter = query.filter(&berlin).unwrap();
    // The day on which the clocks go forward has 23 hours.
    assert_eq!(filter.submitted_from.unwrap().to_string(), "2026-03-28T23:00:00Z");
    assert_eq!(filter.submitted_to.unwrap().to_string(), "2026-03-29T22:00:00Z");
}

#[test]
fn a_part_needs_three_letters_or_digits_in_a_row() {
    for short in ["a", "ab", "a-b_c", "--- --", "ä%ö"] {
        assert_eq!(
            query(&[("title", short)]).trouble(),
            Some(Trouble::PartTooShort),
            "{short}"
        );
        assert!(
            query(&[("error", short)]).read(&TimeZone::UTC).is_err(),
            "{short}"
        );
    }
    for long in ["", "   ", "abc", "x_188", "übe"] {
        assert_eq!(query(&[("title", long)]).trouble(), None, "{long}");
    }
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    for (name, value, words) in [
        ("state", "busy", "use queue, done, error, PAUSED"),
        ("submitted_from", "yesterday", "2026-11-22"),
        ("finished_to", "2026-13-01", "2026-11-22"),
        ("plugin", "a b", "plugin"),
        ("limit", "0", "1 to 200"),
        ("after", "h.1.2", "after"),
    ] {
        let said = query(&[(name, value)])
            .read(&TimeZone::UTC)
            .unwrap_err()
            .to_string();
        assert!(said.contains(words), "{name}: {said}");
    }
}

#[test]
fn a_search_stands_in_its_address_and_is_read_back() {
    let place = FoundPlace {
        ended: true,
        at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
        id: Uuid::from_u128(7),
    };
    let search = query(&[("title", " Köche & Küche "), ("plugin", "OCR"), ("limit", "7")]);
    let address = search.address(Some(&place));
    assert_eq!(
        address,
        "/search?title=K%C3%B6che%20%26%20K%C3%BCche&plugin=OCR&limit=7&after=e.1700000000123456.00000000000000000000000000000007"
    );
    let uri: axum::http::Uri = address.parse().unwrap();
    let axum::extract::Query(read) = axum::extract::Query::<SearchQuery>::try_from_uri(&uri).unwrap();
    let read = read.read(&TimeZone::UTC).unwrap();
    assert_eq!((read.after, read.limit), (Some(place), 7));
    assert_eq!(read.filter.title.as_deref(), Some("Köche & Küche"));
    assert_eq!(SearchQuery::default().address(None), "/search");
}

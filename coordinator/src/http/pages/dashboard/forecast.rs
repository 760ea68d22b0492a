//! When a page contract will be used up.

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::db::pages::Allowed;

/// Days beyond which nothing is foretold: ten years.
const FAR_DAYS: i64 = 3_650;

/// What is to be expected of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forecast {
    /// Nothing is left; until this day, where a new period begins then.
    UsedUp(Option<Date>),
    /// Nothing was done lately.
    Unknown,
    /// The last page is used on about this day.
    RunsOut(Date),
    /// Enough is left until a new period begins on this day.
    Lasts(Date),
    /// Enough is left for ten years.
    Far,
}

/// Foretells from what was done lately.
///
/// The day is `today + remaining pages × days ÷ pages done on those days`, rounded down; the days are the last 28
/// before today, or as many as have passed since the plugin first did pages within them. Whole weeks count, as less is
/// done on Sundays, and today does not, as it is not over. A limit of a period that would be used up after its end lasts.
pub(super) fn forecast(
    allowed: Allowed,
    next_period: Option<Date>,
    today: Date,
    lately: i64,
    lately_days: i32,
) -> Forecast {
    let left = allowed.pages - allowed.used;
    if left <= 0 {
        return Forecast::UsedUp(next_period);
    }
    if lately <= 0 || lately_days <= 0 {
        return Forecast::Unknown;
    }
    let days = left.saturating_mul(i64::from(lately_days)) / lately;
    let day = (days <= FAR_DAYS)
        .then(|| today.checked_add(days.days()).ok())
        .flatten();
    match (day, next_period) {
        (Some(day), Some(next)) if day >= next => Forecast::Lasts(next),
        (None, Some(next)) => Forecast::Lasts(next),
        (Some(day), _) => Forecast::RunsOut(day),
        (None, None) => Forecast::Far,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);

    fn of(pages: i64, used: i64, next: Option<Date>, lately: i64, days: i32) -> Forecast {
        forecast(Allowed { pages, used }, next, TODAY, lately, days)
    }

    #[test]
    fn what_is_left_lasts_as_many_days_as_it_holds_of_the_last_days_pages() {
        // 280 pages in 28 days are ten a day.
        assert_eq!(
            of(1_000, 900, None, 280, 28),
            Forecast::RunsOut(date(2026, 12, 2))
        );
        assert_eq!(of(1_000, 995, None, 280, 28), Forecast::RunsOut(TODAY));
        // A plugin that has begun three days ago is judged by three days.
        assert_eq!(of(1_000, 900, None, 30, 3), Forecast::RunsOut(date(2026, 12, 2)));
        assert_eq!(of(i64::MAX, 0, None, 1, 28), Forecast::Far);
    }

    #[test]
    fn without_pages_lately_or_with_none_left_no_day_is_foretold() {
        assert_eq!(of(1_000, 900, None, 0, 0), Forecast::Unknown);
        assert_eq!(of(1_000, 1_000, None, 280, 28), Forecast::UsedUp(None));
        let next = Some(date(2026, 12, 1));
        assert_eq!(of(1_000, 1_001, next, 280, 28), Forecast::UsedUp(next));
    }

    #[test]
    fn a_limit_of_a_period_lasts_if_it_would_be_used_up_after_the_period_only() {
        let next = date(2026, 12, 1);
        assert_eq!(of(1_000, 900, Some(next), 280, 28), Forecast::Lasts(next));
        assert_eq!(of(1_000, 910, Some(next), 280, 28), Forecast::Lasts(next));
        assert_eq!(
            of(1_000, 911, Some(next), 280, 28),
            Forecast::RunsOut(date(2026, 11, 30))
        );
        assert_eq!(of(i64::MAX, 0, Some(next), 1, 28), Forecast::Lasts(next));
    }
}

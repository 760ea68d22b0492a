//! Page contracts: what is allowed, what is used, and how much was used lately.

use jiff::civil::Date;

use super::rows;
use crate::control::Period;
use crate::db::{Error, Transaction};

/// Days that count as "lately": whole weeks, as less is done on Sundays.
const LATELY_DAYS: i32 = 28;

/// A limit of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Pages allowed.
    pub pages: i64,
    /// Pages used.
    pub used: i64,
}

/// A plugin's page contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The plugin.
    pub plugin: String,
    /// In all, where that is limited.
    pub total: Option<Allowed>,
    /// In the present period, where that is limited.
    pub in_period: Option<Allowed>,
    /// The period.
    pub period: Period,
    /// The first day of the next period.
    pub next_period: Date,
    /// Today.
    pub today: Date,
    /// Pages done on the last days before today, `LATELY_DAYS` at most.
    pub lately: i64,
    /// On how many days: fewer where the plugin has not worked that long.
    pub lately_days: i32,
}

/// Reads all contracts, by plugin.
pub(super) async fn read(tx: &Transaction<'_>) -> Result<Vec<Contract>, Error> {
    let statement = "-- pages.contracts
        SELECT q.plugin, q.pages_total, q.used_total, q.pages_a_period, q.period, clock.today,
               CASE WHEN q.period_start = quota_period_start(q.period) THEN q.used_in_period ELSE 0 END AS used_in_period,
               (quota_period_start(q.period) + make_interval(
                   months => CASE q.period WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END))::date AS next_period,
               coalesce(lately.pages, 0)::bigint AS lately, coalesce(clock.today - lately.first, 0) AS lately_days
        FROM quotas q
        CROSS JOIN (SELECT (tm_now() AT TIME ZONE 'UTC')::date AS today) AS clock
        CROSS JOIN LATERAL (
            SELECT sum(items) AS pages, min(day) AS first FROM statistics s
            WHERE s.plugin = q.plugin AND s.day >= clock.today - $1::int AND s.day < clock.today) AS lately
        WHERE q.pages_total IS NOT NULL OR q.pages_a_period IS NOT NULL
        ORDER BY q.plugin";
    let allowed = |pages: Option<i64>, used: i64| pages.map(|pages| Allowed { pages, used });
    rows(tx, statement, &[&LATELY_DAYS])
        .await?
        .iter()
        .map(|row| {
            let plugin: String = row.try_get("plugin")?;
            let named: &str = row.try_get("period")?;
            let period = [Period::Month, Period::Quarter, Period::Year]
                .into_iter()
                .find(|period| period.as_str() == named)
                .ok_or_else(|| Error::Inconsistent {
                    table: "quotas",
                    column: "period",
                    row: plugin.clone(),
                })?;
            Ok(Contract {
                plugin,
                total: allowed(row.try_get("pages_total")?, row.try_get("used_total")?),
                in_period: allowed(row.try_get("pages_a_period")?, row.try_get("used_in_period")?),
                period,
                next_period: row.try_get("next_period")?,
                today: row.try_get("today")?,
                lately: row.try_get("lately")?,
                lately_days: row.try_get("lately_days")?,
            })
        })
        .collect()
}

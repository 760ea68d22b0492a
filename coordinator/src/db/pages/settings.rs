//! All that people can set, as it is now.

use jiff::Timestamp;
use shared::job::Priority;
use tokio_postgres::Row;

use super::rows;
use crate::control::{PageSettings, Period, Quota, Settings};
use crate::db::{Error, Transact, Transaction};

/// The settings of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct AllSettings {
    /// Whether jobs start by themselves, whatever their plugin says.
    pub autostart: bool,
    /// Since when that is so.
    pub autostart_since: Timestamp,
    /// Who wants it so; none while nobody has changed it.
    pub autostart_by: Option<String>,
    /// How the pages are.
    pub pages: PageSettings,
    /// The plugins' own, by name.
    pub plugins: Vec<PluginSettings>,
}

/// The settings of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSettings {
    /// Its name.
    pub name: String,
    /// Its title in English.
    pub title_en: String,
    /// Its title in German.
    pub title_de: String,
    /// Whether its jobs start by themselves.
    pub autostart: bool,
    /// Its limits and times; each of them is named.
    pub settings: Settings,
    /// Its page contract.
    pub quota: Quota,
    /// Pages used in all, where pages were ever counted for a contract.
    pub used_total: Option<i64>,
    /// Pages used in the period that is now.
    pub used_in_period: Option<i64>,
}

/// Reads [`AllSettings`].
#[derive(Debug, Clone, Copy)]
pub struct ReadSettings;

impl Transact for ReadSettings {
    const NAME: &'static str = "pages.settings";
    type Output = AllSettings;

    async fn run(&self, tx: &Transaction<'_>) -> Result<AllSettings, Error> {
        let own = "-- pages.own_settings
            SELECT autostart, autostart_since, autostart_by, refresh_seconds, jobs_on_dashboard FROM settings";
        let own = tx.query_one(&tx.prepare_cached(own).await?, &[]).await?;
        let plugins = rows(
            tx,
            "-- pages.plugin_settings
             SELECT p.*, q.pages_total, q.pages_a_period, q.period, q.used_total,
                    CASE WHEN q.period_start < quota_period_start(q.period) THEN 0 ELSE q.used_in_period END
                        AS used_in_period
             FROM plugins p LEFT JOIN quotas q ON q.plugin = p.name ORDER BY p.name",
            &[],
        )
        .await?;
        Ok(AllSettings {
            autostart: own.try_get("autostart")?,
            autostart_since: own.try_get("autostart_since")?,
            autostart_by: own.try_get("autostart_by")?,
            pages: page_settings(&own)?,
            plugins: plugins.iter().map(plugin).collect::<Result<_, Error>>()?,
        })
    }
}

/// Reads how the pages are.
#[derive(Debug, Clone, Copy)]
pub struct ReadPageSettings;

impl Transact for ReadPageSettings {
    const NAME: &'static str = "pages.page_settings";
    type Output = PageSettings;

    async fn run(&self, tx: &Transaction<'_>) -> Result<PageSettings, Error> {
        let read = "-- pages.page_settings\nSELECT refresh_seconds, jobs_on_dashboard FROM settings";
        page_settings(&tx.query_one(&tx.prepare_cached(read).await?, &[]).await?)
    }
}

fn page_settings(row: &Row) -> Result<PageSettings, Error> {
    Ok(PageSettings {
        refresh_seconds: row.try_get("refresh_seconds")?,
        jobs_on_dashboard: row.try_get("jobs_on_dashboard")?,
    })
}

fn plugin(row: &Row) -> Result<PluginSettings, Error> {
    let name: String = row.try_get("name")?;
    let wrong = |table, column| Error::Inconsistent {
        table,
        column,
        row: name.clone(),
    };
    let priority = i64::from(row.try_get::<_, i16>("default_priority")?);
    let pages = |column| -> Result<Option<u32>, Error> {
        let number: Option<i64> = row.try_get(column)?;
        let number = number.map(u32::try_from).transpose();
        number.map_err(|_| wrong("quotas", column))
    };
    let period = match row.try_get::<_, Option<&str>>("period")? {
        None => Period::default(),
        Some(name) => [Period::Month, Period::Quarter, Period::Year]
            .into_iter()
            .find(|period| period.as_str() == name)
            .ok_or_else(|| wrong("quotas", "period"))?,
    };
    Ok(PluginSettings {
        title_en: row.try_get("title_en")?,
        title_de: row.try_get("title_de")?,
        autostart: row.try_get("autostart")?,
        settings: Settings {
            running_max: Some(row.try_get("running_max")?),
            retries_max: Some(row.try_get("retries_max")?),
            retry_first_seconds: Some(row.try_get("retry_first_seconds")?),
            retry_longest_seconds: Some(row.try_get("retry_longest_seconds")?),
            ageing_minutes: Some(row.try_get("ageing_minutes")?),
            lease_seconds: Some(row.try_get("lease_seconds")?),
            run_budget_seconds: Some(row.try_get("run_budget_seconds")?),
            disconnect_limit_seconds: Some(row.try_get("disconnect_limit_seconds")?),
            default_priority: Some(
                Priority::try_from(priority).map_err(|_| wrong("plugins", "default_priority"))?,
            ),
            keep_done_jobs: Some(row.try_get("keep_done_jobs")?),
            keep_done_days: Some(row.try_get("keep_done_days")?),
            keep_failed_jobs: Some(row.try_get("keep_failed_jobs")?),
            keep_failed_days: Some(row.try_get("keep_failed_days")?),
        },
        quota: Quota {
            pages_total: pages("pages_total")?,
            pages_a_period: pages("pages_a_period")?,
            period,
        },
        used_total: row.try_get("used_total")?,
        used_in_period: row.try_get("used_in_period")?,
        name,
    })
}

//! Maintained figures against recounts.

use anyhow::Result;

use super::super::site::Site;
use super::Check;

/// Each query gives what is wrong, a line a row.
pub(crate) const QUERIES: [(&str, &str); 5] = [
    (
        "statistics are what history says",
        "SELECT format('%s %s: %s jobs and %s items counted, %s and %s in history', plugin, outcome, counted.jobs,
             counted.items, real.jobs, real.items)
         FROM (SELECT plugin, outcome, sum(jobs) AS jobs, sum(items) AS items
               FROM statistics GROUP BY 1, 2) AS counted
         FULL JOIN (SELECT plugin, lower(state) AS outcome, count(*) AS jobs, sum(items_done) AS items
                    FROM job_history GROUP BY 1, 2) AS real USING (plugin, outcome)
         WHERE (counted.jobs, counted.items) IS DISTINCT FROM (real.jobs, real.items)",
    ),
    (
        "the sums over history are what history says",
        "SELECT format('%s %s: %s jobs and %s pages summed, %s and %s in history', plugin, state, summed.jobs,
             summed.pages, real.jobs, real.pages)
         FROM (SELECT plugin, state, sum(jobs) AS jobs, sum(pages) AS pages, sum(bytes) AS bytes
               FROM history_sums GROUP BY 1, 2 HAVING sum(jobs) <> 0) AS summed
         FULL JOIN (SELECT plugin, state, count(*) AS jobs, sum(items_done) AS pages, sum(bytes) AS bytes
                    FROM job_history GROUP BY 1, 2) AS real USING (plugin, state)
         WHERE (summed.jobs, summed.pages, summed.bytes) IS DISTINCT FROM (real.jobs, real.pages, real.bytes)",
    ),
    (
        "running attempts are counted right: none",
        "SELECT format('%s: %s running', key, running) FROM limit_keys WHERE running <> 0
         UNION ALL SELECT format('lease of %s: attempt %s on %s', job_id, attempt, worker_id) FROM leases",
    ),
    (
        "what is used of page contracts is what their ledger says",
        "SELECT format('%s: %s pages used, %s booked', plugin, used_total, booked)
         FROM quotas CROSS JOIN LATERAL (
             SELECT coalesce(sum(pages), 0) AS booked FROM quota_ledger WHERE quota_ledger.plugin = quotas.plugin) AS ledger
         WHERE used_total <> booked",
    ),
    (
        "no row of an ended job is left behind",
        "SELECT format('job %s', id) FROM jobs
         UNION ALL SELECT format('details of %s', job_id) FROM job_details
             WHERE job_id NOT IN (SELECT id FROM jobs)
         UNION ALL SELECT format('attempts of %s', job_id) FROM attempts
             WHERE job_id NOT IN (SELECT id FROM jobs UNION SELECT id FROM job_history)
         UNION ALL SELECT format('items of %s', job_id) FROM items
             WHERE job_id NOT IN (SELECT id FROM jobs UNION SELECT id FROM job_history)
         UNION ALL SELECT format('key %s of %s', key, job_id) FROM idempotency_keys
             WHERE job_id NOT IN (SELECT id FROM jobs UNION SELECT id FROM job_history)",
    ),
];

/// All of them.
pub(super) fn all(site: &Site) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, query) in QUERIES {
        let mut check = Check::new(name);
        check.looked_at = 1;
        check
            .findings
            .extend(site.sql(query, &[])?.iter().map(|row| row.get::<_, String>(0)));
        checks.push(check);
    }
    Ok(checks)
}

//! What is rarely seen on a page, all at once: every reason to wait, stopped plugins, contracts, failures, deliveries
//! that did not arrive. Jobs are as coordinators and workers leave them in the tables.

use shared::job::JobId;
use tests::Cluster;
use uuid::Uuid;

/// The jobs that have pages worth seeing.
#[derive(Debug)]
pub(super) struct Rare {
    pub(super) failed: JobId,
    pub(super) waiting: JobId,
    pub(super) running: JobId,
}

/// An error as long as they come.
const LONG_ERROR: &str = "00000042.tif: unlesbar, die Datei endet mitten in einem Streifen; \
    tesseract meldete: Fehler in pixReadStreamTiff, Fehler in pixReadTiff, Fehler in fileFormatInfo; danach wurden \
    /opt/digiverso/goobi/metadata/27/images/kirchenbuch_taufen_1748_bis_1791_media/00000042.tif und \
    /opt/digiverso/goobi/metadata/27/images/kirchenbuch_taufen_1748_bis_1791_media/00000043.tif ausgelassen";

/// Plugins that no worker here serves, and how they stand.
const PLUGINS: &str = "INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template, state,
        state_by, state_reason, stop_deadline, resume_at, running_max, autostart)
    VALUES ('JP2', 'JPEG 2000', 'JPEG 2000', false, false, false, 'stopped', 'anna', 'Bandwechsel', NULL,
            now() + interval '2 hours', NULL, true),
        ('PDF', 'PDF', 'PDF', false, false, false, 'stopping', 'anna', 'Wartung', now() + interval '1 hour', NULL, NULL, true),
        ('ALTO', 'ALTO', 'ALTO', false, false, false, 'running', NULL, NULL, NULL, NULL, NULL, true),
        ('METS', 'METS', 'METS', false, false, false, 'running', NULL, NULL, NULL, NULL, NULL, true),
        ('SHELL', 'Shell', 'Shell', false, false, false, 'running', NULL, NULL, NULL, NULL, 1, true),
        ('TIFF', 'TIFF', 'TIFF', false, false, false, 'running', NULL, NULL, NULL, NULL, NULL, false)";

/// Workers that serve some of them: one that is well, one that has fallen silent, one that drains.
const WORKERS: &str = "WITH made AS (
        INSERT INTO workers (id, name, host, version, amqp_user, draining, rss_bytes, reply_to, checks, announced_at, heartbeat_at)
        VALUES ('archiv-1', 'archiv-1', 'archiv', '1.0.0', 'archiv', false, 140000000, 'archiv-1', '[]', now(), now() + interval '1 hour'),
            ('archiv-2', 'archiv-2', 'archiv', '1.0.0', 'archiv', false, 0, 'archiv-2', '[]', now(), now() - interval '5 min'),
            ('archiv-3', 'archiv-3', 'archiv', '1.0.0', 'archiv', true, 0, 'archiv-3', '[]', now(), now() + interval '1 hour')
        RETURNING id)
    INSERT INTO worker_plugins SELECT id, plugin, 2 FROM made CROSS JOIN (VALUES ('SHELL'), ('PDF'), ('METS')) AS served(plugin)";

const QUOTAS: &str = "INSERT INTO quotas (plugin, pages_total, pages_a_period, period, used_total, used_in_period, period_start)
    SELECT plugin, total, a_period, period, used, lately, quota_period_start(period)
    FROM (VALUES ('ALTO', NULL, 100, 'month', 340, 100), ('METS', 10000, 4000, 'quarter', 1200, 310),
        ('NOOP', 9000, NULL, 'year', 0, 0)) AS agreed(plugin, total, a_period, period, used, lately)";

/// What was done in the last months, by which forecasts and charts go.
const DONE: &str = "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
    SELECT (now() AT TIME ZONE 'UTC')::date - n * 5, plugin, '', 'done', 3 + n % 5, 40, 2400000, 120
    FROM generate_series(1, 60) AS n CROSS JOIN (VALUES ('METS'), ('NOOP')) AS served(plugin)";

/// Waiting jobs, one for each reason; `autostart` is off, so that all but those that were started by hand wait for that.
const WAITING: &str = "WITH made AS (
        INSERT INTO jobs (id, plugin, title, state, priority, held, start_now, cancel_requested, run_at, failures,
            published_dispatch, published_at, waits_for)
        SELECT gen_random_uuid(), plugin, title, state, 5, held, start_now, cancelled,
            CASE WHEN state = 'SCHEDULED' THEN now() + interval '3 hours' END, failures,
            CASE WHEN storage IS NULL THEN 1 ELSE 0 END, now(), storage
        FROM (VALUES
            ('NOOP', 'Taufen 1748', 'QUEUED', true, false, false, 0, NULL),
            ('NOOP', 'Taufen 1749', 'QUEUED', false, false, false, 0, NULL),
            ('NOOP', 'Taufen 1750', 'SCHEDULED', false, false, false, 2, NULL),
            ('NOOP', 'Taufen 1751', 'SCHEDULED', false, false, false, 0, NULL),
            ('NOOP', 'Taufen 1752', 'BLOCKED', false, false, false, 0, NULL),
            ('JP2', 'Trauungen 1753', 'QUEUED', false, true, false, 0, NULL),
            ('PDF', 'Trauungen 1754', 'QUEUED', false, true, false, 0, NULL),
            ('ALTO', 'Trauungen 1755', 'QUEUED', false, true, false, 0, NULL),
            ('TIFF', 'Sterbefälle 1756', 'QUEUED', false, true, false, 0, NULL),
            ('SHELL', 'Sterbefälle 1757', 'QUEUED', false, true, false, 0, NULL),
            ('METS', 'Sterbefälle 1758', 'QUEUED', false, true, false, 0, NULL),
            ('METS', 'Sterbefälle 1759', 'QUEUED', false, true, false, 0, NULL),
            ('METS', 'Sterbefälle 1760', 'QUEUED', false, true, false, 0, 'storage:/data/band'))
            AS wanted(plugin, title, state, held, start_now, cancelled, failures, storage)
        RETURNING id)
    INSERT INTO job_details (job_id, process_id, step_id, source, parameters, extra, submitted_by)
    SELECT id, '27', '6519', '/data/band/27', '{\"language\": \"deu\"}', '{\"font_type\": \"antiqua\"}', 'goobi' FROM made";

/// Jobs that run, as far as the tables go; one of them is about to be cancelled.
const RUNNING: &str = "WITH made AS (
        INSERT INTO jobs (id, plugin, title, state, priority, attempt, claim_attempt, claim_id, started_at, cancel_requested,
            published_dispatch)
        SELECT gen_random_uuid(), plugin, title, 'PROCESSING', 5, 1, 1, gen_random_uuid(), now(), cancelled, 1
        FROM (VALUES ('PDF', 'Intelligenzblatt 1813', false), ('SHELL', 'Intelligenzblatt 1814', true)) AS wanted(plugin, title, cancelled)
        RETURNING id, claim_id),
    details AS (
        INSERT INTO job_details (job_id, process_id, source, parameters, extra, submitted_by)
        SELECT id, '28', '/data/band/28', '{}', '{}', 'goobi' FROM made)
    INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at) SELECT id, 1, claim_id, 'archiv-1', now() FROM made";

/// Their leases, which count against limits by what stands in the other tables.
const LEASES: &str =
    "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, percent, items_done,
        items_failed, items_total, detail)
    SELECT id, 1, claim_id, 'archiv-1', 3600, now() + interval '1 hour', 40, 4, 1, 10, '00000005.tif'
    FROM jobs WHERE state = 'PROCESSING'";

const ENDED: &str = "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at, finished_at,
        items_done, items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by, process_id, step_id,
        source, target, callback_url)
    SELECT gen_random_uuid(), 'NOOP', 'Adressbuch ' || 1820 + n, (ARRAY['DONE', 'ERROR', 'CANCELLED'])[1 + n % 3], 5, 2,
        now() - interval '2 hours', now() - interval '1 hour', now() - make_interval(days => n * 11, mins => n), 100, n % 3 % 2, 111,
        2400000, CASE WHEN n % 3 = 1 THEN $1::text END, '{\"pages\": 111}', '{\"language\": \"deu\"}', '{}', 'goobi', '29', '6520',
        '/data/29/images', '/data/29/ocr', 'http://goobi.example/api'
    FROM generate_series(1, 9) AS n";

/// What belongs to a job that has ended: pages, attempts, its log, and messages of every state.
const ABOUT_ENDED: [&str; 5] = [
    "INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms, error)
        SELECT $1::text::uuid, to_char(n, 'FM00000000') || '.tif', n, (ARRAY['done', 'failed', 'skipped'])[1 + n % 3], 1, '[]', 1234,
            CASE WHEN n % 3 = 1 THEN repeat('Der Streifen ist zu kurz. ', 12) END FROM generate_series(1, 12) AS n",
    "INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at, ended_at, outcome, error_class, error, exit_code)
        SELECT $1::text::uuid, n, gen_random_uuid(), 'archiv-1', now() - interval '1 hour', now() - interval '50 min',
            (ARRAY['failed', 'lost', 'interrupted', 'cancelled'])[n], (ARRAY['retryable', NULL, NULL, NULL])[n],
            CASE WHEN n = 1 THEN repeat('Kein Platz auf /data/29. ', 12) END, CASE WHEN n = 1 THEN 3 END
        FROM generate_series(1, 4) AS n",
    "INSERT INTO job_logs (job_id, attempt, claim_id, line, job_submitted_at, text)
        SELECT id, 1, gen_random_uuid(), n, submitted_at, 'Zeile ' || n FROM job_history, generate_series(1, 30) AS n
        WHERE id = $1::text::uuid",
    "INSERT INTO deliveries (id, job_id, plugin, number, kind, target, host, headers, payload, repeatable, state, tries,
            next_try_at, last_try_at, last_answer, settled_at)
        SELECT gen_random_uuid(), $1::text::uuid, 'NOOP', n, (ARRAY['callback', 'goobi_message', 'goobi_step', 'goobi_journal'])[n],
            'http://goobi.example/api/' || n, 'goobi.example', '{}',
            '{\"userName\": \"anna\", \"type\": \"info\", \"message\": \"Bitte neu scannen\"}', n = 1,
            (ARRAY['failed', 'unclear', 'pending', 'delivered'])[n], 7, now() + interval '5 hours', now(),
            '503 ' || repeat('goobi.example antwortet nicht. ', 9), CASE WHEN n <> 3 THEN now() END
        FROM generate_series(1, 4) AS n",
    "INSERT INTO audit_log (actor, action, plugin, job_id, details, outcome)
        SELECT 'anna', action, 'NOOP', $1::text::uuid, '{}', outcome FROM (VALUES ('hold', 'done'), ('release', 'unchanged'),
            ('cancel', 'refused'), ('delete', 'forbidden')) AS was(action, outcome)",
];

/// Puts all of it into the database.
pub(super) fn fill(cluster: &Cluster) -> Rare {
    for statement in [
        "UPDATE settings SET autostart = false, autostart_by = 'anna'",
        "INSERT INTO storages (path, running_max) VALUES ('/data/band', 2)",
        PLUGINS,
        WORKERS,
        QUOTAS,
        DONE,
        RUNNING,
        LEASES,
        WAITING,
    ] {
        cluster.sql(statement, &[]);
    }
    cluster.sql(ENDED, &[&LONG_ERROR]);
    let failed = job(cluster, "job_history", "Adressbuch 1821");
    for statement in ABOUT_ENDED {
        cluster.sql(statement, &[&failed.to_string()]);
    }
    Rare {
        failed,
        waiting: job(cluster, "jobs", "Taufen 1750"),
        running: job(cluster, "jobs", "Intelligenzblatt 1813"),
    }
}

fn job(cluster: &Cluster, table: &str, title: &str) -> JobId {
    let found = cluster.sql(
        &format!("SELECT id::text FROM {table} WHERE title = $1"),
        &[&title],
    );
    let id: String = found[0].get(0);
    JobId(id.parse::<Uuid>().unwrap())
}

//! Takes the pictures of the documents: a library's system in the middle of a day, made up in the tables.
//!
//! `cargo build --workspace --bins` first, then `cargo run -p tests --bin pictures`. They go to `docs/pictures`.

use launcher::workspace;
use tests::browser::Screen;
use tests::{Browser, Cluster, LIMIT, eventually};

/// What is done to the tables, in this order. No worker here serves these plugins, so all stays as it is put.
const DAY: [&str; 9] = [
    "INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template, state, state_by,
         state_reason, resume_at, running_max)
     VALUES ('OCR', 'Text recognition', 'Texterkennung', false, false, false, 'running', NULL, NULL, NULL, 2),
         ('JP2', 'JPEG 2000', 'JPEG 2000', false, false, false, 'running', NULL, NULL, NULL, NULL),
         ('PDF', 'PDF of the volume', 'PDF des Bandes', false, false, false, 'running', NULL, NULL, NULL, NULL),
         ('INGEST', 'Copy to the archive', 'Kopie ins Archiv', false, false, false, 'stopped', 'Anna Bauer',
          'Bandwechsel', date_trunc('hour', now()) + interval '3 hours', NULL)",
    "WITH made AS (
         INSERT INTO workers (id, name, host, version, amqp_user, draining, rss_bytes, reply_to, checks, announced_at, heartbeat_at)
         SELECT name, name, host, '0.1.0', 'workers', false, 180000000 + n * 31000000, name, '[]', now(), now() + interval '1 hour'
         FROM (VALUES (1, 'lesesaal-1', 'lesesaal'), (2, 'lesesaal-2', 'lesesaal'), (3, 'magazin-1', 'magazin')) AS w(n, name, host)
         RETURNING id)
     INSERT INTO worker_plugins SELECT id, plugin, 2 FROM made CROSS JOIN (VALUES ('OCR'), ('JP2'), ('PDF')) AS s(plugin)",
    "INSERT INTO quotas (plugin, pages_total, pages_a_period, period, used_total, used_in_period, period_start)
     SELECT 'OCR', NULL, 40000, 'quarter', 312450, 23180, quota_period_start('quarter')",
    "INSERT INTO statistics (day, plugin, project, outcome, jobs, items, bytes, seconds)
     SELECT (now() AT TIME ZONE 'UTC')::date - n, plugin, '', 'done', 2 + (n * 7 + length(plugin)) % 6, 400, 2400000000, 1200
     FROM generate_series(0, 330) AS n CROSS JOIN (VALUES ('OCR'), ('JP2'), ('INGEST')) AS s(plugin)
     UNION ALL SELECT (now() AT TIME ZONE 'UTC')::date, 'OCR', '', 'error', 1, 183, 1100000000, 900",
    "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at, finished_at, items_done,
         items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by, process_id, step_id)
     SELECT gen_random_uuid(), (ARRAY['OCR', 'JP2', 'PDF'])[1 + n % 3],
         (ARRAY['Leipziger Zeitung', 'Kirchenbuch Taufen', 'Adressbuch', 'Kochbuch'])[1 + n % 4] || ' ' || 1780 + n,
         CASE WHEN n % 7 = 3 THEN 'ERROR' ELSE 'DONE' END, 5, 1, now() - make_interval(mins => n * 9 + 30),
         now() - make_interval(mins => n * 9 + 20), now() - make_interval(mins => n * 9), 180 + n, CASE WHEN n % 7 = 3 THEN 1 ELSE 0 END,
         180 + n + CASE WHEN n % 7 = 3 THEN 1 ELSE 0 END, 1000000000 + n * 7000000,
         CASE WHEN n % 7 = 3 THEN '1 of ' || 181 + n || ' pages could not be read: 00000042.tif: tesseract ended with exit code 1: Premature end of TIFF file' END,
         '{}', '{\"language\": \"deu\"}', '{}', 'goobi', (4100 + n)::text, (70500 + n)::text
     FROM generate_series(1, 40) AS n",
    "WITH made AS (
         INSERT INTO jobs (id, plugin, title, state, priority, attempt, claim_attempt, claim_id, started_at, submitted_at, published_dispatch)
         SELECT gen_random_uuid(), plugin, title, 'PROCESSING', priority, 1, 1, gen_random_uuid(), now() - make_interval(mins => began),
             now() - make_interval(mins => began + 12), 1
         FROM (VALUES ('OCR', 'Leipziger Zeitung 1813', 8, 14), ('OCR', 'Der abenteuerliche Simplicissimus', 5, 6),
                      ('JP2', 'Intelligenzblatt 1804', 5, 31)) AS wanted(plugin, title, priority, began)
         RETURNING id, claim_id, title),
     details AS (
         INSERT INTO job_details (job_id, process_id, step_id, step_name, project, source, target, parameters, extra, submitted_by)
         SELECT id, number, '7' || number, 'Texterkennung', 'Zeitungen', '/data/' || number || '/images', '/data/' || number,
             '{\"language\": \"deu\"}', '{}', 'goobi'
         FROM (SELECT id, (4171 + 3 * row_number() OVER (ORDER BY title))::text AS number FROM made) AS numbered)
     INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at)
     SELECT id, 1, claim_id, CASE WHEN title LIKE 'I%' THEN 'magazin-1' ELSE 'lesesaal-1' END, now() - interval '6 min' FROM made",
    "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, percent, items_done, items_failed,
         items_total, detail, bytes)
     SELECT jobs.id, 1, jobs.claim_id, worker_id, 3600, now() + interval '1 hour', done * 100.0 / total, done, 0, total,
         'page ' || done + 1 || ' of ' || total, done * 6100000::bigint
     FROM jobs JOIN attempts ON job_id = jobs.id
     JOIN (VALUES ('Leipziger Zeitung 1813', 148, 212), ('Der abenteuerliche Simplicissimus', 61, 640),
                  ('Intelligenzblatt 1804', 402, 416)) AS p(title, done, total) ON p.title = jobs.title",
    "WITH made AS (
         INSERT INTO jobs (id, plugin, title, state, priority, held, submitted_at, published_dispatch, published_at)
         SELECT gen_random_uuid(), plugin, title, 'QUEUED', priority, held, now() - make_interval(mins => ago), 1, now()
         FROM (VALUES ('OCR', 'Faust. Der Tragödie erster Teil', 7, false, 41), ('OCR', 'Atlas des Erzgebirges', 5, false, 33),
                      ('OCR', 'Sächsisches Kochbuch 1884', 5, true, 29), ('OCR', 'Stammbuch Müller', 3, false, 12),
                      ('INGEST', 'Kirchenbuch Taufen 1748', 5, false, 55), ('INGEST', 'Kirchenbuch Taufen 1749', 5, false, 54))
             AS wanted(plugin, title, priority, held, ago)
         RETURNING id)
     INSERT INTO job_details (job_id, process_id, step_id, parameters, extra, submitted_by)
     SELECT id, number, '7' || number, '{}', '{}', 'goobi'
     FROM (SELECT id, (4190 + row_number() OVER (ORDER BY id))::text AS number FROM made) AS numbered",
    "INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms)
     SELECT jobs.id, to_char(n, 'FM00000000') || '.tif', n, 'done', 1, '[]', 3100 + n * 137 % 900
     FROM jobs, generate_series(1, 61) AS n WHERE title LIKE 'Der abent%'",
];

fn main() {
    let cluster = Cluster::named("pictures")
        .plugins("NOOP=1")
        .expecting("are sent again")
        .start();
    eventually(LIMIT, "the worker to announce its plugin", || {
        let plugins = cluster.count("SELECT count(*) FROM plugins");
        (plugins > 0).then_some(()).ok_or_else(|| "none".to_owned())
    });
    for statement in DAY {
        cluster.sql(statement, &[]);
    }
    let job = "SELECT id::text FROM jobs WHERE title LIKE 'Der abent%'";
    let job: String = cluster.sql(job, &[])[0].get(0);
    let browser = cluster.browser();
    for (name, screen, address) in [
        // First the one without scrollbars: on the others they are hidden from the second picture on.
        ("phone", Screen::PHONE.dark(), "/?lang=de"),
        ("dashboard", Screen::DESKTOP, "/?lang=en"),
        ("queue", Screen::DESKTOP, "/?plugin=OCR&lang=de"),
        ("job", Screen::DESKTOP, &format!("/jobs/{job}?lang=en")),
        ("errors", Screen::DESKTOP.dark(), "/?tab=error&lang=de"),
        ("workers", Screen::DESKTOP, "/workers?lang=en"),
    ] {
        take(
            &browser,
            name,
            screen,
            &format!("{}{address}", cluster.api().base()),
        );
    }
}

fn take(browser: &Browser, name: &str, screen: Screen, address: &str) {
    browser.use_screen(screen);
    browser.open(address);
    let picture = browser.take_picture_of_window(name);
    let folder = workspace().join("docs/pictures");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::copy(picture, folder.join(format!("{name}.png"))).expect("the picture can be copied");
}

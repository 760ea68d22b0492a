//! Measures how long lists and searches take on the server with a million ended jobs: it measures, it asserts nothing
//! about time.
//!
//! `cargo xtask bench history [JOBS]` runs it on release builds and private servers; figures are kept in `README.md`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::time::Instant;

use tests::api::Api;
use tests::{Cluster, LIMIT, eventually};

/// How often each address is asked for.
const TIMES: usize = 25;
/// Unfinished jobs beside the ended ones.
const WAITING: i64 = 50_000;
/// Ended jobs that are written in one statement.
const PORTION: usize = 50_000;
/// Seconds between the ends of two jobs: a million are a year.
const SECONDS_BETWEEN: i64 = 31;

fn main() {
    let jobs: i64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let cluster = Cluster::named("history").plugins("NOOP=1").start();
    eventually(LIMIT, "the worker to announce its plugin", || {
        let plugins = cluster.count("SELECT count(*) FROM plugins");
        (plugins > 0).then_some(()).ok_or_else(|| "none".to_owned())
    });
    fill(&cluster, jobs);
    println!("ended jobs {jobs}, waiting jobs {WAITING}, each address {TIMES} times");
    println!("| address | median ms | slowest ms |\n|---|---|---|");
    let api = cluster.api();
    for address in addresses(&cluster) {
        let (median, slowest) = measure(&api, &address);
        println!("| `{address}` | {median:.1} | {slowest:.1} |");
    }
}

/// Writes a year of ended jobs: some titles that all have, some that few have, some that only old ones have.
fn fill(cluster: &Cluster, jobs: i64) {
    for statement in [
        "INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template)
         SELECT name, name, name, false, false, false FROM unnest(ARRAY['OCR', 'JP2', 'PDF', 'ALTO', 'COPY']) AS name
         ON CONFLICT DO NOTHING",
        "UPDATE plugins SET autostart = false",
        "DO $$ BEGIN
             FOR back IN 1..13 LOOP
                 EXECUTE (SELECT format('CREATE TABLE IF NOT EXISTS job_history_%s PARTITION OF job_history
                                         FOR VALUES FROM (%L) TO (%L)',
                              to_char(month, 'YYYY_MM'), month, month + interval '1 month')
                          FROM (SELECT date_trunc('month', now()) - make_interval(months => back)) AS m (month));
             END LOOP;
         END $$",
    ] {
        cluster.sql(statement, &[]);
    }
    for begin in (0..jobs).step_by(PORTION) {
        let end = jobs.min(begin + i64::try_from(PORTION).expect("a small number"));
        cluster.sql(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at, finished_at,
                 items_done, items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by,
                 process_id, step_id)
             SELECT gen_random_uuid(), (ARRAY['OCR', 'JP2', 'PDF', 'ALTO', 'COPY'])[(1 + n % 5)::int],
                 (ARRAY['zeitung', 'kochbuch', 'huckleberry', 'kirchenbuch', 'briefe'])[(1 + n % 5)::int] || '_'
                     || (1600 + n % 400) || CASE WHEN n * 5 BETWEEN $3::bigint * 3 AND $3 * 4 THEN '_nachlass_' ELSE '_' END
                     || lpad(n::text, 7, '0'),
                 CASE WHEN n % 50 = 0 THEN 'ERROR' WHEN n % 201 = 0 THEN 'CANCELLED' ELSE 'DONE' END, 5, 1,
                 ended - interval '2 hours', ended - interval '1 hour', ended, 100, 0, 100, 123456789,
                 CASE WHEN n % 50 = 0 THEN 'page ' || n % 997 || ': '
                     || (ARRAY['file is unreadable', 'disk is full', 'exit code 3'])[(1 + n / 50 % 3)::int] END,
                 '{\"pages\": 100}', '{\"language\": \"deu\"}', '{}', 'goobi', (n / 10)::text, n::text
             FROM (SELECT n, now() - make_interval(secs => (n * $4::bigint)::float8) AS ended
                   FROM generate_series($1::bigint, $2::bigint - 1) AS n) AS made",
            &[&begin, &end, &jobs, &SECONDS_BETWEEN],
        );
    }
    cluster.sql(
        "WITH made AS (
             INSERT INTO jobs (id, plugin, title, state, priority)
             SELECT gen_random_uuid(), 'OCR', 'waiting_' || n, 'QUEUED', n % 11 FROM generate_series(1, $1::bigint) AS n
             RETURNING id, title)
         INSERT INTO job_details (job_id, process_id, parameters, extra, submitted_by)
         SELECT id, title, '{}', '{}', 'goobi' FROM made",
        &[&WAITING],
    );
    // As the database does by itself within minutes.
    cluster.sql("VACUUM ANALYZE", &[]);
}

/// All pages, then lists and searches: common, rare, absent, and what only old jobs have; the last pages of some.
fn addresses(cluster: &Cluster) -> Vec<String> {
    let day = |days: i32| -> String {
        cluster.sql(
            "SELECT to_char(now() - make_interval(days => $1), 'YYYY-MM-DD')",
            &[&days],
        )[0]
        .get(0)
    };
    let (from, to) = (day(200), day(198));
    let job = |table: &str| -> String {
        let id = format!("SELECT id::text FROM {table} ORDER BY id LIMIT 1");
        cluster.sql(&id, &[])[0].get(0)
    };
    let (waiting, ended) = (job("jobs"), job("job_history"));
    let mut all = pages(&ended);
    let lists = [
        "/settings?plugin=OCR",
        "/audit?plugin=OCR",
        "/?tab=queue",
        "/?tab=done",
        "/?tab=error",
        "/?plugin=OCR",
        "/?plugin=OCR&tab=done",
        "/?plugin=OCR&tab=error",
        "/search?title=huckleberry",
        "/search?title=0777123",
        "/search?title=nachlass",
        "/search?title=1884",
        "/search?title=xyzzy",
        "/search?title=waiting_77",
        "/search?title=0777&plugin=OCR",
        "/search?error=disk+is+full",
        "/search?error=page+77%3A+exit",
        "/search?process=777",
        "/search?step=7777",
        "/search?state=CANCELLED",
        "/search?state=error&plugin=JP2",
    ];
    all.extend(lists.map(str::to_owned));
    all.push(format!("/jobs/{waiting}"));
    all.push(format!("/search?submitted_from={from}&submitted_to={to}"));
    all.push(format!(
        "/search?finished_from={from}&finished_to={to}&state=error"
    ));
    all.push(format!("/search?title=1884&finished_to={from}"));
    all
}

/// Every page of the coordinator's own list that is behind the door, of one ended job where it is about one.
fn pages(job: &str) -> Vec<String> {
    let routes = coordinator::http::routes();
    let pages = routes.iter().filter(|route| {
        route.kind == coordinator::http::Kind::Page && route.method == "GET" && route.needs.is_some()
    });
    pages
        .map(|route| {
            let told = if route.path == "/jobs/outcome" {
                "?action=hold&done=3"
            } else {
                ""
            };
            format!(
                "{}{told}",
                route.path.replace("{id}", job).replace("{name}", "OCR")
            )
        })
        .collect()
}

fn measure(api: &Api, address: &str) -> (f64, f64) {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let began = Instant::now();
            let answer = api.get(address).expect("an answer");
            assert_eq!(answer.status, 200, "{address}: {}", answer.body);
            began.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[TIMES / 2], times[TIMES - 1])
}

//! Rows for the readings, written as SQL: what the rest of the coordinator leaves in the tables.

use std::fmt::Write as _;

use shared::job::JobId;
use uuid::Uuid;

/// Collects rows; [`Sample::sql`] is the statements that make them.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    statements: String,
}

/// The id of the job with a title.
pub(crate) fn id(title: &str) -> JobId {
    let mut bytes = [0x70_u8; 16];
    for (index, byte) in title.bytes().enumerate() {
        bytes[index % 16] = bytes[index % 16].wrapping_mul(31).wrapping_add(byte);
    }
    JobId(Uuid::from_bytes(bytes))
}

impl Sample {
    pub(crate) fn sql(&self) -> String {
        self.statements.clone()
    }

    fn add(&mut self, statement: &str) -> &mut Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.statements, "{statement};");
        self
    }

    pub(crate) fn plugin(&mut self, name: &str) -> &mut Self {
        self.add(&format!(
            "INSERT INTO plugins (name, title_en, title_de, needs_source, needs_target, needs_template)
             VALUES ('{name}', '{name} in English', '{name} auf Deutsch', false, false, false)"
        ))
    }

    pub(crate) fn worker(
        &mut self,
        name: &str,
        plugin: &str,
        slots: i16,
        silent: i32,
        draining: bool,
    ) -> &mut Self {
        self.add(&format!(
            "INSERT INTO workers (id, name, host, version, amqp_user, draining, reply_to, checks, announced_at,
                                  heartbeat_at)
             VALUES ('{name}', '{name}', 'host', '0', 'user', {draining}, 'reply', '[]', tm_now(),
                     tm_now() - make_interval(secs => {silent}))"
        ));
        self.add(&format!(
            "INSERT INTO worker_plugins VALUES ('{name}', '{plugin}', {slots})"
        ))
    }

    pub(crate) fn waiting(&mut self, plugin: &str, title: &str, priority: i32) -> &mut Self {
        let id = id(title);
        self.add(&format!(
            "INSERT INTO jobs (id, plugin, title, state, priority, queued_at)
             VALUES ('{id}', '{plugin}', '{title}', 'QUEUED', {priority}, tm_now() - interval '5 s')"
        ));
        self.details(title)
    }

    pub(crate) fn running(&mut self, plugin: &str, title: &str, priority: i32) -> &mut Self {
        let (id, claim) = (id(title), id(&format!("claim of {title}")));
        self.add(&format!(
            "INSERT INTO jobs (id, plugin, title, state, priority, attempt, claim_attempt, claim_id, started_at)
             VALUES ('{id}', '{plugin}', '{title}', 'PROCESSING', {priority}, 1, 1, '{claim}', tm_now())"
        ));
        self.add(&format!(
            "INSERT INTO leases (job_id, attempt, claim_id, worker_id, lease_seconds, lease_end, percent, items_done,
                                 items_total, detail)
             VALUES ('{id}', 1, '{claim}', 'worker', 60, tm_now(), 50, 2, 4, 'page 2 of 4')"
        ));
        self.add(&format!(
            "INSERT INTO attempts (job_id, attempt, claim_id, worker_id, started_at)
             VALUES ('{id}', 1, '{claim}', 'worker', tm_now())"
        ));
        self.details(title)
    }

    fn details(&mut self, title: &str) -> &mut Self {
        let id = id(title);
        self.add(&format!(
            "INSERT INTO job_details (job_id, process_id, source, parameters, extra, submitted_by)
             VALUES ('{id}', '27', '/data/{title}', '{{\"language\": \"deu\"}}', '{{}}', 'test')"
        ))
    }

    pub(crate) fn ended(&mut self, plugin: &str, title: &str, state: &str, hours_ago: i32) -> &mut Self {
        let id = id(title);
        let error = if state == "ERROR" {
            "'page 3 is unreadable'"
        } else {
            "NULL"
        };
        self.add(&format!(
            "INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, started_at,
                 finished_at, items_done, items_failed, items_total, bytes, error, summary, parameters, extra,
                 submitted_by, manifest)
             VALUES ('{id}', '{plugin}', '{title}', '{state}', 5, 1, now() - interval '1 day',
                 now() - interval '1 day', date_trunc('hour', now()) - make_interval(hours => {hours_ago}), 3, 1, 4,
                 2400, {error}, '{{\"pages\": 4}}', '{{}}', '{{}}', 'test',
                 '{{\"files\": [{{\"path\": \"ocr/1.txt\", \"size\": 7, \"sha256\": \"00\"}}], \"outcome\": \"done\",
                    \"summary\": {{}}}}')"
        ))
    }

    /// Items of a job; the last one has failed.
    pub(crate) fn items(&mut self, title: &str, items: i32) -> &mut Self {
        let id = id(title);
        self.add(&format!(
            "INSERT INTO items (job_id, name, position, state, attempt, files, duration_ms, error)
             SELECT '{id}', n || '.tif', n, CASE WHEN n = {items} THEN 'failed' ELSE 'done' END, 1, '[]', 10,
                 CASE WHEN n = {items} THEN 'unreadable' END
             FROM generate_series(1, {items}) AS n"
        ))
    }

    /// Log lines of a job's attempt.
    pub(crate) fn log(&mut self, title: &str, attempt: i32, lines: i32) -> &mut Self {
        let (id, claim) = (id(title), id(&format!("claim {attempt} of {title}")));
        self.add(&format!(
            "INSERT INTO job_logs (job_id, attempt, claim_id, line, job_submitted_at, text)
             SELECT id, {attempt}, '{claim}', n, submitted_at, 'line ' || n
             FROM jobs, generate_series(1, {lines}) AS n WHERE id = '{id}'"
        ))
    }
}

/// Many waiting and ended jobs of both plugins.
pub(crate) fn crowd(jobs: i32) -> String {
    format!(
        "INSERT INTO jobs (id, plugin, title, state, priority)
         SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'OCR' ELSE 'SHELL' END, 'job ' || n, 'QUEUED', n % 11
         FROM generate_series(1, {jobs}) AS n;
         INSERT INTO job_details (job_id, parameters, extra, submitted_by)
         SELECT id, '{{}}', '{{}}', 'test' FROM jobs;
         INSERT INTO job_history (id, plugin, title, state, priority, attempt, submitted_at, finished_at, items_done,
             items_failed, items_total, bytes, error, summary, parameters, extra, submitted_by)
         SELECT gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'OCR' ELSE 'SHELL' END, 'job ' || n,
             CASE WHEN n % 50 = 0 THEN 'ERROR' ELSE 'DONE' END, 5, 1, now(), now() - make_interval(mins => n / 100), 0,
             0, 0, 0, CASE WHEN n % 50 = 0 THEN 'why' END, '{{}}', '{{}}', '{{}}', 'test'
         FROM generate_series(1, {jobs}) AS n"
    )
}

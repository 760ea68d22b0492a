-- The first schema. Migrations are append-only: see README.md beside this file.
-- Unfinished jobs live in narrow tables that stay small; ended ones in history, partitioned by month.

-- The only clock that decides leases and schedules. Tests replace this function to move time.
CREATE FUNCTION tm_now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS 'SELECT clock_timestamp()';

-- Job types. A row is created by the first announcement of a worker that serves it.
CREATE TABLE plugins (
    name                text PRIMARY KEY CHECK (name ~ '^[A-Z][A-Z0-9_-]{0,39}$'),
    title_en            text NOT NULL,
    title_de            text NOT NULL,
    needs_source        boolean NOT NULL,
    needs_target        boolean NOT NULL,
    needs_template      boolean NOT NULL,
    state               text NOT NULL DEFAULT 'running' CONSTRAINT plugins_state_known CHECK (state IN (
                            'running',    -- jobs may start
                            'stopping',   -- nothing new starts, running jobs yield
                            'stopped')),  -- nothing runs
    default_priority    smallint NOT NULL DEFAULT 5 CHECK (default_priority BETWEEN 0 AND 10),
    lease_seconds       integer NOT NULL DEFAULT 60 CHECK (lease_seconds BETWEEN 1 AND 3600),
    run_budget_seconds  integer NOT NULL DEFAULT 86400 CHECK (run_budget_seconds > 0),
    created_at          timestamptz NOT NULL DEFAULT tm_now()
);

CREATE SEQUENCE job_positions;

-- Unfinished jobs. The row is its own outbox: published_dispatch < dispatch means "to be published".
CREATE TABLE jobs (
    id                  uuid PRIMARY KEY,
    plugin              text NOT NULL REFERENCES plugins,
    title               text NOT NULL,
    state               text NOT NULL CONSTRAINT jobs_state_unfinished CHECK (state IN (
                            'BLOCKED',           -- waits for other jobs
                            'SCHEDULED',         -- waits for run_at
                            'QUEUED',            -- waits for a worker
                            'STARTED',           -- claimed
                            'WAITINGFORUPLOAD',  -- waits for its storage
                            'UPLOAD',            -- inputs travel to the worker
                            'PROCESSING',        -- the plugin works
                            'DOWNLOAD')),        -- results are published
    priority            smallint NOT NULL CHECK (priority BETWEEN 0 AND 10),
    position            bigint NOT NULL DEFAULT nextval('job_positions'),
    dispatch            bigint NOT NULL DEFAULT 1,
    published_dispatch  bigint NOT NULL DEFAULT 0,
    published_at        timestamptz,
    relay_until         timestamptz,
    attempt             integer NOT NULL DEFAULT 0,
    claim_attempt       integer,
    claim_id            uuid,
    held                boolean NOT NULL DEFAULT false,
    cancel_requested    boolean NOT NULL DEFAULT false,
    publish_granted     boolean NOT NULL DEFAULT false,
    workers_lost        smallint NOT NULL DEFAULT 0,
    run_at              timestamptz,
    queued_at           timestamptz NOT NULL DEFAULT tm_now(),
    submitted_at        timestamptz NOT NULL DEFAULT tm_now(),
    started_at          timestamptz,
    CONSTRAINT published_not_ahead CHECK (published_dispatch <= dispatch),
    CONSTRAINT claim_is_whole CHECK ((claim_attempt IS NULL) = (claim_id IS NULL)),
    CONSTRAINT claimed_iff_running CHECK (state IN ('BLOCKED', 'SCHEDULED', 'QUEUED') OR claim_id IS NOT NULL),
    CONSTRAINT run_at_iff_scheduled CHECK ((state = 'SCHEDULED') = (run_at IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

-- What the dispatcher picks, in its order.
CREATE INDEX jobs_to_publish ON jobs (plugin, priority, position)
    WHERE state = 'QUEUED' AND NOT held AND published_dispatch < dispatch;
-- How much of a level's window is used.
CREATE INDEX jobs_published ON jobs (plugin, priority)
    WHERE state = 'QUEUED' AND published_dispatch = dispatch;
-- Lists and counts: a plugin's jobs of one state, in the order in which they start.
CREATE INDEX jobs_by_plugin ON jobs (plugin, state, (-priority), position, id);

-- What is read with a job but never searched while it runs.
CREATE TABLE job_details (
    job_id              uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    template            text,
    template_parameters jsonb,
    process_id          text,
    step_id             text,
    step_name           text,
    project             text,
    source              text,
    target              text,
    parameters          jsonb NOT NULL,
    callback_url        text,
    extra               jsonb NOT NULL,
    submitted_by        text NOT NULL,
    manifest            jsonb
);
CREATE INDEX job_details_process ON job_details (process_id);

-- One row a running attempt. No index on anything that changes, so that heartbeats stay cheap (HOT).
CREATE TABLE leases (
    job_id          uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    attempt         integer NOT NULL,
    claim_id        uuid NOT NULL,
    worker_id       text NOT NULL,
    lease_seconds   integer NOT NULL,
    lease_end       timestamptz NOT NULL,
    percent         real NOT NULL DEFAULT 0,
    items_done      integer NOT NULL DEFAULT 0,
    items_failed    integer NOT NULL DEFAULT 0,
    items_total     integer NOT NULL DEFAULT 0,
    bytes           bigint NOT NULL DEFAULT 0,
    detail          text NOT NULL DEFAULT ''
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

-- Items (pages) of a job; kept with history.
CREATE TABLE items (
    job_id          uuid NOT NULL,
    name            text NOT NULL,
    position        integer NOT NULL,
    state           text NOT NULL CONSTRAINT items_state_known CHECK (state IN (
                        'done',       -- its files are in the item store
                        'failed',     -- could not be processed
                        'skipped')),  -- nothing for this plugin
    attempt         integer NOT NULL,
    files           jsonb NOT NULL,
    duration_ms     bigint NOT NULL,
    error           text,
    PRIMARY KEY (job_id, name)
);

-- Each run of a job; kept with history.
CREATE TABLE attempts (
    job_id          uuid NOT NULL,
    attempt         integer NOT NULL,
    claim_id        uuid NOT NULL,
    worker_id       text NOT NULL,
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    outcome         text CONSTRAINT attempts_outcome_known CHECK (outcome IN (
                        'done', 'failed', 'interrupted', 'cancelled',
                        'lost')),     -- its worker was not heard of any more
    error_class     text CHECK (error_class IN ('retryable', 'permanent')),
    error           text,
    exit_code       integer,
    PRIMARY KEY (job_id, attempt, claim_id),
    CONSTRAINT outcome_iff_ended CHECK ((outcome IS NULL) = (ended_at IS NULL))
);

-- Log lines of attempts. Partitions are made ahead by the coordinator; the default one catches what is left.
CREATE TABLE job_logs (
    job_id          uuid NOT NULL,
    attempt         integer NOT NULL,
    claim_id        uuid NOT NULL,
    line            integer NOT NULL,
    job_submitted_at timestamptz NOT NULL,
    at              timestamptz NOT NULL DEFAULT tm_now(),
    text            text NOT NULL,
    PRIMARY KEY (job_id, attempt, claim_id, line, job_submitted_at)
) PARTITION BY RANGE (job_submitted_at);
CREATE TABLE job_logs_default PARTITION OF job_logs DEFAULT;

-- Ended jobs.
CREATE TABLE job_history (
    id                  uuid NOT NULL,
    plugin              text NOT NULL,
    title               text NOT NULL,
    state               text NOT NULL CONSTRAINT job_history_state_final CHECK (state IN ('DONE', 'ERROR', 'CANCELLED')),
    priority            smallint NOT NULL,
    attempt             integer NOT NULL,
    claim_attempt       integer,
    claim_id            uuid,
    submitted_at        timestamptz NOT NULL,
    started_at          timestamptz,
    finished_at         timestamptz NOT NULL,
    items_done          integer NOT NULL,
    items_failed        integer NOT NULL,
    items_total         integer NOT NULL,
    bytes               bigint NOT NULL,
    error               text,
    summary             jsonb NOT NULL,
    template            text,
    template_parameters jsonb,
    process_id          text,
    step_id             text,
    step_name           text,
    project             text,
    source              text,
    target              text,
    parameters          jsonb NOT NULL,
    callback_url        text,
    extra               jsonb NOT NULL,
    submitted_by        text NOT NULL,
    manifest            jsonb,
    PRIMARY KEY (id, finished_at),
    CONSTRAINT error_iff_error_state CHECK ((state = 'ERROR') = (error IS NOT NULL))
) PARTITION BY RANGE (finished_at);
CREATE TABLE job_history_default PARTITION OF job_history DEFAULT;
CREATE INDEX job_history_by_time ON job_history (finished_at DESC, id DESC);
CREATE INDEX job_history_by_plugin ON job_history (plugin, state, finished_at DESC, id DESC);
CREATE INDEX job_history_process ON job_history (process_id);

-- Submissions that are one job. Derived keys end with their job (expires_at null), the others after 7 days.
CREATE TABLE idempotency_keys (
    key         text PRIMARY KEY,
    job_id      uuid NOT NULL,
    expires_at  timestamptz
);
CREATE INDEX idempotency_keys_job ON idempotency_keys (job_id);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at) WHERE expires_at IS NOT NULL;

-- Kept for ever; written in the transaction that ends the job.
CREATE TABLE statistics (
    day         date NOT NULL,
    plugin      text NOT NULL,
    project     text NOT NULL,
    outcome     text NOT NULL,
    jobs        bigint NOT NULL,
    items       bigint NOT NULL,
    bytes       bigint NOT NULL,
    seconds     double precision NOT NULL,
    PRIMARY KEY (day, plugin, project, outcome)
);

-- Worker processes; a row is refreshed by each heartbeat and removed when long silent.
CREATE TABLE workers (
    id              text PRIMARY KEY,
    name            text NOT NULL,
    host            text NOT NULL,
    version         text NOT NULL,
    amqp_user       text NOT NULL,
    draining        boolean NOT NULL,
    rss_bytes       bigint NOT NULL DEFAULT 0,
    reply_to        text NOT NULL,
    checks          jsonb NOT NULL,
    announced_at    timestamptz NOT NULL,
    heartbeat_at    timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE worker_plugins (
    worker_id   text NOT NULL REFERENCES workers ON DELETE CASCADE,
    plugin      text NOT NULL REFERENCES plugins,
    slots       smallint NOT NULL CHECK (slots > 0),
    PRIMARY KEY (worker_id, plugin)
);

-- Shows since when messages of the heartbeat queue have reached this database without a gap: only then may
-- silence count against a worker.
CREATE TABLE heartbeat_probe (
    singleton         boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    continuous_since  timestamptz NOT NULL,
    last_at           timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO heartbeat_probe (continuous_since, last_at) VALUES (tm_now(), tm_now());

-- Makes the monthly partitions for this month and the next two, unless they are there.
CREATE FUNCTION ensure_partitions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month date;
    parent text;
BEGIN
    -- Partitions that are there already are no news.
    SET LOCAL client_min_messages = warning;
    FOREACH parent IN ARRAY ARRAY['job_history', 'job_logs'] LOOP
        FOR ahead IN 0..2 LOOP
            month := (date_trunc('month', tm_now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date;
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || to_char(month, '_YYYY_MM'), parent,
                month::timestamp AT TIME ZONE 'UTC',
                (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        END LOOP;
    END LOOP;
END $$;
SELECT ensure_partitions();

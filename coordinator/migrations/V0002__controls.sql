-- What people decide: stops, autostart, limits, retries, quotas; and the record of who decided it.

ALTER TABLE plugins
    ADD COLUMN autostart             boolean NOT NULL DEFAULT true,
    ADD COLUMN running_max           integer CHECK (running_max > 0),      -- null: as many as there are slots
    ADD COLUMN retries_max           smallint NOT NULL DEFAULT 3 CHECK (retries_max BETWEEN 0 AND 100),
    ADD COLUMN retry_first_seconds   integer NOT NULL DEFAULT 60 CHECK (retry_first_seconds > 0),
    ADD COLUMN retry_longest_seconds integer NOT NULL DEFAULT 3600 CHECK (retry_longest_seconds > 0),
    ADD COLUMN ageing_minutes        integer CHECK (ageing_minutes > 0),   -- null: priorities do not age
    ADD COLUMN state_since           timestamptz NOT NULL DEFAULT tm_now(),
    ADD COLUMN state_by              text,
    ADD COLUMN state_reason          text,
    ADD COLUMN stop_deadline         timestamptz,  -- running jobs are interrupted then
    ADD COLUMN resume_at             timestamptz,  -- it starts again by itself then
    ADD CONSTRAINT stop_facts_only_when_stopped CHECK (
        state <> 'running' OR (stop_deadline IS NULL AND resume_at IS NULL AND state_reason IS NULL));

-- What holds for all plugins.
CREATE TABLE settings (
    singleton       boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    autostart       boolean NOT NULL DEFAULT true,
    autostart_since timestamptz NOT NULL DEFAULT tm_now(),
    autostart_by    text
);
INSERT INTO settings DEFAULT VALUES;

-- The order in which jobs start follows the effective priority: what a person gave, raised by waiting.
ALTER TABLE jobs
    ADD COLUMN start_now          boolean NOT NULL DEFAULT false,
    ADD COLUMN failures           smallint NOT NULL DEFAULT 0,
    ADD COLUMN retry_of           uuid,
    ADD COLUMN age_bonus          smallint NOT NULL DEFAULT 0 CHECK (age_bonus BETWEEN 0 AND 10),
    ADD COLUMN effective_priority smallint GENERATED ALWAYS AS (least(10, priority + age_bonus)) STORED;
ALTER TABLE job_history ADD COLUMN retry_of uuid;
-- The job whose item store this one goes on with; null: its own.
ALTER TABLE job_details ADD COLUMN store_id uuid;
ALTER TABLE job_history ADD COLUMN store_id uuid;
CREATE INDEX jobs_retry ON jobs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX job_history_retry ON job_history (retry_of) WHERE retry_of IS NOT NULL;

DROP INDEX jobs_to_publish, jobs_published, jobs_by_plugin;
CREATE INDEX jobs_to_publish ON jobs (plugin, effective_priority, position)
    WHERE state = 'QUEUED' AND NOT held AND published_dispatch < dispatch;
CREATE INDEX jobs_published ON jobs (plugin, effective_priority)
    WHERE state = 'QUEUED' AND published_dispatch = dispatch;
CREATE INDEX jobs_by_plugin ON jobs (plugin, state, (-effective_priority), position, id);
-- Jobs that a person wants now; there are few of them.
CREATE INDEX jobs_wanted_now ON jobs (plugin, position)
    WHERE state = 'QUEUED' AND start_now AND published_dispatch < dispatch;
CREATE INDEX jobs_by_time ON jobs (run_at) WHERE state = 'SCHEDULED';

-- Levels whose jobs have changed places: their messages are replaced, at most once a second.
CREATE TABLE levels_to_reorder (
    plugin              text NOT NULL REFERENCES plugins,
    effective_priority  smallint NOT NULL,
    PRIMARY KEY (plugin, effective_priority)
);

-- How many attempts count against each limit. Kept by triggers on leases, so that no code can forget it.
CREATE TABLE limit_keys (
    key     text PRIMARY KEY,   -- plugin:OCR
    running integer NOT NULL CHECK (running >= 0)
) WITH (fillfactor = 50);

ALTER TABLE leases ADD COLUMN limit_keys text[] NOT NULL DEFAULT '{}';
UPDATE leases SET limit_keys = ARRAY['plugin:' || jobs.plugin] FROM jobs WHERE jobs.id = leases.job_id;
INSERT INTO limit_keys
    SELECT key, count(*) FROM leases CROSS JOIN unnest(leases.limit_keys) AS key GROUP BY key;

CREATE FUNCTION count_begun_leases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO limit_keys (key, running)
        SELECT key, count(*) FROM begun CROSS JOIN unnest(begun.limit_keys) AS key GROUP BY key ORDER BY key
        ON CONFLICT (key) DO UPDATE SET running = limit_keys.running + EXCLUDED.running;
    RETURN NULL;
END $$;
CREATE TRIGGER leases_begun AFTER INSERT ON leases REFERENCING NEW TABLE AS begun
    FOR EACH STATEMENT EXECUTE FUNCTION count_begun_leases();

CREATE FUNCTION count_ended_leases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Locked in the order of their keys: two transactions wait, but never in a circle.
    PERFORM 1 FROM limit_keys
        WHERE key IN (SELECT unnest(ended.limit_keys) FROM ended) ORDER BY key FOR UPDATE;
    UPDATE limit_keys SET running = running - gone.number
        FROM (SELECT key, count(*) AS number FROM ended CROSS JOIN unnest(ended.limit_keys) AS key GROUP BY key) AS gone
        WHERE limit_keys.key = gone.key;
    RETURN NULL;
END $$;
CREATE TRIGGER leases_ended AFTER DELETE ON leases REFERENCING OLD TABLE AS ended
    FOR EACH STATEMENT EXECUTE FUNCTION count_ended_leases();

-- Page contracts, where a plugin has one. Booked by the pages that were done, in the transaction that ends the job.
CREATE TABLE quotas (
    plugin          text PRIMARY KEY REFERENCES plugins,
    pages_total     bigint CHECK (pages_total >= 0),       -- null: no limit in all
    pages_a_period  bigint CHECK (pages_a_period >= 0),    -- null: no limit a period
    period          text NOT NULL DEFAULT 'month' CHECK (period IN ('month', 'quarter', 'year')),
    used_total      bigint NOT NULL DEFAULT 0,
    used_in_period  bigint NOT NULL DEFAULT 0,
    period_start    date NOT NULL DEFAULT (date_trunc('month', tm_now() AT TIME ZONE 'UTC'))::date
);

-- The first day of the period that is now.
CREATE FUNCTION quota_period_start(period text) RETURNS date LANGUAGE sql STABLE
    AS $$ SELECT date_trunc(period, tm_now() AT TIME ZONE 'UTC')::date $$;

-- Whether a plugin's jobs may start as far as its page contract goes.
CREATE FUNCTION has_quota(wanted text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT (pages_total IS NULL OR used_total < pages_total)
            AND (pages_a_period IS NULL OR period_start < quota_period_start(period)
                 OR used_in_period < pages_a_period)
        FROM quotas WHERE plugin = wanted), true)
$$;

CREATE TABLE quota_ledger (
    job_id      uuid PRIMARY KEY,
    plugin      text NOT NULL,
    pages       bigint NOT NULL,
    booked_at   timestamptz NOT NULL DEFAULT tm_now()
);
CREATE INDEX quota_ledger_by_plugin ON quota_ledger (plugin, booked_at);

-- Who did what, and what became of it. Never changed, never shortened by the coordinator.
CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT tm_now(),
    actor       text NOT NULL,
    action      text NOT NULL,
    plugin      text,
    job_id      uuid,
    worker_id   text,
    details     jsonb NOT NULL DEFAULT '{}',
    outcome     text NOT NULL CONSTRAINT audit_outcome_known CHECK (outcome IN (
                    'done',       -- something has changed
                    'unchanged',  -- it was so already
                    'refused',    -- it could not be done
                    'forbidden')) -- the actor may not do it
);
CREATE INDEX audit_log_by_job ON audit_log (job_id, id) WHERE job_id IS NOT NULL;
CREATE INDEX audit_log_by_plugin ON audit_log (plugin, id) WHERE plugin IS NOT NULL;

-- How long ended jobs are kept (Kitodo's four settings, for each plugin); null: for ever.
ALTER TABLE plugins
    ADD COLUMN keep_done_jobs   integer CHECK (keep_done_jobs >= 0),
    ADD COLUMN keep_done_days   integer CHECK (keep_done_days >= 0),
    ADD COLUMN keep_failed_jobs integer CHECK (keep_failed_jobs >= 0),
    ADD COLUMN keep_failed_days integer CHECK (keep_failed_days >= 0);

ALTER TABLE workers ADD COLUMN drain_requested boolean NOT NULL DEFAULT false;

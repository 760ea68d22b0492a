-- What a lease, a place and an age are counted by, also beside a coordinator of the previous release.

-- What the attempt was granted: a lower budget of its plugin later on is not meant for it.
-- null: begun by a coordinator of the previous release, its plugin's present budget counts.
ALTER TABLE attempts ADD COLUMN run_budget_seconds integer CHECK (run_budget_seconds > 0);
UPDATE attempts SET run_budget_seconds = plugins.run_budget_seconds
    FROM jobs JOIN plugins ON plugins.name = jobs.plugin
    WHERE jobs.id = attempts.job_id AND attempts.ended_at IS NULL;

-- A coordinator of the previous release names no limits: each lease counts against its plugin's in any case.
CREATE FUNCTION count_against_plugin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM unnest(NEW.limit_keys) AS key WHERE starts_with(key, 'plugin:')) THEN
        NEW.limit_keys := NEW.limit_keys || (SELECT 'plugin:' || plugin FROM jobs WHERE id = NEW.job_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER leases_count_against_plugin BEFORE INSERT ON leases
    FOR EACH ROW EXECUTE FUNCTION count_against_plugin();

-- Those that it has made already.
WITH missed AS (
    UPDATE leases SET limit_keys = leases.limit_keys || ('plugin:' || jobs.plugin)
    FROM jobs WHERE jobs.id = leases.job_id AND 'plugin:' || jobs.plugin <> ALL (leases.limit_keys)
    RETURNING 'plugin:' || jobs.plugin AS key
)
INSERT INTO limit_keys SELECT key, count(*) FROM missed GROUP BY key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET running = limit_keys.running + EXCLUDED.running;

-- The ageing clock of a job that a person has given a priority starts then.
ALTER TABLE jobs ADD COLUMN prioritised_at timestamptz;

-- Places before all others, as job_positions has those behind: no two jobs have one place.
CREATE SEQUENCE job_positions_top INCREMENT BY -1;
SELECT setval('job_positions_top', least(-1, (SELECT min(position) - 1 FROM jobs)));

-- Some may have had one place until now: all jobs of such a plugin get new ones, in their order.
WITH tied AS (
    SELECT DISTINCT plugin FROM (
        SELECT plugin FROM jobs GROUP BY plugin, position HAVING count(*) > 1) AS places
), numbered AS (
    SELECT id, nextval('job_positions') AS position
    FROM (SELECT id FROM jobs JOIN tied USING (plugin) ORDER BY position, id) AS line
)
UPDATE jobs SET position = numbered.position FROM numbered WHERE jobs.id = numbered.id;

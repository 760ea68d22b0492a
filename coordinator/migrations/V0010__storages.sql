-- Limits per storage: how many jobs use it at once, and how many move their data from or to it.

CREATE TABLE storages (
    path          text PRIMARY KEY CONSTRAINT storage_path_is_plain CHECK (
                      path = '/' OR (starts_with(path, '/') AND right(path, 1) <> '/' AND path !~ '/(\.{0,2})(/|$)')),
    title         text,
    running_max   integer CHECK (running_max > 0),     -- null: no limit
    transfers_max integer CHECK (transfers_max > 0)    -- null: no limit
);

-- The storage that a folder lies on: the one with the longest path that it lies beneath, by whole names; null: none.
CREATE FUNCTION storage_of(folder text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT path FROM storages
    WHERE folder IS NOT NULL AND (path IN (folder, '/') OR starts_with(folder, path || '/'))
    ORDER BY length(path) DESC LIMIT 1
$$;

-- Whether the storage of a folder takes only so many transfers at a time.
CREATE FUNCTION limits_transfers(folder text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM storages WHERE path = storage_of(folder) AND transfers_max IS NOT NULL)
$$;

-- What a job counts against while it runs, for the storages of its source and its target.
CREATE FUNCTION storage_keys(job uuid) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT 'storage:' || used.path), '{}')
    FROM job_details CROSS JOIN LATERAL (VALUES (storage_of(source)), (storage_of(target))) AS used(path)
    WHERE job_id = job AND used.path IS NOT NULL
$$;

-- Of every lease, also those that a coordinator of the previous release makes.
CREATE FUNCTION count_against_storages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.limit_keys := NEW.limit_keys || ARRAY(
        SELECT key FROM unnest(storage_keys(NEW.job_id)) AS key WHERE key <> ALL (NEW.limit_keys));
    RETURN NEW;
END $$;
CREATE TRIGGER leases_count_against_storages BEFORE INSERT ON leases
    FOR EACH ROW EXECUTE FUNCTION count_against_storages();

-- A transfer begins and ends within a lease. Whoever changes this locks the keys first, in their order.
CREATE FUNCTION count_changed_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO limit_keys (key, running)
        SELECT key, 1 FROM unnest(NEW.limit_keys) AS key WHERE key <> ALL (OLD.limit_keys) ORDER BY key
        ON CONFLICT (key) DO UPDATE SET running = limit_keys.running + 1;
    UPDATE limit_keys SET running = running - 1
        WHERE key = ANY (OLD.limit_keys) AND key <> ALL (NEW.limit_keys);
    RETURN NULL;
END $$;
CREATE TRIGGER leases_changed AFTER UPDATE OF limit_keys ON leases FOR EACH ROW
    WHEN (OLD.limit_keys IS DISTINCT FROM NEW.limit_keys) EXECUTE FUNCTION count_changed_lease();

ALTER TABLE leases
    ADD COLUMN transfer       text,           -- the slot that the attempt wants: transfers:/data; its own if in limit_keys
    ADD COLUMN transfer_since timestamptz,    -- since when it wants it: who came first is first
    ADD CONSTRAINT transfer_has_its_time CHECK ((transfer IS NULL) = (transfer_since IS NULL));

-- The limit for which the job's claim was refused: it is published when there is room.
ALTER TABLE jobs ADD COLUMN waits_for text;   -- storage:/data
CREATE INDEX jobs_waiting_for ON jobs (waits_for, (-effective_priority), position) WHERE waits_for IS NOT NULL;
DROP INDEX jobs_to_publish;
CREATE INDEX jobs_to_publish ON jobs (plugin, effective_priority, position)
    WHERE state = 'QUEUED' AND NOT held AND waits_for IS NULL AND published_dispatch < dispatch;

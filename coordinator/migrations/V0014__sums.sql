-- What the pages of plugins say about whole lists is added up where jobs come and go, not counted over history.

-- What history holds of a plugin's jobs in one state is the sum of its lines. Each statement that adds or removes jobs
-- leaves a line, so that nobody waits for anybody; housekeeping makes one of many.
CREATE TABLE history_sums (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plugin  text NOT NULL,
    state   text NOT NULL,
    jobs    bigint NOT NULL,
    files   bigint NOT NULL,    -- items of the jobs, whatever became of them
    pages   bigint NOT NULL,    -- items that are done
    bytes   bigint NOT NULL
);
CREATE INDEX history_sums_by_plugin ON history_sums (plugin, state);

-- Triggers, so that jobs that a coordinator of the previous release ends or removes count, too.
CREATE FUNCTION add_to_history_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_sums (plugin, state, jobs, files, pages, bytes)
        SELECT plugin, state, count(*), sum(items_total), sum(items_done), sum(bytes) FROM added GROUP BY plugin, state;
    RETURN NULL;
END $$;
CREATE TRIGGER job_history_summed AFTER INSERT ON job_history REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION add_to_history_sums();

CREATE FUNCTION take_from_history_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history_sums (plugin, state, jobs, files, pages, bytes)
        SELECT plugin, state, -count(*), -sum(items_total), -sum(items_done), -sum(bytes) FROM gone GROUP BY plugin, state;
    RETURN NULL;
END $$;
CREATE TRIGGER job_history_unsummed AFTER DELETE ON job_history REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION take_from_history_sums();

-- Those that are there already. The triggers' locks keep others from adding until this has ended.
INSERT INTO history_sums (plugin, state, jobs, files, pages, bytes)
    SELECT plugin, state, count(*), sum(items_total), sum(items_done), sum(bytes) FROM job_history GROUP BY plugin, state;

-- Held jobs are shown first among those that wait; there are few of them.
CREATE INDEX jobs_held ON jobs (plugin, (-effective_priority), position, id) WHERE held AND state = 'QUEUED';

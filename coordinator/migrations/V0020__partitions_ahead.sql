-- Months of history and log are made ahead also where rows of such a month lie in the default partition already, as they
-- do when jobs end before housekeeping has come round after months of rest.

-- Makes the monthly partitions for this month and the next two, unless they are there. It moves few rows, and nobody
-- who reads history or ends a job waits for that; for its last step it keeps them waiting, and gives up where it would
-- have to wait for them itself. May be repeated.
CREATE OR REPLACE FUNCTION ensure_partitions() RETURNS void LANGUAGE plpgsql
    SET client_min_messages = warning  -- what needs no change is no news
    SET lock_timeout = '100ms' AS $$
DECLARE
    parent text;
    key text;
    month timestamp;
    partition text;
    month_begins timestamptz;
    month_ends timestamptz;
    too_many boolean;
BEGIN
    FOR parent, key IN VALUES ('job_history', 'finished_at'), ('job_logs', 'job_submitted_at') LOOP
        FOR ahead IN 0..2 LOOP
            month := date_trunc('month', tm_now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
            month_begins := month AT TIME ZONE 'UTC';
            month_ends := (month + interval '1 month') AT TIME ZONE 'UTC';
            partition := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(partition) IS NOT NULL;
            -- Such a month stays in the default partition, and leaves it by retention alone.
            EXECUTE format('SELECT count(*) > 10000 FROM (
                                SELECT FROM %1$I WHERE %2$I >= $1 AND %2$I < $2 LIMIT 10001) AS lies_there',
                           parent || '_default', key) INTO too_many USING month_begins, month_ends;
            CONTINUE WHEN too_many;
            -- Keeps those out who make or drop partitions, too, and those who write what is to be moved.
            EXECUTE format('LOCK TABLE ONLY %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
            EXECUTE format('LOCK TABLE ONLY %I IN SHARE ROW EXCLUSIVE MODE', parent || '_default');
            CONTINUE WHEN to_regclass(partition) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
            -- Around the parent: for its triggers no job comes or goes.
            EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= $1 AND %2$I < $2 RETURNING *)
                            INSERT INTO %3$I SELECT * FROM moved',
                           parent || '_default', key, partition) USING month_begins, month_ends;
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           parent, partition, month_begins, month_ends);
        END LOOP;
    END LOOP;
END $$;

-- What housekeeping looks for every minute is found by indexes, however long history has become.

-- Its job has been removed from history: kept for a while, as a person may send it again.
ALTER TABLE deliveries ADD COLUMN orphaned boolean NOT NULL DEFAULT false;
CREATE INDEX deliveries_orphaned ON deliveries (settled_at) WHERE orphaned AND state <> 'pending';
CREATE INDEX deliveries_with_token ON deliveries (settled_at) WHERE state <> 'pending' AND token IS NOT NULL;

-- A trigger, so that jobs that a coordinator of the previous release removes count, too.
CREATE FUNCTION orphan_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE deliveries SET orphaned = true WHERE id IN (
        SELECT id FROM deliveries WHERE job_id IN (SELECT id FROM gone) AND state <> 'delivered'
        ORDER BY id FOR UPDATE);
    RETURN NULL;
END $$;
CREATE TRIGGER job_history_removed AFTER DELETE ON job_history REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION orphan_deliveries();

-- Those that have lost their jobs before.
UPDATE deliveries d SET orphaned = true
WHERE NOT EXISTS (SELECT 1 FROM job_history h WHERE h.id = d.job_id)
    AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = d.job_id);

-- Jobs that wait for a storage (jobs.waits_for) are asked anew, a few at a time, when storages are set or removed.

-- How far that has come: one row.
CREATE TABLE storage_waits (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    asked_up_to  uuid                                     -- jobs up to this one have been; null: all of them
);
INSERT INTO storage_waits DEFAULT VALUES;
CREATE INDEX jobs_waiting_by_id ON jobs (id) WHERE waits_for IS NOT NULL;

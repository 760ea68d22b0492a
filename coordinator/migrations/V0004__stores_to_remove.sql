-- Item stores that no job goes on in any more, until a worker has removed them: only workers see the storage.

CREATE TABLE stores_to_remove (
    store_id    uuid PRIMARY KEY,                         -- the job that the store is named after
    plugin      text NOT NULL,                            -- its workers see the storage
    target      text NOT NULL,                            -- the folder that it lies in
    since       timestamptz NOT NULL DEFAULT tm_now(),
    due_at      timestamptz NOT NULL DEFAULT tm_now(),    -- no worker is asked before: it has just been asked, or has failed
    asked       text,                                     -- the worker that was asked last
    tries       integer NOT NULL DEFAULT 0,               -- how often a worker could not remove it
    last_error  text,
    removed_at  timestamptz                               -- kept for a while: an attempt that was cut off may make it anew
);
CREATE INDEX stores_due ON stores_to_remove (plugin, due_at) WHERE removed_at IS NULL;
CREATE INDEX stores_removed ON stores_to_remove (removed_at) WHERE removed_at IS NOT NULL;

-- Set once nobody goes on in the job's store any more; no retry adopts it then.
ALTER TABLE job_history ADD COLUMN store_gone boolean NOT NULL DEFAULT false;

-- Who goes on, or has gone on, in another job's store.
CREATE INDEX job_details_store ON job_details (store_id) WHERE store_id IS NOT NULL;
CREATE INDEX job_history_store ON job_history (store_id) WHERE store_id IS NOT NULL;

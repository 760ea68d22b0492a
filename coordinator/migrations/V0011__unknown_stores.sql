-- Item stores that workers have found on their storage and that no job of this database has: the database was put back
-- from a copy that is older than they are. Nobody but a person has them removed.

CREATE TABLE unknown_stores (
    store_id    uuid PRIMARY KEY,                         -- the job that the store is named after
    target      text NOT NULL,                            -- the folder that it lies in
    plugin      text NOT NULL,                            -- one that the worker serves: its workers see the storage
    worker_id   text NOT NULL,                            -- who has seen it last
    first_seen  timestamptz NOT NULL DEFAULT tm_now(),
    last_seen   timestamptz NOT NULL DEFAULT tm_now()
);
CREATE INDEX unknown_stores_seen ON unknown_stores (last_seen);

-- What workers are asked for: one row.
CREATE TABLE store_inventory (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    request   bigint NOT NULL,                            -- raised when all are to look again
    asked_at  timestamptz NOT NULL DEFAULT tm_now()
);
INSERT INTO store_inventory (request) VALUES (1);

-- What a worker has answered last.
ALTER TABLE workers ADD COLUMN stores_request bigint;
ALTER TABLE workers ADD COLUMN stores_listed_at timestamptz;
ALTER TABLE workers ADD COLUMN stores_problems text[] NOT NULL DEFAULT '{}';

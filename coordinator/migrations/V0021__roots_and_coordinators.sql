-- What `doctor` compares: where jobs may read and write at the workers, and what the coordinators were told.

-- Folders, and places on object storage; none: a worker of an earlier release, which does not say.
ALTER TABLE workers ADD COLUMN roots text[] NOT NULL DEFAULT '{}';

-- A row for each coordinator process, written anew every few seconds; it takes it out when it ends.
CREATE TABLE coordinators (
    id       uuid PRIMARY KEY,
    host     text NOT NULL,
    version  text NOT NULL,
    settings jsonb NOT NULL,  -- those that have to be the same at all of them: option → hash of its value
    seen_at  timestamptz NOT NULL
);

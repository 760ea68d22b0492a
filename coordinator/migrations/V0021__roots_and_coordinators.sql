-- What `doctor` compares: where jobs may read and write at the workers, and what the coordinators were told; and what it
-- tells of: workers that nobody lets in, keys that tokens wait for.

-- Folders, and places on object storage; none: a worker of an earlier release, which does not say.
ALTER TABLE workers ADD COLUMN roots text[] NOT NULL DEFAULT '{}';

-- A row for each coordinator process, written anew every few seconds; it takes it out when it ends.
CREATE TABLE coordinators (
    id          uuid PRIMARY KEY,
    host        text NOT NULL,
    version     text NOT NULL,
    connections integer NOT NULL,  -- that it may have to this server
    settings    jsonb NOT NULL,    -- those that have to be the same at all of them: option → hash of its value
    seen_at     timestamptz NOT NULL
);

-- The last announcement of each RabbitMQ user that was refused. A user is one that RabbitMQ knows, so they are few.
CREATE TABLE refused_announcements (
    amqp_user text PRIMARY KEY,
    worker    text NOT NULL,  -- the name that it gave itself
    reason    text NOT NULL,
    at        timestamptz NOT NULL
);

-- Few jobs have a token.
CREATE INDEX job_details_with_token ON job_details (job_id) WHERE callback_token IS NOT NULL;

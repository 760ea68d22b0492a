-- What other systems are told, as rows of the transaction that causes it; and by what a restored database is known.

-- At which ends of the job its submitter is told, and the secret for that, encrypted, as long as it is needed.
ALTER TABLE job_details
    ADD COLUMN callback_when  text NOT NULL DEFAULT 'ended' CHECK (callback_when IN ('ended', 'done')),
    ADD COLUMN callback_token text;
ALTER TABLE job_history
    ADD COLUMN callback_when  text NOT NULL DEFAULT 'ended' CHECK (callback_when IN ('ended', 'done'));

-- Messages to other systems. Written by the transaction that ends the job, sent afterwards, again and again if need be.
-- No foreign key: a delivery outlives its job in history, where nobody wants to keep that one.
CREATE TABLE deliveries (
    id                uuid PRIMARY KEY,     -- sent along: by it a receiver knows a repetition
    job_id            uuid NOT NULL,
    plugin            text NOT NULL,
    number            integer NOT NULL,     -- the order within the job
    kind              text NOT NULL,        -- who builds the request: callback
    target            text NOT NULL,        -- where to
    host              text NOT NULL,        -- of the target; one that hangs holds up no other
    headers           jsonb NOT NULL,       -- beside those of the kind; no secrets
    payload           jsonb NOT NULL,
    token             text,                 -- encrypted; null: none, or wiped
    repeatable        boolean NOT NULL,     -- a repetition does no harm
    state             text NOT NULL DEFAULT 'pending' CONSTRAINT deliveries_state_known CHECK (state IN (
                          'pending',        -- to be sent, or sent again
                          'delivered',      -- taken by the receiver
                          'failed',         -- given up; a person may send it again
                          'unclear')),      -- perhaps taken, and must not be repeated: a person looks
    tries             integer NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT tm_now(),
    trying_since      timestamptz NOT NULL DEFAULT tm_now(),  -- a person's "send again" begins anew
    next_try_at       timestamptz NOT NULL DEFAULT tm_now(),
    lease_id          uuid,                 -- of the coordinator's try that is under way
    lease_end         timestamptz,
    last_try_at       timestamptz,
    last_answer       text,
    settled_at        timestamptz,
    UNIQUE (job_id, number),
    CONSTRAINT settled_iff_not_pending CHECK ((state = 'pending') = (settled_at IS NULL)),
    CONSTRAINT lease_is_whole CHECK ((lease_id IS NULL) = (lease_end IS NULL)),
    CONSTRAINT token_wiped_when_delivered CHECK (state <> 'delivered' OR token IS NULL)
) WITH (fillfactor = 70);
CREATE INDEX deliveries_pending ON deliveries (host, next_try_at) WHERE state = 'pending';
CREATE INDEX deliveries_troubled ON deliveries (settled_at) WHERE state IN ('failed', 'unclear');
CREATE INDEX deliveries_settled ON deliveries (settled_at) WHERE state <> 'pending';

-- Which server and database these rows were last written in, and when: by that a copy that was put back is known.
CREATE TABLE database_identity (
    singleton         boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    system_identifier bigint NOT NULL,      -- of the cluster, made by initdb
    database_oid      bigint NOT NULL,      -- of the database in it
    timeline          integer NOT NULL,     -- a new one with each promotion and each recovery to a point in time
    seen_at           timestamptz NOT NULL,
    timeline_changed_at timestamptz,        -- null: never seen
    -- A restore that nobody has looked after yet; null: none.
    restored_at       timestamptz,
    restored_from     timestamptz,          -- the newest moment that the copy knows
    restored_how      text,
    restored_running  uuid[] NOT NULL DEFAULT '{}',  -- jobs that ran when the copy was made
    reviewed_at       timestamptz,          -- the last `recover --apply`
    CONSTRAINT restore_is_whole CHECK (
        (restored_at IS NULL) = (restored_from IS NULL) AND (restored_at IS NULL) = (restored_how IS NULL))
) WITH (fillfactor = 50);

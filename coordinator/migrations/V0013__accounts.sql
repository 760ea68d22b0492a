-- Who may come in: people with a name and a password, programs with a token. What is secret is here only as its hash.

CREATE TABLE users (
    name        text PRIMARY KEY,
    role        text NOT NULL CONSTRAINT users_role_known CHECK (role IN ('viewer', 'operator', 'admin')),
    plugins     text[],                 -- an operator's, if not all
    password    text NOT NULL,          -- Argon2id, as a PHC string
    disabled    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT tm_now(),
    CONSTRAINT users_plugins_of_operators CHECK (plugins IS NULL OR role = 'operator')
);
-- Two names that people would take for the same are one.
CREATE UNIQUE INDEX users_name ON users (lower(name));

-- One browser in which a person is logged in.
CREATE TABLE sessions (
    id          uuid PRIMARY KEY,       -- by which it is shown and ended
    secret      bytea NOT NULL UNIQUE,  -- SHA-256 of what the browser's cookie holds
    user_name   text NOT NULL REFERENCES users ON UPDATE CASCADE ON DELETE CASCADE,
    browser     text NOT NULL,          -- what it calls itself
    created_at  timestamptz NOT NULL DEFAULT tm_now(),
    seen_at     timestamptz NOT NULL DEFAULT tm_now()
);
CREATE INDEX sessions_user ON sessions (user_name);

-- What programs come in with.
CREATE TABLE api_tokens (
    id          uuid PRIMARY KEY,
    secret      bytea NOT NULL UNIQUE,  -- SHA-256 of the token
    title       text NOT NULL,          -- what it is for; the audit log names it
    role        text NOT NULL CONSTRAINT api_tokens_role_known
                    CHECK (role IN ('submitter', 'viewer', 'operator', 'admin')),
    plugins     text[],                 -- a submitter's or operator's, if not all
    made_by     text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT tm_now(),
    expires_at  timestamptz NOT NULL,
    seen_at     timestamptz,
    CONSTRAINT api_tokens_plugins_of_workers CHECK (plugins IS NULL OR role IN ('submitter', 'operator'))
);

-- How often somebody has lately tried to log in in vain. Names fall into a fixed number of buckets, so that strangers
-- can't fill the table.
CREATE TABLE login_tries (
    bucket      integer PRIMARY KEY,
    failures    integer NOT NULL,
    last_at     timestamptz NOT NULL
);

-- One-time links with which the first administrator makes an account; none once there is a user.
CREATE TABLE setup_links (
    secret      bytea PRIMARY KEY,      -- SHA-256 of the code in the link
    expires_at  timestamptz NOT NULL
);

-- Whom an action on accounts is about.
ALTER TABLE audit_log ADD COLUMN account text;
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);

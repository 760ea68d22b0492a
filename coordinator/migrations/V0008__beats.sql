-- Every coordinator writes a new one every few seconds and remembers it: who misses its own looks at a copy, whoever
-- has written times meanwhile. Those of the last two days are kept.
CREATE TABLE beats (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL
);
CREATE INDEX beats_at ON beats (at);

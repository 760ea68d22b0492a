-- What people set for the pages themselves.
ALTER TABLE settings
    -- Open pages bring themselves up to date no more often than this.
    ADD COLUMN refresh_seconds   integer NOT NULL DEFAULT 1
        CONSTRAINT settings_refresh_bounded CHECK (refresh_seconds BETWEEN 1 AND 3600),
    -- Whether the dashboard lists the jobs; every list has a page of its own all the same.
    ADD COLUMN jobs_on_dashboard boolean NOT NULL DEFAULT true;

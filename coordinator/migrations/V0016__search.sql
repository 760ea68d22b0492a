-- Finding jobs by what people know of them: a part of the title or of the error, the step, the time of submission.

-- Makes what searching for a part of a word needs, and says whether it is there. Only a user who may make extensions
-- in this database can (its owner may); without it searches look through the newest jobs only. May be repeated.
CREATE FUNCTION ensure_search() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- What is there already is no news.
    SET LOCAL client_min_messages = warning;
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    -- A short list of what is not sorted in yet, so that no end of a job has to sort in thousands.
    CREATE INDEX IF NOT EXISTS job_history_title_parts ON job_history
        USING gin (title gin_trgm_ops) WITH (gin_pending_list_limit = 256);
    CREATE INDEX IF NOT EXISTS job_history_error_parts ON job_history
        USING gin (error gin_trgm_ops) WITH (gin_pending_list_limit = 256) WHERE error IS NOT NULL;
    RETURN true;
EXCEPTION
    -- 0A000 and 58P01: its files are not installed beside the server.
    WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
        RETURN false;
END $$;
SELECT ensure_search();

CREATE INDEX job_history_by_submission ON job_history (submitted_at DESC, id DESC);
CREATE INDEX job_history_step ON job_history (step_id) WHERE step_id IS NOT NULL;
CREATE INDEX job_details_step ON job_details (step_id) WHERE step_id IS NOT NULL;

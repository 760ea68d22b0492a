-- Every job has a whole number beside its id: the interfaces of the intranda TaskManager know jobs by numbers only.

CREATE SEQUENCE itm_ids AS bigint;

-- By default, so that jobs that a coordinator of the previous release records have one, too. It never changes.
ALTER TABLE job_details ADD COLUMN itm_id bigint NOT NULL DEFAULT nextval('itm_ids');
ALTER TABLE job_history ADD COLUMN itm_id bigint;  -- null: ended before there were such numbers

-- A trigger, as a coordinator of the previous release that moves a job to history does not know the column.
CREATE FUNCTION keep_itm_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT itm_id INTO NEW.itm_id FROM job_details WHERE job_id = NEW.id;
    RETURN NEW;
END $$;
CREATE TRIGGER job_history_itm_id BEFORE INSERT ON job_history
    FOR EACH ROW EXECUTE FUNCTION keep_itm_id();

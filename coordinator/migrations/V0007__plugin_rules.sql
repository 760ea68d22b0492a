-- What a plugin's parameters have to be: JSON Schema, from its workers' announcements; null where none says it.
ALTER TABLE plugins ADD COLUMN parameters_schema jsonb;

-- How long a run may go on without contact to any coordinator; null: until its run budget is used up.
ALTER TABLE plugins ADD COLUMN disconnect_limit_seconds integer CHECK (disconnect_limit_seconds > 0);

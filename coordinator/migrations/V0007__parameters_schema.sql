-- What a plugin's parameters have to be: JSON Schema, from its workers' announcements; null where none says it.
ALTER TABLE plugins ADD COLUMN parameters_schema jsonb;

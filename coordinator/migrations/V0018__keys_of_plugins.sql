-- A key that a submitter chooses is its plugin's: 'key:<plugin>:<key>', not 'key:<key>'.

UPDATE idempotency_keys AS keys SET key = 'key:' || of.plugin || ':' || substr(key, length('key:') + 1)
FROM (SELECT id, plugin FROM jobs UNION ALL SELECT id, plugin FROM job_history) AS of
WHERE of.id = keys.job_id AND starts_with(key, 'key:');

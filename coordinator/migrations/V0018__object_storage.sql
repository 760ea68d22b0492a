-- Storages may be places on object storage: `s3://bucket/folder`.

ALTER TABLE storages DROP CONSTRAINT storage_path_is_plain;
ALTER TABLE storages ADD CONSTRAINT storage_path_is_plain CHECK (
    path = '/' OR (path ~ '^(/|s3://[a-z0-9])' AND right(path, 1) <> '/'
                   AND regexp_replace(path, '^s3:/', '') !~ '/(\.{0,2})(/|$)'));

-- Buckets do not lie beneath the root of all folders.
CREATE OR REPLACE FUNCTION storage_of(folder text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT path FROM storages
    WHERE folder IS NOT NULL
      AND (path = folder OR path = '/' AND starts_with(folder, '/') OR starts_with(folder, path || '/'))
    ORDER BY length(path) DESC LIMIT 1
$$;

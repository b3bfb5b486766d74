-- A key has at most one null version, which this index finds without a scan of the key's versions.
CREATE UNIQUE INDEX null_versions ON versions (bucket_id, key) WHERE is_null_version = 1;

-- The guard of every batch that adds a reference to another version's blob (see commit_guard): that version still
-- exists.
CREATE VIEW source_guard AS SELECT NULL AS bucket_id, NULL AS key, NULL AS version_id;

CREATE TRIGGER source_guard_holds INSTEAD OF INSERT ON source_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: source changed')
  WHERE NOT EXISTS (
    SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id
  ) AND NOT EXISTS (
    SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id
  );
END;

-- The guard of every commit. A batch begins by inserting the state that its preconditions were evaluated on; the
-- trigger aborts the batch if that state has changed. (An UPDATE that matches no row would not abort it.)
CREATE VIEW commit_guard AS
  SELECT NULL AS bucket_name, NULL AS bucket_id, NULL AS versioning, NULL AS key, NULL AS head, NULL AS blob_ids;

CREATE TRIGGER commit_guard_holds INSTEAD OF INSERT ON commit_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: bucket changed')
  WHERE NOT EXISTS (
    SELECT 1 FROM buckets WHERE name = NEW.bucket_name AND id = NEW.bucket_id AND versioning IS NEW.versioning
  );
  SELECT RAISE(ABORT, 'commit refused: head changed')
  WHERE NEW.key IS NOT NULL AND NEW.head IS NOT coalesce(
    (SELECT version_id FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key),
    (SELECT version_id FROM versions WHERE bucket_id = NEW.bucket_id AND key = NEW.key ORDER BY version_id LIMIT 1)
  );
  SELECT RAISE(ABORT, 'commit refused: blob condemned')
  WHERE NEW.blob_ids IS NOT NULL AND EXISTS (
    SELECT 1 FROM scan_tombstones WHERE blob_id IN (SELECT value FROM json_each(NEW.blob_ids))
  );
END;

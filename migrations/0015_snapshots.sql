-- Snapshots: named states of a bucket. A snapshot is a cutoff in the order of version ids, which count down with time:
-- it contains the newest version of each key whose id is not below the cutoff.
CREATE TABLE snapshots (
  bucket_id  TEXT NOT NULL,
  cutoff     TEXT NOT NULL,    -- the order digits of a version id
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL, -- ms since the epoch, by the database's clock
  PRIMARY KEY (bucket_id, cutoff)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX snapshots_by_name ON snapshots (bucket_id, name);

-- New version ids are later than this time, in ms since the epoch; NULL: no bound.
ALTER TABLE buckets ADD COLUMN snapshot_floor INTEGER;

-- Extends the guard of 0004. The floor must be the one above which the new version ids were chosen. If a coordinator's
-- clock is more than a second ahead of the database's, the guard raises the floor past the new version id (by an extra
-- minute, so that this happens rarely). The cutoff of the next snapshot is then later than that version.
DROP VIEW commit_guard;

CREATE VIEW commit_guard AS
  SELECT NULL AS bucket_name, NULL AS bucket_id, NULL AS versioning, NULL AS snapshot_floor, NULL AS key, NULL AS head,
    NULL AS blob_ids, NULL AS written_at;

CREATE TRIGGER commit_guard_holds INSTEAD OF INSERT ON commit_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: bucket changed')
  WHERE NOT EXISTS (
    SELECT 1 FROM buckets
    WHERE name = NEW.bucket_name AND id = NEW.bucket_id AND versioning IS NEW.versioning
      AND snapshot_floor IS NEW.snapshot_floor
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
  UPDATE buckets SET snapshot_floor = NEW.written_at + 60000
  WHERE name = NEW.bucket_name AND NEW.written_at > coalesce(NEW.snapshot_floor, 0) + 1
    AND NEW.written_at > unixepoch('subsec') * 1000 + 1000;
END;

-- Extends the guard of 0005: a bucket with snapshots cannot be deleted.
DROP VIEW empty_bucket_guard;

CREATE VIEW empty_bucket_guard AS SELECT NULL AS bucket_id;

CREATE TRIGGER empty_bucket_guard_holds INSTEAD OF INSERT ON empty_bucket_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: bucket has snapshots')
  WHERE EXISTS (SELECT 1 FROM snapshots WHERE bucket_id = NEW.bucket_id);
  SELECT RAISE(ABORT, 'commit refused: bucket not empty')
  WHERE EXISTS (SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id)
    OR EXISTS (SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id);
END;

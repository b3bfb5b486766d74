-- Snapshots: names for what a bucket held at a moment. A snapshot is a place in the order of version ids, which count
-- down with time: it shows the newest version of each key whose id is not below its cutoff.
CREATE TABLE snapshots (
  bucket_id  TEXT NOT NULL,
  cutoff     TEXT NOT NULL,    -- the order digits of a version id
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL, -- ms since the epoch, by the database's clock
  PRIMARY KEY (bucket_id, cutoff)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX snapshots_by_name ON snapshots (bucket_id, name);

-- Every version that is committed from now on is of a later time than this, in ms since the epoch; NULL: of any.
ALTER TABLE buckets ADD COLUMN snapshot_floor INTEGER;

-- The guard of every commit, as it was made in 0004 and two things more. The floor is the one that the new version ids
-- were chosen above. And no version is of a later time than the floor, or a second past the database's own clock, may
-- tell: where a coordinator's clock is ahead, the floor is raised (by a minute more, so that it is seldom), which the
-- cutoff of the next snapshot takes into account.
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

-- The guard of a bucket's deletion, as it was made in 0005 and one thing more: nobody wants to keep what was in it.
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

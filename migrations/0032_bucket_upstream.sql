-- A bucket's upstream as JSON: {"source", "bucket", "prefix"}.
ALTER TABLE buckets ADD COLUMN upstream TEXT;

-- Deletions in all other buckets look their bucket up here, find nothing and record nothing.
CREATE INDEX buckets_with_upstream ON buckets (id) WHERE upstream IS NOT NULL;

-- Keys that a bucket with an upstream had and lost, or that were deleted before it had them. They are never imported.
CREATE TABLE upstream_deletions (
  bucket_id TEXT NOT NULL,
  key       TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;

-- Objects that are being copied from an upstream, or wait for it. A claim ends at due_at: then the job copies the object.
CREATE TABLE upstream_imports (
  bucket_id TEXT NOT NULL,
  key       TEXT NOT NULL,
  due_at    INTEGER NOT NULL,           -- ms since the epoch
  attempts  INTEGER NOT NULL DEFAULT 0, -- of the job
  progress  TEXT,                       -- JSON of the slices that are stored so far
  PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX due_imports ON upstream_imports (due_at);

CREATE TRIGGER upstream_object_deleted AFTER DELETE ON objects
WHEN EXISTS (SELECT 1 FROM buckets WHERE id = OLD.bucket_id AND upstream IS NOT NULL)
BEGIN
  INSERT INTO upstream_deletions (bucket_id, key) VALUES (OLD.bucket_id, OLD.key) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER upstream_version_deleted AFTER DELETE ON versions
WHEN EXISTS (SELECT 1 FROM buckets WHERE id = OLD.bucket_id AND upstream IS NOT NULL)
BEGIN
  INSERT INTO upstream_deletions (bucket_id, key) VALUES (OLD.bucket_id, OLD.key) ON CONFLICT DO NOTHING;
END;

-- Refuses the import of a key that the bucket has or had, and every import once the bucket has no upstream.
CREATE VIEW import_guard AS SELECT NULL AS bucket_id, NULL AS key;

CREATE TRIGGER import_guard_holds INSTEAD OF INSERT ON import_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: source changed')
  WHERE NOT EXISTS (SELECT 1 FROM buckets WHERE id = NEW.bucket_id AND upstream IS NOT NULL)
    OR EXISTS (SELECT 1 FROM upstream_deletions WHERE bucket_id = NEW.bucket_id AND key = NEW.key)
    OR EXISTS (SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key)
    OR EXISTS (SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id AND key = NEW.key);
END;

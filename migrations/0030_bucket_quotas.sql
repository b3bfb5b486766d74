-- A bucket's quota as JSON: {"maxBytes", "maxObjects", …}.
ALTER TABLE buckets ADD COLUMN quota TEXT;

-- What buckets with limits on storage store: every version counts, except delete markers. Triggers derive the rows from
-- buckets.quota and keep the counters in every batch that writes versions. Keys from counted_to on are not counted yet;
-- NULL: all are, and the limits are enforced.
CREATE TABLE bucket_quotas (
  bucket_id   TEXT NOT NULL PRIMARY KEY,
  max_bytes   INTEGER,
  max_objects INTEGER,
  bytes       INTEGER NOT NULL DEFAULT 0,
  objects     INTEGER NOT NULL DEFAULT 0,
  counted_to  TEXT,
  is_moving   INTEGER NOT NULL DEFAULT 0 -- 1: within a rename, which needs no room
) STRICT, WITHOUT ROWID;

CREATE TRIGGER quota_changed AFTER UPDATE OF quota ON buckets
BEGIN
  DELETE FROM bucket_quotas WHERE bucket_id = OLD.id
    AND coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NULL;
  UPDATE bucket_quotas SET max_bytes = NEW.quota ->> 'maxBytes', max_objects = NEW.quota ->> 'maxObjects'
    WHERE bucket_id = NEW.id;
  INSERT INTO bucket_quotas (bucket_id, max_bytes, max_objects, counted_to)
    SELECT NEW.id, NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects', ''
    WHERE coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.id);
END;

CREATE TRIGGER quota_of_restored_bucket AFTER INSERT ON buckets
WHEN coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NOT NULL
BEGIN
  INSERT INTO bucket_quotas (bucket_id, max_bytes, max_objects, counted_to)
    SELECT NEW.id, NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects', '';
END;

CREATE TRIGGER quota_of_deleted_bucket AFTER DELETE ON buckets WHEN OLD.quota IS NOT NULL
BEGIN
  DELETE FROM bucket_quotas WHERE bucket_id = OLD.id;
END;

-- A version that a batch moves between the two tables is in both for a moment, and counts once.
CREATE TRIGGER quota_object_inserted AFTER INSERT ON objects
WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.bucket_id) AND NOT EXISTS (
  SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes + NEW.size, objects = objects + 1
    WHERE bucket_id = NEW.bucket_id AND (counted_to IS NULL OR NEW.key < counted_to);
  SELECT RAISE(ABORT, 'commit refused: quota exceeded') FROM bucket_quotas
    WHERE bucket_id = NEW.bucket_id AND counted_to IS NULL AND is_moving = 0
      AND (bytes > max_bytes AND NEW.size > 0 OR objects > max_objects);
END;

CREATE TRIGGER quota_object_replaced AFTER UPDATE OF version_id, size ON objects
WHEN OLD.version_id <> NEW.version_id AND EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.bucket_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes - OLD.size, objects = objects - 1
    WHERE bucket_id = OLD.bucket_id AND (counted_to IS NULL OR OLD.key < counted_to) AND NOT EXISTS (
      SELECT 1 FROM versions WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id);
  UPDATE bucket_quotas SET bytes = bytes + NEW.size, objects = objects + 1
    WHERE bucket_id = NEW.bucket_id AND (counted_to IS NULL OR NEW.key < counted_to);
  SELECT RAISE(ABORT, 'commit refused: quota exceeded') FROM bucket_quotas
    WHERE bucket_id = NEW.bucket_id AND counted_to IS NULL AND is_moving = 0 AND (
      bytes > max_bytes AND NEW.size > OLD.size
      OR EXISTS (
        SELECT 1 FROM versions WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id
      ) AND (bytes > max_bytes AND NEW.size > 0 OR objects > max_objects));
END;

CREATE TRIGGER quota_object_deleted AFTER DELETE ON objects
WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = OLD.bucket_id) AND NOT EXISTS (
  SELECT 1 FROM versions WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes - OLD.size, objects = objects - 1
    WHERE bucket_id = OLD.bucket_id AND (counted_to IS NULL OR OLD.key < counted_to);
END;

CREATE TRIGGER quota_version_inserted AFTER INSERT ON versions
WHEN NEW.is_delete_marker = 0 AND EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.bucket_id) AND NOT EXISTS (
  SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes + NEW.size, objects = objects + 1
    WHERE bucket_id = NEW.bucket_id AND (counted_to IS NULL OR NEW.key < counted_to);
END;

CREATE TRIGGER quota_version_deleted AFTER DELETE ON versions
WHEN OLD.is_delete_marker = 0 AND EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = OLD.bucket_id) AND NOT EXISTS (
  SELECT 1 FROM objects WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes - OLD.size, objects = objects - 1
    WHERE bucket_id = OLD.bucket_id AND (counted_to IS NULL OR OLD.key < counted_to);
END;

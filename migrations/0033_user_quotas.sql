-- Limits on what all buckets that a user created store together, from the tags cairn:max-bytes and cairn:max-objects. Triggers
-- keep the rows of the first database. A job copies them to further databases, with what the others store.
CREATE TABLE user_quotas (
  user_id           TEXT NOT NULL PRIMARY KEY,
  max_bytes         INTEGER,
  max_objects       INTEGER,
  bytes_elsewhere   INTEGER NOT NULL DEFAULT 0, -- in buckets of other databases, as of the job's last pass
  objects_elsewhere INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The user whose quota the bucket counts for; NULL: its creator has none. What the user stores is the sum of the rows.
ALTER TABLE bucket_quotas ADD COLUMN user_id TEXT;
CREATE INDEX bucket_quotas_by_user ON bucket_quotas (user_id) WHERE user_id IS NOT NULL;

CREATE TRIGGER user_quota_inserted AFTER INSERT ON user_quotas
BEGIN
  UPDATE bucket_quotas SET user_id = NEW.user_id
    WHERE bucket_id IN (SELECT id FROM buckets WHERE creator_id = NEW.user_id);
  INSERT INTO bucket_quotas (bucket_id, user_id, counted_to)
    SELECT id, NEW.user_id, '' FROM buckets
    WHERE creator_id = NEW.user_id AND id NOT IN (SELECT bucket_id FROM bucket_quotas);
END;

CREATE TRIGGER user_quota_deleted AFTER DELETE ON user_quotas
BEGIN
  DELETE FROM bucket_quotas WHERE user_id = OLD.user_id AND coalesce(max_bytes, max_objects) IS NULL;
  UPDATE bucket_quotas SET user_id = NULL WHERE user_id = OLD.user_id;
END;

CREATE TRIGGER user_quota_of_new_user AFTER INSERT ON users WHEN NEW.tags LIKE '%cairn:max-%'
BEGIN
  INSERT INTO user_quotas (user_id, max_bytes, max_objects)
    SELECT NEW.id, max_bytes, max_objects FROM (
      SELECT max(iif(lower(value ->> 0) = 'cairn:max-bytes', CAST(value ->> 1 AS INTEGER), NULL)) AS max_bytes,
        max(iif(lower(value ->> 0) = 'cairn:max-objects', CAST(value ->> 1 AS INTEGER), NULL)) AS max_objects
      FROM json_each(NEW.tags))
    WHERE coalesce(max_bytes, max_objects) IS NOT NULL;
END;

CREATE TRIGGER user_quota_changed AFTER UPDATE OF tags ON users
WHEN OLD.tags LIKE '%cairn:max-%' OR NEW.tags LIKE '%cairn:max-%'
BEGIN
  DELETE FROM user_quotas WHERE user_id = NEW.id AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.tags) WHERE lower(value ->> 0) IN ('cairn:max-bytes', 'cairn:max-objects'));
  INSERT INTO user_quotas (user_id, max_bytes, max_objects)
    SELECT NEW.id, max_bytes, max_objects FROM (
      SELECT max(iif(lower(value ->> 0) = 'cairn:max-bytes', CAST(value ->> 1 AS INTEGER), NULL)) AS max_bytes,
        max(iif(lower(value ->> 0) = 'cairn:max-objects', CAST(value ->> 1 AS INTEGER), NULL)) AS max_objects
      FROM json_each(NEW.tags))
    WHERE coalesce(max_bytes, max_objects) IS NOT NULL
    ON CONFLICT (user_id) DO UPDATE SET max_bytes = excluded.max_bytes, max_objects = excluded.max_objects;
END;

CREATE TRIGGER user_quota_of_deleted_user AFTER DELETE ON users
BEGIN
  DELETE FROM user_quotas WHERE user_id = OLD.id;
END;

-- The triggers of quotas again: a bucket is counted too if its creator has a quota.
DROP TRIGGER quota_changed;
CREATE TRIGGER quota_changed AFTER UPDATE OF quota ON buckets
BEGIN
  DELETE FROM bucket_quotas WHERE bucket_id = OLD.id AND user_id IS NULL
    AND coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NULL;
  UPDATE bucket_quotas SET max_bytes = NEW.quota ->> 'maxBytes', max_objects = NEW.quota ->> 'maxObjects'
    WHERE bucket_id = NEW.id;
  INSERT INTO bucket_quotas (bucket_id, max_bytes, max_objects, counted_to)
    SELECT NEW.id, NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects', ''
    WHERE coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.id);
END;

DROP TRIGGER quota_of_restored_bucket;
CREATE TRIGGER quota_of_restored_bucket AFTER INSERT ON buckets
WHEN coalesce(NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects') IS NOT NULL
  OR EXISTS (SELECT 1 FROM user_quotas WHERE user_id = NEW.creator_id)
BEGIN
  INSERT INTO bucket_quotas (bucket_id, max_bytes, max_objects, user_id, counted_to)
    SELECT NEW.id, NEW.quota ->> 'maxBytes', NEW.quota ->> 'maxObjects',
      (SELECT user_id FROM user_quotas WHERE user_id = NEW.creator_id), '';
END;

DROP TRIGGER quota_of_deleted_bucket;
CREATE TRIGGER quota_of_deleted_bucket AFTER DELETE ON buckets
WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = OLD.id)
BEGIN
  DELETE FROM bucket_quotas WHERE bucket_id = OLD.id;
END;

DROP TRIGGER quota_object_inserted;
CREATE TRIGGER quota_object_inserted AFTER INSERT ON objects
WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket_id = NEW.bucket_id) AND NOT EXISTS (
  SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id)
BEGIN
  UPDATE bucket_quotas SET bytes = bytes + NEW.size, objects = objects + 1
    WHERE bucket_id = NEW.bucket_id AND (counted_to IS NULL OR NEW.key < counted_to);
  SELECT RAISE(ABORT, 'commit refused: quota exceeded') FROM bucket_quotas
    WHERE bucket_id = NEW.bucket_id AND counted_to IS NULL AND is_moving = 0
      AND (bytes > max_bytes AND NEW.size > 0 OR objects > max_objects);
  SELECT RAISE(ABORT, 'commit refused: quota exceeded') FROM bucket_quotas q JOIN user_quotas u ON u.user_id = q.user_id
    WHERE q.bucket_id = NEW.bucket_id AND q.counted_to IS NULL AND q.is_moving = 0 AND (
      NEW.size > 0 AND u.max_bytes IS NOT NULL
        AND u.bytes_elsewhere + (SELECT sum(s.bytes) FROM bucket_quotas s WHERE s.user_id = u.user_id) > u.max_bytes
      OR u.max_objects IS NOT NULL
        AND u.objects_elsewhere + (SELECT sum(s.objects) FROM bucket_quotas s WHERE s.user_id = u.user_id) > u.max_objects);
END;

DROP TRIGGER quota_object_replaced;
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
  SELECT RAISE(ABORT, 'commit refused: quota exceeded') FROM bucket_quotas q JOIN user_quotas u ON u.user_id = q.user_id
    WHERE q.bucket_id = NEW.bucket_id AND q.counted_to IS NULL AND q.is_moving = 0 AND (
      u.max_bytes IS NOT NULL
        AND (NEW.size > OLD.size OR NEW.size > 0 AND EXISTS (
          SELECT 1 FROM versions WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id))
        AND u.bytes_elsewhere + (SELECT sum(s.bytes) FROM bucket_quotas s WHERE s.user_id = u.user_id) > u.max_bytes
      OR u.max_objects IS NOT NULL
        AND EXISTS (
          SELECT 1 FROM versions WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND version_id = OLD.version_id)
        AND u.objects_elsewhere + (SELECT sum(s.objects) FROM bucket_quotas s WHERE s.user_id = u.user_id) > u.max_objects);
END;

-- Annotations of versions. Version ids are unique, so a version's annotations move with it between objects and versions.
-- The payload comes last, so that lists and counts read no overflow pages.
CREATE TABLE annotations (
  bucket_id          TEXT NOT NULL,
  key                TEXT NOT NULL,
  version_id         TEXT NOT NULL,
  name               TEXT NOT NULL,
  size               INTEGER NOT NULL, -- bytes
  etag               TEXT NOT NULL,    -- without quotes
  modified_at        INTEGER NOT NULL, -- ms since the epoch
  checksum_algorithm TEXT NOT NULL,
  checksum           TEXT NOT NULL,    -- base64
  payload            TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key, version_id, name)
) STRICT, WITHOUT ROWID;

-- Purged versions whose annotations a job purges in bounded steps.
CREATE TABLE purged_annotations (
  bucket_id  TEXT NOT NULL,
  key        TEXT NOT NULL,
  version_id TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key, version_id)
) STRICT, WITHOUT ROWID;

-- A version is purged when neither table has it. Moves insert it into one table before they delete it from the other.
CREATE TRIGGER annotations_of_deleted_object AFTER DELETE ON objects
WHEN EXISTS (SELECT 1 FROM annotations a
    WHERE a.bucket_id = OLD.bucket_id AND a.key = OLD.key AND a.version_id = OLD.version_id)
  AND NOT EXISTS (SELECT 1 FROM versions v
    WHERE v.bucket_id = OLD.bucket_id AND v.key = OLD.key AND v.version_id = OLD.version_id)
BEGIN
  INSERT INTO purged_annotations (bucket_id, key, version_id) VALUES (OLD.bucket_id, OLD.key, OLD.version_id)
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER annotations_of_replaced_object AFTER UPDATE OF version_id ON objects
WHEN OLD.version_id <> NEW.version_id
  AND EXISTS (SELECT 1 FROM annotations a
    WHERE a.bucket_id = OLD.bucket_id AND a.key = OLD.key AND a.version_id = OLD.version_id)
  AND NOT EXISTS (SELECT 1 FROM versions v
    WHERE v.bucket_id = OLD.bucket_id AND v.key = OLD.key AND v.version_id = OLD.version_id)
BEGIN
  INSERT INTO purged_annotations (bucket_id, key, version_id) VALUES (OLD.bucket_id, OLD.key, OLD.version_id)
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER annotations_of_purged_version AFTER DELETE ON versions
WHEN EXISTS (SELECT 1 FROM annotations a
    WHERE a.bucket_id = OLD.bucket_id AND a.key = OLD.key AND a.version_id = OLD.version_id)
  AND NOT EXISTS (SELECT 1 FROM objects o
    WHERE o.bucket_id = OLD.bucket_id AND o.key = OLD.key AND o.version_id = OLD.version_id)
BEGIN
  INSERT INTO purged_annotations (bucket_id, key, version_id) VALUES (OLD.bucket_id, OLD.key, OLD.version_id)
    ON CONFLICT DO NOTHING;
END;

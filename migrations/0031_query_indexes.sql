-- What queries of a bucket find by an index, as JSON: [["tag","team"],["meta","*"],["size",""], …].
ALTER TABLE buckets ADD COLUMN query_index TEXT;

-- The indexes of buckets that ask for them. Triggers derive the rows from buckets.query_index. An index that is created
-- again has another id, so what is left of the earlier one is never read.
CREATE TABLE query_indexes (
  bucket_id  TEXT NOT NULL,
  kind       TEXT NOT NULL,    -- tag, meta, type, class, size, time
  name       TEXT NOT NULL,    -- of the tag or the metadata entry; *: each; empty: of the others
  id         INTEGER NOT NULL,
  indexed_to TEXT,             -- keys from here on are not indexed yet; NULL: all are, and queries use the index
  PRIMARY KEY (bucket_id, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX query_indexes_to_build ON query_indexes (id) WHERE indexed_to IS NOT NULL;

-- What the indexes contain of the current versions. Of one value, the keys are in their order.
CREATE TABLE query_entries (
  index_id INTEGER NOT NULL,
  name     TEXT NOT NULL,
  value    ANY NOT NULL,
  key      TEXT NOT NULL,
  PRIMARY KEY (index_id, name, value, key)
) STRICT, WITHOUT ROWID;

-- Deleted indexes whose entries a job purges in bounded steps.
CREATE TABLE deleted_query_indexes (
  id INTEGER NOT NULL PRIMARY KEY
) STRICT;

CREATE TRIGGER query_index_changed AFTER UPDATE OF query_index ON buckets
WHEN OLD.query_index IS NOT NEW.query_index
BEGIN
  DELETE FROM query_indexes WHERE bucket_id = OLD.id AND NOT EXISTS (
    SELECT 1 FROM json_each(NEW.query_index) e WHERE e.value ->> 0 = kind AND e.value ->> 1 = name);
  INSERT INTO query_indexes (bucket_id, kind, name, id, indexed_to)
    SELECT NEW.id, e.value ->> 0, e.value ->> 1, random() & 9007199254740991, ''
    FROM json_each(NEW.query_index) e WHERE true ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER query_index_of_restored_bucket AFTER INSERT ON buckets WHEN NEW.query_index IS NOT NULL
BEGIN
  INSERT INTO query_indexes (bucket_id, kind, name, id, indexed_to)
    SELECT NEW.id, e.value ->> 0, e.value ->> 1, random() & 9007199254740991, ''
    FROM json_each(NEW.query_index) e WHERE true ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER query_index_of_deleted_bucket AFTER DELETE ON buckets WHEN OLD.query_index IS NOT NULL
BEGIN
  DELETE FROM query_indexes WHERE bucket_id = OLD.id;
END;

CREATE TRIGGER query_index_deleted AFTER DELETE ON query_indexes
BEGIN
  INSERT INTO deleted_query_indexes (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
END;

-- The entries that belong to the current versions.
CREATE VIEW query_terms AS
  SELECT i.bucket_id, o.key, i.id AS index_id, i.kind, t.value ->> 0 AS name, t.value ->> 1 AS value
  FROM query_indexes i CROSS JOIN objects o ON o.bucket_id = i.bucket_id CROSS JOIN json_each(o.tags) t
  WHERE i.kind = 'tag' AND (i.name = '*' OR i.name = t.value ->> 0)
  UNION ALL
  SELECT i.bucket_id, o.key, i.id, i.kind, m.key, m.value
  FROM query_indexes i CROSS JOIN objects o ON o.bucket_id = i.bucket_id CROSS JOIN json_each(o.user_metadata) m
  WHERE i.kind = 'meta' AND (i.name = '*' OR i.name = m.key)
  UNION ALL
  SELECT i.bucket_id, o.key, i.id, i.kind, '',
    iif(i.kind = 'size', o.size, iif(i.kind = 'time', o.modified_at, iif(i.kind = 'class', o.storage_class,
      lower(trim(substr(coalesce(o.content_type, 'binary/octet-stream'), 1,
        instr(coalesce(o.content_type, 'binary/octet-stream') || ';', ';') - 1), ' ' || char(9))))))
  FROM query_indexes i CROSS JOIN objects o ON o.bucket_id = i.bucket_id
  WHERE i.kind IN ('type', 'class', 'size', 'time');

CREATE TRIGGER query_entries_of_new_object AFTER INSERT ON objects
WHEN EXISTS (SELECT 1 FROM query_indexes WHERE bucket_id = NEW.bucket_id)
BEGIN
  INSERT INTO query_entries (index_id, name, value, key)
    SELECT index_id, name, value, key FROM query_terms WHERE bucket_id = NEW.bucket_id AND key = NEW.key
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER query_entries_of_deleted_object BEFORE DELETE ON objects
WHEN EXISTS (SELECT 1 FROM query_indexes WHERE bucket_id = OLD.bucket_id)
BEGIN
  DELETE FROM query_entries WHERE (index_id, name, value, key) IN (
    SELECT index_id, name, value, key FROM query_terms WHERE bucket_id = OLD.bucket_id AND key = OLD.key);
END;

-- An update replaces the entries of what it changes: those of the old row before it, those of the new row after it.
CREATE TRIGGER query_entries_of_old_row
BEFORE UPDATE OF tags, user_metadata, content_type, storage_class, size, modified_at ON objects
WHEN EXISTS (SELECT 1 FROM query_indexes WHERE bucket_id = OLD.bucket_id)
BEGIN
  DELETE FROM query_entries WHERE (index_id, name, value, key) IN (
    SELECT index_id, name, value, key FROM query_terms WHERE bucket_id = OLD.bucket_id AND key = OLD.key AND (
      kind = 'tag' AND OLD.tags IS NOT NEW.tags
      OR kind = 'meta' AND OLD.user_metadata IS NOT NEW.user_metadata
      OR kind = 'type' AND OLD.content_type IS NOT NEW.content_type
      OR kind = 'class' AND OLD.storage_class IS NOT NEW.storage_class
      OR kind = 'size' AND OLD.size IS NOT NEW.size
      OR kind = 'time' AND OLD.modified_at IS NOT NEW.modified_at));
END;

CREATE TRIGGER query_entries_of_new_row
AFTER UPDATE OF tags, user_metadata, content_type, storage_class, size, modified_at ON objects
WHEN EXISTS (SELECT 1 FROM query_indexes WHERE bucket_id = NEW.bucket_id)
BEGIN
  INSERT INTO query_entries (index_id, name, value, key)
    SELECT index_id, name, value, key FROM query_terms WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND (
      kind = 'tag' AND OLD.tags IS NOT NEW.tags
      OR kind = 'meta' AND OLD.user_metadata IS NOT NEW.user_metadata
      OR kind = 'type' AND OLD.content_type IS NOT NEW.content_type
      OR kind = 'class' AND OLD.storage_class IS NOT NEW.storage_class
      OR kind = 'size' AND OLD.size IS NOT NEW.size
      OR kind = 'time' AND OLD.modified_at IS NOT NEW.modified_at)
    ON CONFLICT DO NOTHING;
END;

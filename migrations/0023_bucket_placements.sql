-- The registry of buckets in further databases (META_1, META_2, …), kept in the first. A bucket whose row is in the first
-- database has no entry. An entry is made before the bucket's row and deleted after it.
CREATE TABLE bucket_placements (
  name      TEXT NOT NULL PRIMARY KEY,
  id        TEXT NOT NULL,
  database  TEXT NOT NULL,    -- the name of the binding
  placed_at INTEGER NOT NULL, -- ms since the epoch
  bucket    TEXT NOT NULL     -- JSON: its row at creation, which completes an interrupted creation
) STRICT, WITHOUT ROWID;

CREATE INDEX bucket_placements_by_database ON bucket_placements (database, id);

-- In the database of the bucket: buckets whose deletion is committed while their placement may remain. An id in here
-- never gets a row again.
CREATE TABLE deleted_buckets (
  id         TEXT NOT NULL PRIMARY KEY,
  deleted_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- A name has a bucket in the first database or a placement, never both. An insert of a bucket whose name has a placement,
-- or whose deletion is recorded, inserts nothing, as if the name were taken. (An error would break earlier Workers.)
CREATE TRIGGER bucket_name_unplaced BEFORE INSERT ON buckets
WHEN EXISTS (SELECT 1 FROM bucket_placements WHERE name = NEW.name)
  OR EXISTS (SELECT 1 FROM deleted_buckets WHERE id = NEW.id)
BEGIN
  SELECT RAISE(IGNORE);
END;

CREATE TRIGGER placed_name_unused BEFORE INSERT ON bucket_placements
WHEN EXISTS (SELECT 1 FROM buckets WHERE name = NEW.name)
BEGIN
  SELECT RAISE(ABORT, 'commit refused: bucket name taken');
END;

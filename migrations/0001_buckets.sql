-- Buckets. Each setting of a bucket is one JSON column, added by the migration of the feature it belongs to.
CREATE TABLE buckets (
  name       TEXT NOT NULL PRIMARY KEY,
  id         TEXT NOT NULL,    -- another one each time a bucket of this name is made, so that nothing outlives a deletion
  owner_id   TEXT NOT NULL,
  region     TEXT NOT NULL,
  created_at INTEGER NOT NULL, -- ms since the epoch
  versioning TEXT CHECK (versioning IN ('Enabled', 'Suspended')) -- NULL: never enabled
) STRICT, WITHOUT ROWID;

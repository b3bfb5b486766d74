-- Buckets. Each bucket configuration is one column, added by the migration of its feature.
CREATE TABLE buckets (
  name       TEXT NOT NULL PRIMARY KEY,
  id         TEXT NOT NULL,    -- never reused, so that no row outlives its bucket
  owner_id   TEXT NOT NULL,
  region     TEXT NOT NULL,
  created_at INTEGER NOT NULL, -- ms since the epoch
  versioning TEXT CHECK (versioning IN ('Enabled', 'Suspended')) -- NULL: never enabled
) STRICT, WITHOUT ROWID;

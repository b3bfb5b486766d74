-- While a row exists, scheduled jobs delete nothing.
CREATE TABLE deletion_hold (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  reason    TEXT NOT NULL,
  held_at   INTEGER NOT NULL, -- ms since the epoch
  lifted_at INTEGER           -- when an operator lifted it; the next tick then deletes the row
) STRICT, WITHOUT ROWID;

-- The blob store that this database belongs to, and a generation number that grows in both. A database restored to an
-- earlier time has a lower number than its blob store.
CREATE TABLE store_generation (
  id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  store_id   TEXT NOT NULL,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

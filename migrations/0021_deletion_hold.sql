-- While there is a row, scheduled jobs delete nothing.
CREATE TABLE deletion_hold (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  reason    TEXT NOT NULL,
  held_at   INTEGER NOT NULL, -- ms since the epoch
  lifted_at INTEGER           -- when an operator has lifted it, which the next tick carries out
) STRICT, WITHOUT ROWID;

-- Which blob store this database belongs to, and a number that grows in both. A database that was restored to an earlier
-- moment has a lower number than its blob store.
CREATE TABLE store_generation (
  id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  store_id   TEXT NOT NULL,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

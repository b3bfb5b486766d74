-- Reference counts of blobs and manifests. A blob without an entry here has one reference.
CREATE TABLE shared_blobs (
  blob_id TEXT NOT NULL PRIMARY KEY,
  holders INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Blobs and manifests whose last reference was released. They are deleted after the recovery window.
CREATE TABLE garbage (
  blob_id    TEXT NOT NULL PRIMARY KEY,
  dropped_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- Blobs that the orphan scan is about to delete. Guards refuse every commit that would reference one.
CREATE TABLE scan_tombstones (
  blob_id      TEXT NOT NULL PRIMARY KEY,
  condemned_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

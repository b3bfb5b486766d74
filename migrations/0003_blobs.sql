-- What is known of blobs beside the rows that refer to them. A blob has one holder unless shared_blobs says otherwise.
CREATE TABLE shared_blobs (
  blob_id TEXT NOT NULL PRIMARY KEY,
  holders INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Blobs that lost their last holder, kept for the recovery window before they are deleted.
CREATE TABLE garbage (
  blob_id    TEXT NOT NULL PRIMARY KEY,
  dropped_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- Blobs that the orphan scan has condemned: no commit may refer to one any more.
CREATE TABLE scan_tombstones (
  blob_id      TEXT NOT NULL PRIMARY KEY,
  condemned_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

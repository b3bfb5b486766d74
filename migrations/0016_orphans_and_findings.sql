-- Blobs that the orphan scan found without references, until it writes a tombstone or finds a reference.
CREATE TABLE orphans (
  blob_id   TEXT NOT NULL PRIMARY KEY,
  bucket_id TEXT NOT NULL,   -- this and the next two: from its recovery metadata
  key       TEXT NOT NULL,
  upload_id TEXT,            -- NULL: not stored as a part
  found_at  INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- Damage that the scrub found. A later pass purges the entry if the blob is intact or no longer exists.
CREATE TABLE scrub_findings (
  blob_id  TEXT NOT NULL PRIMARY KEY,
  finding  TEXT NOT NULL,
  found_at INTEGER NOT NULL, -- ms since the epoch, of the first finding
  seen_at  INTEGER NOT NULL  -- of the latest finding
) STRICT, WITHOUT ROWID;

-- Blobs that the orphan scan has found to belong to nobody, until it condemns or clears them.
CREATE TABLE orphans (
  blob_id   TEXT NOT NULL PRIMARY KEY,
  bucket_id TEXT NOT NULL,   -- this and the next two: where it was born
  key       TEXT NOT NULL,
  upload_id TEXT,            -- NULL: not as a part
  found_at  INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

-- What the scrub has found wrong with blobs; one that is found sound by a later pass, or not at all, is taken out.
CREATE TABLE scrub_findings (
  blob_id  TEXT NOT NULL PRIMARY KEY,
  finding  TEXT NOT NULL,
  found_at INTEGER NOT NULL, -- ms since the epoch, at first
  seen_at  INTEGER NOT NULL  -- and at last
) STRICT, WITHOUT ROWID;

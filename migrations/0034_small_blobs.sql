-- Small blobs: bytes that a row holds itself (inline) until a job packs them with others into one blob of the store. A
-- small blob is written and referenced by the same batch, so it never is an orphan.
CREATE TABLE small_blobs (
  blob_id           TEXT NOT NULL PRIMARY KEY,
  length            INTEGER NOT NULL, -- bytes
  pack_id           TEXT,             -- the blob of the store that has the bytes; NULL: they are here
  pack_offset       INTEGER,
  recovery_metadata TEXT,             -- JSON; a pack has it in its directory
  bytes             TEXT              -- base64
) STRICT, WITHOUT ROWID;

-- Blobs of the store that contain small blobs of one bucket.
CREATE TABLE packs (
  pack_id    TEXT NOT NULL PRIMARY KEY,
  size       INTEGER NOT NULL, -- bytes of the small blobs that it contains
  live_bytes INTEGER NOT NULL, -- bytes of those among them that have a row
  live_blobs INTEGER NOT NULL,
  packed_to  TEXT              -- the last blob id that was packed with it; NULL: it was written by a compaction
) STRICT, WITHOUT ROWID;

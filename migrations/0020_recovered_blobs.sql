-- Blobs that a rebuild found in the blob store, until it has rebuilt their rows.
CREATE TABLE recovered_blobs (
  bucket_id   TEXT NOT NULL,
  key         TEXT NOT NULL,
  blob_id     TEXT NOT NULL,
  role        TEXT NOT NULL CHECK (role IN ('object', 'part', 'slice', 'proof')),
  upload_id   TEXT,             -- NULL: a whole object
  part_number INTEGER,
  size        INTEGER NOT NULL, -- plaintext bytes
  etag        TEXT NOT NULL,    -- the MD5 of the stored bytes, in hexadecimal
  stored_at   INTEGER NOT NULL, -- ms since the epoch, by the blob store's clock
  facts       TEXT NOT NULL,    -- JSON: the other fields of its recovery metadata
  PRIMARY KEY (bucket_id, key, blob_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX recovered_blobs_by_id ON recovered_blobs (blob_id);

-- Facts that the latest rebuild could not determine or restore, for an operator to decide.
CREATE TABLE rebuild_findings (
  bucket_id TEXT NOT NULL,
  key       TEXT NOT NULL,
  subject   TEXT NOT NULL, -- a blob, or an upload
  finding   TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key, subject)
) STRICT, WITHOUT ROWID;

-- What a rebuild has found in the blob store, until it has made rows of it.
CREATE TABLE recovered_blobs (
  bucket_id   TEXT NOT NULL,
  key         TEXT NOT NULL,
  blob_id     TEXT NOT NULL,
  role        TEXT NOT NULL CHECK (role IN ('object', 'part', 'slice', 'proof')),
  upload_id   TEXT,             -- NULL: all of an object
  part_number INTEGER,
  size        INTEGER NOT NULL, -- bytes, before they were encrypted with a customer's key if they were
  etag        TEXT NOT NULL,    -- the MD5 of what is stored, in hexadecimal
  stored_at   INTEGER NOT NULL, -- ms since the epoch, by the blob store's clock
  facts       TEXT NOT NULL,    -- JSON: the rest of its recovery metadata
  PRIMARY KEY (bucket_id, key, blob_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX recovered_blobs_by_id ON recovered_blobs (blob_id);

-- What the latest rebuild could not know or could not make again, for an operator to decide.
CREATE TABLE rebuild_findings (
  bucket_id TEXT NOT NULL,
  key       TEXT NOT NULL,
  subject   TEXT NOT NULL, -- a blob, or an upload
  finding   TEXT NOT NULL,
  PRIMARY KEY (bucket_id, key, subject)
) STRICT, WITHOUT ROWID;

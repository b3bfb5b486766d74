-- Idempotency tokens of completed renames.
CREATE TABLE rename_tokens (
  bucket_id   TEXT NOT NULL,
  token       TEXT NOT NULL,
  fingerprint TEXT NOT NULL,    -- hash of the rename's parameters
  created_at  INTEGER NOT NULL, -- ms since the epoch
  PRIMARY KEY (bucket_id, token)
) STRICT, WITHOUT ROWID;

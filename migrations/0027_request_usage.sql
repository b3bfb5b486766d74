-- Requests counted by day, bucket and access key. Only the first database has rows. A bucket's rows outlive it, for bills.
CREATE TABLE request_usage (
  day           TEXT NOT NULL,    -- YYYY-MM-DD, UTC
  bucket_id     TEXT NOT NULL,    -- '': no bucket, or one that does not exist
  access_key_id TEXT NOT NULL,    -- of a session: its parent's; '': no verified credentials
  bucket_name   TEXT NOT NULL,
  class_a       INTEGER NOT NULL, -- requests that write or list
  class_b       INTEGER NOT NULL, -- requests that read
  free          INTEGER NOT NULL, -- requests that delete
  errors        INTEGER NOT NULL, -- of all of them, those with a status of 400 or more
  bytes_in      INTEGER NOT NULL,
  bytes_out     INTEGER NOT NULL,
  PRIMARY KEY (day, bucket_id, access_key_id)
) STRICT, WITHOUT ROWID;

-- Requests counted by operation since the first one, for metrics.
CREATE TABLE request_totals (
  operation    TEXT NOT NULL,
  status       TEXT NOT NULL,    -- 2xx, 3xx, 4xx, 5xx
  requests     INTEGER NOT NULL,
  bytes_in     INTEGER NOT NULL,
  bytes_out    INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL, -- until the headers of the answer
  PRIMARY KEY (operation, status)
) STRICT, WITHOUT ROWID;

-- The last counts that each isolate has added, so that counts whose answer was lost are not added twice.
CREATE TABLE usage_writers (
  id         TEXT NOT NULL PRIMARY KEY,
  sequence   INTEGER NOT NULL,
  written_at INTEGER NOT NULL -- ms since the epoch
) STRICT, WITHOUT ROWID;

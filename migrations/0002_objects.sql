-- Objects: the current version of each key, unless it is a delete marker. There is no further index, so that a PUT
-- writes one row. Keys compare as UTF-8 bytes (the BINARY collation), which is S3's order.
CREATE TABLE objects (
  bucket_id          TEXT NOT NULL,
  key                TEXT NOT NULL,
  version_id         TEXT NOT NULL,    -- unique; the compare-and-swap token of every write
  is_null_version    INTEGER NOT NULL, -- 1: clients know this version as "null"
  size               INTEGER NOT NULL, -- bytes
  etag               TEXT NOT NULL,    -- without quotes
  modified_at        INTEGER NOT NULL, -- ms since the epoch
  owner_id           TEXT NOT NULL,
  blob_id            TEXT,             -- the blob of an object in one blob
  manifest_id        TEXT,             -- the list of slices of an object in several
  content_type       TEXT,
  system_metadata    TEXT,             -- JSON: Cache-Control, Content-Disposition, … by lower-case name
  user_metadata      TEXT,             -- JSON: names without x-amz-meta-
  tags               TEXT,             -- JSON
  storage_class      TEXT NOT NULL,
  checksum_algorithm TEXT,             -- CRC32, CRC32C, CRC64NVME, SHA1, SHA256
  checksum_type      TEXT,             -- FULL_OBJECT, COMPOSITE
  checksum           TEXT,             -- base64
  encryption         TEXT,             -- JSON: the fingerprint of a customer's key
  PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;

-- Versions: noncurrent versions and delete markers. Version ids count down with time, so the primary key is in the
-- order of ListObjectVersions.
CREATE TABLE versions (
  bucket_id          TEXT NOT NULL,
  key                TEXT NOT NULL,
  version_id         TEXT NOT NULL,
  is_null_version    INTEGER NOT NULL,
  is_delete_marker   INTEGER NOT NULL,
  size               INTEGER NOT NULL,
  etag               TEXT NOT NULL,
  modified_at        INTEGER NOT NULL,
  owner_id           TEXT NOT NULL,
  blob_id            TEXT,
  manifest_id        TEXT,
  content_type       TEXT,
  system_metadata    TEXT,
  user_metadata      TEXT,
  tags               TEXT,
  storage_class      TEXT NOT NULL,
  checksum_algorithm TEXT,
  checksum_type      TEXT,
  checksum           TEXT,
  encryption         TEXT,
  PRIMARY KEY (bucket_id, key, version_id)
) STRICT, WITHOUT ROWID;

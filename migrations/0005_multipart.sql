-- Open multipart uploads. The row exists while the upload is open; the completion or abort that deletes it first wins.
CREATE TABLE uploads (
  bucket_id          TEXT NOT NULL,
  key                TEXT NOT NULL,
  upload_id          TEXT NOT NULL,    -- sorts by time of initiation
  initiated_at       INTEGER NOT NULL, -- ms since the epoch
  initial_head       TEXT,             -- the key's head when the upload began
  owner_id           TEXT NOT NULL,
  content_type       TEXT,
  system_metadata    TEXT,
  user_metadata      TEXT,
  tags               TEXT,
  storage_class      TEXT NOT NULL,
  checksum_algorithm TEXT,             -- NULL: the client announced none
  checksum_type      TEXT,
  encryption         TEXT,
  PRIMARY KEY (bucket_id, key, upload_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
  upload_id          TEXT NOT NULL,
  part_number        INTEGER NOT NULL,
  holding_id         TEXT NOT NULL,    -- the blob or manifest that this part references
  slices             TEXT,             -- JSON [[blob id, offset, length], …]; NULL: the whole blob
  size               INTEGER NOT NULL,
  etag               TEXT NOT NULL,    -- 32 hexadecimal digits: the MD5, or random digits for a copied range
  checksum_algorithm TEXT,
  checksum           TEXT,
  modified_at        INTEGER NOT NULL,
  PRIMARY KEY (upload_id, part_number)
) STRICT, WITHOUT ROWID;

-- Results of completed uploads, so that a repeated completion gets the same answer for a while.
CREATE TABLE completed_uploads (
  bucket_id    TEXT NOT NULL,
  key          TEXT NOT NULL,
  upload_id    TEXT NOT NULL,
  fingerprint  TEXT NOT NULL, -- of the completion's part list
  version_id   TEXT NOT NULL,
  etag         TEXT NOT NULL,
  checksum     TEXT,          -- JSON
  completed_at INTEGER NOT NULL,
  PRIMARY KEY (bucket_id, key, upload_id)
) STRICT, WITHOUT ROWID;

-- Manifests: objects of several slices, one row per page of slices.
CREATE TABLE manifests (
  manifest_id TEXT NOT NULL,
  page        INTEGER NOT NULL,
  slices      TEXT NOT NULL, -- JSON [[start in the object, blob id, offset in the blob, length], …]
  parts       TEXT NOT NULL, -- JSON [[part number, start, size, checksum or null], …]
  holdings    TEXT NOT NULL, -- JSON: ids of the blobs and manifests that this page references
  PRIMARY KEY (manifest_id, page)
) STRICT, WITHOUT ROWID;

-- The guard of every batch that writes to an upload (see commit_guard): the upload is open, and the chosen parts of a
-- completion are unchanged.
CREATE VIEW upload_guard AS SELECT NULL AS bucket_id, NULL AS key, NULL AS upload_id, NULL AS chosen_parts;

CREATE TRIGGER upload_guard_holds INSTEAD OF INSERT ON upload_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: upload gone')
  WHERE NOT EXISTS (
    SELECT 1 FROM uploads WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND upload_id = NEW.upload_id
  );
  SELECT RAISE(ABORT, 'commit refused: parts changed')
  WHERE NEW.chosen_parts IS NOT NULL AND EXISTS (
    SELECT 1 FROM json_each(NEW.chosen_parts) c
    LEFT JOIN parts p ON p.upload_id = NEW.upload_id AND p.part_number = c.value ->> 0
    WHERE p.holding_id IS NOT c.value ->> 1 OR p.etag IS NOT c.value ->> 2
  );
END;

-- The guard of a bucket's deletion: the bucket contains no versions and no delete markers.
CREATE VIEW empty_bucket_guard AS SELECT NULL AS bucket_id;

CREATE TRIGGER empty_bucket_guard_holds INSTEAD OF INSERT ON empty_bucket_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: bucket not empty')
  WHERE EXISTS (SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id)
    OR EXISTS (SELECT 1 FROM versions WHERE bucket_id = NEW.bucket_id);
END;

-- The guard of a part's batch: no blob has a tombstone. The bucket needs no guard, since an open upload blocks its
-- deletion.
CREATE VIEW blob_guard AS SELECT NULL AS blob_ids;

CREATE TRIGGER blob_guard_holds INSTEAD OF INSERT ON blob_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: blob condemned')
  WHERE EXISTS (SELECT 1 FROM scan_tombstones WHERE blob_id IN (SELECT value FROM json_each(NEW.blob_ids)));
END;

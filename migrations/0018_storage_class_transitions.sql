-- Versions whose bytes are being copied to another storage class, from the last slice to the first. The old table
-- transitions remains for Workers of schema 0016, which count finished slices instead.
CREATE TABLE storage_class_transitions (
  bucket_id     TEXT NOT NULL,
  key           TEXT NOT NULL,
  version_id    TEXT NOT NULL,
  transition_id TEXT NOT NULL,    -- prefix of the ids of the new blobs and manifest
  holding_id    TEXT NOT NULL,    -- the version's blob or manifest until then
  storage_class TEXT NOT NULL,
  slices_left   INTEGER NOT NULL, -- slices from the first on that are not copied yet
  PRIMARY KEY (bucket_id, key, version_id)
) STRICT, WITHOUT ROWID;

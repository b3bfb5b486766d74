-- Versions whose bytes are being copied into another storage class, from the last slice to the first. The table
-- transitions stays as it is for Workers of schema 0016, which count the slices that are done.
CREATE TABLE storage_class_transitions (
  bucket_id     TEXT NOT NULL,
  key           TEXT NOT NULL,
  version_id    TEXT NOT NULL,
  transition_id TEXT NOT NULL,    -- the ids of the new blobs begin with it, and so does that of the new manifest
  holding_id    TEXT NOT NULL,    -- what the version holds until then
  storage_class TEXT NOT NULL,
  slices_left   INTEGER NOT NULL, -- how many, from the first on, are not copied yet
  PRIMARY KEY (bucket_id, key, version_id)
) STRICT, WITHOUT ROWID;

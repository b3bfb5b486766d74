-- Finds buckets with lifecycle rules without a scan of all buckets.
CREATE INDEX buckets_with_lifecycle ON buckets (name) WHERE lifecycle IS NOT NULL;

-- Versions whose bytes are being copied to another storage class, blob by blob.
CREATE TABLE transitions (
  bucket_id     TEXT NOT NULL,
  key           TEXT NOT NULL,
  version_id    TEXT NOT NULL,
  transition_id TEXT NOT NULL,    -- prefix of the ids of the new blobs and manifest
  holding_id    TEXT NOT NULL,    -- the version's blob or manifest until then
  storage_class TEXT NOT NULL,
  slices_done   INTEGER NOT NULL,
  PRIMARY KEY (bucket_id, key, version_id)
) STRICT, WITHOUT ROWID;

-- The guard of every batch that applies a lifecycle action (see commit_guard): the rules are unchanged.
CREATE VIEW lifecycle_rules_guard AS SELECT NULL AS bucket_name, NULL AS bucket_id, NULL AS revision;

CREATE TRIGGER lifecycle_rules_guard_holds INSTEAD OF INSERT ON lifecycle_rules_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: rules changed')
  WHERE NOT EXISTS (
    SELECT 1 FROM buckets
    WHERE name = NEW.bucket_name AND id = NEW.bucket_id AND lifecycle ->> 'revision' = NEW.revision
  );
END;

-- The further guard of those batches: the version is as it was evaluated. `place` is one of: current; noncurrent,
-- directly after `successor_id` and after at least `newer_versions` rows of the versions table; sole, a delete marker
-- without any other version; any, a version whose blob or manifest is `holding_id`.
CREATE VIEW judged_version_guard AS
  SELECT NULL AS bucket_id, NULL AS key, NULL AS version_id, NULL AS place, NULL AS tags, NULL AS successor_id,
    NULL AS newer_versions, NULL AS holding_id;

CREATE TRIGGER judged_version_guard_holds INSTEAD OF INSERT ON judged_version_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: judged version changed')
  WHERE NOT (CASE NEW.place
    WHEN 'current' THEN EXISTS (
      SELECT 1 FROM objects
      WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id AND tags IS NEW.tags)
    WHEN 'noncurrent' THEN EXISTS (
        SELECT 1 FROM versions
        WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id AND tags IS NEW.tags)
      AND NEW.successor_id IS coalesce(
        (SELECT version_id FROM versions
         WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id < NEW.version_id
         ORDER BY version_id DESC LIMIT 1),
        (SELECT version_id FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key))
      AND NEW.newer_versions <= (
        SELECT count(*) FROM (
          SELECT 1 FROM versions
          WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id < NEW.version_id
          LIMIT NEW.newer_versions))
    WHEN 'sole' THEN EXISTS (
        SELECT 1 FROM versions
        WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id AND is_delete_marker = 1)
      AND NOT EXISTS (SELECT 1 FROM objects WHERE bucket_id = NEW.bucket_id AND key = NEW.key)
      AND NOT EXISTS (
        SELECT 1 FROM versions
        WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id <> NEW.version_id)
    WHEN 'any' THEN EXISTS (
      SELECT 1 FROM objects
      WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id AND tags IS NEW.tags
        AND coalesce(blob_id, manifest_id) = NEW.holding_id
      UNION ALL
      SELECT 1 FROM versions
      WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id AND tags IS NEW.tags
        AND coalesce(blob_id, manifest_id) = NEW.holding_id)
    ELSE 0 END);
END;

-- Extends the guard of 0006: the source version must still have the same blob or manifest, which a transition replaces.
DROP VIEW source_guard;

CREATE VIEW source_guard AS SELECT NULL AS bucket_id, NULL AS key, NULL AS version_id, NULL AS holding_id;

CREATE TRIGGER source_guard_holds INSTEAD OF INSERT ON source_guard
BEGIN
  SELECT RAISE(ABORT, 'commit refused: source changed')
  WHERE NOT EXISTS (
    SELECT 1 FROM objects
    WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id
      AND (NEW.holding_id IS NULL OR coalesce(blob_id, manifest_id) = NEW.holding_id)
  ) AND NOT EXISTS (
    SELECT 1 FROM versions
    WHERE bucket_id = NEW.bucket_id AND key = NEW.key AND version_id = NEW.version_id
      AND (NEW.holding_id IS NULL OR coalesce(blob_id, manifest_id) = NEW.holding_id)
  );
END;

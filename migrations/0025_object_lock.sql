-- Object Lock. The default retention of a bucket's new versions as JSON; NULL: Object Lock is not enabled.
ALTER TABLE buckets ADD COLUMN object_lock TEXT;

-- The retention and the legal hold of a version, and of the version that an open upload becomes.
ALTER TABLE objects ADD COLUMN retention_mode TEXT;  -- GOVERNANCE, COMPLIANCE
ALTER TABLE objects ADD COLUMN retain_until INTEGER; -- ms since the epoch
ALTER TABLE objects ADD COLUMN legal_hold TEXT;      -- ON, OFF; NULL: never set
ALTER TABLE versions ADD COLUMN retention_mode TEXT;
ALTER TABLE versions ADD COLUMN retain_until INTEGER;
ALTER TABLE versions ADD COLUMN legal_hold TEXT;
ALTER TABLE uploads ADD COLUMN retention_mode TEXT;
ALTER TABLE uploads ADD COLUMN retain_until INTEGER;
ALTER TABLE uploads ADD COLUMN legal_hold TEXT;

-- The guard of every batch that deletes or replaces a version: no locked version leaves the two tables, whichever
-- statement deletes it, by the database's clock. A move between the tables inserts the version before it deletes it,
-- and must keep its bytes and its lock.
CREATE TRIGGER locked_version_stays_current BEFORE DELETE ON objects
WHEN (OLD.legal_hold = 'ON' OR OLD.retain_until > unixepoch('subsec') * 1000) AND NOT EXISTS (
  SELECT 1 FROM versions v
  WHERE v.bucket_id = OLD.bucket_id AND v.key = OLD.key AND v.version_id = OLD.version_id
    AND v.is_delete_marker = 0 AND coalesce(v.blob_id, v.manifest_id) IS coalesce(OLD.blob_id, OLD.manifest_id)
    AND (v.retention_mode, v.retain_until, v.legal_hold) IS (OLD.retention_mode, OLD.retain_until, OLD.legal_hold))
BEGIN
  SELECT RAISE(ABORT, 'commit refused: version locked');
END;

CREATE TRIGGER locked_version_is_not_replaced BEFORE UPDATE OF version_id ON objects
WHEN OLD.version_id <> NEW.version_id AND (OLD.legal_hold = 'ON' OR OLD.retain_until > unixepoch('subsec') * 1000)
  AND NOT EXISTS (
    SELECT 1 FROM versions v
    WHERE v.bucket_id = OLD.bucket_id AND v.key = OLD.key AND v.version_id = OLD.version_id
      AND v.is_delete_marker = 0 AND coalesce(v.blob_id, v.manifest_id) IS coalesce(OLD.blob_id, OLD.manifest_id)
      AND (v.retention_mode, v.retain_until, v.legal_hold) IS (OLD.retention_mode, OLD.retain_until, OLD.legal_hold))
BEGIN
  SELECT RAISE(ABORT, 'commit refused: version locked');
END;

CREATE TRIGGER locked_version_stays_noncurrent BEFORE DELETE ON versions
WHEN (OLD.legal_hold = 'ON' OR OLD.retain_until > unixepoch('subsec') * 1000) AND NOT EXISTS (
  SELECT 1 FROM objects o
  WHERE o.bucket_id = OLD.bucket_id AND o.key = OLD.key AND o.version_id = OLD.version_id
    AND coalesce(o.blob_id, o.manifest_id) IS coalesce(OLD.blob_id, OLD.manifest_id)
    AND (o.retention_mode, o.retain_until, o.legal_hold) IS (OLD.retention_mode, OLD.retain_until, OLD.legal_hold))
BEGIN
  SELECT RAISE(ABORT, 'commit refused: version locked');
END;

-- A compliance retention in force is never shortened or removed.
CREATE TRIGGER compliance_retention_stays_current BEFORE UPDATE OF retention_mode, retain_until ON objects
WHEN OLD.version_id = NEW.version_id AND OLD.retention_mode = 'COMPLIANCE'
  AND OLD.retain_until > unixepoch('subsec') * 1000
  AND (NEW.retention_mode IS NOT 'COMPLIANCE' OR NEW.retain_until IS NULL OR NEW.retain_until < OLD.retain_until)
BEGIN
  SELECT RAISE(ABORT, 'commit refused: version locked');
END;

CREATE TRIGGER compliance_retention_stays_noncurrent BEFORE UPDATE OF retention_mode, retain_until ON versions
WHEN OLD.version_id = NEW.version_id AND OLD.retention_mode = 'COMPLIANCE'
  AND OLD.retain_until > unixepoch('subsec') * 1000
  AND (NEW.retention_mode IS NOT 'COMPLIANCE' OR NEW.retain_until IS NULL OR NEW.retain_until < OLD.retain_until)
BEGIN
  SELECT RAISE(ABORT, 'commit refused: version locked');
END;

-- Object Lock is never disabled, and needs versioning. (An error would break earlier Workers.)
CREATE TRIGGER object_lock_stays_enabled BEFORE UPDATE OF versioning, object_lock ON buckets
WHEN OLD.object_lock IS NOT NULL AND (NEW.object_lock IS NULL OR NEW.versioning IS NOT 'Enabled')
BEGIN
  SELECT RAISE(IGNORE);
END;

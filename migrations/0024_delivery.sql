ALTER TABLE buckets ADD COLUMN delivery TEXT;
ALTER TABLE buckets ADD COLUMN delivery_epoch INTEGER NOT NULL DEFAULT 0;

-- The hosts of all delivery configurations. A host delivers one bucket.
CREATE TABLE delivery_hosts (
  host TEXT NOT NULL PRIMARY KEY,
  bucket_name TEXT NOT NULL,
  bucket_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_of_new_bucket AFTER INSERT ON buckets WHEN NEW.delivery IS NOT NULL
BEGIN
  INSERT INTO delivery_hosts (host, bucket_name, bucket_id)
    SELECT value, NEW.name, NEW.id FROM json_each(NEW.delivery, '$.hosts');
END;

CREATE TRIGGER delivery_changed AFTER UPDATE OF delivery ON buckets
BEGIN
  DELETE FROM delivery_hosts
    WHERE bucket_id = OLD.id AND host IN (SELECT value FROM json_each(OLD.delivery, '$.hosts'));
  INSERT INTO delivery_hosts (host, bucket_name, bucket_id)
    SELECT value, NEW.name, NEW.id FROM json_each(NEW.delivery, '$.hosts');
END;

CREATE TRIGGER delivery_of_deleted_bucket AFTER DELETE ON buckets WHEN OLD.delivery IS NOT NULL
BEGIN
  DELETE FROM delivery_hosts
    WHERE bucket_id = OLD.id AND host IN (SELECT value FROM json_each(OLD.delivery, '$.hosts'));
END;

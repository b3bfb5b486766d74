-- Releases references of blobs and manifests (see shared_blobs): an insert into this view releases `times` references of
-- one. Without a reference left, it is garbage.
CREATE VIEW reference_releases AS SELECT NULL AS blob_id, NULL AS times, NULL AS released_at;

CREATE TRIGGER references_released INSTEAD OF INSERT ON reference_releases
BEGIN
  INSERT INTO garbage (blob_id, dropped_at)
    SELECT NEW.blob_id, NEW.released_at
    WHERE coalesce((SELECT holders FROM shared_blobs WHERE blob_id = NEW.blob_id), 1) <= NEW.times
    ON CONFLICT DO NOTHING;
  DELETE FROM shared_blobs WHERE blob_id = NEW.blob_id AND holders <= NEW.times;
  UPDATE shared_blobs SET holders = holders - NEW.times WHERE blob_id = NEW.blob_id;
END;

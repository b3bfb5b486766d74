-- In the first database: hosts that buckets of further databases claim, beside those that triggers derive. `claim_id` names
-- the request that last wrote a claim, and begins with its time; NULL in derived rows.
ALTER TABLE delivery_hosts ADD COLUMN claim_id TEXT;

CREATE INDEX delivery_hosts_by_bucket ON delivery_hosts (bucket_id);

-- The claims of a bucket end with its placement.
CREATE TRIGGER claims_of_deleted_placement AFTER DELETE ON bucket_placements
BEGIN
  DELETE FROM delivery_hosts WHERE bucket_id = OLD.id;
END;

-- The creator of a bucket, and its configurations: each as the submitted text or as JSON.
ALTER TABLE buckets ADD COLUMN creator_id TEXT; -- the user who created it, and whose ListBuckets returns it; NULL: root
ALTER TABLE buckets ADD COLUMN policy TEXT;
ALTER TABLE buckets ADD COLUMN acl TEXT;
ALTER TABLE buckets ADD COLUMN ownership TEXT;
ALTER TABLE buckets ADD COLUMN public_access_block TEXT;
ALTER TABLE buckets ADD COLUMN encryption TEXT;
ALTER TABLE buckets ADD COLUMN lifecycle TEXT;
CREATE INDEX buckets_by_creator ON buckets (creator_id, name) WHERE creator_id IS NOT NULL;

-- Finds the counted requests of an access key in all buckets. Its columns never change, so counting again writes no entry.
CREATE INDEX request_usage_by_key ON request_usage (access_key_id, day);

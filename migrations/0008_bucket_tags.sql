ALTER TABLE buckets ADD COLUMN tags TEXT; -- JSON [[key, value], …]

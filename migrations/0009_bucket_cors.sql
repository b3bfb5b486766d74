ALTER TABLE buckets ADD COLUMN cors TEXT; -- JSON: the rules of protocol/buckets/cors.ts

-- Pages of manifests are found by where they begin, so that reading some bytes or one part of an object takes the pages
-- that have them. Pages from before this have up to 5000 entries and no position. A manifest of one page, as most are,
-- has no entry in the indexes: its only page begins at 0.
ALTER TABLE manifests ADD COLUMN start INTEGER;      -- where the page's first slice begins in the object
ALTER TABLE manifests ADD COLUMN first_part INTEGER; -- the number of the first part that begins on the page, if any does

CREATE INDEX manifest_pages_by_start ON manifests (manifest_id, start) WHERE start > 0;
CREATE INDEX manifest_pages_by_part ON manifests (manifest_id, first_part) WHERE start > 0 AND first_part IS NOT NULL;

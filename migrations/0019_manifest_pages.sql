-- Indexes manifest pages by position, so that a read of a range or part reads only the pages it needs. Pages written
-- before this migration have up to 5000 entries and no position. A manifest of one page adds no index entry, since its
-- page starts at 0.
ALTER TABLE manifests ADD COLUMN start INTEGER;      -- the start of the page's first slice in the object
ALTER TABLE manifests ADD COLUMN first_part INTEGER; -- the first part that starts on the page; NULL: none

CREATE INDEX manifest_pages_by_start ON manifests (manifest_id, start) WHERE start > 0;
CREATE INDEX manifest_pages_by_part ON manifests (manifest_id, first_part) WHERE start > 0 AND first_part IS NOT NULL;

-- Access control lists of versions and of open uploads; NULL: private.
ALTER TABLE objects ADD COLUMN acl TEXT;
ALTER TABLE versions ADD COLUMN acl TEXT;
ALTER TABLE uploads ADD COLUMN acl TEXT;

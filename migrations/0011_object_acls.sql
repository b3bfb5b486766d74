-- The access control lists of versions and of the uploads that will be some; NULL: private.
ALTER TABLE objects ADD COLUMN acl TEXT;
ALTER TABLE versions ADD COLUMN acl TEXT;
ALTER TABLE uploads ADD COLUMN acl TEXT;

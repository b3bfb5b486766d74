-- Slices are now copied from the last to the first, so transitions in progress start over.
DELETE FROM transitions;

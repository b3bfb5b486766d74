-- Slices are copied from the last to the first. What was begun the other way round begins again.
DELETE FROM transitions;

-- Slices are copied from the last to the first. What was begun the other way round is begun anew.
DELETE FROM transitions;
ALTER TABLE transitions RENAME COLUMN slices_done TO slices_left; -- how many, from the first on, are not copied yet

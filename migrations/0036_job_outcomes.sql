-- What the last complete pass of each job did, and why its last step failed. All times are ms since the epoch.
ALTER TABLE jobs ADD COLUMN completed_began_at INTEGER; -- NULL: no pass is known to be complete
ALTER TABLE jobs ADD COLUMN completed_at INTEGER;
ALTER TABLE jobs ADD COLUMN completed_report TEXT;      -- JSON, as in report
ALTER TABLE jobs ADD COLUMN failed_at INTEGER;          -- NULL: the latest step did not fail
ALTER TABLE jobs ADD COLUMN failure TEXT;               -- the error's message

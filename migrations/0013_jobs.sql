-- Scheduled jobs: the progress of each one's pass, and its lease.
CREATE TABLE jobs (
  name          TEXT NOT NULL PRIMARY KEY,
  is_passing    INTEGER NOT NULL,           -- 1: a pass is in progress
  cursor        TEXT,                       -- where the pass resumes; NULL: at its start
  pass_began_at INTEGER NOT NULL,           -- of the latest pass; all times are ms since the epoch
  stepped_at    INTEGER NOT NULL,           -- when the latest step ended
  report        TEXT NOT NULL DEFAULT '{}', -- JSON: totals of the latest pass's reports
  lease_holder  TEXT,                       -- the tick that runs the job; NULL: none
  lease_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

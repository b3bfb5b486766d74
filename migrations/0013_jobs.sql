-- Scheduled jobs: where each one is in its pass, and who is at work on it.
CREATE TABLE jobs (
  name          TEXT NOT NULL PRIMARY KEY,
  is_passing    INTEGER NOT NULL,           -- 1: a pass is under way
  cursor        TEXT,                       -- where it goes on; NULL: at its beginning
  pass_began_at INTEGER NOT NULL,           -- ms since the epoch, as all times here; of the latest pass
  stepped_at    INTEGER NOT NULL,           -- when the latest step was over
  report        TEXT NOT NULL DEFAULT '{}', -- JSON: sums of what the latest pass has reported so far
  lease_holder  TEXT,                       -- who is at work on it; NULL: nobody
  lease_until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

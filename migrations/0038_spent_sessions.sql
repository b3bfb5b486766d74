-- Sessions that may begin one other session and have begun it, until they expire.
CREATE TABLE spent_sessions (
  access_key_id TEXT NOT NULL PRIMARY KEY, -- ASIA…
  expires_at    INTEGER NOT NULL           -- ms since the epoch
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_sessions_by_expiry ON spent_sessions (expires_at);

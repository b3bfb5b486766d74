-- Users, their access keys and their policies. Secrets are encrypted under a master key that the database never stores.
CREATE TABLE users (
  id         TEXT NOT NULL PRIMARY KEY, -- AIDA…, never reused
  name       TEXT NOT NULL COLLATE NOCASE,
  path       TEXT NOT NULL,
  created_at INTEGER NOT NULL,          -- ms since the epoch
  tags       TEXT NOT NULL              -- JSON [[key, value], …]
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_name ON users (name);
CREATE INDEX users_by_path ON users (path, name);

CREATE TABLE access_keys (
  id                TEXT NOT NULL PRIMARY KEY, -- AKIA…
  user_id           TEXT NOT NULL,
  secret            TEXT NOT NULL,             -- encrypted, bound to id
  key_version       TEXT NOT NULL,             -- of the master key that encrypted it
  status            TEXT NOT NULL CHECK (status IN ('Active', 'Inactive')),
  created_at        INTEGER NOT NULL,          -- ms since the epoch
  last_used_at      INTEGER,                   -- ms since the epoch, accurate to a few minutes; NULL: never
  last_used_region  TEXT,
  last_used_service TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX access_keys_by_user ON access_keys (user_id);

CREATE TABLE user_policies (
  user_id  TEXT NOT NULL,
  name     TEXT NOT NULL,
  document TEXT NOT NULL,    -- as submitted
  size     INTEGER NOT NULL, -- characters without white space, which limits apply to
  PRIMARY KEY (user_id, name)
) STRICT, WITHOUT ROWID;

-- Users, their access keys and their policies. Secrets are sealed under a master key that the database never holds.
CREATE TABLE users (
  id         TEXT NOT NULL PRIMARY KEY, -- AIDA…, another one each time a user of this name is made
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
  secret            TEXT NOT NULL,             -- sealed, bound to id
  key_version       TEXT NOT NULL,             -- of the master key that sealed it
  status            TEXT NOT NULL CHECK (status IN ('Active', 'Inactive')),
  created_at        INTEGER NOT NULL,          -- ms since the epoch
  last_used_at      INTEGER,                   -- ms since the epoch, some minutes old; NULL: never
  last_used_region  TEXT,
  last_used_service TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX access_keys_by_user ON access_keys (user_id);

CREATE TABLE user_policies (
  user_id  TEXT NOT NULL,
  name     TEXT NOT NULL,
  document TEXT NOT NULL,    -- as it was put
  size     INTEGER NOT NULL, -- characters but for white space, which is what limits count
  PRIMARY KEY (user_id, name)
) STRICT, WITHOUT ROWID;

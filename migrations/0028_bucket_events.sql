ALTER TABLE buckets ADD COLUMN notification TEXT; -- JSON: protocol/buckets/notification.ts

-- Finds buckets with notifications without a scan of all buckets.
CREATE INDEX buckets_with_notification ON buckets (id) WHERE notification IS NOT NULL;

-- The events of buckets that ask for them, each written by the batch of its change. `seq` grows with every event of a
-- bucket and is never below the time in microseconds, so that it also grows after a restore from an older state.
CREATE TABLE bucket_events (
  bucket_id   TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  key         TEXT NOT NULL,    -- empty: a test event, which the feed leaves out
  destination TEXT,             -- ARN; NULL: only the feed has it
  record      TEXT NOT NULL,    -- JSON: the message's record without its sequencer
  PRIMARY KEY (bucket_id, seq)
) STRICT, WITHOUT ROWID;

-- Events that their destination has not accepted yet. Of each key, only the oldest is due.
CREATE TABLE event_deliveries (
  bucket_id   TEXT NOT NULL,
  destination TEXT NOT NULL,
  key         TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  due_at      INTEGER,                    -- ms since the epoch; NULL: waits for an earlier event of the key
  attempts    INTEGER NOT NULL DEFAULT 0, -- including the one in progress
  PRIMARY KEY (bucket_id, destination, key, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_deliveries_due ON event_deliveries (due_at) WHERE due_at IS NOT NULL;

CREATE TRIGGER event_to_deliver AFTER INSERT ON bucket_events WHEN NEW.destination IS NOT NULL
BEGIN
  INSERT INTO event_deliveries (bucket_id, destination, key, seq, due_at)
  SELECT NEW.bucket_id, NEW.destination, NEW.key, NEW.seq,
    iif(EXISTS (
      SELECT 1 FROM event_deliveries
      WHERE bucket_id = NEW.bucket_id AND destination = NEW.destination AND key = NEW.key
    ), NULL, NEW.seq / 1000);
END;

-- Events that were given up. The newest of each bucket remain.
CREATE TABLE dead_events (
  bucket_id   TEXT NOT NULL,
  seq         INTEGER NOT NULL,
  destination TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  failed_at   INTEGER NOT NULL, -- ms since the epoch
  reason      TEXT NOT NULL,
  record      TEXT NOT NULL,    -- as in bucket_events
  PRIMARY KEY (bucket_id, seq)
) STRICT, WITHOUT ROWID;

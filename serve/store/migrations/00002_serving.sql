-- +goose Up
-- The last number that was given out under a name. Numbers are never given out
-- twice, whatever is removed, and what changes without numbering its rows counts
-- its changes here.
CREATE TABLE heads (
  name TEXT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL
);

INSERT INTO heads (name, last) VALUES
  ('access', 0), ('claims', 0), ('clients', 0), ('consents', 0), ('decisions', 0), ('erasures', 0),
  ('feed', 0), ('feed_floor', 0), ('online', 0), ('purposes', 0), ('scrubbed', 0), ('secrets', 0), ('webhooks', 0);

CREATE TABLE clients (
  name     TEXT NOT NULL PRIMARY KEY,
  roles    TEXT NOT NULL,
  purposes TEXT NOT NULL,
  fields   TEXT NOT NULL,
  made     BIGINT NOT NULL,
  revoked  BIGINT
);

CREATE TABLE client_secrets (
  id      INTEGER PRIMARY KEY,
  client  TEXT NOT NULL REFERENCES clients (name),
  digest  BYTEA NOT NULL UNIQUE,
  made    BIGINT NOT NULL,
  expires BIGINT
);

CREATE TABLE purposes (
  id      TEXT NOT NULL,
  version BIGINT NOT NULL,
  body    BYTEA NOT NULL,
  made_by TEXT NOT NULL,
  made    BIGINT NOT NULL,
  PRIMARY KEY (id, version)
);

CREATE TABLE consents (
  id            INTEGER PRIMARY KEY,
  anchor        TEXT NOT NULL,
  purpose       TEXT NOT NULL,
  channel       TEXT NOT NULL,
  controller    TEXT NOT NULL,
  act           TEXT NOT NULL,
  at            BIGINT NOT NULL,
  recorded      BIGINT NOT NULL,
  source        TEXT NOT NULL,
  authenticated TEXT NOT NULL,
  text_version  TEXT NOT NULL,
  receipt       TEXT NOT NULL,
  expires       BIGINT
);

CREATE INDEX consents_anchor ON consents (anchor, id);

CREATE TABLE online_records (
  seq       INTEGER PRIMARY KEY,
  source    TEXT NOT NULL,
  record_id TEXT NOT NULL,
  op        TEXT NOT NULL CHECK (op IN ('put', 'delete')),
  fields    BYTEA NOT NULL,
  client    TEXT NOT NULL,
  received  BIGINT NOT NULL,
  identity  TEXT NOT NULL,
  founded   BOOLEAN NOT NULL
);

CREATE INDEX online_records_key ON online_records (source, record_id, seq);

-- Up to which online record a run has taken them up.
CREATE TABLE taken_up (
  run    BIGINT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL,
  upto   BIGINT NOT NULL,
  at     BIGINT NOT NULL
);

CREATE TABLE feed (
  seq      INTEGER PRIMARY KEY,
  at       BIGINT NOT NULL,
  kind     TEXT NOT NULL,
  identity TEXT NOT NULL,
  detail   BYTEA NOT NULL,
  run_id   TEXT NOT NULL,
  run      BIGINT NOT NULL
);

CREATE INDEX feed_runs ON feed (run_id, seq) WHERE run_id <> '';

-- What was answered to a request with an idempotency key.
CREATE TABLE answers (
  client  TEXT NOT NULL,
  key     TEXT NOT NULL,
  request BYTEA NOT NULL,
  status  BIGINT NOT NULL,
  body    BYTEA NOT NULL,
  made    BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (client, key)
);

CREATE INDEX answers_expires ON answers (expires);

-- Whom an answer is about, so that an erasure finds it.
CREATE TABLE answer_subjects (
  subject TEXT NOT NULL,
  client  TEXT NOT NULL,
  key     TEXT NOT NULL,
  PRIMARY KEY (subject, client, key)
);

CREATE INDEX answer_subjects_answer ON answer_subjects (client, key);

CREATE TABLE access_log (
  id       INTEGER PRIMARY KEY,
  at       BIGINT NOT NULL,
  client   TEXT NOT NULL,
  staff    TEXT NOT NULL,
  purpose  TEXT NOT NULL,
  identity TEXT NOT NULL,
  job      TEXT NOT NULL,
  fields   TEXT NOT NULL,
  what     TEXT NOT NULL,
  basis    TEXT NOT NULL,
  persons  BIGINT NOT NULL,
  hash     BYTEA NOT NULL
);

CREATE INDEX access_log_identity ON access_log (identity, id) WHERE identity <> '';

-- The last row of the access log, so that the loss of rows at its end shows.
CREATE TABLE access_head (
  one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  id   BIGINT NOT NULL,
  hash BYTEA NOT NULL
);

-- Where the rows before were removed.
CREATE TABLE access_checkpoints (
  id      BIGINT NOT NULL PRIMARY KEY,
  hash    BYTEA NOT NULL,
  at      BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  removed BIGINT NOT NULL
);

CREATE TABLE erasures (
  id         INTEGER PRIMARY KEY,
  at         BIGINT NOT NULL,
  reason     TEXT NOT NULL,
  made_by    TEXT NOT NULL,
  identities TEXT NOT NULL,
  counts     TEXT NOT NULL,
  uncaught   TEXT NOT NULL
);

CREATE TABLE tombstones (
  kind        TEXT NOT NULL,
  key_version BIGINT NOT NULL,
  digest      BYTEA NOT NULL,
  erasure     BIGINT NOT NULL,
  made        BIGINT NOT NULL,
  lifted      BIGINT,
  lifted_by   TEXT NOT NULL,
  PRIMARY KEY (kind, digest, key_version, erasure)
);

-- By what the keys of digests are told from others of the same number.
CREATE TABLE state_keys (
  version BIGINT NOT NULL PRIMARY KEY,
  proof   BYTEA NOT NULL,
  made    BIGINT NOT NULL
);

CREATE TABLE webhooks (
  id           INTEGER PRIMARY KEY,
  client       TEXT NOT NULL,
  url          TEXT NOT NULL,
  secret       BYTEA NOT NULL,
  kinds        TEXT NOT NULL,
  cursor_seq   BIGINT NOT NULL,
  cursor_row   BIGINT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('active', 'paused', 'disabled')),
  failures     BIGINT NOT NULL,
  failing      BIGINT,
  failure      TEXT NOT NULL,
  next_attempt BIGINT NOT NULL,
  claim        BIGINT NOT NULL,
  claimed      BIGINT NOT NULL,
  made         BIGINT NOT NULL
);

CREATE INDEX webhooks_due ON webhooks (next_attempt) WHERE state = 'active';

-- +goose Down
DROP TABLE webhooks;
DROP TABLE state_keys;
DROP TABLE tombstones;
DROP TABLE erasures;
DROP TABLE access_checkpoints;
DROP TABLE access_head;
DROP TABLE access_log;
DROP TABLE answer_subjects;
DROP TABLE answers;
DROP TABLE feed;
DROP TABLE taken_up;
DROP TABLE online_records;
DROP TABLE consents;
DROP TABLE purposes;
DROP TABLE client_secrets;
DROP TABLE clients;
DROP TABLE heads;

-- +goose Up
-- The SHA-256 of the persons of a job, NULL of a row that names none.
ALTER TABLE access_log ADD COLUMN persons_hash BYTEA;

-- The persons of the jobs in the access log, in parts: the ids of one job that
-- begin with key, and what follows it in each, coded; an empty ids is the id key
-- itself.
CREATE TABLE access_persons (
  access BIGINT NOT NULL,
  key    BYTEA NOT NULL,
  ids    BYTEA NOT NULL,
  PRIMARY KEY (access, key)
) WITHOUT ROWID;

CREATE INDEX access_persons_key ON access_persons (key, access);

-- +goose Down
DROP TABLE access_persons;
ALTER TABLE access_log DROP COLUMN persons_hash;

-- +goose Up
-- The sources whose records a client may write; an empty list is all that the
-- run has.
ALTER TABLE clients ADD COLUMN sources TEXT NOT NULL DEFAULT '[]';

-- What runs have taken up, the runs themselves say.
DROP TABLE taken_up;

-- +goose Down
CREATE TABLE taken_up (
  run    BIGINT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL,
  upto   BIGINT NOT NULL,
  at     BIGINT NOT NULL
);
ALTER TABLE clients DROP COLUMN sources;

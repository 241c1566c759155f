-- +goose Up
-- The sources whose records a client may write; an empty list is all that the
-- run has.
ALTER TABLE clients ADD COLUMN sources TEXT NOT NULL DEFAULT '[]';

-- +goose Down
ALTER TABLE clients DROP COLUMN sources;

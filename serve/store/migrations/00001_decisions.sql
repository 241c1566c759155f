-- +goose Up
CREATE TABLE decisions (
  id            INTEGER PRIMARY KEY,
  kind          TEXT NOT NULL CHECK (kind IN ('same', 'not-same')),
  source_a      TEXT NOT NULL,
  record_a      TEXT NOT NULL,
  source_b      TEXT NOT NULL,
  record_b      TEXT NOT NULL,
  reason        TEXT NOT NULL,
  made_by       TEXT NOT NULL,
  made          BIGINT NOT NULL,
  revoked       BIGINT,
  revoked_by    TEXT NOT NULL,
  revoke_reason TEXT NOT NULL
);

CREATE UNIQUE INDEX decisions_active ON decisions (source_a, record_a, source_b, record_b) WHERE revoked IS NULL;

-- +goose Down
DROP TABLE decisions;

-- +goose Up

-- How far a follower or a sweep has come: one row each, written in the transaction
-- that did what lies before.
CREATE TABLE cursors (
  name     TEXT   NOT NULL PRIMARY KEY,
  position TEXT   NOT NULL,
  at       BIGINT NOT NULL
);

-- When the card bureau's newest word about a person was spoken, by its own clock: an
-- event or a statement that is older than what was followed already changes nothing.
CREATE TABLE card_words (
  person BYTEA  NOT NULL PRIMARY KEY,
  at     BIGINT NOT NULL
);

CREATE INDEX credentials_swept ON credentials (application) WHERE state IN ('active', 'held');
CREATE INDEX applications_swept ON applications (id) WHERE state IN ('submitted', 'issued');

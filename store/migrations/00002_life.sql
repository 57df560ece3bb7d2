-- +goose Up

-- Suspension codes: the newest of an application, as a keyed digest and nothing else.
CREATE TABLE suspension_codes (
  application TEXT   NOT NULL PRIMARY KEY REFERENCES applications (id),
  code        BYTEA  NOT NULL UNIQUE,
  at          BIGINT NOT NULL
);

-- Kill tickets that were written, one a credential that has ended. A ticket is handed out
-- until it is settled, by the chip's receipt (a sealed blob) or because the chip was
-- written anew.
CREATE TABLE kill_tickets (
  credential TEXT   NOT NULL PRIMARY KEY REFERENCES credentials (id),
  kind       BIGINT NOT NULL CHECK (kind IN (1, 2)),
  number     BIGINT NOT NULL,
  written_at BIGINT NOT NULL,
  receipt    BYTEA,
  settled_at BIGINT NOT NULL,
  UNIQUE (kind, number)
);
INSERT INTO counters (name, value) VALUES ('ticket_signature', 0), ('ticket_authentication', 0);

-- The application whose keys a chip was last heard to have made live: everything older
-- that lay in it is gone.
CREATE TABLE written_chips (
  element     BYTEA  NOT NULL PRIMARY KEY,
  application TEXT   NOT NULL REFERENCES applications (id),
  at          BIGINT NOT NULL
);

-- Notices that are given once: of what, on which occasion.
CREATE TABLE reminders (
  subject  TEXT   NOT NULL,
  occasion TEXT   NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (subject, occasion)
);
CREATE INDEX credentials_ending ON credentials (not_after, id) WHERE state IN ('active', 'held');
CREATE INDEX holds_by_reason ON holds (reason, id) WHERE lifted_at = 0;

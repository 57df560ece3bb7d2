-- +goose Up

-- Whom a person wants to be told through, sealed under the person's key (sealed), and how
-- the hotline finds the person again: keyed digests that tell nothing to who reads them.
CREATE TABLE contacts (
  person     BYTEA  NOT NULL PRIMARY KEY,
  sealed     BYTEA  NOT NULL,
  reading    BYTEA  NOT NULL,
  birth_date BYTEA  NOT NULL,
  telephone  BYTEA  NOT NULL,
  at         BIGINT NOT NULL
);
CREATE INDEX contacts_found ON contacts (telephone, birth_date, reading);

-- Calls at the hotline by their receipt number. A handle, of which only the digest is here,
-- stands for whom the call found, for some minutes.
CREATE TABLE hotline_calls (
  receipt  TEXT   NOT NULL PRIMARY KEY,
  operator TEXT   NOT NULL,
  matched  BIGINT NOT NULL,
  person   BYTEA,
  handle   BYTEA  UNIQUE,
  expires  BIGINT NOT NULL,
  at       BIGINT NOT NULL
);

-- What one operator proposed and another has to confirm.
CREATE TABLE hotline_proposals (
  id           TEXT   NOT NULL PRIMARY KEY,
  receipt      TEXT   NOT NULL REFERENCES hotline_calls (receipt),
  verb         TEXT   NOT NULL CHECK (verb IN ('resume', 'revoke')),
  cause        TEXT   NOT NULL,
  person       BYTEA  NOT NULL,
  proposer     TEXT   NOT NULL,
  token        BYTEA  NOT NULL,
  at           BIGINT NOT NULL,
  expires      BIGINT NOT NULL,
  confirmer    TEXT   NOT NULL,
  confirmed_at BIGINT NOT NULL,
  CHECK (confirmer <> proposer)
);

-- Cards that were reported stolen with the phone, until their bureau has been told.
CREATE TABLE card_reports (
  receipt TEXT   NOT NULL PRIMARY KEY REFERENCES hotline_calls (receipt),
  person  BYTEA  NOT NULL,
  at      BIGINT NOT NULL,
  told_at BIGINT NOT NULL
);
CREATE INDEX card_reports_open ON card_reports (at, receipt) WHERE told_at = 0;

-- Notices to registered contacts, until they have been handed on.
CREATE TABLE contact_notices (
  id          TEXT   NOT NULL PRIMARY KEY,
  person      BYTEA  NOT NULL,
  application TEXT   NOT NULL,
  occasion    TEXT   NOT NULL,
  at          BIGINT NOT NULL,
  sent_at     BIGINT NOT NULL
);
CREATE INDEX contact_notices_open ON contact_notices (id) WHERE sent_at = 0;

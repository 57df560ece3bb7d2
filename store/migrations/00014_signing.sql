-- +goose Up

-- Documents that relying parties want signed, until they are; then what came of them, until
-- it was fetched. Name, document and result lie in the sealed table under a key of the
-- transaction's own: parts names the pieces.
CREATE TABLE sign_transactions (
  id        TEXT   NOT NULL PRIMARY KEY,
  client    TEXT   NOT NULL,
  mode      TEXT   NOT NULL,
  digest    BYTEA  NOT NULL,
  size      BIGINT NOT NULL,
  state     TEXT   NOT NULL CHECK (state IN ('open', 'signed')),
  login     TEXT   NOT NULL,
  at        BIGINT NOT NULL,
  expires   BIGINT NOT NULL,
  signed_at BIGINT NOT NULL,
  name      BYTEA  NOT NULL,
  parts     BYTEA  NOT NULL,
  CHECK (state = 'open' OR login <> '')
);
CREATE UNIQUE INDEX sign_transactions_of_login ON sign_transactions (login) WHERE login <> '';
CREATE INDEX sign_transactions_by_client ON sign_transactions (client);
CREATE INDEX sign_transactions_expired ON sign_transactions (expires, id);

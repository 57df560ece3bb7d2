-- +goose Up

-- Relying parties that their developers registered themselves. The entry is what the provider
-- knows of one (JSON): public keys and addresses, nothing personal. A row stays when the client is
-- removed, without its entry and its keys, so that its number is never given again: holders'
-- ledgers and subjects name it.
CREATE TABLE clients (
  id         TEXT   NOT NULL PRIMARY KEY,
  number     BIGINT NOT NULL UNIQUE,
  entry      BYTEA  NOT NULL,
  api_key    BYTEA  UNIQUE, -- SHA-256 of its key at the verification service
  token      BYTEA,         -- SHA-256 of what changes the registration
  at         BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL,
  CHECK ((ended_at = 0) = (token IS NOT NULL)),
  CHECK (ended_at = 0 OR (length(entry) = 0 AND api_key IS NULL))
);
CREATE INDEX clients_live ON clients (number) WHERE ended_at = 0;

-- +goose Up

-- The chain: one row for every intent and every recorded certificate, in order.
-- Rows are only ever added.
CREATE TABLE entries (
  seq    BIGINT NOT NULL PRIMARY KEY,
  what   TEXT   NOT NULL CHECK (what IN ('intent', 'certificate')),
  serial BYTEA  NOT NULL,
  hash   BYTEA  NOT NULL,
  UNIQUE (serial, what)
);

-- What the authority wrote down before it signed. tbs is the digest of the
-- to-be-signed octets, which lie sealed.
CREATE TABLE intents (
  serial         BYTEA  NOT NULL PRIMARY KEY,
  kind           BIGINT NOT NULL CHECK (kind IN (1, 2)),
  document       BYTEA  NOT NULL,
  public_key     BYTEA  NOT NULL UNIQUE,
  place          BIGINT NOT NULL UNIQUE,
  tbs            BYTEA  NOT NULL,
  created_at     BIGINT NOT NULL,
  UNIQUE (document, kind)
);
CREATE INDEX intents_by_age ON intents (created_at, serial);

-- What it signed: recorded once, never changed.
CREATE TABLE certificates (
  serial      BYTEA NOT NULL PRIMARY KEY REFERENCES intents (serial),
  certificate BYTEA NOT NULL
);

-- The head of the chain, so that rows cut from its end are missed.
CREATE TABLE head (
  one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
  seq  BIGINT NOT NULL,
  hash BYTEA  NOT NULL
);

-- Sealed octets, under a key for each application document.
CREATE TABLE data_keys (
  owner   BYTEA NOT NULL PRIMARY KEY,
  wrapped BYTEA NOT NULL
);
CREATE TABLE sealed (
  digest BYTEA NOT NULL,
  owner  BYTEA NOT NULL REFERENCES data_keys (owner),
  octets BYTEA NOT NULL,
  PRIMARY KEY (digest, owner)
);
CREATE INDEX sealed_by_owner ON sealed (owner);

-- +goose Up

-- Logins at relying parties: one row from the request to the end of its tokens. Codes, numbers
-- and tokens are MACs over the identifier and stand nowhere; what the relying party asked for
-- is its own, and nothing of it is personal.
CREATE TABLE logins (
  id          BYTEA  NOT NULL PRIMARY KEY,
  client      TEXT   NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('pushed', 'waiting', 'approved', 'refused', 'cancelled', 'finished', 'redeemed', 'ended')),
  request     BYTEA  NOT NULL,
  browser     BYTEA,           -- SHA-256 of the cookie
  at          BIGINT NOT NULL,
  expires     BIGINT NOT NULL, -- of what the state allows
  way         TEXT   NOT NULL,
  class       TEXT   NOT NULL,
  activation  TEXT   NOT NULL,
  agreed      TEXT   NOT NULL,
  person      BYTEA,
  kind        BIGINT NOT NULL, -- of the credential that proved presence; 0: nobody has
  serial      BYTEA  NOT NULL, -- of its certificate
  papers      BYTEA,           -- sealed: a card's certificates
  approved_at BIGINT NOT NULL,
  redeemed_at BIGINT NOT NULL,
  generation  BIGINT NOT NULL, -- of the refresh token
  told        TEXT   NOT NULL,
  CHECK (state NOT IN ('approved', 'finished', 'redeemed') OR person IS NOT NULL),
  CHECK (state IN ('pushed', 'ended') OR browser IS NOT NULL)
);
CREATE INDEX logins_expired ON logins (expires);

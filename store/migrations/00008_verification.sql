-- +goose Up

-- Who checked me: for each person a chain of salted commitments. What an entry says lies in
-- the sealed table under its commitment; what was purged leaves its place in the chain in
-- base and base_chain.
CREATE TABLE checked_heads (
  person     BYTEA  NOT NULL PRIMARY KEY,
  base       BIGINT NOT NULL,
  base_chain BYTEA  NOT NULL,
  seq        BIGINT NOT NULL,
  chain      BYTEA  NOT NULL
);
CREATE TABLE checked (
  person     BYTEA  NOT NULL REFERENCES checked_heads (person),
  seq        BIGINT NOT NULL,
  commitment BYTEA  NOT NULL,
  chain      BYTEA  NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (person, seq)
);
CREATE INDEX checked_at ON checked (at, person, seq);

-- What relying parties had checked. The evidence lies sealed under the holder's key: the
-- relying party keeps its identifier and its digest.
CREATE TABLE verifications (
  id       TEXT   NOT NULL PRIMARY KEY,
  party    TEXT   NOT NULL,
  form     TEXT   NOT NULL,
  class    TEXT   NOT NULL,
  kind     BIGINT NOT NULL,
  serial   BYTEA  NOT NULL,
  person   BYTEA,
  owner    BYTEA  NOT NULL,
  document BYTEA,
  verdict  TEXT   NOT NULL,
  told     TEXT   NOT NULL,
  record   BYTEA,
  until    BIGINT NOT NULL,
  at       BIGINT NOT NULL
);
CREATE INDEX verifications_by_party ON verifications (party, at);
CREATE INDEX verifications_of_person ON verifications (person, at) WHERE person IS NOT NULL;
CREATE INDEX verifications_renew ON verifications (until) WHERE record IS NOT NULL;
CREATE INDEX verifications_at ON verifications (at, id);

-- Attributes that a relying party asks of a holder, who decides on the phone.
CREATE TABLE attribute_requests (
  id           TEXT   NOT NULL PRIMARY KEY,
  party        TEXT   NOT NULL,
  verification TEXT   NOT NULL REFERENCES verifications (id),
  person       BYTEA  NOT NULL,
  attributes   TEXT   NOT NULL,
  purpose      BYTEA  NOT NULL,
  state        TEXT   NOT NULL CHECK (state IN ('waiting', 'granted', 'refused')),
  decision     BYTEA,
  at           BIGINT NOT NULL,
  expires      BIGINT NOT NULL,
  decided_at   BIGINT NOT NULL
);
CREATE INDEX attribute_requests_waiting ON attribute_requests (person, at) WHERE state = 'waiting';
CREATE INDEX attribute_requests_expired ON attribute_requests (expires);
CREATE INDEX attribute_requests_of ON attribute_requests (verification);

-- Who is to be told when the status behind a verification changes, and what is still to be
-- told, in order.
CREATE TABLE webhooks (
  id           TEXT   NOT NULL PRIMARY KEY,
  party        TEXT   NOT NULL,
  verification TEXT   NOT NULL REFERENCES verifications (id),
  kind         BIGINT NOT NULL,
  serial       BYTEA  NOT NULL,
  address      TEXT   NOT NULL,
  state        TEXT   NOT NULL CHECK (state IN ('live', 'ended', 'failed')),
  seq          BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  next_at      BIGINT NOT NULL,
  failing      BIGINT NOT NULL,
  since        BIGINT NOT NULL,
  at           BIGINT NOT NULL
);
CREATE INDEX webhooks_of ON webhooks (kind, serial) WHERE state = 'live';
CREATE INDEX webhooks_by_party ON webhooks (party, id);
CREATE INDEX webhooks_of_verification ON webhooks (verification);
CREATE TABLE webhook_events (
  webhook       TEXT   NOT NULL REFERENCES webhooks (id),
  seq           BIGINT NOT NULL,
  jti           TEXT   NOT NULL UNIQUE,
  sort          TEXT   NOT NULL CHECK (sort IN ('verification', 'status')),
  cert_status   BIGINT NOT NULL,
  status_reason BIGINT NOT NULL,
  status_at     BIGINT NOT NULL,
  at            BIGINT NOT NULL,
  sent_at       BIGINT NOT NULL,
  PRIMARY KEY (webhook, seq)
);
CREATE INDEX webhook_events_open ON webhook_events (webhook, seq) WHERE sent_at = 0;

-- Whose a card is, for what was checked with the card itself.
CREATE INDEX applications_of_signature_card ON applications (parent_signature_serial) WHERE parent_signature_serial IS NOT NULL;
CREATE INDEX applications_of_authentication_card ON applications (parent_authentication_serial) WHERE parent_authentication_serial IS NOT NULL;

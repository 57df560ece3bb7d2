-- +goose Up

-- What marketplaces want to have asked of the holder of a phone that is offered to them. A
-- question about a chip that nobody knows is written like any other, so that whoever asks
-- learns nothing by it; nothing in it is personal.
CREATE TABLE listings (
  id         TEXT   NOT NULL PRIMARY KEY,
  party      TEXT   NOT NULL,
  element    BYTEA  NOT NULL,
  nonce      BYTEA  NOT NULL,
  state      TEXT   NOT NULL CHECK (state IN ('waiting', 'declined', 'clean')),
  answer     BYTEA  NOT NULL,
  at         BIGINT NOT NULL,
  expires    BIGINT NOT NULL,
  told_at    BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  UNIQUE (party, element, nonce),
  CHECK ((state = 'clean') = (length(answer) > 0))
);
CREATE INDEX listings_waiting ON listings (element, at) WHERE state = 'waiting';
CREATE INDEX listings_untold ON listings (at) WHERE state = 'waiting' AND told_at = 0;
CREATE INDEX listings_by_party ON listings (party, at);
CREATE INDEX listings_expired ON listings (expires);

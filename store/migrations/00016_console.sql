-- +goose Up

-- Who works at the operators' console. A row stays when somebody leaves, so that a name is
-- never given to another: the audit trail names it. The token is drawn anew with each
-- enrolment; what was proposed under an older one is confirmed no more.
CREATE TABLE console_operators (
  name       TEXT   NOT NULL PRIMARY KEY,
  role       TEXT   NOT NULL,
  handle     BYTEA  NOT NULL UNIQUE, -- by which an authenticator names the account
  token      BYTEA  NOT NULL UNIQUE,
  at         BIGINT NOT NULL,
  invited_by TEXT   NOT NULL,        -- '' for the first, whom nobody invited
  seen_at    BIGINT NOT NULL,
  removed_at BIGINT NOT NULL,
  removed_by TEXT   NOT NULL
);

-- Public keys of passkeys: the record is the library's own (JSON), and holds no secret.
CREATE TABLE console_passkeys (
  id       BYTEA  NOT NULL PRIMARY KEY,
  operator TEXT   NOT NULL REFERENCES console_operators (name),
  record   BYTEA  NOT NULL,
  at       BIGINT NOT NULL,
  used_at  BIGINT NOT NULL
);
CREATE INDEX console_passkeys_by_operator ON console_passkeys (operator, id);

-- One-time links by which a passkey is enrolled, by the digest of their secret. An empty
-- operator is the first person's link, who chooses a name.
CREATE TABLE console_invitations (
  link     BYTEA  NOT NULL PRIMARY KEY,
  operator TEXT   NOT NULL,
  role     TEXT   NOT NULL,
  by_whom  TEXT   NOT NULL,
  at       BIGINT NOT NULL,
  expires  BIGINT NOT NULL
);
CREATE INDEX console_invitations_by_operator ON console_invitations (operator);

-- Who is signed in, by the digest of the cookie's secret and bound to the browser.
CREATE TABLE console_sessions (
  secret      BYTEA  NOT NULL PRIMARY KEY,
  operator    TEXT   NOT NULL REFERENCES console_operators (name),
  browser     BYTEA  NOT NULL, -- SHA-256 of what the browser says of itself
  without_key BIGINT NOT NULL, -- 1: a sandbox's sign-in, without a passkey
  at          BIGINT NOT NULL,
  seen_at     BIGINT NOT NULL,
  verified_at BIGINT NOT NULL, -- when the person was last verified
  ends        BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_operator ON console_sessions (operator);
CREATE INDEX console_sessions_ended ON console_sessions (ends);

-- What waits for a second operator.
CREATE INDEX hotline_proposals_open ON hotline_proposals (expires) WHERE confirmer = '';

-- +goose Up

-- Legal arrows of each life: the root package's Life tables (a test keeps them
-- equal). The arrow '' --begin--> initial is how a life begins.
CREATE TABLE life_arrows (
  life       TEXT NOT NULL,
  from_state TEXT NOT NULL,
  verb       TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  PRIMARY KEY (life, from_state, verb, to_state)
);
INSERT INTO life_arrows (life, from_state, verb, to_state) VALUES
  ('application', '',          'begin',       'submitted'),
  ('application', 'submitted', 'issue',       'issued'),
  ('application', 'submitted', 'reject',      'rejected'),
  ('application', 'submitted', 'withdraw',    'withdrawn'),
  ('application', 'issued',    'personalize', 'personalized'),
  ('application', 'issued',    'lapse',       'lapsed'),
  ('application', 'issued',    'withdraw',    'withdrawn'),
  ('credential',  '',          'begin',       'pending'),
  ('credential',  'pending',   'activate',    'active'),
  ('credential',  'pending',   'suspend',     'held'),
  ('credential',  'pending',   'revoke',      'revoked'),
  ('credential',  'active',    'suspend',     'held'),
  ('credential',  'held',      'resume',      'active'),
  ('credential',  'active',    'revoke',      'revoked'),
  ('credential',  'held',      'revoke',      'revoked'),
  ('credential',  'active',    'supersede',   'superseded'),
  ('credential',  'held',      'supersede',   'superseded'),
  ('credential',  'active',    'expire',      'expired'),
  ('credential',  'held',      'expire',      'expired');

-- Every move of every life. The foreign keys make the database refuse an arrow
-- that is not there, a move from a state the subject is not in, and a fork.
CREATE TABLE moves (
  life       TEXT   NOT NULL,
  subject    TEXT   NOT NULL,
  seq        BIGINT NOT NULL,
  previous   BIGINT,
  from_state TEXT   NOT NULL,
  verb       TEXT   NOT NULL,
  to_state   TEXT   NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (life, subject, seq),
  UNIQUE (life, subject, seq, to_state),
  CHECK ((seq = 0 AND previous IS NULL AND verb = 'begin') OR (seq > 0 AND previous IS NOT NULL AND previous = seq - 1 AND verb <> 'begin')),
  FOREIGN KEY (life, from_state, verb, to_state) REFERENCES life_arrows (life, from_state, verb, to_state),
  FOREIGN KEY (life, subject, previous, from_state) REFERENCES moves (life, subject, seq, to_state)
);
CREATE INDEX moves_by_verb ON moves (life, verb, at);

CREATE TABLE applications (
  id           TEXT   NOT NULL PRIMARY KEY,
  life         TEXT   NOT NULL DEFAULT 'application' CHECK (life = 'application'),
  step         BIGINT NOT NULL,
  state        TEXT   NOT NULL,
  document     BYTEA  NOT NULL UNIQUE,
  person       BYTEA  NOT NULL,
  element      BYTEA  NOT NULL,
  device_model TEXT   NOT NULL,
  os_build     TEXT   NOT NULL,
  app_version  BIGINT NOT NULL,
  kinds        TEXT   NOT NULL,
  problem      TEXT   NOT NULL,
  scheme       TEXT   NOT NULL,
  consent      TEXT   NOT NULL,
  submitted_at BIGINT NOT NULL,
  due_at       BIGINT NOT NULL,
  issued_at    BIGINT NOT NULL,
  ended_at     BIGINT NOT NULL,
  signed       BYTEA,
  attestation  BYTEA,
  secrets_set  BYTEA,
  statement    BYTEA,
  chain        BYTEA  NOT NULL,
  parent_signature_serial            BYTEA,
  parent_authentication_serial       BYTEA,
  parent_signature_certificate       BYTEA,
  parent_authentication_certificate  BYTEA,
  parent_signature_not_after         BIGINT NOT NULL,
  parent_authentication_not_after    BIGINT NOT NULL,
  FOREIGN KEY (life, id, step, state) REFERENCES moves (life, subject, seq, to_state)
);
-- At most one application a person is open (design §3.3).
CREATE UNIQUE INDEX applications_open ON applications (person) WHERE state IN ('submitted', 'issued');
CREATE INDEX applications_issued ON applications (issued_at, id) WHERE state = 'issued';
CREATE INDEX applications_rejected ON applications (problem) WHERE state = 'rejected';
CREATE INDEX applications_of_person ON applications (person, submitted_at);
CREATE INDEX applications_of_element ON applications (element, submitted_at);

CREATE TABLE credentials (
  id            TEXT   NOT NULL PRIMARY KEY,
  life          TEXT   NOT NULL DEFAULT 'credential' CHECK (life = 'credential'),
  step          BIGINT NOT NULL,
  state         TEXT   NOT NULL,
  application   TEXT   NOT NULL REFERENCES applications (id),
  person        BYTEA  NOT NULL,
  element       BYTEA  NOT NULL,
  kind          BIGINT NOT NULL CHECK (kind IN (1, 2)),
  serial        BYTEA  NOT NULL,
  public_key    BYTEA  NOT NULL UNIQUE,
  certificate   BYTEA,
  reason        BIGINT NOT NULL,
  cert_status   BIGINT NOT NULL CHECK (cert_status IN (0, 1, 2)),
  status_reason BIGINT NOT NULL,
  status_at     BIGINT NOT NULL,
  not_after     BIGINT NOT NULL,
  begun_at      BIGINT NOT NULL,
  activated_at  BIGINT NOT NULL,
  ended_at      BIGINT NOT NULL,
  UNIQUE (kind, serial),
  UNIQUE (application, kind), -- one certificate of each kind an application
  FOREIGN KEY (life, id, step, state) REFERENCES moves (life, subject, seq, to_state)
);
-- Never two active credentials of one kind for one person (design §3, invariants).
CREATE UNIQUE INDEX credentials_active ON credentials (person, kind) WHERE state = 'active';
CREATE INDEX credentials_live ON credentials (person) WHERE state IN ('active', 'held');
CREATE INDEX credentials_of_element ON credentials (element, begun_at);
CREATE INDEX credentials_revoked ON credentials (kind, serial) WHERE cert_status = 2;

CREATE TABLE holds (
  id        TEXT   NOT NULL PRIMARY KEY,
  life      TEXT   NOT NULL CHECK (life IN ('application', 'credential')),
  subject   TEXT   NOT NULL,
  reason    TEXT   NOT NULL,
  until     BIGINT NOT NULL,
  put_at    BIGINT NOT NULL,
  lifted_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX holds_standing ON holds (life, subject, reason) WHERE lifted_at = 0;

-- The feed that responders and publishers follow. Numbers come from the counter
-- row, updated last in the transaction: gap-free and in commit order (design §7).
CREATE TABLE counters (
  name  TEXT   NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('status_feed', 0), ('crl_signature', 0), ('crl_authentication', 0);

CREATE TABLE status_feed (
  number        BIGINT NOT NULL PRIMARY KEY,
  kind          BIGINT NOT NULL,
  serial        BYTEA  NOT NULL,
  cert_status   BIGINT NOT NULL,
  status_reason BIGINT NOT NULL,
  status_at     BIGINT NOT NULL,
  not_after     BIGINT NOT NULL,
  at            BIGINT NOT NULL
);

-- The sealed table: whatever carries attributes, under its owner's key, which is
-- wrapped by the key-encryption key. Erasing the key erases the person.
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

CREATE TABLE audit (
  id      TEXT   NOT NULL PRIMARY KEY,
  at      BIGINT NOT NULL,
  actor   TEXT   NOT NULL,
  verb    TEXT   NOT NULL,
  subject TEXT   NOT NULL,
  cause   TEXT   NOT NULL,
  detail  TEXT   NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE TABLE challenges (
  challenge BYTEA  NOT NULL PRIMARY KEY,
  expires   BIGINT NOT NULL
);
CREATE INDEX challenges_by_expiry ON challenges (expires);

CREATE TABLE jobs (
  id          TEXT   NOT NULL PRIMARY KEY,
  kind        TEXT   NOT NULL,
  unique_key  TEXT   NOT NULL,
  application TEXT   NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('ready', 'leased', 'dead')),
  enqueued_at BIGINT NOT NULL,
  due_at      BIGINT NOT NULL,
  attempts    BIGINT NOT NULL,
  lease       TEXT   NOT NULL,
  lease_until BIGINT NOT NULL,
  problem     TEXT   NOT NULL
);
CREATE UNIQUE INDEX jobs_live ON jobs (kind, unique_key) WHERE state IN ('ready', 'leased');
CREATE INDEX jobs_ready ON jobs (kind, due_at, id) WHERE state = 'ready';
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state = 'leased';

CREATE TABLE subscriptions (
  element BYTEA  NOT NULL PRIMARY KEY,
  sealed  BYTEA  NOT NULL,
  at      BIGINT NOT NULL
);

CREATE TABLE device_models (
  id       TEXT   NOT NULL PRIMARY KEY,
  data     BYTEA  NOT NULL,
  revision BIGINT NOT NULL
);
CREATE TABLE submissions (
  id           TEXT   NOT NULL PRIMARY KEY,
  data         BYTEA  NOT NULL,
  state        TEXT   NOT NULL CHECK (state IN ('open', 'accepted', 'refused')),
  reason       TEXT   NOT NULL,
  submitted_at BIGINT NOT NULL,
  decided_at   BIGINT NOT NULL
);
CREATE INDEX submissions_by_state ON submissions (state, id);

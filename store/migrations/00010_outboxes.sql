-- +goose Up

-- A notice that a server is handing on is leased to it, so that another does not hand it on
-- as well; whoever dies over it leaves it to be taken when the lease ends.
ALTER TABLE contact_notices ADD COLUMN leased_until BIGINT NOT NULL DEFAULT 0;

-- When the bureau was last asked to take a report: the one that was not asked about for the
-- longest has its turn first, so that those it refuses for good keep no other waiting.
ALTER TABLE card_reports ADD COLUMN tried_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX card_reports_open;
CREATE INDEX card_reports_open ON card_reports (tried_at, at, receipt) WHERE told_at = 0;

-- +goose Up

-- Where a notice goes: the contact as it stood when the notice was written (sealed), so that
-- whoever puts their own in its place does not also get the notice of it.
ALTER TABLE contact_notices ADD COLUMN sealed BYTEA;
UPDATE contact_notices SET sealed = (SELECT c.sealed FROM contacts c WHERE c.person = contact_notices.person);

-- How many look-ups an operator has made since an instant, and the list of calls.
CREATE INDEX hotline_calls_by ON hotline_calls (operator, at);
CREATE INDEX hotline_calls_at ON hotline_calls (at, receipt);

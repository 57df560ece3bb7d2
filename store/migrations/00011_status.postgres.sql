-- +goose Up

-- What responders say of a certificate follows from its life and from nothing else: unknown
-- before it is active, good while it is, revoked on hold and after an end; a day that came
-- changes nothing.
ALTER TABLE credentials ADD CONSTRAINT credentials_status CHECK (state = 'pending' AND cert_status = 0 OR state = 'active' AND cert_status = 1
  OR state IN ('held', 'revoked', 'superseded') AND cert_status = 2 OR state = 'expired' AND cert_status IN (1, 2));

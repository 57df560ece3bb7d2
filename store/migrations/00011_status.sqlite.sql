-- +goose Up

-- What responders say of a certificate follows from its life and from nothing else: unknown
-- before it is active, good while it is, revoked on hold and after an end; a day that came
-- changes nothing.
-- +goose StatementBegin
CREATE TRIGGER credentials_status BEFORE UPDATE OF state, cert_status ON credentials
WHEN NOT (NEW.state = 'pending' AND NEW.cert_status = 0 OR NEW.state = 'active' AND NEW.cert_status = 1
  OR NEW.state IN ('held', 'revoked', 'superseded') AND NEW.cert_status = 2 OR NEW.state = 'expired' AND NEW.cert_status IN (1, 2))
BEGIN SELECT RAISE(ABORT, 'a status that its life does not have'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_status_first BEFORE INSERT ON credentials
WHEN NOT (NEW.state = 'pending' AND NEW.cert_status = 0 OR NEW.state = 'active' AND NEW.cert_status = 1
  OR NEW.state IN ('held', 'revoked', 'superseded') AND NEW.cert_status = 2 OR NEW.state = 'expired' AND NEW.cert_status IN (1, 2))
BEGIN SELECT RAISE(ABORT, 'a status that its life does not have'); END;
-- +goose StatementEnd

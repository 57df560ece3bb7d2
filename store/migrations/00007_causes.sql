-- +goose Up

-- What followed from an audit line, for whoever asks what a cause has done.
CREATE INDEX audit_by_cause ON audit (cause, id) WHERE cause <> '';

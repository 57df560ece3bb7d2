-- +goose Up

-- A life goes forward only. The foreign keys of 00001 let a row name any move that was ever
-- made of it, and so an older one; these triggers let it name the next one only, and keep
-- moves and lives from being changed or taken away.
-- +goose StatementBegin
CREATE TRIGGER applications_forward BEFORE UPDATE OF id, life, step, state ON applications
WHEN NEW.id <> OLD.id OR NEW.step <> OLD.step + 1 AND (NEW.step <> OLD.step OR NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'a life goes forward only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_forward BEFORE UPDATE OF id, life, step, state ON credentials
WHEN NEW.id <> OLD.id OR NEW.step <> OLD.step + 1 AND (NEW.step <> OLD.step OR NEW.state <> OLD.state)
BEGIN SELECT RAISE(ABORT, 'a life goes forward only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER applications_begin BEFORE INSERT ON applications WHEN NEW.step <> 0
BEGIN SELECT RAISE(ABORT, 'a life begins at its beginning'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_begin BEFORE INSERT ON credentials WHEN NEW.step <> 0
BEGIN SELECT RAISE(ABORT, 'a life begins at its beginning'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER applications_stay BEFORE DELETE ON applications
BEGIN SELECT RAISE(ABORT, 'a life is not taken away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER credentials_stay BEFORE DELETE ON credentials
BEGIN SELECT RAISE(ABORT, 'a life is not taken away'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER moves_unchanged BEFORE UPDATE ON moves
BEGIN SELECT RAISE(ABORT, 'a move is not changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER moves_stay BEFORE DELETE ON moves
BEGIN SELECT RAISE(ABORT, 'a move is not taken away'); END;
-- +goose StatementEnd

-- +goose Up

-- A life goes forward only. The foreign keys of 00001 let a row name any move that was ever
-- made of it, and so an older one; these triggers let it name the next one only, and keep
-- moves and lives from being changed or taken away.
-- +goose StatementBegin
CREATE FUNCTION life_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a life goes forward only: % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
-- +goose StatementEnd
CREATE TRIGGER applications_forward BEFORE UPDATE OF id, life, step, state ON applications FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.step <> OLD.step + 1 AND (NEW.step <> OLD.step OR NEW.state <> OLD.state))
EXECUTE FUNCTION life_refused();
CREATE TRIGGER credentials_forward BEFORE UPDATE OF id, life, step, state ON credentials FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.step <> OLD.step + 1 AND (NEW.step <> OLD.step OR NEW.state <> OLD.state))
EXECUTE FUNCTION life_refused();
CREATE TRIGGER applications_begin BEFORE INSERT ON applications FOR EACH ROW WHEN (NEW.step <> 0) EXECUTE FUNCTION life_refused();
CREATE TRIGGER credentials_begin BEFORE INSERT ON credentials FOR EACH ROW WHEN (NEW.step <> 0) EXECUTE FUNCTION life_refused();
CREATE TRIGGER applications_stay BEFORE DELETE OR TRUNCATE ON applications FOR EACH STATEMENT EXECUTE FUNCTION life_refused();
CREATE TRIGGER credentials_stay BEFORE DELETE OR TRUNCATE ON credentials FOR EACH STATEMENT EXECUTE FUNCTION life_refused();
CREATE TRIGGER moves_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON moves FOR EACH STATEMENT EXECUTE FUNCTION life_refused();

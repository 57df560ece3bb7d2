-- +goose Up

-- When the card bureau's newest word that touched an application, or what was issued for
-- it, was spoken, by its own clock: one that is not newer puts and lifts no hold there. It
-- is kept by application, and no longer by person, since a person may have two that stand
-- on different cards, of each of which the bureau speaks by itself.
CREATE TABLE application_words (
  application TEXT   NOT NULL PRIMARY KEY REFERENCES applications (id),
  at          BIGINT NOT NULL
);
INSERT INTO application_words (application, at)
  SELECT a.id, w.at FROM applications a JOIN card_words w ON w.person = a.person;
DROP TABLE card_words;

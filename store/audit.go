package store

import (
	"encoding/json"
	"time"

	"warifu"
)

// Line is one entry of the audit trail: who did what to what, and why. It never
// carries an attribute or a secret.
type Line struct {
	ID      string // made by Audit when empty; name it to use it as another's Cause
	At      time.Time
	Actor   string // "holder", "worker:issue", "operator:…"
	Verb    warifu.Verb
	Subject string // an application's, credential's or hold's id
	Cause   string // the ID of the line this one follows from, or a rule's name
	Detail  map[string]string
}

// Audit appends a line in this transaction. Every move must have one with the
// moved thing as Subject and the same Verb, or Write refuses to commit ("audit-missing").
func (tx *Tx) Audit(l Line) error {
	if l.ID == "" {
		l.ID = tx.NewID()
	}
	detail, err := json.Marshal(l.Detail)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO audit (id, at, actor, verb, subject, cause, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		l.ID, micros(l.At), l.Actor, string(l.Verb), l.Subject, l.Cause, string(detail))
	if err != nil {
		return err
	}
	if tx.audited == nil {
		tx.audited = map[deed]bool{}
	}
	tx.audited[deed{l.Subject, l.Verb}] = true
	return nil
}

const lineColumns = `id, at, actor, verb, subject, cause, detail`

func scanLine(s scanner) (Line, error) {
	var l Line
	var verb, detail string
	if err := s.Scan(&l.ID, instant{&l.At}, &l.Actor, &verb, &l.Subject, &l.Cause, &detail); err != nil {
		return l, err
	}
	l.Verb = warifu.Verb(verb)
	return l, json.Unmarshal([]byte(detail), &l.Detail)
}

// AuditOf returns every line about a subject, oldest first.
func (tx *Tx) AuditOf(subject string) ([]Line, error) {
	return list(tx.work, scanLine, `SELECT `+lineColumns+` FROM audit WHERE subject = $1 ORDER BY id`, subject)
}

// AuditAfter returns up to limit lines after the one with that ID ("" for the
// first), in order of writing.
func (tx *Tx) AuditAfter(id string, limit int) ([]Line, error) {
	return list(tx.work, scanLine, `SELECT `+lineColumns+` FROM audit WHERE id > $1 ORDER BY id LIMIT $2`, id, limit)
}

// AuditLine returns one line by its ID; NotFound "audit-line-unknown".
func (tx *Tx) AuditLine(id string) (Line, error) {
	return only(tx.work, warifu.NotFound("audit-line-unknown"), scanLine, `SELECT `+lineColumns+` FROM audit WHERE id = $1`, id)
}

// AuditTree returns up to limit lines that follow from a line, directly or through others,
// and the line itself, in order of writing.
func (tx *Tx) AuditTree(root string, limit int) ([]Line, error) {
	return list(tx.work, scanLine, `WITH RECURSIVE tree (id) AS (
			SELECT id FROM audit WHERE id = $1
			UNION SELECT a.id FROM audit a JOIN tree ON a.cause = tree.id WHERE a.cause <> '')
		SELECT `+lineColumns+` FROM audit WHERE id IN (SELECT id FROM tree) ORDER BY id LIMIT $2`, root, limit)
}

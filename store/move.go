package store

import (
	"errors"
	"time"

	"warifu"
)

// Move is one step of a life, as it was taken.
type Move struct {
	Subject  string // an application's or credential's id
	Seq      int64  // 0 is the beginning
	From, To string // states; From is "" at the beginning
	Verb     warifu.Verb
	At       time.Time
}

// deed is what an audit line must answer for: this verb on this subject.
type deed struct {
	subject string
	verb    warifu.Verb
}

// begin writes the first move of a life. It must come before the subject's row,
// whose state is a foreign key to it.
func (tx *Tx) begin(life, subject, state string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at)
		VALUES ($1, $2, 0, NULL, '', 'begin', $3, $4)`, life, subject, state, micros(at))
	return err
}

// advance writes the move after step and remembers that it needs an audit line.
func (tx *Tx) advance(life, subject string, step int64, from string, verb warifu.Verb, to string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO moves (life, subject, seq, previous, from_state, verb, to_state, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, life, subject, step+1, step, from, string(verb), to, micros(at))
	if err == nil {
		tx.moved = append(tx.moved, deed{subject, verb})
	}
	return err
}

// Moves returns the whole life of an application or credential, oldest step first.
func (tx *Tx) Moves(subject string) ([]Move, error) {
	return list(tx.work, func(s scanner) (Move, error) {
		var m Move
		var verb string
		err := s.Scan(&m.Subject, &m.Seq, &m.From, &verb, &m.To, instant{&m.At})
		m.Verb = warifu.Verb(verb)
		return m, err
	}, `SELECT subject, seq, from_state, verb, to_state, at FROM moves
		WHERE life IN ('application', 'credential') AND subject = $1 ORDER BY seq`, subject)
}

var (
	errIncomplete = errors.New("store: a row without its identifier or kind")
	errRaced      = errors.New("store: the row changed inside its own transaction")
)

// swapped checks that a compare-and-set touched its row. Isolation makes the
// contrary impossible; if it ever happens the transaction must not stand.
func (tx *Tx) swapped(n int64) error {
	if n != 1 {
		return tx.fail(errRaced)
	}
	return nil
}

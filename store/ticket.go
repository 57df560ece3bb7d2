package store

import (
	"time"

	"warifu"
)

// Ticket is a kill ticket as it was written down, for a credential that has ended. What
// a chip is handed is signed anew each time from this row and the credential's.
type Ticket struct {
	Credential string
	Kind       warifu.Kind
	Number     int64 // of its kind, growing
	WrittenAt  time.Time
	Receipt    warifu.Digest // the chip's receipt, a sealed blob; zero: none came
	SettledAt  time.Time     // zero while it is handed out
}

// WriteTicket gives a credential that has ended a kill ticket with the next number of
// its kind, and returns the one it has, if it has one. A credential that may still come
// back is Conflict "credential-not-ended": no ticket is ever written for it.
func (tx *Tx) WriteTicket(credential string, at time.Time) (Ticket, error) {
	c, err := tx.Credential(credential)
	if err != nil {
		return Ticket{}, err
	}
	if !warifu.CredentialLife.Final(c.State) {
		return Ticket{}, warifu.Conflict("credential-not-ended")
	}
	if t, found, err := tx.Ticket(credential); err != nil || found {
		return t, err
	}
	number, err := tx.count("ticket_"+c.Kind.String(), 1)
	if err != nil {
		return Ticket{}, err
	}
	t := Ticket{Credential: credential, Kind: c.Kind, Number: number, WrittenAt: canonical(at)}
	_, err = tx.exec(`INSERT INTO kill_tickets (credential, kind, number, written_at, receipt, settled_at) VALUES ($1, $2, $3, $4, NULL, 0)`,
		t.Credential, int64(t.Kind), t.Number, micros(at))
	return t, err
}

// Ticket returns the kill ticket that was written for a credential, and whether one was.
func (tx *Tx) Ticket(credential string) (Ticket, bool, error) {
	rows, err := list(tx.work, func(s scanner) (Ticket, error) {
		var t Ticket
		err := s.Scan(&t.Credential, &t.Kind, &t.Number, instant{&t.WrittenAt}, fixed{t.Receipt[:]}, instant{&t.SettledAt})
		return t, err
	}, `SELECT credential, kind, number, written_at, receipt, settled_at FROM kill_tickets WHERE credential = $1`, credential)
	if err != nil || len(rows) == 0 {
		return Ticket{}, false, err
	}
	return rows[0], true, nil
}

// SettleTicket ends a ticket: the chip has destroyed the key. receipt is the digest of
// the sealed receipt. A ticket that is settled already stays as it is.
func (tx *Tx) SettleTicket(credential string, receipt warifu.Digest, at time.Time) error {
	_, err := tx.exec(`UPDATE kill_tickets SET receipt = $1, settled_at = $2 WHERE credential = $3 AND settled_at = 0`,
		octets(receipt[:]), micros(at), credential)
	return err
}

// PutWrittenChip notes that a chip was heard to have made an application's keys live.
func (tx *Tx) PutWrittenChip(element warifu.ElementID, application string, at time.Time) error {
	_, err := tx.exec(`INSERT INTO written_chips (element, application, at) VALUES ($1, $2, $3)
		ON CONFLICT (element) DO UPDATE SET application = excluded.application, at = excluded.at`, element[:], application, micros(at))
	return err
}

// WrittenChip returns the application that PutWrittenChip was last given for a chip; ""
// where there is none.
func (tx *Tx) WrittenChip(element warifu.ElementID) (string, error) {
	var application string
	_, err := tx.one(`SELECT application FROM written_chips WHERE element = $1`, []any{element[:]}, &application)
	return application, err
}

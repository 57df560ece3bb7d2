package store

import (
	"time"

	"warifu"
)

// ConsoleOperator is a person who works at the operators' console, or did.
type ConsoleOperator struct {
	Name      string
	Role      string
	Handle    []byte        // by which an authenticator names the account: 32 octets
	Token     warifu.Digest // of the enrolment: another with each
	At        time.Time
	InvitedBy string // "" for the first
	SeenAt    time.Time
	RemovedAt time.Time // zero while they work here
	RemovedBy string
}

const consoleOperatorColumns = `name, role, handle, token, at, invited_by, seen_at, removed_at, removed_by`

func scanConsoleOperator(s scanner) (o ConsoleOperator, err error) {
	err = s.Scan(&o.Name, &o.Role, &o.Handle, fixed{o.Token[:]}, instant{&o.At}, &o.InvitedBy, instant{&o.SeenAt}, instant{&o.RemovedAt}, &o.RemovedBy)
	return o, err
}

var consoleOperatorUnknown = warifu.NotFound("console-operator-unknown")

// InsertConsoleOperator writes one; Conflict "console-name-taken" where somebody has, or
// ever had, the name.
func (tx *Tx) InsertConsoleOperator(o ConsoleOperator) error {
	n, err := tx.exec(`INSERT INTO console_operators (`+consoleOperatorColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '') ON CONFLICT DO NOTHING`,
		o.Name, o.Role, o.Handle, o.Token[:], micros(o.At), o.InvitedBy)
	if err == nil && n == 0 {
		err = warifu.Conflict("console-name-taken")
	}
	return err
}

// ConsoleOperator returns one by name, also one who left; NotFound "console-operator-unknown".
func (tx *Tx) ConsoleOperator(name string) (ConsoleOperator, error) {
	return only(tx.work, consoleOperatorUnknown, scanConsoleOperator, `SELECT `+consoleOperatorColumns+` FROM console_operators WHERE name = $1`, name)
}

// ConsoleOperatorOfHandle returns one by what an authenticator says; NotFound "console-operator-unknown".
func (tx *Tx) ConsoleOperatorOfHandle(handle []byte) (ConsoleOperator, error) {
	return only(tx.work, consoleOperatorUnknown, scanConsoleOperator, `SELECT `+consoleOperatorColumns+` FROM console_operators WHERE handle = $1`, handle)
}

// ConsoleOperators returns all, by name, with those who left.
func (tx *Tx) ConsoleOperators() ([]ConsoleOperator, error) {
	return list(tx.work, scanConsoleOperator, `SELECT `+consoleOperatorColumns+` FROM console_operators ORDER BY name`)
}

// EnrolConsoleOperator gives a working operator the token of a new enrolment; NotFound
// "console-operator-unknown".
func (tx *Tx) EnrolConsoleOperator(name string, token warifu.Digest) error {
	n, err := tx.exec(`UPDATE console_operators SET token = $1 WHERE name = $2 AND removed_at = 0`, token[:], name)
	if err == nil && n == 0 {
		err = consoleOperatorUnknown
	}
	return err
}

// ConsoleOperatorSeen notes when an operator was last signed in.
func (tx *Tx) ConsoleOperatorSeen(name string, at time.Time) error {
	_, err := tx.exec(`UPDATE console_operators SET seen_at = $1 WHERE name = $2`, micros(at), name)
	return err
}

// RemoveConsoleOperator ends an operator's work: passkeys, links and sessions are gone with
// it, the name stays. NotFound "console-operator-unknown", also of one who left before.
func (tx *Tx) RemoveConsoleOperator(name, by string, at time.Time) error {
	n, err := tx.exec(`UPDATE console_operators SET removed_at = $1, removed_by = $2 WHERE name = $3 AND removed_at = 0`, micros(at), by, name)
	if err == nil && n == 0 {
		err = consoleOperatorUnknown
	}
	if err != nil {
		return err
	}
	return tx.ForgetConsoleAccess(name)
}

// ForgetConsoleAccess drops everything by which an operator gets in: passkeys, links that
// are open, and sessions.
func (tx *Tx) ForgetConsoleAccess(name string) error {
	for _, statement := range []string{
		`DELETE FROM console_passkeys WHERE operator = $1`,
		`DELETE FROM console_invitations WHERE operator = $1`,
		`DELETE FROM console_sessions WHERE operator = $1`,
	} {
		if _, err := tx.exec(statement, name); err != nil {
			return err
		}
	}
	return nil
}

// ConsolePasskey is what is kept of a passkey: nothing secret.
type ConsolePasskey struct {
	ID       []byte
	Operator string
	Record   []byte // JSON
	At       time.Time
	UsedAt   time.Time
}

const passkeyColumns = `id, operator, record, at, used_at`

func scanPasskey(s scanner) (p ConsolePasskey, err error) {
	err = s.Scan(&p.ID, &p.Operator, &p.Record, instant{&p.At}, instant{&p.UsedAt})
	return p, err
}

// InsertConsolePasskey writes one; Conflict "passkey-known" where it was enrolled before.
func (tx *Tx) InsertConsolePasskey(p ConsolePasskey) error {
	n, err := tx.exec(`INSERT INTO console_passkeys (`+passkeyColumns+`) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING`, p.ID, p.Operator, p.Record, micros(p.At))
	if err == nil && n == 0 {
		err = warifu.Conflict("passkey-known")
	}
	return err
}

// ConsolePasskeys returns an operator's.
func (tx *Tx) ConsolePasskeys(operator string) ([]ConsolePasskey, error) {
	return list(tx.work, scanPasskey, `SELECT `+passkeyColumns+` FROM console_passkeys WHERE operator = $1 ORDER BY at, id`, operator)
}

// DropConsolePasskey forgets one of an operator's; one that is gone stays so.
func (tx *Tx) DropConsolePasskey(operator string, id []byte) error {
	_, err := tx.exec(`DELETE FROM console_passkeys WHERE operator = $1 AND id = $2`, operator, id)
	return err
}

// UseConsolePasskey writes the record as it is after a use.
func (tx *Tx) UseConsolePasskey(id, record []byte, at time.Time) error {
	_, err := tx.exec(`UPDATE console_passkeys SET record = $1, used_at = $2 WHERE id = $3`, record, micros(at), id)
	return err
}

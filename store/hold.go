package store

import (
	"time"

	"warifu"
)

// Hold is one reason for which an open application waits or a credential is
// suspended. A subject may stand under several; each lifts only itself (design §3).
type Hold struct {
	ID       string    // made by PutHold when empty
	Life     string    // warifu.ApplicationLife.Name or warifu.CredentialLife.Name
	Subject  string    // the application's or credential's id
	Reason   string    // "lost", "repair", "card", "operator", "own-wish"
	Until    time.Time // for a repair: it ends by itself; zero: until lifted
	PutAt    time.Time
	LiftedAt time.Time // zero while it stands
}

const holdColumns = `id, life, subject, reason, until, put_at, lifted_at`

func scanHold(s scanner) (Hold, error) {
	var h Hold
	err := s.Scan(&h.ID, &h.Life, &h.Subject, &h.Reason, instant{&h.Until}, instant{&h.PutAt}, instant{&h.LiftedAt})
	return h, err
}

// PutHold writes a hold and returns it with its ID. Where one for the same reason
// stands already, that one is returned with Conflict "hold-exists".
func (tx *Tx) PutHold(h Hold) (Hold, error) {
	if h.ID == "" {
		h.ID = tx.NewID()
	}
	h.LiftedAt = time.Time{}
	n, err := tx.exec(`INSERT INTO holds (`+holdColumns+`) VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING`,
		h.ID, h.Life, h.Subject, h.Reason, micros(h.Until), micros(h.PutAt))
	if err != nil || n == 1 {
		return h, err
	}
	standing, err := only(tx.work, warifu.NotFound("hold-unknown"), scanHold, `SELECT `+holdColumns+` FROM holds
		WHERE life = $1 AND subject = $2 AND reason = $3 AND lifted_at = 0`, h.Life, h.Subject, h.Reason)
	if err != nil {
		return Hold{}, err
	}
	return standing, warifu.Conflict("hold-exists", "reason", h.Reason)
}

// LiftHold ends one hold; NotFound "hold-unknown" when it does not stand.
func (tx *Tx) LiftHold(id string, at time.Time) error {
	n, err := tx.exec(`UPDATE holds SET lifted_at = $1 WHERE id = $2 AND lifted_at = 0`, micros(at), id)
	if err == nil && n == 0 {
		err = warifu.NotFound("hold-unknown")
	}
	return err
}

// Holds returns the holds that stand on a subject, oldest first.
func (tx *Tx) Holds(subject string) ([]Hold, error) {
	return list(tx.work, scanHold, `SELECT `+holdColumns+` FROM holds
		WHERE life IN ('application', 'credential') AND subject = $1 AND lifted_at = 0 ORDER BY id`, subject)
}

// EndingHolds returns up to limit standing holds whose date is past, for the sweep
// that lifts them.
func (tx *Tx) EndingHolds(now time.Time, limit int) ([]Hold, error) {
	return list(tx.work, scanHold, `SELECT `+holdColumns+` FROM holds
		WHERE lifted_at = 0 AND until > 0 AND until <= $1 ORDER BY until, id LIMIT $2`, micros(now), limit)
}

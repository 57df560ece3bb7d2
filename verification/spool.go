package verification

import (
	"context"
	"encoding/json"

	"warifu"
	"warifu/ledger"
	"warifu/profile"
	"warifu/store"
)

// Spool keeps ledger entries of a node that is cut off from the database until it is not.
// What is put survives the process.
type Spool interface {
	Put(entry []byte) error
	// Take hands each entry to f, oldest first, and forgets those for which f returned nil. It
	// stops at f's first error and returns it.
	Take(f func(entry []byte) error) error
}

// waiting is an entry whose holder will be looked up.
type waiting struct {
	Class  profile.Class `json:"class"`
	Kind   warifu.Kind   `json:"kind"`
	Serial []byte        `json:"serial"`
	Entry  ledger.Entry  `json:"entry"`
}

// spool lays the entry by. There is no verification to come back to: the answer has no ID.
func (d *Desk) spool(party Party, q Question, a *Answer) error {
	a.ID, a.Subject, a.Evidence, a.NoEvidence, a.Holder = "", "", nil, "evidence-cut-off", HeardNot
	if a.Result.Authority == nil {
		return nil
	}
	r := a.Result
	row := store.Verification{Class: r.Class.String(), Kind: r.Kind}
	b, err := json.Marshal(waiting{Class: r.Class, Kind: r.Kind, Serial: r.Certificate.SerialNumber.Bytes(), Entry: entryOf(party, q, a, row)})
	if err != nil {
		return err
	}
	a.Holder = HeardLate
	return d.Spool.Put(b)
}

// HandIn writes what was laid by into the ledgers, marked late, and returns how many entries
// that was. It ends without error while the database is still away.
func (d *Desk) HandIn(ctx context.Context) (n int, err error) {
	if d.Spool == nil {
		return 0, nil
	}
	err = d.Spool.Take(func(b []byte) error {
		var w waiting
		if err := json.Unmarshal(b, &w); err != nil {
			d.Log.ErrorContext(ctx, "ledger entry", "what", "a late entry cannot be read", "error", err.Error())
			return nil
		}
		w.Entry.Late = d.Clock.Now().UTC()
		err := d.Store.Write(ctx, func(tx *store.Tx) error {
			person, known, err := personOf(tx, w.Class, w.Kind, w.Serial)
			if err != nil || !known {
				return err
			}
			return d.Ledger.Append(tx, person, w.Entry)
		})
		if err == nil {
			n++
		}
		return err
	})
	if away(err) {
		err = nil
	}
	return n, err
}

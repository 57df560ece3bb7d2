package catalogue

import (
	"context"
	"time"

	"warifu"
	"warifu/store"
)

// Row is a model as it is stored: its identifier and its JSON.
type Row struct {
	ID      string
	JSON    []byte
	Revised time.Time
}

// Change says why the stored catalogue changes, for the audit trail.
type Change struct {
	At     time.Time
	Actor  string // "operator:…", "import"
	Verb   warifu.Verb
	Detail map[string]string // numbers and identifiers
}

// Storage keeps the catalogue. Each method is one transaction, the audit line included.
type Storage interface {
	Shelf
	// Models returns every stored model.
	Models(ctx context.Context) ([]Row, error)
	// Submissions returns those in a state, oldest first.
	Submissions(ctx context.Context, state State) ([]Submission, error)
}

// Shelf is the half of a Storage that changes it.
type Shelf interface {
	// Put writes one model, new or in the place of the one with its identifier.
	Put(ctx context.Context, row Row, why Change) error
	// Replace makes the stored catalogue exactly these rows.
	Replace(ctx context.Context, rows []Row, why Change) error
	// Settle writes a submission: an open one anew; a decided one over the open one
	// (Conflict "submission-decided" when it is open no more), together with the models
	// that follow from it.
	Settle(ctx context.Context, s Submission, models []Row, why Change) error
}

// InStore keeps the catalogue in the store.
func InStore(s *store.Store) Storage { return stored{s} }

type stored struct{ store *store.Store }

func (s stored) Models(ctx context.Context) (rows []Row, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		rows = nil
		models, err := tx.Models()
		for _, m := range models {
			rows = append(rows, Row{m.ID, m.Data, m.Revision})
		}
		return err
	})
	return rows, err
}

func (s stored) Replace(ctx context.Context, rows []Row, why Change) error {
	models := make([]store.Model, len(rows))
	for i, r := range rows {
		models[i] = store.Model{ID: r.ID, Data: r.JSON, Revision: r.Revised}
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.ReplaceModels(models); err != nil {
			return err
		}
		return audit(tx, "catalogue", why)
	})
}

func (s stored) Put(ctx context.Context, row Row, why Change) error {
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.PutModel(store.Model{ID: row.ID, Data: row.JSON, Revision: row.Revised}); err != nil {
			return err
		}
		return audit(tx, "catalogue", why)
	})
}

func (s stored) Submissions(ctx context.Context, state State) (out []Submission, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Submissions(string(state))
		if err != nil {
			return err
		}
		for _, r := range rows {
			b := Submission{ID: r.ID, State: State(r.State), Reason: r.Reason, SubmittedAt: r.SubmittedAt, DecidedAt: r.DecidedAt}
			if err := b.read(r.Data); err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, err
}

func (s stored) Settle(ctx context.Context, b Submission, models []Row, why Change) error {
	data, err := b.data()
	if err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if err := settle(tx, b, data, models); err != nil {
			return err
		}
		return audit(tx, b.ID, why)
	})
}

func settle(tx *store.Tx, b Submission, data []byte, models []Row) error {
	if b.State == Open {
		return tx.InsertSubmission(store.Submission{ID: b.ID, Data: data, SubmittedAt: b.SubmittedAt})
	}
	for _, r := range models {
		if err := tx.PutModel(store.Model{ID: r.ID, Data: r.JSON, Revision: r.Revised}); err != nil {
			return err
		}
	}
	return tx.DecideSubmission(b.ID, string(b.State), b.Reason, b.DecidedAt)
}

func audit(tx *store.Tx, subject string, c Change) error {
	return tx.Audit(store.Line{At: c.At, Actor: c.Actor, Verb: c.Verb, Subject: subject, Detail: c.Detail})
}

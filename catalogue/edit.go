package catalogue

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"warifu"
)

// recordsWith are a model's earlier checks once a newer one has taken the place of the present
// one: that joins them, unless it is the same or there was none.
func (m Model) recordsWith(newer Verification) []Verification {
	if m.Verification == newer || m.Verification.Result == Pending {
		return slices.Clone(m.Earlier)
	}
	out := append(slices.Clone(m.Earlier), m.Verification)
	return out[max(0, len(out)-maxEarlier):]
}

// Save writes one model as an editor has it: new, or in the place of the one with its
// identifier. What it says of checks is left as it is (Record); the day is among its revisions.
// Errors: Invalid "model-invalid", TooLarge "catalogue-too-large".
func (c *Catalogue) Save(ctx context.Context, m Model, actor string) (Model, error) {
	return c.change(ctx, m.ID, actor, "model-save", func(old Model, known bool, _ Date) (Model, error) {
		return m.asEdited(old, known), nil
	})
}

// SaveOver is Save by an editor who began with the entry whose Mark is seen ("": a new one), and
// changes nothing where another editor was there meanwhile. Errors: those of Save, Conflict
// "model-there" of a new one that is there already, Conflict "model-edited" of one that is another now.
func (c *Catalogue) SaveOver(ctx context.Context, m Model, seen, actor string) (Model, error) {
	return c.change(ctx, m.ID, actor, "model-save", func(old Model, known bool, _ Date) (Model, error) {
		switch {
		case seen == "" && known:
			return Model{}, warifu.Conflict("model-there", "model", old.ID)
		case seen != "" && (!known || old.Mark() != seen):
			return Model{}, warifu.Conflict("model-edited", "model", m.ID)
		}
		return m.asEdited(old, known), nil
	})
}

// asEdited is the entry as an editor has it, with what editors do not write.
func (m Model) asEdited(old Model, known bool) Model {
	if known {
		m.ID, m.Verification, m.Earlier, m.Revised, m.Sample = old.ID, old.Verification, old.Earlier, old.Revised, false
		return m
	}
	m.Verification, m.Earlier, m.Revised, m.Sample = Verification{Result: Pending}, nil, nil, false
	return m
}

// Mark tells one state of an entry from another: SHA-256 of what editors write of it, in hexadecimal.
// A check that was recorded meanwhile does not change it, but for the day of the listing.
func (m Model) Mark() string {
	m.Verification, m.Earlier, m.Revised, m.Sample = Verification{}, nil, nil, false
	m.Names, m.Carriers = append([]string{}, m.Names...), append([]string{}, m.Carriers...)
	b, err := json.Marshal(m)
	if err != nil {
		return "" // a model always encodes
	}
	return warifu.DigestOf(b).String()
}

// Record writes down an operation check of a known model (R14, R17): who checked it, when, on which
// build of the system, and how it ended. The check before it stays on record. A model that
// passed is listed from today, unless it is to be listed later. Errors: NotFound
// "model-unknown", Invalid "model-invalid".
func (c *Catalogue) Record(ctx context.Context, id string, v Verification, actor string) (Model, error) {
	if _, err := c.Model(id); err != nil {
		return Model{}, err
	}
	return c.change(ctx, id, actor, "model-check", func(m Model, _ bool, today Date) (Model, error) {
		m.Earlier, m.Verification = m.recordsWith(v), v
		if v.Result == Passed && m.Since == "" {
			m.Since = today
		}
		return m, nil
	})
}

// change writes one model and reads it back into the index.
func (c *Catalogue) change(ctx context.Context, id, actor string, verb warifu.Verb, edit func(old Model, known bool, today Date) (Model, error)) (Model, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	x, now := c.index.Load(), c.clock.Now()
	old, known := x.find(id)
	if !known && len(x.models) >= MaxModels {
		return Model{}, warifu.TooLarge("catalogue-too-large")
	}
	today := DateOf(now)
	m, err := edit(old, known, today)
	if err != nil {
		return Model{}, err
	}
	if known && !slices.Contains(m.Revised, today) {
		m.Revised = append(slices.Clone(m.Revised[max(0, len(m.Revised)-maxRevised+1):]), today)
	}
	if err := m.Validate(); err != nil {
		return Model{}, err
	}
	row, err := rowOf(m, now)
	if err != nil {
		return Model{}, err
	}
	why := Change{now, actor, verb, map[string]string{"model": m.ID, "result": string(m.Verification.Result)}}
	if err := c.storage.Put(ctx, row, why); err != nil {
		return Model{}, err
	}
	return m, c.reload(ctx)
}

// Support says how soon models were supported (R18): of the submissions that were accepted, from
// when they came to when they were decided.
type Support struct {
	Accepted, Refused, Waiting int
	Median, Longest            time.Duration // of the accepted; zero without any
	OldestWaiting              time.Duration
}

// Support measures the submissions there are.
func (c *Catalogue) Support(ctx context.Context) (Support, error) {
	var out Support
	var took []time.Duration
	for _, state := range []State{Open, Accepted, Refused} {
		list, err := c.storage.Submissions(ctx, state)
		if err != nil {
			return Support{}, err
		}
		for _, b := range list {
			switch state {
			case Open:
				out.Waiting++
				out.OldestWaiting = max(out.OldestWaiting, c.clock.Now().Sub(b.SubmittedAt))
			case Accepted:
				out.Accepted++
				took = append(took, b.DecidedAt.Sub(b.SubmittedAt))
			case Refused:
				out.Refused++
			}
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		out.Median, out.Longest = took[len(took)/2], took[len(took)-1]
	}
	return out, nil
}

package bureau

import (
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/person"
)

// Move registers a new address (転居・転入). The card's signing certificate carries the
// old one and is revoked (B.2); the authentication certificate stays. Nothing is issued
// and nothing printed until the holder comes to the counter (Renew). Registering where
// somebody lives already changes nothing. Errors: those of person.MovedTo, Conflict
// "card-state" for somebody who has died.
func (b *Bureau) Move(id string, to person.Relocation) error {
	return b.register(id, events.Moved, func(p person.Person) (person.Person, error) { return p.MovedTo(to) })
}

// ChangeName registers a new name; otherwise as Move.
func (b *Bureau) ChangeName(id string, to person.Renaming) error {
	return b.register(id, events.NameChanged, func(p person.Person) (person.Person, error) { return p.Renamed(to) })
}

// register changes the residence register and ends the signing certificate that carries
// the old entry.
func (b *Bureau) register(id string, what events.Type, entry func(person.Person) (person.Person, error)) error {
	return b.live(id, func(h *holder, r *record, now time.Time) (*record, error) {
		if !r.Died.IsZero() {
			return nil, warifu.Conflict("card-state", "state", r.state(now))
		}
		before, err := h.person()
		if err != nil {
			return nil, err
		}
		after, err := entry(before)
		if err != nil || after.SameRegister(before) {
			return r, err
		}
		next, ended := r.replaced(func(c *certificate) *certificate {
			if c.Kind != warifu.Signature || c.final() {
				return c
			}
			return c.with(warifu.ReasonAffiliationChanged, now)
		})
		next.Person, next.Unprinted = after.Record(), true
		return b.telling(h, next, events.Event{Type: what, At: now}, ended)
	})
}

// Die registers a death: every certificate that has not ended does, and the card is
// never renewed. A second time nothing changes.
func (b *Bureau) Die(id string) error {
	return b.live(id, func(h *holder, r *record, now time.Time) (*record, error) {
		if !r.Died.IsZero() {
			return r, nil
		}
		next, ended := r.replaced(func(c *certificate) *certificate {
			if c.final() {
				return c
			}
			return c.with(warifu.ReasonCessationOfOperation, now)
		})
		next.Died = now.UTC().Truncate(time.Second)
		return b.telling(h, next, events.Event{Type: events.Died, At: now}, ended)
	})
}

// live lets something happen to a person's card, which is issued first if nobody has
// touched it. f returns its argument where nothing changes.
func (b *Bureau) live(id string, f func(h *holder, r *record, now time.Time) (*record, error)) error {
	h, err := b.find(id)
	if err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := b.issueFirst(h); err != nil {
		return err
	}
	if _, err := b.advance(h); err != nil { // what the clock brought comes before
		return err
	}
	before := h.now.Load()
	next, err := f(h, before, b.config.Clock.Now())
	if err != nil || next == before {
		return err
	}
	return b.change(h, func(*record) (*record, error) { return next, nil })
}

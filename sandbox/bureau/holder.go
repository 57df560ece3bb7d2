package bureau

import (
	"sync"
	"sync/atomic"

	"warifu/chip"
	"warifu/sandbox/person"
)

// holder is one person at the bureau.
type holder struct {
	id string
	// listed is the person as the world first knew them; issued cards have their own copy.
	listed person.Person
	// changing serialises changes, key generation included. Readers use now and never wait.
	changing sync.Mutex
	now      atomic.Pointer[record] // nil until the card was issued
	card     *chip.Card             // under changing; nil until touched, and again after renewal
	seat     *seat                  // of card, under changing
}

// person returns the person as the card has them.
func (h *holder) person() (person.Person, error) {
	r := h.now.Load()
	if r == nil {
		return h.listed, nil
	}
	return r.Person.Person(h.listed.CardIssued) // dates on record are absolute: the start no longer matters
}

// change replaces the record by what f makes of it: on the disk first, then in the log
// of events where it has something to tell, and only then in memory and in the index of
// serial numbers. The caller holds h.changing.
func (b *Bureau) change(h *holder, f func(*record) (*record, error)) error {
	next, err := f(h.now.Load())
	if err != nil {
		return err
	}
	if err := b.cards.WriteJSON(h.id+".json", next); err != nil {
		return err
	}
	if next.Outbox != nil {
		if err := b.post(*next.Outbox); err != nil {
			return err
		}
	}
	h.now.Store(next)
	b.index(h, next)
	return nil
}

// index makes every certificate of the record findable by its serial number.
func (b *Bureau) index(h *holder, r *record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range r.Certificates {
		b.serials[c.Kind][string(c.serial())] = h
	}
}

package bureau

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"warifu"
	"warifu/chip"
	"warifu/jpki"
	"warifu/sandbox/person"
)

// Card returns the person's chip, alive: the same one to everybody until the card is
// renewed. It is issued now if nobody touched it before. Counters and changed PINs lie
// in the world's folder and survive a restart.
func (b *Bureau) Card(id string) (*chip.Card, error) {
	h, err := b.find(id)
	if err != nil {
		return nil, err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := b.issueFirst(h); err != nil {
		return nil, err
	}
	if h.card == nil {
		if h.card, err = b.personalize(h); err != nil {
			return nil, err
		}
	}
	return h.card, nil
}

// personalize puts the record into a chip. A card's memory is named after its serial
// number: a card issued anew begins with its own.
func (b *Bureau) personalize(h *holder) (*chip.Card, error) {
	r := h.now.Load()
	p, err := h.person()
	if err != nil {
		return nil, err
	}
	personality := r.Body.personality(p)
	personality.Signature = b.credential(r.newest(warifu.Signature), warifu.Signature, p.PINs.Signature)
	personality.Authentication = b.credential(r.newest(warifu.Authentication), warifu.Authentication, p.PINs.Authentication)
	memory := &seat{memory: b.chips.Memory(h.id + "-" + r.Body.Serial + ".json")}
	card, err := chip.NewCard(personality, memory)
	if err != nil {
		return nil, err
	}
	if p.Condition == person.Locked {
		if err := exhaust(card, p); err != nil {
			return nil, err
		}
	}
	h.seat = memory
	return card, nil
}

// seat is a chip's place at its memory. When the card is personalized again the old
// chip, which somebody may still hold in a reader, loses its seat and can no longer
// write over what the new one remembers.
type seat struct {
	mu     sync.Mutex
	memory chip.Memory
	lost   bool
}

var errSeatLost = errors.New("the card was personalized again meanwhile")

// Load implements chip.Memory.
func (s *seat) Load() ([]byte, error) { return s.memory.Load() }

// Save implements chip.Memory.
func (s *seat) Save(state []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost {
		return errSeatLost
	}
	return s.memory.Save(state)
}

// leave takes the seat away; a save under way is waited for.
func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
}

// withdraw ends the live chip, so that the next touch personalizes the card again. The
// caller holds h.changing.
func (h *holder) withdraw() {
	if h.card != nil {
		h.seat.leave()
		h.card, h.seat = nil, nil
	}
}

// credential is one kind's part of the chip; c is nil for a child's missing signing certificate.
func (b *Bureau) credential(c *certificate, kind warifu.Kind, pin warifu.CardPIN) chip.CardCredential {
	out := chip.CardCredential{Authority: b.authorities[kind].certificate.Raw}
	if c != nil {
		out.Certificate, out.Key, out.Secret = c.DER, c.Key, string(pin.Reveal())
	}
	return out
}

// exhaust does to a card what its forgetful holder did: it types wrong passwords until
// the chip refuses to compare any more.
func exhaust(card *chip.Card, p person.Person) error {
	ctx := context.Background()
	defer card.PowerOff()
	token, err := jpki.Select(ctx, card)
	if err != nil {
		return err
	}
	for kind, pin := range map[warifu.Kind]warifu.CardPIN{warifu.Signature: p.PINs.Signature, warifu.Authentication: p.PINs.Authentication} {
		if pin.Len() == 0 {
			continue // a child has no signing password to forget
		}
		if err := block(ctx, token, kind, wrong(pin)); err != nil {
			return err
		}
	}
	return nil
}

// block types the wrong PIN until the chip says that it is blocked.
func block(ctx context.Context, token *jpki.Token, kind warifu.Kind, pin warifu.CardPIN) error {
	var err error
	for range jpki.RuleOf(kind).Tries + 1 {
		if err = token.VerifyCard(ctx, kind, pin); errors.Is(err, &warifu.Error{Problem: "card-pin-blocked"}) {
			return nil
		}
	}
	return fmt.Errorf("a card could not be locked: %w", err)
}

// wrong returns a PIN of the same form that differs in its last character.
func wrong(pin warifu.CardPIN) warifu.CardPIN {
	octets := pin.Reveal()
	last := len(octets) - 1
	if octets[last] == '0' {
		octets[last] = '1'
	} else {
		octets[last] = '0'
	}
	return warifu.NewCardPIN(octets)
}

// Restored tells the bureau that the counter gave the card a PIN: after a change by
// who knew the old one, or after unlocking. It keeps what `warifu card show` prints true.
func (b *Bureau) Restored(id string, kind warifu.Kind, pin warifu.CardPIN) error {
	h, err := b.find(id)
	if err != nil {
		return err
	}
	h.changing.Lock()
	defer h.changing.Unlock()
	if err := b.issueFirst(h); err != nil {
		return err
	}
	return b.change(h, func(r *record) (*record, error) {
		n := *r
		if kind == warifu.Signature {
			n.Person.PINs.Signature = string(pin.Reveal())
		} else {
			n.Person.PINs.Authentication = string(pin.Reveal())
		}
		n.Person.Condition = unlocked(n.Person.Condition)
		return &n, nil
	})
}

func unlocked(c person.Condition) person.Condition {
	if c == person.Locked {
		return person.Sound
	}
	return c
}

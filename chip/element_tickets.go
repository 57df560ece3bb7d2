package chip

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"slices"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// ticketState is what the chip keeps about kill tickets of one kind (K18).
type ticketState struct {
	Key []byte `json:"key,omitempty"` // SubjectPublicKeyInfo of the authority's ticket key; empty: none is obeyed
	// Last is the highest number of a ticket obeyed under Key, and Named the key that it
	// named: that ticket again is answered, however many keys were destroyed since.
	Last  int64         `json:"last,omitempty"`
	Named warifu.Digest `json:"named"`
	// Gone are keys of the kind that the chip destroyed, for whatever reason, the newest
	// last: a ticket for one of them has nothing left to do.
	Gone []warifu.Digest `json:"gone,omitempty"`
}

// maxGone bounds how many destroyed keys of a kind the chip remembers.
const maxGone = 8

// has reports whether either half has a slot over the key.
func (s *elementState) has(publicKey []byte) bool {
	another := func(_ warifu.Kind, held *heldSlot) bool { return !bytes.Equal(held.PublicKey, publicKey) }
	return !s.Live.all(another) || !s.Shadow.all(another)
}

// lost calls f for every slot whose key is not in next any more.
func (s *elementState) lost(next *elementState, f func(warifu.Kind, *heldSlot)) {
	for _, half := range []*heldSlots{&s.Live, &s.Shadow} {
		half.all(func(kind warifu.Kind, held *heldSlot) bool {
			if !next.has(held.PublicKey) {
				f(kind, held)
			}
			return true
		})
	}
}

// bury remembers the keys that were there before and are no longer, whichever command took
// them.
func (s *elementState) bury(before *elementState) {
	before.lost(s, func(kind warifu.Kind, held *heldSlot) {
		known := s.Tickets[kind]
		known.Gone = append(slices.Clone(known.Gone), warifu.DigestOf(held.PublicKey))
		known.Gone = known.Gone[max(0, len(known.Gone)-maxGone):]
		s.Tickets[kind] = known
	})
}

// wipe overwrites the private keys and secrets that next no longer has, once next is saved.
// A status earned with such a secret is worth nothing afterwards, be the next one the same.
func (s *elementState) wipe(next *elementState) {
	s.lost(next, func(_ warifu.Kind, held *heldSlot) {
		clear(held.PrivateKey)
		clear(held.Secret.Value)
	})
}

// pin takes up an authority's ticket key. Numbers count under one key: a new one begins anew.
func (s *elementState) pin(kind warifu.Kind, spki []byte) {
	known := s.Tickets[kind]
	if !bytes.Equal(known.Key, spki) {
		s.Tickets[kind] = ticketState{Key: spki, Gone: known.Gone}
	}
}

// ticketKeys are the keys that are pinned.
func (s *elementState) ticketKeys() map[warifu.Kind][]byte {
	out := map[warifu.Kind][]byte{}
	for kind, known := range s.Tickets {
		if len(known.Key) > 0 {
			out[kind] = known.Key
		}
	}
	return out
}

// parseTicketKey reads a P-256 SubjectPublicKeyInfo.
func parseTicketKey(spki []byte) (*ecdsa.PublicKey, bool) {
	key, err := x509.ParsePKIXPublicKey(spki)
	p256, ok := key.(*ecdsa.PublicKey)
	return p256, err == nil && ok && p256.Curve == elliptic.P256()
}

// writeTicketKeys pins the authorities' ticket keys. It takes effect at once: the operator's
// own channel brought it.
func (e *Element) writeTicketKeys(value []byte) error {
	keys, err := jpki.ParseTicketKeys(value)
	if err != nil {
		return err
	}
	for _, spki := range keys {
		if _, ok := parseTicketKey(spki); !ok {
			return iso7816.SWWrongData
		}
	}
	return e.change(func(s *elementState) error {
		for kind, spki := range keys {
			s.pin(kind, spki)
		}
		return nil
	})
}

// opened finds the kind under whose pinned key open succeeds with a paper of that kind.
// Errors are status words: 6A88 where nothing is pinned, 6982 where no key fits the
// signature, 6A80 for what is no such paper.
func (s *elementState) opened(open func(*ecdsa.PublicKey) (warifu.Kind, error)) error {
	failed := iso7816.SWReferenceNotFound
	for _, kind := range warifu.Kinds {
		key, ok := parseTicketKey(s.Tickets[kind].Key)
		if !ok {
			continue
		}
		said, err := open(key)
		switch {
		case err == nil && said == kind:
			return nil
		case err == nil || isProblem(err, "paper-signature-invalid"):
			failed = iso7816.SWSecurityStatus
		default:
			return iso7816.SWWrongData
		}
	}
	return failed
}

// kill destroys the one key that a ticket of its authority names: the pair, its
// certificate, its secret and the secret's tries. No secret is asked for, on either
// interface: a ticket can only be for what is finally dead (K18).
func (a *elementApplication) kill(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 || c.P2 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	e := a.element
	var ticket attest.KillTicket
	err := e.state.opened(func(key *ecdsa.PublicKey) (warifu.Kind, error) {
		var err error
		ticket, err = attest.OpenKillTicket(c.Data, key)
		return ticket.Kind, err
	})
	if err != nil {
		return nil, err
	}
	if ticket.Element != e.ID() {
		return nil, iso7816.SWReferenceNotFound
	}
	if err := e.obey(ticket); err != nil {
		return nil, err
	}
	return finish(attest.KillReceipt{
		Element: e.ID(), Kind: ticket.Kind, PublicKey: ticket.PublicKey, Number: ticket.Number, Counter: e.state.Counter,
	}.Seal(e.attestation))
}

// obey does what a genuine ticket for this chip says, whatever its number: a key that is
// there is destroyed, one that the chip remembers having lost needs nothing more. Tickets
// are public and come in whatever order their bearers like, so that a number must never
// save a dead key; nor need it guard a living one, since a key is never made twice and its
// authority names only what has ended for good. Where the chip does not know the key, the
// number tells a ticket that may have been obeyed and forgotten (6985) from another's (6A88).
func (e *Element) obey(ticket attest.KillTicket) error {
	known := e.state.Tickets[ticket.Kind]
	higher := ticket.Number > known.Last
	switch {
	case e.state.carries(ticket.Kind, ticket.PublicKey):
	case slices.Contains(known.Gone, ticket.PublicKey):
		if !higher {
			return nil
		}
	case ticket.Number == known.Last && ticket.PublicKey == known.Named:
		return nil
	case !higher:
		return iso7816.SWConditions
	default:
		return iso7816.SWReferenceNotFound
	}
	return e.change(func(s *elementState) error {
		s.destroy(ticket.Kind, ticket.PublicKey)
		if higher {
			known.Last, known.Named = ticket.Number, ticket.PublicKey
			s.Tickets[ticket.Kind] = known
		}
		return nil
	})
}

// carries reports whether a slot of the kind, live or shadow, is over the key.
func (s *elementState) carries(kind warifu.Kind, publicKey warifu.Digest) bool {
	for _, half := range []*heldSlots{&s.Live, &s.Shadow} {
		if held := half.of(kind); held != nil && warifu.DigestOf(held.PublicKey) == publicKey {
			return true
		}
	}
	return false
}

// destroy empties the slots over the key, live or shadow.
func (s *elementState) destroy(kind warifu.Kind, publicKey warifu.Digest) {
	for _, half := range []*heldSlots{&s.Live, &s.Shadow} {
		if held := half.of(kind); held != nil && warifu.DigestOf(held.PublicKey) == publicKey {
			half.set(kind, nil)
		}
	}
}

// nextTicketKey replaces a pinned ticket key by the one the old key names.
func (a *elementApplication) nextTicketKey(c iso7816.Command) ([]byte, error) {
	if c.P1 != 0 || c.P2 != 0 {
		return nil, iso7816.SWWrongParameters
	}
	e := a.element
	var next attest.NextTicketKey
	if body, err := attest.PeekNextTicketKey(c.Data); err == nil && bytes.Equal(e.state.Tickets[body.Kind].Key, body.PublicKey) {
		return nil, nil // it is pinned already
	}
	err := e.state.opened(func(key *ecdsa.PublicKey) (warifu.Kind, error) {
		var err error
		next, err = attest.OpenNextTicketKey(c.Data, key)
		return next.Kind, err
	})
	if err != nil {
		return nil, err
	}
	return nil, e.change(func(s *elementState) error {
		s.pin(next.Kind, next.PublicKey)
		return nil
	})
}

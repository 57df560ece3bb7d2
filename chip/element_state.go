package chip

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"maps"

	"warifu"
	"warifu/globalplatform"
	"warifu/jpki"
)

// elementState is all of an element that outlasts the power, as its Memory keeps it.
type elementState struct {
	Card        globalplatform.CardState        `json:"card"`
	Domain      globalplatform.ApplicationState `json:"domain"`      // of the supplementary security domain
	Application globalplatform.ApplicationState `json:"application"` // of the JPKI instance; 0 where there is none
	Sequences   [2]uint32                       `json:"sequences"`   // secure channel counters: issuer, supplementary
	Counter     int                             `json:"counter"`     // personalizations completed
	Access      []AccessRule                    `json:"access"`
	RefreshTag  uint64                          `json:"refreshTag"` // of the access rules
	Live        heldSlots                       `json:"live"`
	Shadow      heldSlots                       `json:"shadow"`
	Tickets     map[warifu.Kind]ticketState     `json:"tickets,omitempty"`
	Guesses     int                             `json:"guesses,omitempty"` // identifiers a reader guessed wrong
}

// heldSlots are the slots of one half; nil where a kind has none.
type heldSlots struct {
	Signature      *heldSlot `json:"signature,omitempty"`
	Authentication *heldSlot `json:"authentication,omitempty"`
}

// heldSlot is one key and what belongs to it.
type heldSlot struct {
	Algorithm   jpki.Algorithm  `json:"algorithm"`
	PrivateKey  []byte          `json:"privateKey"` // PKCS #8
	PublicKey   []byte          `json:"publicKey"`  // SubjectPublicKeyInfo
	Secret      *referenceState `json:"secret"`     // empty until set
	Certificate []byte          `json:"certificate,omitempty"`
	Authority   []byte          `json:"authority,omitempty"`
	Parent      []byte          `json:"parent,omitempty"` // SubjectPublicKeyInfo of the card's signature key

	signer crypto.Signer
}

// initial is the state of a chip fresh from the factory: secured, with the JPKI instance
// selectable and nothing in it.
func (p ElementPersonality) initial() *elementState {
	return &elementState{
		Card: globalplatform.CardSecured, Domain: globalplatform.ApplicationPersonalized,
		Application: globalplatform.ApplicationSelectable, Access: append([]AccessRule(nil), p.Access...), RefreshTag: 1,
	}
}

func (h *heldSlots) at(kind warifu.Kind) **heldSlot {
	if kind == warifu.Signature {
		return &h.Signature
	}
	return &h.Authentication
}

// of returns the slot of a kind, or nil.
func (h *heldSlots) of(kind warifu.Kind) *heldSlot { return *h.at(kind) }

func (h *heldSlots) set(kind warifu.Kind, s *heldSlot) { *h.at(kind) = s }

func (h *heldSlots) empty() bool { return h.Signature == nil && h.Authentication == nil }

// all calls f for every slot there is, in order of kind, until it says no.
func (h *heldSlots) all(f func(warifu.Kind, *heldSlot) bool) bool {
	for _, kind := range warifu.Kinds {
		if s := h.of(kind); s != nil && !f(kind, s) {
			return false
		}
	}
	return true
}

// clone copies what changes in place; octets are never changed in place.
func (s *elementState) clone() *elementState {
	out := *s
	out.Access = append([]AccessRule(nil), s.Access...)
	out.Tickets = make(map[warifu.Kind]ticketState, len(warifu.Kinds))
	maps.Copy(out.Tickets, s.Tickets)
	for _, half := range []*heldSlots{&out.Live, &out.Shadow} {
		for _, kind := range warifu.Kinds {
			if held := half.of(kind); held != nil {
				c, secret := *held, *held.Secret
				c.Secret = &secret
				half.set(kind, &c)
			}
		}
	}
	return &out
}

// revive makes the keys of a loaded state usable.
func (s *elementState) revive() error {
	var failed error
	for _, half := range []*heldSlots{&s.Live, &s.Shadow} {
		half.all(func(_ warifu.Kind, held *heldSlot) bool {
			held.signer, failed = parsePrivateKey(held.PrivateKey)
			if held.Secret == nil {
				held.Secret = &referenceState{}
			}
			return failed == nil
		})
	}
	return failed
}

// newHeldSlot takes up a key pair, disabled: no secret, no certificate.
func newHeldSlot(a jpki.Algorithm, key crypto.Signer) (*heldSlot, error) {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return &heldSlot{Algorithm: a, PrivateKey: private, PublicKey: public, Secret: &referenceState{}, signer: key}, err
}

// complete reports whether a shadow slot could become live.
func (h *heldSlot) complete() bool {
	return len(h.Certificate) > 0 && len(h.Parent) > 0 && h.secretSet()
}

func (h *heldSlot) secretSet() bool { return len(h.Secret.Value) > 0 }

func (h *heldSlot) holds(certificate warifu.Digest) bool {
	return len(h.Certificate) > 0 && warifu.DigestOf(h.Certificate) == certificate
}

// describe is one half as the chip tells of it.
func (s *elementState) describe(id warifu.ElementID, shadow bool) jpki.SlotHalf {
	out := jpki.SlotHalf{Element: id, Shadow: shadow, Counter: s.Counter}
	half := &s.Live
	if shadow {
		half = &s.Shadow
	} else {
		out.Tickets = jpki.TicketKeysDigest(s.ticketKeys())
	}
	half.all(func(kind warifu.Kind, held *heldSlot) bool {
		state := jpki.SlotState{Kind: kind, Algorithm: held.Algorithm, SecretSet: held.secretSet(), PublicKey: warifu.DigestOf(held.PublicKey)}
		if len(held.Certificate) > 0 {
			state.Certificate = warifu.DigestOf(held.Certificate)
		}
		if shadow && len(held.Parent) > 0 {
			out.Parent = warifu.DigestOf(held.Parent)
		}
		out.Slots = append(out.Slots, state)
		return true
	})
	return out
}

func parsePrivateKey(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("key that does not sign")
	}
	return signer, nil
}

// certifies reports whether the certificate is over the public key.
func certifies(certificate, publicKey []byte) bool {
	c, err := x509.ParseCertificate(certificate)
	return err == nil && bytes.Equal(c.RawSubjectPublicKeyInfo, publicKey)
}

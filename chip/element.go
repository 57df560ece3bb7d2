package chip

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"warifu"
	"warifu/attest"
	"warifu/iso7816"
	"warifu/jpki"
)

// ElementPersonality is what a phone's secure element leaves the factory with. It holds
// private keys: whoever keeps it keeps it sealed. Manufacture makes one.
type ElementPersonality struct {
	ID             warifu.ElementID    `json:"id"`
	Model          string              `json:"model"` // catalogue identifier, written by the maker
	Identifiers    []attest.Identifier `json:"identifiers"`
	AttestationKey []byte              `json:"attestationKey"` // PKCS #8, P-256
	Chain          [][]byte            `json:"chain"`          // certificates of AttestationKey, its own first
	IssuerKeys     DomainKeys          `json:"issuerKeys"`     // of the issuer security domain: the maker's
	DomainKeys     DomainKeys          `json:"domainKeys"`     // of the supplementary security domain: the server's
	Access         []AccessRule        `json:"access"`         // the rules it begins with
	// Keys makes key pairs; nil makes them inside, which takes a while for RSA. Tests and a
	// busy sandbox hand in a pool.
	Keys KeySource `json:"-"`
}

// DomainKeys are the three AES keys of a security domain, of 16 or 32 octets each.
type DomainKeys struct {
	ENC, MAC, DEK []byte
}

// KeySource makes one key pair of the algorithm.
type KeySource func(jpki.Algorithm) (crypto.Signer, error)

// Element is the emulated secure element of a phone (docs/secure-element.md): an issuer
// security domain, the supplementary domain through which a server personalizes, the
// access rules, and one instance of the JPKI application with a live and a shadow slot
// of each kind. Every change is in its Memory before the answer that tells of it leaves,
// so that the power may go between any two commands.
type Element struct {
	personality ElementPersonality
	attestation crypto.Signer
	memory      Memory

	mu    sync.Mutex
	state *elementState
	live  slots // what the JPKI application reads and signs with; follows state
	power uint64
	torn  bool // the memory failed: the chip is silent until Reset
}

// NewElement starts the chip with what memory holds, or as it left the factory.
func NewElement(p ElementPersonality, m Memory) (*Element, error) {
	key, err := parsePrivateKey(p.AttestationKey)
	if err != nil {
		return nil, fmt.Errorf("attestation key: %w", err)
	}
	for _, k := range []DomainKeys{p.IssuerKeys, p.DomainKeys} {
		if _, err := k.static(); err != nil {
			return nil, err
		}
	}
	e := &Element{personality: p, attestation: key, memory: m}
	return e, e.Reset()
}

// ID identifies the element for life.
func (e *Element) ID() warifu.ElementID { return e.personality.ID }

// Model is the catalogue identifier its maker wrote.
func (e *Element) Model() string { return e.personality.Model }

// Internal opens a channel of the platform's internal interface for the app whose signing
// certificate has the SHA-256 value caller, as the platform and not the app says it. The
// access rules decide what it may select.
func (e *Element) Internal(caller [sha256.Size]byte) iso7816.Transmitter {
	return &view{element: e, caller: caller, internal: true}
}

// Contactless is the interface a reader in a shop reaches: SELECT of the JPKI application,
// READ BINARY, VERIFY and COMPUTE SIGNATURE; what ends a phone's days in somebody's hands,
// KILL and CLEAN PROOF; and nothing else.
func (e *Element) Contactless() iso7816.Transmitter { return &view{element: e} }

// elementATR is what a contactless reader makes of the element, a card of type B: PC/SC part 3
// §3.1.3.2.3 around our own application data, "WARI".
var elementATR = []byte{0x3B, 0x88, 0x80, 0x01, 0x57, 0x41, 0x52, 0x49, 0x00, 0x81, 0xA1, 0x00, 0x24}

// ATR is the answer to reset that a reader reports.
func (e *Element) ATR() []byte { return append([]byte(nil), elementATR...) }

// PowerOff ends every session on every interface; the memory stays. The next command finds
// the chip powered again.
func (e *Element) PowerOff() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.power++
}

// Reset powers the chip off and on and takes up what its memory holds.
func (e *Element) Reset() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.power++
	state := e.personality.initial()
	if _, err := load(e.memory, state); err != nil {
		return err
	}
	if err := state.revive(); err != nil {
		return fmt.Errorf("chip memory: %w", err)
	}
	e.state, e.torn = state, false
	e.live = slots{}
	for _, kind := range warifu.Kinds {
		e.live[kind] = &slot{secret: newReference(jpki.RuleOf(kind), &referenceState{})}
	}
	e.bind()
	return nil
}

// FactoryReset is what a phone's "erase everything" does to its secure element: it loses its
// power for a moment and keeps every key and certificate (R74). Whoever hands a phone on
// must have revoked before.
func (e *Element) FactoryReset() { e.PowerOff() }

// change applies f to a copy of the state, saves the copy, and only then lives by it. An
// error of f changes nothing.
func (e *Element) change(f func(*elementState) error) error {
	next := e.state.clone()
	if err := f(next); err != nil {
		return err
	}
	next.bury(e.state)
	if err := e.write(next); err != nil {
		return err
	}
	e.state.wipe(next)
	e.state = next
	e.bind()
	return nil
}

// save writes what the application changed in place: a try counter, a new secret.
func (e *Element) save() error { return e.write(e.state) }

func (e *Element) write(s *elementState) error {
	if err := store(e.memory, s); err != nil {
		e.torn = true
		return errors.Join(errMemory, err)
	}
	return nil
}

// bind points what the JPKI application sees at the state's live slots.
func (e *Element) bind() {
	for _, kind := range warifu.Kinds {
		view, held := e.live[kind], e.state.Live.of(kind)
		if held == nil {
			*view = slot{secret: view.secret}
			view.secret.rebind(&referenceState{})
			continue
		}
		view.certificate, view.authority, view.key = held.Certificate, held.Authority, held.signer
		view.secret.rebind(held.Secret)
	}
}

// rebind gives the reference another state to live by. A status earned with another value
// is worth nothing afterwards.
func (r *reference) rebind(state *referenceState) {
	if string(r.state.Value) != string(state.Value) {
		r.epoch++
	}
	r.state = state
}

// receive is the one door behind every interface.
func (e *Element) receive(ctx context.Context, v *view, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.torn {
		return nil, iso7816.ErrRemoved
	}
	return v.answer(command), nil
}

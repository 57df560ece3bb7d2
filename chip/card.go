package chip

import (
	"context"
	"crypto"
	"errors"
	"strconv"
	"sync"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

// Names of the card's other applications (docs/card-facts.md §1.2).
var (
	SurfaceAID  = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02} // 券面事項確認
	SupportAID  = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08} // 券面事項入力補助
	ResidentAID = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01} // 住基
	CommonAID   = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00} // 共通
)

// Forms and tries of the secrets outside the JPKI application (docs/card-facts.md §1.7;
// the tries of 照合番号A and of the birth date are guesses there).
var (
	fourDigits     = jpki.SecretRule{Min: 4, Max: 4, Tries: 3}
	referenceARule = jpki.SecretRule{Min: 12, Max: 12, Tries: 10}
	referenceBRule = jpki.SecretRule{Min: 14, Max: 14, Tries: 10}
	birthRule      = jpki.SecretRule{Min: 6, Max: 6, Tries: 10}
)

// cardState is what of a card outlasts the power: its secrets by application and file.
type cardState struct {
	Card    string                     `json:"card"` // TokenSerial, so that one card's memory is never another's
	Secrets map[string]*referenceState `json:"secrets"`
}

// Card is an emulated identity card. It answers one command at a time, whoever asks.
type Card struct {
	mu     sync.Mutex
	atr    []byte
	memory Memory
	state  cardState
	slots  slots
	system *system
}

// NewCard puts a personality into a card and takes up the counters and PINs that memory
// holds of it. Errors: those of CardPersonality.Check, "chip-memory-other".
func NewCard(p CardPersonality, m Memory) (*Card, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	c := &Card{atr: p.ATR, memory: m}
	if len(c.atr) == 0 {
		c.atr = DefaultATR
	}
	known, err := load(m, &c.state)
	if err != nil {
		return nil, err
	}
	if known && c.state.Card != p.TokenSerial {
		return nil, warifu.Conflict("chip-memory-other")
	}
	c.state.Card = p.TokenSerial
	if c.state.Secrets == nil {
		c.state.Secrets = make(map[string]*referenceState)
	}
	instances, err := c.install(p)
	if err != nil {
		return nil, err
	}
	c.system = newSystem(true, instances...)
	if err := c.save(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Card) save() error { return store(c.memory, &c.state) }

// secret takes up a secret's state, or begins it with the value it is handed over with.
func (c *Card) secret(name string, rule jpki.SecretRule, value string) *reference {
	state := c.state.Secrets[name]
	if state == nil || (len(state.Value) == 0 && value != "") { // new, or given to the person only now
		state = fresh(rule, []byte(value))
		c.state.Secrets[name] = state
	}
	return newReference(rule, state)
}

// constant is a secret that is part of the card's face and never changes.
func (c *Card) constant(name string, rule jpki.SecretRule, value string) *reference {
	r := c.secret(name, rule, value)
	r.constant = true
	r.state.Value = []byte(value) // follows the face, should a counter print a new one
	return r
}

// install makes the instances: the issuer's domain, current after power-on, and the
// five applications.
func (c *Card) install(p CardPersonality) ([]instance, error) {
	domain, err := newIssuer(p)
	if err != nil {
		return nil, err
	}
	application, err := c.jpki(p)
	if err != nil {
		return nil, err
	}
	surface, err := c.surface(p)
	if err != nil {
		return nil, err
	}
	support, err := c.support(p)
	if err != nil {
		return nil, err
	}
	common, err := c.common(p)
	if err != nil {
		return nil, err
	}
	return []instance{domain, application, surface, support, c.resident(p), common}, nil
}

func newIssuer(p CardPersonality) (*issuer, error) {
	data := map[uint16][]byte{
		0x00F0: []byte(p.Holder.Municipality),
		0x00F2: []byte(p.Holder.Expiry),
	}
	for name, value := range p.Data {
		tag, err := strconv.ParseUint(name, 16, 16)
		if err != nil {
			return nil, warifu.Invalid("personality-invalid", "field", "data").With(err)
		}
		data[uint16(tag)] = value
	}
	return &issuer{data: data}, nil
}

// cardToken is EF 0006 of a マイナンバーカード.
func cardToken(serial string) jpki.TokenInfo {
	return jpki.TokenInfo{
		Label: jpki.LabelCard, Manufacturer: "00000000000000000000000000000001", Model: "E16R01NJ", Serial: serial,
	}
}

func (c *Card) jpki(p CardPersonality) (*application, error) {
	c.slots = slots{}
	for _, part := range []struct {
		kind       warifu.Kind
		credential CardCredential
	}{{warifu.Signature, p.Signature}, {warifu.Authentication, p.Authentication}} {
		key, err := parseKey(part.kind.String()+".key", part.credential.Key)
		if err != nil {
			return nil, err
		}
		c.slots[part.kind] = &slot{
			certificate: part.credential.Certificate,
			authority:   part.credential.Authority,
			key:         key,
			secret:      c.secret("jpki."+part.kind.String(), jpki.RuleOf(part.kind), part.credential.Secret),
		}
	}
	terminals, err := parseTerminalAuthority(p.TerminalAuthority)
	if err != nil {
		return nil, err
	}
	rules := jpkiRules{token: cardToken(p.TokenSerial), terminals: &terminalGate{authority: terminals}, save: c.save}
	return newJPKI(rules, c.slots), nil
}

func signer(key crypto.Signer) func() crypto.Signer { return func() crypto.Signer { return key } }

// support is 券面事項入力補助 (docs/card-facts.md §1.4).
func (c *Card) support(p CardPersonality) (*application, error) {
	key, err := parseKey("supportKey", p.SupportKey)
	if err != nil {
		return nil, err
	}
	b, err := p.Holder.ReferenceB()
	if err != nil {
		return nil, err
	}
	pin := c.secret("support.pin", fourDigits, p.SupportPIN)
	refA := c.constant("support.a", referenceARule, p.Holder.ReferenceA())
	refB := c.constant("support.b", referenceBRule, b)
	each := []*reference{pin, refA, refB}
	return &application{name: SupportAID, change: insChangeReference, defaultKey: signer(key), save: c.save, files: []*file{
		{id: 0x0001, content: fixed(p.Support["0001"]), guards: []*reference{pin, refA}},
		{id: 0x0002, content: fixed(p.Support["0002"]), guards: []*reference{pin, refB}},
		{id: 0x0003, content: fixed(p.Support["0003"]), guards: each},
		{id: 0x0004, content: fixed(p.Support["0004"])},
		{id: 0x0005, content: fixed(p.Support["0005"])},
		{id: 0x0006, content: fixed(p.Support["0006"]), guards: each},
		{id: 0x0007, content: fixed(p.Support["0007"]), guards: each},
		{id: 0x0008, content: fixed(p.Support["0008"])},
		{id: 0x0011, structure: secretFile, secret: pin},
		{id: 0x0012, structure: secretFile, secret: sealed()}, // blocked on every card
		{id: 0x0013, structure: keyFile, key: signer(key), internal: true},
		{id: 0x0014, structure: secretFile, secret: refA},
		{id: 0x0015, structure: secretFile, secret: refB},
	}}, nil
}

// surface is 券面事項確認.
func (c *Card) surface(p CardPersonality) (*application, error) {
	key, err := parseKey("surfaceKey", p.SurfaceKey)
	if err != nil {
		return nil, err
	}
	birth, err := p.Holder.ReferenceBirth()
	if err != nil {
		return nil, err
	}
	b, err := p.Holder.ReferenceB()
	if err != nil {
		return nil, err
	}
	day := c.constant("surface.birth", birthRule, birth)
	refB := c.constant("surface.b", referenceBRule, b)
	refA := c.constant("surface.a", referenceARule, p.Holder.ReferenceA())
	return &application{name: SurfaceAID, defaultKey: signer(key), save: c.save, files: []*file{
		{id: 0x0001, content: fixed(p.Surface["0001"]), guards: []*reference{day}},
		{id: 0x0002, content: fixed(p.Surface["0002"]), guards: []*reference{refB, refA}},
		{id: 0x0003, content: fixed(p.Surface["0003"])},
		{id: 0x0004, content: fixed(p.Surface["0004"])},
		{id: 0x0005, content: fixed(p.Surface["0005"]), guards: []*reference{refA}},
		{id: 0x0006, content: fixed(p.Surface["0006"])},
		{id: 0x0011, structure: secretFile, secret: day},
		{id: 0x0012, structure: secretFile, secret: refB},
		{id: 0x0013, structure: secretFile, secret: refA},
	}}, nil
}

// keyReference is EF 0002 of 共通 and 住基: sixteen octets that name a key.
func keyReference(name string) []byte { return append(filler(keyIDLength-len(name)), name...) }

// common is 共通: the card's serial number, municipality and expiry, without a PIN.
func (c *Card) common(p CardPersonality) (*application, error) {
	key, err := parseKey("commonKey", p.CommonKey)
	if err != nil {
		return nil, err
	}
	h := p.Holder
	text := h.Serial + h.Municipality + h.Expiry
	record := append([]byte{0x01, byte(len(text))}, text...) // simple-TLV
	pin := c.secret("common.pin", fourDigits, p.CommonPIN)
	return &application{name: CommonAID, change: insChangeKey, save: c.save, files: []*file{
		{id: 0x0001, structure: linear, records: [][]byte{record}},
		{id: 0x0002, content: fixed(keyReference("COMMON"))},
		{id: 0x0019, structure: keyFile, key: signer(key), internal: true},
		{id: 0x001C, structure: secretFile, secret: pin},
	}}, nil
}

// resident is 住基.
func (c *Card) resident(p CardPersonality) *application {
	pin := c.secret("resident.pin", fourDigits, p.ResidentPIN)
	return &application{name: ResidentAID, change: insChangeKey, save: c.save, files: []*file{
		{id: 0x0002, content: fixed(keyReference("RESIDENT"))},
		{id: 0x001C, structure: secretFile, secret: pin},
	}}
}

// Transmit implements iso7816.Transmitter.
func (c *Card) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(iso7816.ErrRemoved, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.system.transmit(command), nil
}

// PowerOff cuts the power: every security status is gone, the issuer's domain is current.
func (c *Card) PowerOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.system.powerOff()
}

// Reset does what SCARD_RESET did to a measured card: nothing (docs/card-facts.md §1.8).
func (c *Card) Reset() {}

// ATR is the answer to reset.
func (c *Card) ATR() []byte { return append([]byte(nil), c.atr...) }

// Restore is what the municipal counter does for a forgotten or blocked secret (no
// public command does it): a new value and all tries. "personality-invalid" where the
// card has no such secret or the value has not its form.
func (c *Card) Restore(kind warifu.Kind, pin warifu.CardPIN) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.slots[kind]
	if !ok || s.key == nil || !s.secret.rule.Allows(pin.Reveal()) {
		return warifu.Invalid("personality-invalid", "field", kind.String()+".secret")
	}
	before := *s.secret.state
	s.secret.set(pin.Reveal())
	if err := c.save(); err != nil {
		*s.secret.state = before
		return err
	}
	return nil
}

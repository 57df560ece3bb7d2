package attest

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"time"

	"warifu"
)

// KillTicket lets a chip destroy one key that is finally dead, at first contact and
// without a secret, in whoever's hands it is (K18). It is signed by the ticket key
// of an authority, which personalization pinned in the chip. The chip obeys only for a
// key it has or had: a key is never made twice, so that no replay can harm another, and
// the authority never writes one for a certificate that is on hold. The number tells which
// ticket a receipt answers; tickets of any order are obeyed.
type KillTicket struct {
	Element   warifu.ElementID
	Kind      warifu.Kind
	PublicKey warifu.Digest          // SHA-256 of the SubjectPublicKeyInfo of the key to destroy
	Serial    []byte                 // of its certificate
	Status    warifu.CredentialState // final: revoked, superseded or expired
	Number    int64                  // ticket number, growing
	IssuedAt  time.Time              // to the second
}

type wireKillTicket struct {
	Version   int
	Element   []byte
	Kind      int
	PublicKey []byte
	Serial    []byte
	Status    string `asn1:"utf8"`
	Number    int64
	IssuedAt  time.Time `asn1:"generalized"`
}

// Seal encodes and signs with the authority's ticket key (P-256).
func (t KillTicket) Seal(key crypto.Signer) ([]byte, error) {
	body, err := asn1.Marshal(wireKillTicket{1, t.Element[:], int(t.Kind), t.PublicKey[:], t.Serial, string(t.Status), t.Number, t.IssuedAt.UTC().Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	return Seal(ContextKillTicket, body, key)
}

// OpenKillTicket checks the signature and decodes; a status that is not final is
// "paper-malformed".
func OpenKillTicket(der []byte, pub *ecdsa.PublicKey) (KillTicket, error) {
	body, err := Open(ContextKillTicket, der, pub)
	if err != nil {
		return KillTicket{}, err
	}
	var w wireKillTicket
	if err := parseStrict(ContextKillTicket, body, &w); err != nil {
		return KillTicket{}, err
	}
	t := KillTicket{Kind: warifu.Kind(w.Kind), Serial: w.Serial, Status: warifu.CredentialState(w.Status), Number: w.Number, IssuedAt: w.IssuedAt.UTC()}
	final := t.Status == warifu.CredentialRevoked || t.Status == warifu.CredentialSuperseded || t.Status == warifu.CredentialExpired
	if w.Version != 1 || !final || w.Kind < 1 || w.Kind > int(warifu.Authentication) || len(w.Serial) == 0 || len(w.Serial) > 20 ||
		w.Number <= 0 || !copyExact(t.Element[:], w.Element) || !copyExact(t.PublicKey[:], w.PublicKey) {
		return KillTicket{}, warifu.Invalid("paper-malformed", "paper", string(ContextKillTicket))
	}
	return t, nil
}

// KillReceipt is the chip's word that it destroyed a key.
type KillReceipt struct {
	Element   warifu.ElementID
	Kind      warifu.Kind
	PublicKey warifu.Digest
	Number    int64 // of the ticket
	Counter   int   // personalizations completed so far
}

type wireKillReceipt struct {
	Version   int
	Element   []byte
	Kind      int
	PublicKey []byte
	Number    int64
	Counter   int
}

// Seal encodes and signs with the element's attestation key.
func (r KillReceipt) Seal(key crypto.Signer) ([]byte, error) {
	body, err := asn1.Marshal(wireKillReceipt{1, r.Element[:], int(r.Kind), r.PublicKey[:], r.Number, r.Counter})
	if err != nil {
		return nil, err
	}
	return Seal(ContextKillReceipt, body, key)
}

// OpenKillReceipt checks the signature and decodes.
func OpenKillReceipt(der []byte, pub *ecdsa.PublicKey) (KillReceipt, error) {
	body, err := Open(ContextKillReceipt, der, pub)
	if err != nil {
		return KillReceipt{}, err
	}
	var w wireKillReceipt
	if err := parseStrict(ContextKillReceipt, body, &w); err != nil {
		return KillReceipt{}, err
	}
	r := KillReceipt{Kind: warifu.Kind(w.Kind), Number: w.Number, Counter: w.Counter}
	if w.Version != 1 || !r.Kind.Valid() || w.Kind > int(warifu.Authentication) || w.Number <= 0 || w.Counter < 0 ||
		!copyExact(r.Element[:], w.Element) || !copyExact(r.PublicKey[:], w.PublicKey) {
		return KillReceipt{}, warifu.Invalid("paper-malformed", "paper", string(ContextKillReceipt))
	}
	return r, nil
}

// CleanSlot is what a clean-phone proof says of one kind.
type CleanSlot struct {
	Kind warifu.Kind
	Live bool // a key that was personalized is still there
}

// CleanProof is the chip's word, to one marketplace and for one question, about what
// it still carries (手放し証明, R81–R84). Identifiers are those the marketplace
// named and the chip's maker attested; the chip refuses any other.
type CleanProof struct {
	Element     warifu.ElementID
	Marketplace string
	Nonce       []byte   // the marketplace's, 16 to 64 octets
	Identifiers []string // "imei:…", as the marketplace named them
	Slots       []CleanSlot
	Counter     int       // personalizations completed so far: a later one makes the proof old
	Time        time.Time // as the marketplace's question said; the chip has no clock
}

type wireCleanSlot struct {
	Kind int
	Live bool
}

type wireCleanProof struct {
	Version     int
	Element     []byte
	Marketplace string `asn1:"utf8"`
	Nonce       []byte
	Identifiers [][]byte
	Slots       []wireCleanSlot
	Counter     int
	Time        time.Time `asn1:"generalized"`
}

// Seal encodes and signs with the element's attestation key.
func (p CleanProof) Seal(key crypto.Signer) ([]byte, error) {
	w := wireCleanProof{1, p.Element[:], p.Marketplace, p.Nonce, nil, nil, p.Counter, p.Time.UTC().Truncate(time.Second)}
	for _, i := range p.Identifiers {
		w.Identifiers = append(w.Identifiers, []byte(i))
	}
	for _, s := range p.Slots {
		w.Slots = append(w.Slots, wireCleanSlot{int(s.Kind), s.Live})
	}
	body, err := asn1.Marshal(w)
	if err != nil {
		return nil, err
	}
	return Seal(ContextCleanProof, body, key)
}

// OpenCleanProof checks the signature and decodes.
func OpenCleanProof(der []byte, pub *ecdsa.PublicKey) (CleanProof, error) {
	body, err := Open(ContextCleanProof, der, pub)
	if err != nil {
		return CleanProof{}, err
	}
	return parseCleanProof(body)
}

func parseCleanProof(body []byte) (CleanProof, error) {
	var w wireCleanProof
	if err := parseStrict(ContextCleanProof, body, &w); err != nil {
		return CleanProof{}, err
	}
	p := CleanProof{Marketplace: w.Marketplace, Nonce: w.Nonce, Counter: w.Counter, Time: w.Time.UTC()}
	ok := w.Version == 1 && copyExact(p.Element[:], w.Element) && len(w.Marketplace) > 0 && len(w.Marketplace) <= maxText &&
		len(w.Nonce) >= 16 && len(w.Nonce) <= 64 && len(w.Identifiers) <= 8 && len(w.Slots) == len(warifu.Kinds) && w.Counter >= 0
	for _, i := range w.Identifiers {
		ok = ok && len(i) <= maxText
		p.Identifiers = append(p.Identifiers, string(i))
	}
	for i, s := range w.Slots {
		ok = ok && s.Kind == i+1
		p.Slots = append(p.Slots, CleanSlot{warifu.Kind(s.Kind), s.Live})
	}
	if !ok {
		return CleanProof{}, warifu.Invalid("paper-malformed", "paper", string(ContextCleanProof))
	}
	return p, nil
}

// Clean reports whether the chip carries nothing that was personalized.
func (p CleanProof) Clean() bool {
	for _, s := range p.Slots {
		if s.Live {
			return false
		}
	}
	return true
}

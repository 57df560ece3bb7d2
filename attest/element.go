package attest

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"

	"warifu"
	"warifu/signed"
)

// Identifier is a device identifier (an IMEI, a serial number) as the attestation
// carries it: salted, so that only who already knows the identifier can recognise it.
type Identifier struct {
	Name   string // "imei", "serial"
	Salt   []byte // 16 octets, of the chip
	Digest []byte // SHA-256(salt ‖ identifier)
}

// Attestation is the secure element's own word about itself and its shadow keys.
type Attestation struct {
	Element     warifu.ElementID
	Model       string // catalogue identifier of the device model, written by its maker
	Identifiers []Identifier
	Challenge   []byte
	Keys        []Key
	Counter     int // personalizations completed so far
}

type wireIdentifier struct {
	Name   string `asn1:"utf8"`
	Salt   []byte
	Digest []byte
}

type wireAttestation struct {
	Version     int
	Element     []byte
	Model       string `asn1:"utf8"`
	Identifiers []wireIdentifier
	Challenge   []byte
	Keys        []wireKey
	Counter     int
}

// Seal encodes and signs the attestation with the element's attestation key.
func (a Attestation) Seal(key crypto.Signer) ([]byte, error) {
	w := wireAttestation{1, a.Element[:], a.Model, nil, a.Challenge, toWireKeys(a.Keys), a.Counter}
	for _, id := range a.Identifiers {
		w.Identifiers = append(w.Identifiers, wireIdentifier(id))
	}
	body, err := asn1.Marshal(w)
	if err != nil {
		return nil, err
	}
	return Seal(ContextAttestation, body, key)
}

// OpenAttestation checks the signature with the element's key (of VerifyChain) and decodes.
func OpenAttestation(der []byte, pub *ecdsa.PublicKey) (Attestation, error) {
	body, err := Open(ContextAttestation, der, pub)
	if err != nil {
		return Attestation{}, err
	}
	return attestations.Of(body)
}

var attestations = signed.NewRead(parseAttestation)

func parseAttestation(body []byte) (Attestation, error) {
	var w wireAttestation
	if err := parseStrict(ContextAttestation, body, &w); err != nil {
		return Attestation{}, err
	}
	a := Attestation{Model: w.Model, Challenge: w.Challenge, Counter: w.Counter}
	keys, ok := fromWireKeys(w.Keys)
	a.Keys = keys
	ok = ok && w.Version == 1 && copyExact(a.Element[:], w.Element) && len(w.Model) <= maxText &&
		len(w.Challenge) == ChallengeLength && len(w.Identifiers) <= 8 && w.Counter >= 0
	for _, id := range w.Identifiers {
		ok = ok && len(id.Name) <= maxText && len(id.Salt) == 16 && len(id.Digest) == 32
		a.Identifiers = append(a.Identifiers, Identifier(id))
	}
	if !ok {
		return Attestation{}, warifu.Invalid("paper-malformed", "paper", string(ContextAttestation))
	}
	return a, nil
}

// SecretsSet is the element's word that every shadow key has its activation secret
// (design §3.1: only then is the application submitted).
type SecretsSet struct {
	Element  warifu.ElementID
	Document warifu.Digest // identity of the application document
	Kinds    []warifu.Kind
}

type wireSecretsSet struct {
	Version  int
	Element  []byte
	Document []byte
	Kinds    []int
}

// Seal encodes and signs with the element's attestation key.
func (s SecretsSet) Seal(key crypto.Signer) ([]byte, error) {
	body, err := asn1.Marshal(wireSecretsSet{1, s.Element[:], s.Document[:], toWireKinds(s.Kinds)})
	if err != nil {
		return nil, err
	}
	return Seal(ContextSecretsSet, body, key)
}

// OpenSecretsSet checks the signature and decodes.
func OpenSecretsSet(der []byte, pub *ecdsa.PublicKey) (SecretsSet, error) {
	body, err := Open(ContextSecretsSet, der, pub)
	if err != nil {
		return SecretsSet{}, err
	}
	return secretsSets.Of(body)
}

var secretsSets = signed.NewRead(parseSecretsSet)

func parseSecretsSet(body []byte) (SecretsSet, error) {
	var w wireSecretsSet
	if err := parseStrict(ContextSecretsSet, body, &w); err != nil {
		return SecretsSet{}, err
	}
	var s SecretsSet
	ok := w.Version == 1 && copyExact(s.Element[:], w.Element) && copyExact(s.Document[:], w.Document) && len(w.Kinds) > 0
	kinds, ordered := fromWireKinds(w.Kinds)
	s.Kinds = kinds
	if !ok || !ordered {
		return SecretsSet{}, warifu.Invalid("paper-malformed", "paper", string(ContextSecretsSet))
	}
	return s, nil
}

func toWireKinds(kinds []warifu.Kind) []int {
	out := make([]int, len(kinds))
	for i, k := range kinds {
		out[i] = int(k)
	}
	return out
}

// fromWireKinds refuses unknown, repeated or disordered kinds.
func fromWireKinds(in []int) ([]warifu.Kind, bool) {
	var out []warifu.Kind
	last := 0
	for _, k := range in {
		if k <= last || k > int(warifu.Authentication) {
			return nil, false
		}
		last = k
		out = append(out, warifu.Kind(k))
	}
	return out, true
}

// Slot is one certificate slot as a receipt describes it.
type Slot struct {
	Kind        warifu.Kind
	PublicKey   warifu.Digest // SHA-256 of the SubjectPublicKeyInfo
	Certificate warifu.Digest // SHA-256 of the certificate in the slot
}

// Receipt is the element's word about what personalization wrote (design §3.7).
type Receipt struct {
	Element     warifu.ElementID
	Application warifu.Digest // SHA-256 of the application's identifier
	Parent      warifu.Digest // SHA-256 of the parent card's pinned SubjectPublicKeyInfo
	Slots       []Slot
	Counter     int // personalization counter after activation
}

type wireSlot struct {
	Kind        int
	PublicKey   []byte
	Certificate []byte
}

type wireReceipt struct {
	Version     int
	Element     []byte
	Application []byte
	Parent      []byte
	Slots       []wireSlot
	Counter     int
}

// Seal encodes and signs with the element's attestation key.
func (r Receipt) Seal(key crypto.Signer) ([]byte, error) {
	w := wireReceipt{1, r.Element[:], r.Application[:], r.Parent[:], nil, r.Counter}
	for _, s := range r.Slots {
		w.Slots = append(w.Slots, wireSlot{int(s.Kind), s.PublicKey[:], s.Certificate[:]})
	}
	body, err := asn1.Marshal(w)
	if err != nil {
		return nil, err
	}
	return Seal(ContextReceipt, body, key)
}

// OpenReceipt checks the signature and decodes.
func OpenReceipt(der []byte, pub *ecdsa.PublicKey) (Receipt, error) {
	body, err := Open(ContextReceipt, der, pub)
	if err != nil {
		return Receipt{}, err
	}
	var w wireReceipt
	if err := parseStrict(ContextReceipt, body, &w); err != nil {
		return Receipt{}, err
	}
	r := Receipt{Counter: w.Counter}
	ok := w.Version == 1 && copyExact(r.Element[:], w.Element) && copyExact(r.Application[:], w.Application) &&
		copyExact(r.Parent[:], w.Parent) && len(w.Slots) > 0 && w.Counter >= 0
	last := 0
	for _, s := range w.Slots {
		slot := Slot{Kind: warifu.Kind(s.Kind)}
		ok = ok && s.Kind > last && s.Kind <= int(warifu.Authentication) &&
			copyExact(slot.PublicKey[:], s.PublicKey) && copyExact(slot.Certificate[:], s.Certificate)
		last = s.Kind
		r.Slots = append(r.Slots, slot)
	}
	if !ok {
		return Receipt{}, warifu.Invalid("paper-malformed", "paper", string(ContextReceipt))
	}
	return r, nil
}

// DeviceRequest is something the element asks of the server in its own name, such
// as to withdraw an application it made.
type DeviceRequest struct {
	Element warifu.ElementID
	Purpose string // "withdraw"
	Subject string // the application's identifier
	Nonce   []byte // ChallengeLength octets, from the server
	// Verified lists the kinds whose activation secret the chip had verified in
	// this session when it signed: what lets a request end or resume a credential
	// (R75, K10). The chip fills it; the app cannot.
	Verified []warifu.Kind
}

type wireDeviceRequest struct {
	Version  int
	Element  []byte
	Purpose  string `asn1:"utf8"`
	Subject  string `asn1:"utf8"`
	Nonce    []byte
	Verified []int
}

// Seal encodes and signs with the element's attestation key.
func (r DeviceRequest) Seal(key crypto.Signer) ([]byte, error) {
	body, err := asn1.Marshal(wireDeviceRequest{1, r.Element[:], r.Purpose, r.Subject, r.Nonce, toWireKinds(r.Verified)})
	if err != nil {
		return nil, err
	}
	return Seal(ContextDeviceRequest, body, key)
}

// OpenDeviceRequest checks the signature and decodes.
func OpenDeviceRequest(der []byte, pub *ecdsa.PublicKey) (DeviceRequest, error) {
	body, err := Open(ContextDeviceRequest, der, pub)
	if err != nil {
		return DeviceRequest{}, err
	}
	var w wireDeviceRequest
	if err := parseStrict(ContextDeviceRequest, body, &w); err != nil {
		return DeviceRequest{}, err
	}
	r := DeviceRequest{Purpose: w.Purpose, Subject: w.Subject, Nonce: w.Nonce}
	var ok bool
	if r.Verified, ok = fromWireKinds(w.Verified); !ok || w.Version != 1 || !copyExact(r.Element[:], w.Element) || len(w.Purpose) > maxText || len(w.Subject) > maxText || len(w.Nonce) != ChallengeLength {
		return DeviceRequest{}, warifu.Invalid("paper-malformed", "paper", string(ContextDeviceRequest))
	}
	return r, nil
}

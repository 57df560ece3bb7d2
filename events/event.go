package events

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"encoding/asn1"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
)

// Type is what happened to a card or its holder.
type Type string

// The types. The strings are on the wire and never change.
const (
	Renewed     Type = "renewed"      // certificates were replaced at the counter
	Revoked     Type = "revoked"      // ended before their time, at the holder's wish or the bureau's
	Suspended   Type = "suspended"    // put on hold, by the line of B.5
	Resumed     Type = "resumed"      // that hold was lifted
	Expired     Type = "expired"      // their day came
	Moved       Type = "moved"        // a new address: the signing certificate ended (B.2)
	NameChanged Type = "name-changed" // a new name: the signing certificate ended (B.2)
	Died        Type = "died"         // everything ended
	Turned15    Type = "turned-15"    // a signing certificate may be had from now on
)

// Types lists every type.
var Types = []Type{Renewed, Revoked, Suspended, Resumed, Expired, Moved, NameChanged, Died, Turned15}

// Certificate is one certificate of a card, by the parent authority's number for it.
type Certificate struct {
	Kind   warifu.Kind
	Serial []byte // big-endian, no sign octet, 1 to 20 octets
}

// Event is one message of the card bureau.
type Event struct {
	Sequence int64     // from 1, without gaps, over all persons of the bureau
	At       time.Time // when it happened, to the second
	Type     Type
	Person   warifu.Digest // the opaque handle of card statements, the same over renewals
	// Certificates are those the event is about: replaced, ended, held or lifted by it. At
	// most one a kind, in order of kind; none where none is concerned.
	Certificates []Certificate
	Reason       warifu.Reason // of Revoked; zero for every other type
}

// Equal reports whether both say the same.
func (e Event) Equal(o Event) bool {
	return e.Sequence == o.Sequence && e.At.Equal(o.At) && e.Type == o.Type && e.Person == o.Person && e.Reason == o.Reason &&
		slices.EqualFunc(e.Certificates, o.Certificates, func(a, b Certificate) bool {
			return a.Kind == b.Kind && bytes.Equal(a.Serial, b.Serial)
		})
}

// Concerns reports whether the event is about the certificate.
func (e Event) Concerns(kind warifu.Kind, serial []byte) bool {
	return slices.ContainsFunc(e.Certificates, func(c Certificate) bool { return c.Kind == kind && bytes.Equal(c.Serial, serial) })
}

type wireCertificate struct {
	Kind   int
	Serial []byte
}

type wireEvent struct {
	Version      int
	Sequence     int64
	At           time.Time `asn1:"generalized"`
	Type         string    `asn1:"utf8"`
	Person       []byte
	Certificates []wireCertificate
	Reason       asn1.Enumerated
}

const (
	version   = 1
	maxSerial = 20 // octets, RFC 5280 §4.1.2.2
)

// Seal encodes and signs the event with the bureau's statement key. An event that Open
// would refuse is Invalid "paper-malformed".
func Seal(e Event, key crypto.Signer) ([]byte, error) {
	body, err := e.marshal()
	if err != nil {
		return nil, err
	}
	if _, err := parse(body); err != nil {
		return nil, err
	}
	return attest.Seal(attest.ContextCardEvent, body, key)
}

// Open checks the bureau's signature and decodes. Errors: Invalid "paper-malformed",
// TooLarge "paper-too-large", Refused "paper-signature-invalid".
func Open(envelope []byte, key *ecdsa.PublicKey) (Event, error) {
	body, err := attest.Open(attest.ContextCardEvent, envelope, key)
	if err != nil {
		return Event{}, err
	}
	return parse(body)
}

func malformed() *warifu.Error {
	return warifu.Invalid("paper-malformed", "paper", string(attest.ContextCardEvent))
}

func (e Event) marshal() ([]byte, error) {
	w := wireEvent{version, e.Sequence, e.At.UTC().Truncate(time.Second), string(e.Type), e.Person[:], nil, asn1.Enumerated(e.Reason)}
	for _, c := range e.Certificates {
		w.Certificates = append(w.Certificates, wireCertificate{int(c.Kind), c.Serial})
	}
	body, err := asn1.Marshal(w)
	if err != nil {
		return nil, malformed().With(err)
	}
	return body, nil
}

// parse decodes a body and refuses whatever it would not itself encode to the same octets.
func parse(body []byte) (Event, error) {
	var w wireEvent
	rest, err := asn1.Unmarshal(body, &w)
	if err != nil || len(rest) != 0 {
		return Event{}, malformed().With(err)
	}
	e := Event{Sequence: w.Sequence, At: w.At.UTC(), Type: Type(w.Type), Reason: warifu.Reason(w.Reason)}
	copy(e.Person[:], w.Person)
	last := 0
	for _, c := range w.Certificates {
		if c.Kind <= last || c.Kind > int(warifu.Authentication) || !plainSerial(c.Serial) {
			return Event{}, malformed()
		}
		last = c.Kind
		e.Certificates = append(e.Certificates, Certificate{warifu.Kind(c.Kind), c.Serial})
	}
	ok := w.Version == version && w.Sequence > 0 && slices.Contains(Types, e.Type) && len(w.Person) == len(e.Person) &&
		!e.Person.IsZero() && w.Reason >= 0 && w.Reason <= asn1.Enumerated(warifu.ReasonAACompromise) && e.fits()
	if !ok {
		return Event{}, malformed()
	}
	if again, err := e.marshal(); err != nil || !bytes.Equal(again, body) {
		return Event{}, malformed().With(err)
	}
	return e, nil
}

func plainSerial(s []byte) bool { return len(s) > 0 && len(s) <= maxSerial && s[0] != 0 }

// fits: a reason goes with a revocation and with nothing else; what only touches
// certificates names some; a change of the register can only end the signing one.
func (e Event) fits() bool {
	ends := e.Reason.Valid() && e.Reason != warifu.ReasonCertificateHold && e.Reason != warifu.ReasonRemoveFromCRL
	switch e.Type {
	case Revoked:
		return ends && len(e.Certificates) > 0
	case Suspended, Resumed, Expired:
		return e.Reason == 0 && len(e.Certificates) > 0
	case Moved, NameChanged:
		return e.Reason == 0 && !slices.ContainsFunc(e.Certificates, func(c Certificate) bool { return c.Kind != warifu.Signature })
	case Turned15:
		return e.Reason == 0 && len(e.Certificates) == 0
	}
	return e.Reason == 0 // renewed, died
}

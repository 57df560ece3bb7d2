package events_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/events"
)

var key = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

var at = time.Date(2026, 6, 10, 1, 30, 0, 0, time.UTC)

// of makes an event of the type that Open accepts.
func of(kind events.Type, number int64) events.Event {
	e := events.Event{Sequence: number, At: at, Type: kind, Person: warifu.DigestOf([]byte("person"))}
	signing := events.Certificate{Kind: warifu.Signature, Serial: []byte{1, 2, 3, 4}}
	switch kind {
	case events.Turned15:
	case events.Moved, events.NameChanged:
		e.Certificates = []events.Certificate{signing}
	default:
		e.Certificates = []events.Certificate{signing, {Kind: warifu.Authentication, Serial: []byte{9}}}
	}
	if kind == events.Revoked {
		e.Reason = warifu.ReasonKeyCompromise
	}
	return e
}

func sealed(t testing.TB, e events.Event) []byte {
	t.Helper()
	envelope, err := events.Seal(e, key())
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

func wantProblem(t testing.TB, what string, err error, slug string) {
	t.Helper()
	if err == nil || warifu.ProblemOf(err).Problem != slug {
		t.Errorf("%s: got %v, want %q", what, err, slug)
	}
}

func TestEveryTypeComesBackAsItWent(t *testing.T) {
	for _, kind := range events.Types {
		want := of(kind, 7)
		got, err := events.Open(sealed(t, want), &key().PublicKey)
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %+v %v", kind, got, err)
		}
	}
}

func TestAnEventIsOnlyBelievedOfTheBureau(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	envelope := sealed(t, of(events.Died, 1))
	_, err = events.Open(envelope, &other.PublicKey)
	wantProblem(t, "another's key", err, "paper-signature-invalid")
	body, err := of(events.Died, 1).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	statement, err := attest.Seal(attest.ContextCardStatement, body, key())
	if err != nil {
		t.Fatal(err)
	}
	_, err = events.Open(statement, &key().PublicKey)
	wantProblem(t, "the bureau's signature on another paper", err, "paper-signature-invalid")
	for i := range envelope {
		changed := bytes.Clone(envelope)
		changed[i] ^= 1
		if _, err := events.Open(changed, &key().PublicKey); err == nil {
			t.Fatalf("octet %d may be changed", i)
		}
	}
}

func TestWhatMakesNoSenseIsNeitherSealedNorOpened(t *testing.T) {
	long := events.Certificate{Kind: warifu.Signature, Serial: make([]byte, 21)}
	long.Serial[0] = 1
	authentication := events.Certificate{Kind: warifu.Authentication, Serial: []byte{9}}
	for what, change := range map[string]func(*events.Event){
		"no number":                     func(e *events.Event) { e.Sequence = 0 },
		"a negative number":             func(e *events.Event) { e.Sequence = -1 },
		"no person":                     func(e *events.Event) { e.Person = warifu.Digest{} },
		"an unknown type":               func(e *events.Event) { e.Type = "forgot" },
		"a year that is none":           func(e *events.Event) { e.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a serial of no octets":         func(e *events.Event) { e.Certificates[0].Serial = nil },
		"a serial with a zero in front": func(e *events.Event) { e.Certificates[0].Serial = []byte{0, 1} },
		"a serial of 21 octets":         func(e *events.Event) { e.Certificates[0] = long },
		"a kind that is none":           func(e *events.Event) { e.Certificates[1].Kind = 3 },
		"a kind twice":                  func(e *events.Event) { e.Certificates[1].Kind = warifu.Signature },
		"kinds in the wrong order":      func(e *events.Event) { e.Certificates[0], e.Certificates[1] = e.Certificates[1], e.Certificates[0] },
		"a reason that is none":         func(e *events.Event) { e.Reason = 7 },
		"a revocation for being held":   func(e *events.Event) { e.Reason = warifu.ReasonCertificateHold },
		"a revocation of nothing":       func(e *events.Event) { e.Certificates = nil },
		"a renewal with a reason":       func(e *events.Event) { e.Type = events.Renewed },
		"a move that ends authentication": func(e *events.Event) {
			e.Type, e.Reason, e.Certificates = events.Moved, 0, []events.Certificate{authentication}
		},
		"a birthday with a certificate": func(e *events.Event) { e.Type, e.Reason = events.Turned15, 0 },
		"a hold on nothing":             func(e *events.Event) { e.Type, e.Reason, e.Certificates = events.Suspended, 0, nil },
	} {
		e := of(events.Revoked, 1)
		change(&e)
		_, err := events.Seal(e, key())
		wantProblem(t, what, err, "paper-malformed")
		body, err := e.Marshal()
		if err != nil {
			continue // cannot even be written
		}
		envelope, err := attest.Seal(attest.ContextCardEvent, body, key())
		if err != nil {
			t.Fatal(err)
		}
		_, err = events.Open(envelope, &key().PublicKey)
		wantProblem(t, what, err, "paper-malformed")
	}
}

func TestOneEventHasOneEncoding(t *testing.T) {
	body, err := of(events.Died, 1).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := struct {
		Version      int
		Sequence     int64
		At           time.Time `asn1:"generalized"`
		Type         string    `asn1:"utf8"`
		Person       []byte
		Certificates []asn1.RawValue
		Reason       asn1.Enumerated
	}{1, 1, at.In(time.FixedZone("", 9*3600)), "died", make([]byte, 32), nil, 0}
	elsewhere.Person[0] = 1
	zoned, err := asn1.Marshal(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	for what, other := range map[string][]byte{
		"something behind": append(bytes.Clone(body), 0),
		"a long length":    append([]byte{0x30, 0x81, body[1]}, body[2:]...),
		"another zone":     zoned,
	} {
		_, err := events.Parse(other)
		wantProblem(t, what, err, "paper-malformed")
	}
}

func TestConcerns(t *testing.T) {
	e := of(events.Revoked, 1)
	if !e.Concerns(warifu.Signature, []byte{1, 2, 3, 4}) || e.Concerns(warifu.Authentication, []byte{1, 2, 3, 4}) || e.Concerns(warifu.Signature, []byte{1}) {
		t.Error("a certificate is its kind and its serial number")
	}
}

func FuzzParse(f *testing.F) {
	for _, kind := range events.Types {
		body, err := of(kind, 1).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := events.Parse(body)
		if err != nil {
			return
		}
		again, err := e.Marshal()
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x came back as %x, %v", body, again, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(sealed(f, of(events.Moved, 3)))
	f.Add([]byte{0x30, 0x04, 0x04, 0x00, 0x04, 0x00})
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, envelope []byte) {
		if _, err := events.Open(envelope, &other.PublicKey); err == nil {
			t.Fatal("believed without the bureau's key")
		}
	})
}

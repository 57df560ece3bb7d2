package provision_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"warifu"
	"warifu/internal/elementtest"
	"warifu/jpki"
	"warifu/provision"
)

func expectPinned(t *testing.T, p *elementtest.Phone, w provision.Work) {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil || slots.Live.Tickets != jpki.TicketKeysDigest(w.TicketKeys) {
		t.Fatalf("%+v %v", slots, err)
	}
}

func newTicketKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestASessionPinsTheTicketKeysOfBothAuthorities(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication) // of one kind, and still of both authorities
	p.Personalize(t, w)
	expectPinned(t, p, w)
}

// A chip that is personalized already takes other ticket keys, in one APDU more, and gives no
// second receipt.
func TestALaterSessionBringsOtherTicketKeysAlone(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	p.Personalize(t, w)
	for _, kind := range both {
		p.Tickets[kind] = newTicketKey(t)
		spki, err := x509.MarshalPKIXPublicKey(p.Tickets[kind].Public())
		if err != nil {
			t.Fatal(err)
		}
		w.TicketKeys[kind] = spki
	}
	s := session(t, p, w)
	app := p.App()
	step, err := s.Next(nil)
	for err == nil && !step.Done {
		if step.Receipt != nil {
			t.Fatal("a receipt for what is live")
		}
		step, err = s.Next(carry(t, app, step))
	}
	if err != nil || step.Sent != 2+4+1 || step.Total != step.Sent {
		t.Fatalf("%+v %v", step, err)
	}
	expectPinned(t, p, w)
	expectLive(t, p, w)
	if counter(t, p) != 1 {
		t.Fatal("personalized again")
	}
}

// Whose work names no ticket keys leaves those that are there.
func TestWorkWithoutTicketKeysLeavesWhatIsPinned(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	p.Personalize(t, w)
	again := p.Work(t, p.Apply(t, jpki.P256, both...))
	again.TicketKeys = nil
	p.Personalize(t, again)
	expectPinned(t, p, w)
}

func TestTicketKeysThatAreNoneAreRefusedBeforeAnythingIsSent(t *testing.T) {
	p, w := begun(t, jpki.P256, both...)
	rsa, err := x509.MarshalPKIXPublicKey(elementtest.RSAKeys()[0].Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]map[warifu.Kind][]byte{
		"RSA": {warifu.Signature: rsa}, "octets": {warifu.Signature: {1}}, "nothing": {warifu.Signature: nil}, "no kind": {3: w.TicketKeys[warifu.Signature]},
	} {
		w.TicketKeys = keys
		if _, err := provision.NewSession(p.Keys, w, rand.Reader); !errors.Is(err, &warifu.Error{Problem: "ticket-key-malformed"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

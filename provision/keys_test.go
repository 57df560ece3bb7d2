package provision_test

import (
	"crypto/rand"
	"errors"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/globalplatform"
	"warifu/internal/elementtest"
	"warifu/jpki"
	"warifu/keystore"
	"warifu/provision"
)

// A server whose master key is in a keystore opens a chip whose maker was handed the derived keys.
func TestAKeystoresMasterOpensTheChip(t *testing.T) {
	octets := make([]byte, 32)
	_, _ = rand.Read(octets)
	master, err := keystore.NewSymmetricKey(octets)
	if err != nil {
		t.Fatal(err)
	}
	p := elementtest.New(t, nil)
	order := chip.Order{Model: "m", Apps: []warifu.Digest{elementtest.App}, At: elementtest.At}
	order.Domain = func(id warifu.ElementID) (chip.DomainKeys, error) { return chip.DeriveDomainKeys(master, id) }
	if p.Personality, err = p.Maker.Manufacture(order); err != nil {
		t.Fatal(err)
	}
	if p.Element, err = chip.NewElement(p.Personality, new(chip.Volatile)); err != nil {
		t.Fatal(err)
	}
	p.Keys = provision.Deriver(func(label string, context []byte, bits int) (globalplatform.Key, error) {
		return master.Derive(label, context, bits)
	})
	w := p.Work(t, p.Apply(t, jpki.P256, warifu.Authentication))
	p.Personalize(t, w)
	expectLive(t, p, w)
}

func TestAKeyThatCannotBeHadEndsTheSession(t *testing.T) {
	p, w := begun(t, jpki.P256, warifu.Authentication)
	missing := errors.New("the HSM is away")
	p.Keys = provision.Deriver(func(string, []byte, int) (globalplatform.Key, error) { return nil, missing })
	err := elementtest.Relay(t.Context(), p.App(), session(t, p, w), nil)
	if !errors.Is(err, missing) {
		t.Fatal(err)
	}
}

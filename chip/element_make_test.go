package chip_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/internal/elementtest"
	"warifu/jpki"
)

func TestAPersonalityIsKeptAsJSON(t *testing.T) {
	p := ready(t, jpki.P256)
	kept, err := json.Marshal(p.Personality)
	if err != nil {
		t.Fatal(err)
	}
	var again chip.ElementPersonality
	if err := json.Unmarshal(kept, &again); err != nil {
		t.Fatal(err)
	}
	if p.Element, err = chip.NewElement(again, p.Memory); err != nil {
		t.Fatal(err)
	}
	expectSigns(t, p.App(), jpki.P256)
	maker, err := json.Marshal(p.Maker)
	if err != nil {
		t.Fatal(err)
	}
	p.Maker = new(chip.Maker)
	if err := json.Unmarshal(maker, p.Maker); err != nil {
		t.Fatal(err)
	}
	attestationKey(t, p)
}

func TestNoTwoChipsShareAnIdentifierKeysOrSalt(t *testing.T) {
	a, b := elementtest.New(t, nil).Personality, elementtest.New(t, nil).Personality
	if a.ID == b.ID || bytes.Equal(a.IssuerKeys.ENC, b.IssuerKeys.ENC) || bytes.Equal(a.AttestationKey, b.AttestationKey) {
		t.Fatal("two chips are alike")
	}
	if bytes.Equal(a.Identifiers[0].Salt, b.Identifiers[0].Salt) || bytes.Equal(a.Identifiers[0].Digest, b.Identifiers[0].Digest) {
		t.Fatal("one identifier looks the same on two chips")
	}
}

func TestAChipIsNotMadeWithoutItsDomainKeys(t *testing.T) {
	m := elementtest.New(t, nil).Maker
	away := errors.New("the operator's key is away")
	_, err := m.Manufacture(chip.Order{At: elementtest.At, Domain: func(warifu.ElementID) (chip.DomainKeys, error) { return chip.DomainKeys{}, away }})
	if !errors.Is(err, away) {
		t.Fatal(err)
	}
}

// The RSA keys that nobody handed in are made inside.
func TestKeysAreMadeInsideWhereNobodyHandsThemIn(t *testing.T) {
	p := elementtest.New(t, nil)
	p.Personality.Keys = nil
	var err error
	if p.Element, err = chip.NewElement(p.Personality, p.Memory); err != nil {
		t.Fatal(err)
	}
	for _, a := range []jpki.Algorithm{jpki.P256, jpki.RSA2048} {
		p.Personalize(t, p.Work(t, p.Apply(t, a, warifu.Authentication)))
	}
}

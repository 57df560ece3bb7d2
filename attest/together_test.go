package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
)

func statementsOf(n int) []attest.CardStatement {
	out := make([]attest.CardStatement, n)
	for i := range out {
		out[i] = attest.CardStatement{
			Nonce: warifu.DigestOf([]byte{byte(i)}), Person: warifu.DigestOf([]byte{byte(i), 1}), ProducedAt: time.Date(2026, 6, 10, 9, 0, 0, 0, time.UTC),
			Certificates: []attest.CardCertificate{{Kind: warifu.Signature, Serial: []byte{1, byte(i + 1)}, State: warifu.StatusGood, NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}},
		}
	}
	return out
}

func statementKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestEachStatementSignedTogetherStandsAlone(t *testing.T) {
	key := statementKey(t)
	for _, n := range []int{1, 2, attest.MaxTogether} {
		asked := statementsOf(n)
		sealed, err := attest.SealTogether(asked, key)
		if err != nil || len(sealed) != n {
			t.Fatal(len(sealed), err)
		}
		for i, der := range sealed {
			got, err := attest.OpenCardStatement(der, &key.PublicKey)
			if err != nil || got.Nonce != asked[i].Nonce || got.Person != asked[i].Person || !bytes.Equal(got.Certificates[0].Serial, asked[i].Certificates[0].Serial) {
				t.Errorf("%d of %d: %+v, %v", i, n, got, err)
			}
		}
	}
	for _, n := range []int{0, attest.MaxTogether + 1} {
		if _, err := attest.SealTogether(statementsOf(n), key); err == nil {
			t.Errorf("%d statements were signed together", n)
		}
	}
}

// A statement that was not among those signed, a list that was not the one signed, a
// signature of a single statement, another key: none is believed.
func TestOnlyWhatIsAmongTheSignedDigestsIsBelieved(t *testing.T) {
	key := statementKey(t)
	sealed, err := attest.SealTogether(statementsOf(3), key)
	if err != nil {
		t.Fatal(err)
	}
	type envelope struct{ Body, Digests, Signature []byte }
	var good envelope
	if _, err := asn1.Unmarshal(sealed[1], &good); err != nil {
		t.Fatal(err)
	}
	other, err := attest.SealTogether(statementsOf(5)[4:], key)
	if err != nil {
		t.Fatal(err)
	}
	var stranger envelope
	if _, err := asn1.Unmarshal(other[0], &stranger); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]envelope{
		"another's body":             {stranger.Body, good.Digests, good.Signature},
		"another's digest put in":    {stranger.Body, slices.Concat(good.Digests, stranger.Digests), good.Signature},
		"digests in another order":   {good.Body, slices.Concat(good.Digests[32:], good.Digests[:32]), good.Signature},
		"a digest cut short":         {good.Body, good.Digests[:95], good.Signature},
		"no digests":                 {good.Body, nil, good.Signature},
		"another list's signature":   {good.Body, good.Digests, stranger.Signature},
		"a digest in a body's place": {good.Digests[:32], good.Digests, good.Signature},
	} {
		der, err := asn1.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attest.OpenCardStatement(der, &key.PublicKey); !errors.Is(err, &warifu.Error{Problem: "paper-signature-invalid"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := attest.OpenCardStatement(sealed[1], &statementKey(t).PublicKey); !errors.Is(err, &warifu.Error{Problem: "paper-signature-invalid"}) {
		t.Errorf("another key: %v", err)
	}
	for i := range sealed[1] {
		flipped := slices.Clone(sealed[1])
		flipped[i] ^= 1
		if _, err := attest.OpenCardStatement(flipped, &key.PublicKey); err == nil {
			t.Errorf("octet %d flipped and believed", i)
		}
	}
}

func FuzzOpenCardStatementTogether(f *testing.F) {
	key := statementKey(f)
	sealed, err := attest.SealTogether(statementsOf(2), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed[0])
	f.Add(sealed[1][:len(sealed[1])/2])
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := attest.OpenCardStatement(der, &key.PublicKey)
		if err == nil && s.Nonce != statementsOf(2)[0].Nonce && s.Nonce != statementsOf(2)[1].Nonce {
			t.Error("a statement nobody made is believed")
		}
	})
}

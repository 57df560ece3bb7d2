package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"warifu"
	"warifu/attest"
)

func ticketKey(t testing.TB) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, spki
}

func TestATicketKeysSuccessorIsBelievedUnderTheOldKeyAlone(t *testing.T) {
	old, _ := ticketKey(t)
	next, spki := ticketKey(t)
	paper, err := attest.NextTicketKey{Kind: warifu.Authentication, PublicKey: spki}.Seal(old)
	if err != nil {
		t.Fatal(err)
	}
	got, err := attest.OpenNextTicketKey(paper, &old.PublicKey)
	if err != nil || got.Kind != warifu.Authentication || !bytes.Equal(got.PublicKey, spki) {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := attest.OpenNextTicketKey(paper, &next.PublicKey); !errors.Is(err, &warifu.Error{Problem: "paper-signature-invalid"}) {
		t.Fatal(err)
	}
	for i := range paper {
		flipped := bytes.Clone(paper)
		flipped[i] ^= 1 << (i % 8)
		if _, err := attest.OpenNextTicketKey(flipped, &old.PublicKey); err == nil {
			t.Fatalf("octet %d flipped, and believed", i)
		}
	}
	for name, n := range map[string]attest.NextTicketKey{
		"no kind": {PublicKey: spki}, "a third kind": {Kind: 3, PublicKey: spki}, "no key": {Kind: warifu.Signature}, "half a key": {Kind: warifu.Signature, PublicKey: spki[:50]},
	} {
		paper, err := n.Seal(old)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attest.OpenNextTicketKey(paper, &old.PublicKey); !errors.Is(err, &warifu.Error{Problem: "paper-malformed"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNextTicketKey(f *testing.F) {
	old, spki := ticketKey(f)
	paper, err := attest.NextTicketKey{Kind: warifu.Signature, PublicKey: spki}.Seal(old)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(paper)
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		peeked, err := attest.PeekNextTicketKey(der)
		opened, failed := attest.OpenNextTicketKey(der, &old.PublicKey)
		if failed == nil && (err != nil || !bytes.Equal(der, paper) && !bytes.Equal(opened.PublicKey, spki)) {
			t.Fatalf("%X: %+v, %+v", der, peeked, opened)
		}
	})
}

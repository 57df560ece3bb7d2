package chip_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"warifu"
	"warifu/chip"
	"warifu/jpki"
)

// The house's own client meets the house's own card.
func TestTheClientUsesTheCard(t *testing.T) {
	ctx := context.Background()
	k, err := jpki.Select(ctx, newCard(t, new(chip.Volatile)))
	if err != nil {
		t.Fatal(err)
	}
	p := testPersonality()
	for kind, c := range map[warifu.Kind]struct {
		chip.CardCredential
		key string
	}{warifu.Signature: {p.Signature, "signature"}, warifu.Authentication: {p.Authentication, "authentication"}} {
		if n, err := k.TriesLeft(ctx, kind); err != nil || n != jpki.RuleOf(kind).Tries {
			t.Fatalf("%s: %d tries, %v", kind, n, err)
		}
		if err := k.VerifyCard(ctx, kind, warifu.NewCardPIN([]byte(c.Secret))); err != nil {
			t.Fatal(err)
		}
		if der, err := k.Certificate(ctx, kind); err != nil || !bytes.Equal(der, c.Certificate) {
			t.Fatalf("%s: %v", kind, err)
		}
		if der, err := k.CACertificate(ctx, kind); err != nil || !bytes.Equal(der, c.Authority) {
			t.Fatalf("%s: %v", kind, err)
		}
		digest := sha256.Sum256([]byte(kind.String()))
		signature, err := k.Sign(ctx, kind, jpki.DigestInfoSHA256(digest))
		if err != nil {
			t.Fatal(err)
		}
		if err := rsa.VerifyPKCS1v15(&rsaKey(c.key).PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.ChangeCard(ctx, warifu.Authentication, warifu.NewCardPIN([]byte("8888"))); err != nil {
		t.Fatal(err)
	}
	if err := k.VerifyCard(ctx, warifu.Authentication, warifu.NewCardPIN([]byte("8888"))); err != nil {
		t.Fatal(err)
	}
}

package attest_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"warifu/attest"
)

// Whoever writes a phone app or a reader in another language checks it with this.
func TestAConsentsNonceIsOfItsText(t *testing.T) {
	salt := bytes.Repeat([]byte{7}, attest.ConsentSaltLength)
	c := attest.Consent{Client: "RP00000001", Origin: "https://rp.example", Login: "labc", Attributes: []string{"name", "address"}}
	text := `{"client":"RP00000001","origin":"https://rp.example","login":"labc","attributes":["address","name"],"sign":""}`
	want := sha256.Sum256([]byte("warifu-consent-v1\x00" + string(salt) + text))
	if got := c.Nonce(salt); !bytes.Equal(got, want[:]) {
		t.Fatalf("nonce %x, want %x", got, want)
	}
	if c.Attributes[0] != "name" {
		t.Error("the caller's list was sorted")
	}
}

func TestAConsentsNonceDependsOnEverythingAgreed(t *testing.T) {
	salt := make([]byte, attest.ConsentSaltLength)
	base := attest.Consent{Client: "a", Origin: "https://a.example", Login: "l1"}
	none := base.Nonce(salt)
	empty := base
	empty.Attributes = []string{}
	if !bytes.Equal(none, empty.Nonce(salt)) {
		t.Error("no list and an empty one differ")
	}
	for name, change := range map[string]func(*attest.Consent){
		"client":     func(c *attest.Consent) { c.Client = "b" },
		"origin":     func(c *attest.Consent) { c.Origin = "https://b.example" },
		"login":      func(c *attest.Consent) { c.Login = "l2" },
		"attributes": func(c *attest.Consent) { c.Attributes = []string{"name"} },
		"sign":       func(c *attest.Consent) { c.Sign = "00" },
	} {
		other := base
		change(&other)
		if bytes.Equal(none, other.Nonce(salt)) {
			t.Errorf("another %s makes the same nonce", name)
		}
	}
	if bytes.Equal(none, base.Nonce(bytes.Repeat([]byte{1}, attest.ConsentSaltLength))) {
		t.Error("another salt makes the same nonce")
	}
}

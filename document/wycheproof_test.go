package document_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"warifu/cms"
	"warifu/document"
	"warifu/internal/pkitest"
)

// TestWycheproofsPlainSignatures tries r ‖ s as XML signatures have it, through the form that
// is checked.
func TestWycheproofsPlainSignatures(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(pkitest.Module(t, pkitest.Wycheproof), "testvectors_v1", "ecdsa_secp256r1_sha256_p1363_test.json"))
	var vectors struct {
		TestGroups []struct {
			PublicKeyDer string
			Tests        []struct {
				TcID                      int
				Comment, Msg, Sig, Result string
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(b, &vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
	octets := func(s string) []byte {
		out, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	valid, count := 0, 0
	for _, g := range vectors.TestGroups {
		key, err := x509.ParsePKIXPublicKey(octets(g.PublicKeyDer))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range g.Tests {
			count++
			der, err := document.DERECDSA(octets(test.Sig), 32)
			accepted := err == nil && cms.CheckSignature(key, sha256.Sum256(octets(test.Msg)), der) == nil
			if accepted {
				valid++
				if plain, err := document.PlainECDSA(der, 32); err != nil || hex.EncodeToString(plain) != test.Sig {
					t.Errorf("%d: there and back is %x", test.TcID, plain)
				}
			}
			if accepted != (test.Result == "valid") {
				t.Errorf("%d (%s) is %s: accepted %v", test.TcID, test.Comment, test.Result, accepted)
			}
		}
	}
	if valid < 100 || count < 200 {
		t.Errorf("%d of %d accepted", valid, count)
	}
}

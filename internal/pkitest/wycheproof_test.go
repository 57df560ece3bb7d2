package pkitest_test

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"warifu"
	"warifu/cms"
	"warifu/internal/pkitest"
	"warifu/signed"
)

// octets are hexadecimal in the vectors.
type octets []byte

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

type vectors struct {
	Groups []struct {
		Key   octets `json:"publicKeyDer"`
		Tests []struct {
			ID      int    `json:"tcId"`
			Comment string `json:"comment"`
			Message octets `json:"msg"`
			Sig     octets `json:"sig"`
			Result  string `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

func readVectors(t *testing.T, name string) (v vectors) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(pkitest.Module(t, pkitest.Wycheproof), "testvectors_v1", name))
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWycheproofsSignatures tries what CMS, certificates, lists and answers are checked with.
// A signature is asked about twice, since what held is remembered. PSS has no door here: the
// signatures of its vectors, over the same keys' digests, must all be refused.
func TestWycheproofsSignatures(t *testing.T) {
	for name, forbidden := range map[string]bool{
		"ecdsa_secp256r1_sha256_test.json": false, "rsa_signature_2048_sha256_test.json": false, "rsa_signature_3072_sha256_test.json": false,
		"rsa_signature_4096_sha256_test.json": false, "rsa_pss_2048_sha256_mgf1_32_test.json": true, "rsa_pss_2048_sha256_mgf1_0_test.json": true,
		"ecdsa_secp256r1_sha256_p1363_test.json": true, // r ‖ s, where ASN.1 is wanted
		"ecdsa_secp384r1_sha256_test.json":       true, "ecdsa_secp256k1_sha256_test.json": true,
	} {
		t.Run(name, func(t *testing.T) {
			valid, count := 0, 0
			for _, g := range readVectors(t, name).Groups {
				key, err := x509.ParsePKIXPublicKey(g.Key)
				if err != nil {
					if forbidden { // a curve that the platform does not know
						count += len(g.Tests)
						continue
					}
					t.Fatal(err)
				}
				for _, test := range g.Tests {
					count++
					if test.Comment == "PKCS #1 v1.5 signature with SHA-256" { // among those of PSS: ours
						count--
						continue
					}
					accepted := accepts(t, key, sha256.Sum256(test.Message), test.Sig)
					if accepted {
						valid++
					}
					if should := test.Result == "valid" && !forbidden; accepted != should && (forbidden || test.Result != "acceptable") {
						t.Errorf("%d (%s) is %s: accepted %v", test.ID, test.Comment, test.Result, accepted)
					}
				}
			}
			if count < 20 || (valid == 0) != forbidden {
				t.Errorf("%d of %d accepted", valid, count)
			}
		})
	}
}

func accepts(t *testing.T, key crypto.PublicKey, digest [sha256.Size]byte, signature []byte) bool {
	t.Helper()
	first := cms.CheckSignature(key, digest, signature)
	again := cms.CheckSignature(key, digest, signature)
	if (first == nil) != (again == nil) || (first == nil) && signed.Digest(key, digest, signature) != nil {
		t.Error("another answer the second time")
	}
	if first != nil && !warifu.ProblemOf(first).IsCode(warifu.CodeRefused) {
		t.Error(first)
	}
	return first == nil
}

package profile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/profile"
)

// knownKey is a key that anybody can compute: for golden files, which want the same
// octets every time.
func knownKey(t *testing.T, label string) crypto.Signer {
	t.Helper()
	d := sha256.Sum256([]byte("warifu golden key: " + label))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestOpenSSLPrintsTheProfiles compares what OpenSSL prints of one certificate of each
// profile with testdata/*.txt, which is also what to read to know the profiles. Write
// them anew with WARIFU_GOLDEN=write.
func TestOpenSSLPrintsTheProfiles(t *testing.T) {
	version, err := exec.Command("openssl", "version").Output()
	if err != nil || !strings.HasPrefix(string(version), "OpenSSL 3.0") {
		t.Skip("the golden files are OpenSSL 3.0's words")
	}
	for name, der := range goldenCertificates(t) {
		command := exec.Command("openssl", "x509", "-inform", "DER", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus_space")
		command.Stdin = strings.NewReader(string(der))
		got, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, got)
			continue
		}
		path := filepath.Join("testdata", name+".txt")
		if os.Getenv("WARIFU_GOLDEN") == "write" {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not as it was (%v):\n%s", name, err, got)
		}
	}
}

func goldenCertificates(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	sign := func(name string, key crypto.Signer, tbs []byte, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if out[name], err = profile.Sign(tbs, key); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range warifu.Kinds {
		for class, a := range map[string]profile.Authority{"card": profile.CardAuthority(kind), "phone": profile.PhoneAuthority(kind, "")} {
			key := knownKey(t, class+"-"+kind.String()+"-authority")
			issuer := authority(t, a, key)
			out[class+"-"+kind.String()+"-authority"] = issuer.Raw
			p := profile.Phone(kind, profile.P256, endpoints)
			if class == "card" {
				p = profile.Card(kind, endpoints)
				p.Algorithm = profile.P256 // the card's is RSA-2048; P-256 signs the same way twice with a key one can write down
			}
			tbs, err := p.TBS(entity(t, p, knownKey(t, class+"-"+kind.String())), issuer)
			sign(class+"-"+kind.String(), key, tbs, err)
			if class == "phone" && kind == warifu.Signature {
				r := profile.Responder{Serial: []byte{9}, PublicKey: spki(t, knownKey(t, "responder")), CommonName: "OCSP responder 1", NotBefore: begin, NotAfter: begin.AddDate(0, 0, 30)}
				tbs, err := r.TBS(issuer)
				sign("responder", key, tbs, err)
			}
		}
	}
	maker := knownKey(t, "maker")
	rootDER, err := profile.MakerRoot("Yakumo Semiconductor", maker, []byte{1}, begin, begin.AddDate(20, 0, 0))
	root := parse(t, rootDER, err)
	out["maker-root"] = root.Raw
	tbs, err := profile.ElementLeaf(warifu.ElementID{0x57, 0x41}, spki(t, knownKey(t, "element")), []byte{2}, begin, begin.AddDate(20, 0, 0), root)
	sign("element", maker, tbs, err)
	return out
}

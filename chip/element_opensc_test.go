//go:build linux

package chip_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/elementtest"
	"warifu/internal/pcsctest"
	"warifu/jpki"
)

// Unmodified OpenSC against the phone's contactless interface, as a shop's reader would see it
// (docs/card-facts.md §3, §4).
func TestOpenSCUsesThePhone(t *testing.T) {
	p := elementtest.New(t, nil)
	w := p.Work(t, p.Apply(t, jpki.RSA2048, elementKinds...))
	p.Personalize(t, w)
	stack := pcsctest.Start(t, pcsctest.Chip{Chip: p.Element.Contactless(), ATR: p.Element.ATR()})

	t.Run("opensc-tool names it", func(t *testing.T) {
		if out := stack.Run("opensc-tool", "--name"); !strings.Contains(out, "jpki") {
			t.Fatalf("%s", out)
		}
	})
	t.Run("pkcs15-tool lists keys, PINs and certificates", func(t *testing.T) {
		out := stack.Run("pkcs15-tool", "--dump")
		for _, want := range []string{"User Authentication PIN", "Digital Signature PIN", "Digital Signature Key"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	})
	t.Run("the CA certificate is free, the holder's is not", func(t *testing.T) {
		out := stack.Run("pkcs15-tool", "--read-certificate", "3")
		block, _ := pem.Decode([]byte(out[max(0, strings.Index(out, "-----BEGIN")):]))
		if block == nil || !bytes.Equal(block.Bytes, w.Authorities[warifu.Authentication]) {
			t.Errorf("%s", out)
		}
		if out, err := stack.Try("pkcs15-tool", "--read-certificate", "1"); err == nil {
			t.Errorf("read without a PIN:\n%s", out)
		}
	})
	for id, kind := range map[string]warifu.Kind{"1": warifu.Authentication, "2": warifu.Signature} {
		t.Run("pkcs11-tool signs with the key of "+kind.String(), func(t *testing.T) {
			certificate, err := x509.ParseCertificate(w.Certificates[kind])
			if err != nil {
				t.Fatal(err)
			}
			expectPKCS11Signature(t, stack, id, string(elementtest.SecretOf(kind)), certificate.PublicKey.(*rsa.PublicKey))
		})
	}
}

func expectPKCS11Signature(t *testing.T, stack *pcsctest.Stack, id, secret string, key *rsa.PublicKey) {
	t.Helper()
	folder := t.TempDir()
	document, signature := filepath.Join(folder, "document"), filepath.Join(folder, "signature")
	content := []byte("申請書")
	if err := os.WriteFile(document, content, 0o600); err != nil {
		t.Fatal(err)
	}
	slots := stack.Run("pkcs11-tool", "--list-token-slots")
	label := tokenLabel(slots, map[string]string{"1": "User Authentication PIN", "2": "Digital Signature PIN"}[id])
	if label == "" {
		t.Fatalf("no token in\n%s", slots)
	}
	stack.Run("pkcs11-tool", "--token-label", label, "--login", "--pin", secret, "--sign", "--id", "0"+id,
		"--mechanism", "SHA256-RSA-PKCS", "--input-file", document, "--output-file", signature)
	got, err := os.ReadFile(signature)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(content)
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], got); err != nil {
		t.Fatal(err)
	}
}

//go:build linux

package chip_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu/chip"
	"warifu/internal/pcsctest"
)

// Unmodified OpenSC through pcscd and the virtual reader (docs/card-facts.md §3).
func TestOpenSCUsesTheCard(t *testing.T) {
	c := newCard(t, new(chip.Volatile))
	stack := pcsctest.Start(t, pcsctest.Chip{Chip: c, ATR: c.ATR()})

	t.Run("opensc-tool names the card", func(t *testing.T) {
		if out := stack.Run("opensc-tool", "--name"); !strings.Contains(out, "jpki") {
			t.Fatalf("%s", out)
		}
	})
	t.Run("pkcs15-tool lists keys, PINs and certificates", func(t *testing.T) {
		out := stack.Run("pkcs15-tool", "--dump")
		for _, want := range []string{"User Authentication PIN", "Digital Signature PIN", "User Authentication Certificate", "Digital Signature Certificate", "Digital Signature Key"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	})
	t.Run("pkcs15-tool reads the authentication certificate freely", func(t *testing.T) {
		out := stack.Run("pkcs15-tool", "--read-certificate", "1")
		block, _ := pem.Decode([]byte(out[strings.Index(out, "-----BEGIN"):]))
		if block == nil || !bytes.Equal(block.Bytes, testPersonality().Authentication.Certificate) {
			t.Fatalf("%s", out)
		}
	})
	t.Run("a wrong PIN costs one try and OpenSC says so", func(t *testing.T) {
		if out, err := stack.Try("pkcs15-tool", "--verify-pin", "--auth-id", "1", "--pin", "9999"); err == nil {
			t.Fatalf("accepted:\n%s", out)
		}
		play(t, c, []step{{selectJPKI, "9000"}, {ef("0018"), "9000"}, {"00200080", "63C2"}})
	})
	t.Run("opensc-tool reads the record of 共通 and a challenge", func(t *testing.T) {
		out := stack.Run("opensc-tool", "--send-apdu", "00A4040C0AD3921000310001010100", "--send-apdu", "00B2010C00", "--send-apdu", "0084000008")
		if strings.Count(out, "SW1=0x90, SW2=0x00") != 3 || !strings.Contains(out, "01 1C 30 30 31 32 33 34") {
			t.Fatalf("%s", out)
		}
	})
	for id, secret := range map[string]string{"1": authenticationPIN, "2": signaturePassword} {
		t.Run("pkcs11-tool signs with key "+id, func(t *testing.T) { signWithPKCS11(t, stack, id, secret) })
	}
}

// signWithPKCS11 has pkcs11-tool sign a file and checks the signature with the key the
// card was made with.
func signWithPKCS11(t *testing.T, stack *pcsctest.Stack, id, secret string) {
	folder := t.TempDir()
	document := filepath.Join(folder, "document")
	signature := filepath.Join(folder, "signature")
	content := []byte("申請書")
	if err := os.WriteFile(document, content, 0o600); err != nil {
		t.Fatal(err)
	}
	token := map[string]string{"1": "User Authentication PIN", "2": "Digital Signature PIN"}[id]
	slots := stack.Run("pkcs11-tool", "--list-token-slots")
	label := tokenLabel(slots, token)
	if label == "" {
		t.Fatalf("no token for %q in\n%s", token, slots)
	}
	stack.Run("pkcs11-tool", "--token-label", label, "--login", "--pin", secret, "--sign", "--id", "0"+id,
		"--mechanism", "SHA256-RSA-PKCS", "--input-file", document, "--output-file", signature)
	got, err := os.ReadFile(signature)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]string{"1": "authentication", "2": "signature"}[id]
	digest := sha256.Sum256(content)
	if err := rsa.VerifyPKCS1v15(&rsaKey(key).PublicKey, crypto.SHA256, digest[:], got); err != nil {
		t.Fatal(err)
	}
}

// tokenLabel finds the label of the token whose name holds the PIN's.
func tokenLabel(slots, pin string) string {
	for line := range strings.Lines(slots) {
		if _, label, ok := strings.Cut(line, "token label"); ok && strings.Contains(label, pin) {
			return strings.TrimSpace(strings.TrimLeft(label, " :"))
		}
	}
	return ""
}

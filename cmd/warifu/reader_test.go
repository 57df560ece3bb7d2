//go:build linux

package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu/cms"
	"warifu/internal/pcsctest"
	"warifu/internal/worldtest"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/phones"
	"warifu/sandbox/world"
)

// What `warifu phone serve` and `warifu card serve` hold to a reader, unmodified
// OpenSC knows and signs with: chips of a running demo, through the desk's door.
func TestOpenSCReachesTheChipsOfARunningDemo(t *testing.T) {
	w := runWorld(t)
	phoneReady(t, w)
	t.Run("card", func(t *testing.T) {
		stack := pcsctest.Start(t, inReader(t, w, "hanako"))
		knows(t, stack)
	})
	t.Run("phone", func(t *testing.T) { phoneSigns(t, w, pcsctest.Start(t, inReader(t, w, "phone-1"))) })
}

func knows(t *testing.T, stack *pcsctest.Stack) {
	t.Helper()
	if out := stack.Run("opensc-tool", "--name"); !strings.Contains(out, "jpki") {
		t.Error(out)
	}
}

func phoneSigns(t *testing.T, w *world.World, stack *pcsctest.Stack) {
	knows(t, stack)
	stack.Run("pkcs15-tool", "--dump")
	dir := t.TempDir()
	document, signature := filepath.Join(dir, "document"), filepath.Join(dir, "signature")
	if err := os.WriteFile(document, []byte("申請書"), 0o600); err != nil {
		t.Fatal(err)
	}
	label := labelOf(stack.Run("pkcs11-tool", "--list-token-slots"), "Digital Signature PIN")
	stack.Run("pkcs11-tool", "--token-label", label, "--login", "--pin", "PHONE123", "--sign", "--id", "02",
		"--mechanism", "SHA256-RSA-PKCS", "--input-file", document, "--output-file", signature)
	got, err := os.ReadFile(signature)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("申請書"))
	if err := rsa.VerifyPKCS1v15(signatureKey(t, w), crypto.SHA256, digest[:], got); err != nil {
		t.Error(err)
	}
}

// labelOf finds the label of the token whose name holds the PIN's.
func labelOf(slots, pin string) string {
	for line := range strings.Lines(slots) {
		if _, label, ok := strings.Cut(line, "token label"); ok && strings.Contains(label, pin) {
			return strings.TrimSpace(strings.TrimLeft(label, " :"))
		}
	}
	return ""
}

func inReader(t *testing.T, w *world.World, id string) pcsctest.Chip {
	t.Helper()
	far := &farChip{desk: doorway.NewClient(w.Places.Desk), id: id}
	atr, err := far.atr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return pcsctest.Chip{Chip: far, ATR: atr}
}

// signatureKey is the phone's public signature key, out of a document it signs.
func signatureKey(t *testing.T, w *world.World) *rsa.PublicKey {
	t.Helper()
	signed, err := w.Phones.Sign(t.Context(), "phone-1", phones.Sign{Document: []byte("x"), Password: "PHONE123"})
	if err != nil {
		t.Fatal(err)
	}
	message, err := cms.Parse(signed.Signature)
	if err != nil {
		t.Fatal(err)
	}
	return message.Signer.PublicKey.(*rsa.PublicKey)
}

// runWorld stands a world of the default scheme, whose chips OpenSC can use.
func runWorld(t testing.TB) *world.World {
	t.Helper()
	return worldtest.Stand(t, worldtest.Default)
}

// byDay is runWorld on a day and at an hour at which a kiosk is open, whenever the test is run.
func byDay(t testing.TB) *world.World {
	t.Helper()
	open := time.Date(2027, 6, 9, 10, 0, 0, 0, profile.Japan)
	return worldtest.Stand(t, worldtest.Default, func(c *world.Config) { c.Begin = open })
}

// phoneReady puts certificates on the first phone.
func phoneReady(t testing.TB, w *world.World) {
	t.Helper()
	worldtest.Own(t, w, "phone-1", "taro")
}

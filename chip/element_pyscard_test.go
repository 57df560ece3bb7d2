//go:build linux

package chip_test

import (
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"warifu/internal/elementtest"
	"warifu/internal/pcsctest"
)

// A client written by nobody who wrote the chip (testdata/pyscard: python3-pyscard and
// python3-cryptography) opens SCP03 through pcscd, gets an attestation and a receipt, ends both
// keys by ticket and has it proved, and every flipped byte on the way is refused.
func TestAStrangerPersonalizesThroughPCSC(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's, which has Debian's modules
	if out, err := exec.Command(python, "-c", "import smartcard, cryptography").CombinedOutput(); err != nil {
		t.Skipf("Debian's packages python3-pyscard and python3-cryptography are not installed: %s", out)
	}
	p := elementtest.New(t, nil)
	stack := pcsctest.Start(t, pcsctest.Chip{Chip: p.App(), ATR: p.Element.ATR()})
	task, err := json.Marshal(map[string]any{
		"reader": 0, "root": hex.EncodeToString(p.Maker.Root), "element": p.Element.ID().String(),
		"enc": hex.EncodeToString(p.Personality.DomainKeys.ENC), "mac": hex.EncodeToString(p.Personality.DomainKeys.MAC),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := stack.Command(python, "-B", "../testdata/pyscard/element.py")
	client.Stdin = strings.NewReader(string(task))
	out, err := client.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ok attestation", "ok secrets", "ok script", "ok receipt", "ok activate", "ok sign", "ok kill", "ok proof", "ok done"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q", want)
		}
	}
	if n := counterOf(t, p); n != 1 {
		t.Errorf("personalized %d times", n)
	}
}

func counterOf(t *testing.T, p *elementtest.Phone) int {
	t.Helper()
	slots, err := p.Client(t).Slots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slots.Live.Counter
}

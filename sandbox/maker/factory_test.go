package maker_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/chip"
	"warifu/jpki"
	"warifu/sandbox/maker"
)

var now = time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)

var app = warifu.DigestOf([]byte("app"))

func open(t *testing.T, dir string, makers ...string) *maker.Factory {
	t.Helper()
	f, err := maker.Open(maker.Config{
		Dir: dir, Clock: warifu.ClockFunc(func() time.Time { return now }), Makers: makers, Apps: []warifu.Digest{app},
		Domain: func(id warifu.ElementID) (chip.DomainKeys, error) { // any derivation that two parties share
			key := func(label string) []byte { d := sha256.Sum256(append([]byte(label), id[:]...)); return d[:16] }
			return chip.DomainKeys{ENC: key("enc"), MAC: key("mac"), DEK: key("dek")}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func attested(t *testing.T, f *maker.Factory, id string) (attest.Attestation, error) {
	t.Helper()
	e, err := f.Element(id)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jpki.SelectElement(t.Context(), e.Internal(app))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := client.Chain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, element, err := attest.VerifyChain(chain, f.Anchors(), now)
	if err != nil {
		return attest.Attestation{}, err
	}
	if _, err := client.Generate(t.Context(), warifu.Authentication, jpki.P256.String()); err != nil {
		t.Fatal(err)
	}
	envelope, err := client.Attest(t.Context(), make([]byte, attest.ChallengeLength))
	if err != nil {
		t.Fatal(err)
	}
	a, err := attest.OpenAttestation(envelope, key)
	if err == nil && a.Element != element {
		t.Error("the attestation names another element than the chain")
	}
	return a, err
}

func TestAPhonesElementIsAttestedByItsMaker(t *testing.T) {
	f := open(t, t.TempDir(), "Kasuga", "Miwa")
	p, err := f.Make("phone-1", "Miwa", "miwa-m1")
	if err != nil {
		t.Fatal(err)
	}
	a, err := attested(t, f, "phone-1")
	if err != nil || a.Model != "miwa-m1" || a.Element != p.Element {
		t.Fatalf("%+v %v", a, err)
	}
	for _, id := range a.Identifiers {
		value := map[string]string{"imei": p.IMEI, "serial": p.Serial}[id.Name]
		want := sha256.Sum256(append(bytes.Clone(id.Salt), value...))
		if value == "" || !bytes.Equal(id.Digest, want[:]) {
			t.Errorf("%s does not tell the phone to who knows it", id.Name)
		}
	}
	if len(a.Identifiers) != 2 {
		t.Errorf("%d identifiers", len(a.Identifiers))
	}
	foreign := open(t, t.TempDir(), "Kasuga", "Miwa")
	e, _ := f.Element("phone-1")
	client, _ := jpki.SelectElement(t.Context(), e.Internal(app))
	chain, _ := client.Chain(t.Context())
	if _, _, err := attest.VerifyChain(chain, foreign.Anchors(), now); problem(err) != "attestation-chain-invalid" {
		t.Errorf("a phone of another world is believed: %v", err)
	}
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestARestartKeepsMakersPhonesAndChips(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, "Miwa")
	for _, id := range []string{"phone-2", "phone-10", "phone-1"} {
		if _, err := first.Make(id, "Miwa", "miwa-m1"); err != nil {
			t.Fatal(err)
		}
	}
	second := open(t, dir, "Miwa", "Kasuga") // one maker more
	var ids []string
	for i, p := range second.Phones() {
		ids = append(ids, p.ID)
		if p != first.Phones()[i] {
			t.Errorf("%+v", p)
		}
	}
	if got := strings.Join(ids, " "); got != "phone-1 phone-2 phone-10" {
		t.Error(got)
	}
	if len(second.Roots()) != 2 || !second.Roots()[0].Equal(first.Roots()[0]) {
		t.Error("other makers")
	}
	if _, err := attested(t, second, "phone-1"); err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	f := open(t, t.TempDir(), "Miwa")
	if _, err := f.Make("phone-1", "Nobody", "x"); problem(err) != "maker-unknown" {
		t.Error(err)
	}
	if _, err := f.Make("phone-1", "Miwa", "x"); err != nil {
		t.Error(err)
	}
	if _, err := f.Make("phone-1", "Miwa", "x"); problem(err) != "phone-exists" {
		t.Error(err)
	}
	if _, err := f.Element("phone-9"); problem(err) != "phone-unknown" {
		t.Error(err)
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, "Miwa")
	if err := os.WriteFile(filepath.Join(dir, "makers.json"), []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := maker.Open(maker.Config{Dir: dir, Makers: []string{"Miwa"}}); problem(err) != "world-damaged" {
		t.Error(err)
	}
}

func TestManyHandsAtOnceMakeDifferentPhones(t *testing.T) {
	f := open(t, t.TempDir(), "Miwa")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if _, err := f.Make("phone-"+string(rune('a'+i)), "Miwa", "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for _, p := range f.Phones() {
		seen[p.IMEI], seen[p.Serial], seen[p.Element.String()] = true, true, true
	}
	if len(seen) != 24 {
		t.Errorf("%d different values of 24", len(seen))
	}
}

// 49015420323751 with check digit 8 is the example of 3GPP TS 23.003 annex B.
func TestIMEIsCarryTheirCheckDigit(t *testing.T) {
	if got := maker.WithLuhn("49015420323751"); got != "490154203237518" {
		t.Error(got)
	}
}

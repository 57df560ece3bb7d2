package attest_test

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/elementtest"
)

// cleanCode is the code of a phone without certificates, with the phone that made it.
func cleanCode(t testing.TB, at time.Time) (attest.CleanCode, *elementtest.Phone) {
	t.Helper()
	p := elementtest.New(t, nil)
	e := p.Client(t)
	proof, err := e.CleanProof(t.Context(), "shop", make([]byte, 32), nil, at)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := e.Chain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return attest.CleanCode{Proof: proof, Chain: chain}, p
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

// A code is read back as it was written, through whatever a message does to white space and
// case, and says with the maker's root alone what the chip said.
func TestACleanCodeSurvivesAMessage(t *testing.T) {
	c, p := cleanCode(t, elementtest.At)
	text, err := c.Text()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-") != "" {
		t.Errorf("the code holds characters that a QR code writes as octets: %s", text)
	}
	wrapped := "\n  " + strings.ToLower(text[:100]) + "\r\n" + text[100:700] + " \n" + text[700:] + "\n"
	got, err := attest.ParseCleanCode(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	said, err := got.Check(p.Anchors(t), elementtest.At)
	if err != nil || said.Marketplace != "shop" || !said.Clean() || !said.Time.Equal(elementtest.At) {
		t.Errorf("checked: %+v, %v", said, err)
	}
	claimed, err := got.Said()
	if err != nil || claimed.Element != said.Element {
		t.Errorf("claimed: %+v, %v", claimed, err)
	}
}

// Offline nothing is believed but what the maker's chip signed, and nothing of the future.
func TestACleanCodeIsCheckedByItsMakersRootAlone(t *testing.T) {
	c, p := cleanCode(t, elementtest.At)
	other, _ := cleanCode(t, elementtest.At)
	early, makers := cleanCode(t, elementtest.At.Add(attest.CleanAhead+time.Second))
	for name, try := range map[string]struct {
		code attest.CleanCode
		want string
		root *x509.CertPool
	}{
		"another maker's root":   {c, "attestation-chain-invalid", x509.NewCertPool()},
		"another phone's chain":  {attest.CleanCode{Proof: c.Proof, Chain: other.Chain}, "paper-signature-invalid", p.Anchors(t)},
		"a question of tomorrow": {early, "clean-proof-time", makers.Anchors(t)},
		"no chain":               {attest.CleanCode{Proof: c.Proof}, "attestation-chain-invalid", p.Anchors(t)},
		"a torn paper":           {attest.CleanCode{Proof: c.Proof[:20], Chain: c.Chain}, "paper-malformed", p.Anchors(t)},
	} {
		if _, err := try.code.Check(try.root, elementtest.At); problemOf(err) != try.want {
			t.Errorf("%s: %v, want %s", name, err, try.want)
		}
	}
}

func TestACleanCodeHasBounds(t *testing.T) {
	c, _ := cleanCode(t, elementtest.At)
	c.Chain = append(c.Chain, make([]byte, 3000))
	if _, err := c.Text(); problemOf(err) != "clean-code-too-large" {
		t.Errorf("a code that no QR code holds: %v", err)
	}
	for text, want := range map[string]string{
		"":                                         "clean-code-malformed",
		"https://example.com":                      "clean-code-malformed",
		attest.CleanCodePrefix:                     "clean-code-malformed",
		attest.CleanCodePrefix + "A":               "clean-code-malformed",
		attest.CleanCodePrefix + "MFRGGZDF":        "clean-code-malformed",
		attest.CleanCodePrefix + "01":              "clean-code-malformed",
		strings.Repeat("A", attest.MaxCleanCode*3): "clean-code-too-large",
	} {
		if _, err := attest.ParseCleanCode(text); problemOf(err) != want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

// Whatever is scanned is refused in words or means one thing: it is written again as it was.
func FuzzParseCleanCode(f *testing.F) {
	c, p := cleanCode(f, elementtest.At)
	text, err := c.Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(strings.ToLower(text))
	f.Add(attest.CleanCodePrefix + "MFRGG")
	f.Add("")
	anchors := p.Anchors(f)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := attest.ParseCleanCode(text)
		if err != nil {
			return
		}
		again, err := got.Text()
		if err != nil || again != strings.ToUpper(strings.Join(strings.Fields(text), "")) {
			t.Errorf("%q is written again as %q (%v)", text, again, err)
		}
		said, err := got.Check(anchors, elementtest.At)
		if err == nil && said.Marketplace != "shop" {
			t.Errorf("a code nobody's chip signed was believed: %+v", said)
		}
		_, _ = got.Said()
	})
}

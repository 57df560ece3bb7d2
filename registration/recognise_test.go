package registration_test

import (
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/registration"
	"warifu/sandbox/handset"
)

// A chip is told what has become of its keys when it asks in its own name, for that purpose,
// with a fresh challenge; by nobody else, and nothing is spent or changed by it.
func TestAChipIsToldWhatBecameOfItsKeys(t *testing.T) {
	ctx := context.Background()
	h := housetest.New(t, housetest.Options{})
	p, other := h.Phone(t), h.Phone(t)
	owned := p.Own(t, "taro")
	other.Own(t, "hanako")
	ask := func(of *housetest.Phone, purpose, subject string) []byte {
		t.Helper()
		c, err := h.Registrar.OrderChallenge(ctx, of.Record.Element)
		if err != nil {
			t.Fatal(err)
		}
		element, err := jpki.SelectElement(ctx, of.Element.Internal(handset.AppCertificate))
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := element.DeviceRequest(ctx, purpose, subject, c.Octets)
		if err != nil {
			t.Fatal(err)
		}
		return envelope
	}
	right := ask(p, registration.PurposeCheck, registration.SubjectChip)
	for range 2 { // asking twice is no replay: nothing changes
		life, err := h.Registrar.OfElement(ctx, p.Record.Element, right)
		if err != nil {
			t.Fatal(err)
		}
		if len(life.Credentials) != 2 || life.Credentials[0].Application != owned.ID || life.Credentials[0].State != warifu.CredentialActive || life.Application.ID != "" {
			t.Errorf("told %+v", life)
		}
	}
	for what, try := range map[string]struct {
		of       warifu.ElementID
		envelope []byte
		want     string
	}{
		"another chip's word":     {p.Record.Element, ask(other, registration.PurposeCheck, registration.SubjectChip), "paper-signature-invalid"},
		"another purpose":         {p.Record.Element, ask(p, "revoke", "signature"), "device-request-other"},
		"another subject":         {p.Record.Element, ask(p, registration.PurposeCheck, "everything"), "device-request-other"},
		"a chip nobody has heard": {warifu.ElementID{1}, right, "element-unknown"},
		"no paper":                {p.Record.Element, []byte("x"), "paper-malformed"},
	} {
		if _, err := h.Registrar.OfElement(ctx, try.of, try.envelope); warifu.ProblemOf(err).Problem != try.want {
			t.Errorf("%s: %v, want %s", what, err, try.want)
		}
	}
	h.Clock.Forward(time.Hour)
	if _, err := h.Registrar.OfElement(ctx, p.Record.Element, right); warifu.ProblemOf(err).Problem != "challenge-expired" {
		t.Errorf("an old question: %v", err)
	}
	again := p.Issue(t, "taro")
	life, err := h.Registrar.OfElement(ctx, p.Record.Element, ask(p, registration.PurposeCheck, registration.SubjectChip))
	if err != nil || life.Application.ID != again.ID || len(life.Credentials) != 2 {
		t.Errorf("with one on its way: %+v, %v", life, err)
	}
	h.Check(t)
}

package registration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/catalogue"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/registration"
	"warifu/scheme"
)

// badInput is one way to apply wrong; it returns what is handed in.
type badInput struct {
	name, problem string
	make          func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission
}

func good(t *testing.T, p *housetest.Phone) registration.Submission {
	t.Helper()
	return housetest.Submission(p.Draft(t, "taro"))
}

// changed is a good submission with one field changed.
func changed(f func(t *testing.T, s *registration.Submission)) func(*testing.T, *housetest.House, *housetest.Phone) registration.Submission {
	return func(t *testing.T, _ *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		f(t, &s)
		return s
	}
}

// forged is a document that the card signed and that says something else.
func forged(f func(*attest.Document)) func(*testing.T, *housetest.House, *housetest.Phone) registration.Submission {
	return func(t *testing.T, _ *housetest.House, p *housetest.Phone) registration.Submission {
		return p.Forge(t, "taro", f)
	}
}

func flip(b []byte, at int) []byte {
	out := append([]byte(nil), b...)
	out[at] ^= 1
	return out
}

var badInputs = []badInput{
	{"a truncated document", "signature-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.Document = s.Document[:len(s.Document)-7] })},
	{"an empty document", "signature-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.Document = nil })},
	{"a document with octets behind it", "signature-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.Document = append(s.Document, 0) })},
	{"an oversized document", "application-too-large", changed(func(_ *testing.T, s *registration.Submission) { s.Document = make([]byte, registration.MaxDocument+1) })},
	{"a document whose signature was tampered with", "signature-invalid", changed(func(_ *testing.T, s *registration.Submission) { s.Document = flip(s.Document, len(s.Document)-5) })},
	{"an attestation cut short", "paper-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.Attestation = s.Attestation[:40] })},
	{"an attestation with a flipped bit", "paper-signature-invalid", changed(func(_ *testing.T, s *registration.Submission) { s.Attestation = flip(s.Attestation, 20) })},
	{"no attestation", "paper-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.Attestation = nil })},
	{"no chain", "attestation-chain-invalid", changed(func(_ *testing.T, s *registration.Submission) { s.Chain = nil })},
	{"a chain without its leaf", "attestation-chain-invalid", changed(func(_ *testing.T, s *registration.Submission) { s.Chain = s.Chain[1:] })},
	{"secrets that were never set", "paper-malformed", changed(func(_ *testing.T, s *registration.Submission) { s.SecretsSet = nil })},
	{"another person's authentication certificate", "card-statement-other-card", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s, other := good(t, p), housetest.Submission(h.Phone(t).Draft(t, "hanako"))
		s.CardAuthentication = other.CardAuthentication
		return s
	}},
	{"no authentication certificate where one is asked for", "card-statement-other-card", changed(func(_ *testing.T, s *registration.Submission) { s.CardAuthentication = nil })},
	{"another phone's attestation", "paper-signature-invalid", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		s.Attestation = housetest.Submission(h.Phone(t).Draft(t, "taro")).Attestation
		return s
	}},
	{"another phone's attestation with its chain", "attestation-other-document", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s, other := good(t, p), housetest.Submission(h.Phone(t).Draft(t, "taro"))
		s.Attestation, s.Chain = other.Attestation, other.Chain
		return s
	}},
	{"the same phone's earlier attestation", "attestation-other-document", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		earlier := good(t, p)
		s := good(t, p)
		s.Attestation = earlier.Attestation
		return s
	}},
	{"the word on another document's secrets", "secrets-set-other-document", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		earlier := good(t, p)
		s := good(t, p)
		s.SecretsSet = earlier.SecretsSet
		return s
	}},
	{"keys that were not made in the chip", "attestation-other-document", forged(func(d *attest.Document) {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		d.Keys[0].PublicKey, _ = x509.MarshalPKIXPublicKey(key.Public())
	})},
	{"a key for the other kind", "attestation-other-document", forged(func(d *attest.Document) {
		d.Keys[0].PublicKey, d.Keys[1].PublicKey = d.Keys[1].PublicKey, d.Keys[0].PublicKey
	})},
	{"fewer keys than attested", "attestation-other-document", forged(func(d *attest.Document) { d.Keys = d.Keys[:1] })},
	{"another model than attested", "attestation-other-document", forged(func(d *attest.Document) { d.Model = housetest.OtherModel })},
	{"another attestation's digest", "attestation-other-document", forged(func(d *attest.Document) { d.Attestation[0] ^= 1 })},
	{"another element", "attestation-other-document", forged(func(d *attest.Document) { d.Element[3] ^= 1 })},
	{"an app that is too old", "app-too-old", forged(func(d *attest.Document) { d.AppVersion = 0 })},
	{"a system that is too old", "device-os-update", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		recatalogue(t, h, func(m *catalogue.Model) { m.MinOSBuild = "99/2030-01-01" })
		return s
	}},
	{"no consent", "consent-outdated", forged(func(d *attest.Document) { d.Consent = "" })},
	{"an older consent", "consent-outdated", forged(func(d *attest.Document) { d.Consent = "badge-0" })},
	{"another scheme", "scheme-other", forged(func(d *attest.Document) { d.Scheme = "jp-mobile/1" })},
	{"a challenge of one's own making", "attestation-other-document", forged(func(d *attest.Document) { d.Challenge[9] ^= 1 })},
	{"a challenge made for another phone", "challenge-invalid", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		other := h.Phone(t)
		c, err := h.Registrar.Challenge(context.Background(), registration.Enquiry{Element: other.Record.Element, Model: other.Model, OSBuild: other.OSBuild, AppVersion: other.AppVersion})
		must(t, err)
		var attestation []byte
		s := p.Forge(t, "taro", func(d *attest.Document) {
			element, err := jpki.SelectElement(context.Background(), p.App.Element)
			must(t, err)
			attestation, err = element.Attest(context.Background(), c.Octets)
			must(t, err)
			d.Challenge, d.Attestation = c.Octets, warifu.DigestOf(attestation)
		})
		s.Attestation = attestation
		return s
	}},
	{"a challenge that has expired", "challenge-expired", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		h.Clock.Forward(h.Scheme.ChallengeLife + time.Microsecond)
		return s
	}},
	{"a challenge from the future: the server's clock was put back", "challenge-expired", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		h.Clock.Forward(time.Hour)
		s := good(t, p)
		h.Clock.Forward(-5 * time.Minute)
		return s
	}},
	{"a model that was struck off the catalogue meanwhile", "device-unknown", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		recatalogue(t, h, func(m *catalogue.Model) { m.ID = "renamed" })
		return s
	}},
	{"a card that was suspended meanwhile", "card-held", func(t *testing.T, h *housetest.House, p *housetest.Phone) registration.Submission {
		s := good(t, p)
		must(t, h.Bureau.Suspend("taro"))
		t.Cleanup(func() { must(t, h.Bureau.Resume("taro")) })
		return s
	}},
}

func TestWhatIsWrongIsRefusedAndNothingIsAccepted(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	for _, c := range badInputs {
		t.Run(c.name, func(t *testing.T) {
			p := h.Phone(t)
			_, err := apply(h, c.make(t, h, p))
			wantProblem(t, err, c.problem)
			nothingAccepted(t, h, p)
		})
		h.Clock.To(housetest.Begin)
	}
	// None of it spent a challenge or stands in the way.
	h.Phone(t).Own(t, "taro")
	h.Check(t)
}

func TestDocumentForSomethingElseIsNoApplication(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	s := good(t, p)
	s.Document = h.SignAs(t, "taro", []int{1, 2, 840, 113549, 1, 7, 1}, []byte("a contract"))
	_, err := apply(h, s)
	wantProblem(t, err, "document-not-an-application")
	nothingAccepted(t, h, p)
}

func TestCardsThatCannotBeParents(t *testing.T) {
	for _, c := range []struct{ who, problem string }{
		{"mika", "card-held"}, {"shin", "card-revoked"}, {"goro", "certificate-expired"},
	} {
		t.Run(c.who, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			p := h.Phone(t)
			s := p.Forge(t, "taro", func(*attest.Document) {})
			// The same paper, signed by the card in question.
			s = resigned(t, h, s, c.who)
			_, err := apply(h, s)
			wantProblem(t, err, c.problem)
			nothingAccepted(t, h, p)
		})
	}
}

// recatalogue changes the usual model's entry until the test ends.
func recatalogue(t *testing.T, h *housetest.House, change func(*catalogue.Model)) {
	t.Helper()
	kept := h.Catalogue.All()
	t.Cleanup(func() { must(t, h.Catalogue.Replace(context.Background(), kept, "test")) })
	all := slices.Clone(kept)
	for i := range all {
		if all[i].ID == housetest.Model {
			change(&all[i])
		}
	}
	must(t, h.Catalogue.Replace(context.Background(), all, "test"))
}

// resigned is the submission with its document signed by somebody else's card.
func resigned(t *testing.T, h *housetest.House, s registration.Submission, who string) registration.Submission {
	t.Helper()
	s.Document = h.SignAs(t, who, attest.OIDApplicationDocument, contentOf(t, s.Document))
	s.CardAuthentication = authenticationOf(t, h, who)
	return s
}

func TestChildUnderTheAgeIsRefused(t *testing.T) {
	h := housetest.New(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.MinimumAge = 99 }})
	p := h.Phone(t)
	_, err := apply(h, good(t, p))
	wantProblem(t, err, "applicant-too-young")
	nothingAccepted(t, h, p)
}

func TestPhonesClockDoesNotMatter(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	s := p.Forge(t, "taro", func(*attest.Document) {})
	now := h.Clock.Now()
	h.Clock.To(now.AddDate(-3, 0, 0)) // what the phone writes as signing time
	document := h.SignAs(t, "taro", attest.OIDApplicationDocument, contentOf(t, s.Document))
	h.Clock.To(now)
	s.Document = document
	a, err := apply(h, s)
	must(t, err)
	h.Accepted(a.ID)
	h.Check(t)
}

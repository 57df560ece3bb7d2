package registration_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/scheme"
	"warifu/store"
)

func TestSameDocumentIsTheSameApplication(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	first, err := p.Submit(t, d)
	must(t, err)
	for range 3 {
		again, err := apply(h, housetest.Submission(d))
		must(t, err)
		if again.ID != first.ID {
			t.Fatalf("the same document became %s and %s", first.ID, again.ID)
		}
	}
	h.Drain(t)
	must(t, p.Personalize())
	h.Clock.Forward(40 * 24 * time.Hour) // long after the challenge has expired
	again, err := apply(h, housetest.Submission(d))
	must(t, err)
	if again.ID != first.ID || again.State != warifu.ApplicationPersonalized {
		t.Errorf("replayed after its end it is %s, %s", again.ID, again.State)
	}
	h.Check(t)
}

// A second tap signs the same paper again: another signing time, the same document.
func TestSecondTapOnTheSameDocumentIsTheSameApplication(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	first, err := p.Submit(t, d)
	must(t, err)
	h.Clock.Forward(time.Minute)
	s := housetest.Submission(d)
	s.Document = h.SignAs(t, "taro", attest.OIDApplicationDocument, contentOf(t, s.Document))
	again, err := apply(h, s)
	must(t, err)
	if again.ID != first.ID {
		t.Errorf("a second tap made another application")
	}
	h.Check(t)
}

func TestDocumentReSignedByAnotherCardIsRefused(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	a, err := p.Submit(t, d)
	must(t, err)
	_, err = apply(h, resigned(t, h, housetest.Submission(d), "hanako"))
	wantProblem(t, err, "application-exists")
	// Nor does one whose signature does not hold learn the identifier.
	s := housetest.Submission(d)
	s.Document = flip(s.Document, len(s.Document)-5)
	_, err = apply(h, s)
	wantProblem(t, err, "signature-invalid")
	wantState(t, h, a.ID, warifu.ApplicationSubmitted)
	h.Check(t)
}

func TestChallengeIsForOneUse(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	s := good(t, p)
	a, err := apply(h, s)
	must(t, err)
	h.Accepted(a.ID)
	d, err := attest.ParseDocument(contentOf(t, s.Document))
	must(t, err)
	d.OSBuild += " "
	content, err := d.Marshal()
	must(t, err)
	s.Document = h.SignAs(t, "taro", attest.OIDApplicationDocument, content)
	s.SecretsSet = secretsSet(t, p, warifu.DigestOf(content))
	_, err = apply(h, s)
	wantProblem(t, err, "challenge-used")
	wantState(t, h, a.ID, warifu.ApplicationSubmitted)
	h.Check(t)
}

// The same submission many times at once: one application, and nobody is refused.
func TestSameSubmissionAtOnceIsOneApplication(t *testing.T) {
	h := house(t, housetest.Options{})
	for range 5 {
		p := h.Phone(t)
		s := good(t, p)
		const senders = 8
		ids, errs := make([]string, senders), make([]error, senders)
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				a, err := apply(h, s)
				ids[i], errs[i] = a.ID, err
			})
		}
		all.Wait()
		must(t, errors.Join(errs...))
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("one submission became %v", ids)
			}
		}
		h.Accepted(ids[0])
		h.Check(t)
	}
}

func TestNewerApplicationWithdrawsTheOlder(t *testing.T) {
	h := house(t, housetest.Options{})
	old, young := h.Phone(t), h.Phone(t)
	first := old.Apply(t, "taro")
	second := young.Apply(t, "taro")
	wantState(t, h, first.ID, warifu.ApplicationWithdrawn)
	h.Check(t)
	h.Drain(t)
	wantState(t, h, second.ID, warifu.ApplicationIssued)
	wantCredentials(t, h, first.ID, 0, "")
	third := old.Apply(t, "taro")
	wantState(t, h, second.ID, warifu.ApplicationWithdrawn)
	wantCredentials(t, h, second.ID, 2, warifu.CredentialRevoked)
	wantProblem(t, young.Personalize(), "application-not-issued")
	h.Drain(t)
	must(t, old.Personalize())
	wantState(t, h, third.ID, warifu.ApplicationPersonalized)
	h.Check(t)
}

func TestAnotherPersonsApplicationIsLeftAlone(t *testing.T) {
	h := house(t, housetest.Options{})
	a := h.Phone(t).Apply(t, "taro")
	b := h.Phone(t).Apply(t, "hanako")
	wantState(t, h, a.ID, warifu.ApplicationSubmitted)
	wantState(t, h, b.ID, warifu.ApplicationSubmitted)
	h.Check(t)
}

func TestBureauDownAcceptsNothingAndSpendsNothing(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	d := p.Draft(t, "taro")
	h.Cards.Fault = housetest.Down
	_, err := p.Submit(t, d)
	wantProblem(t, err, "bureau-unreachable")
	if warifu.ProblemOf(err).Code != warifu.CodeUnavailable {
		t.Errorf("the code is %s, want unavailable (503)", warifu.ProblemOf(err).Code)
	}
	nothingAccepted(t, h, p)
	h.Cards.Fault = nil
	_, err = p.Submit(t, d)
	must(t, err)
	h.Check(t)
}

// statementAbout makes the bureau's answers be about somebody else, or of another time.
func TestStatementsThatAreNotAboutThisCardNow(t *testing.T) {
	h := house(t, housetest.Options{Alter: func(s *scheme.Scheme) { s.StatementMaxAge = time.Minute }})
	certificateOf := func(who string) []byte {
		h.Card(t, who)
		view, err := h.Bureau.Show(who)
		must(t, err)
		return view.Certificates[0].Certificate.Raw
	}
	say := func(who string, nonce warifu.Digest) []byte {
		envelope, err := h.Bureau.Statement(certificateOf(who), nonce)
		must(t, err)
		return envelope
	}
	about := func(envelope []byte) attest.CardStatement {
		s, err := attest.OpenCardStatement(envelope, h.Bureau.StatementKey())
		must(t, err)
		return s
	}
	at := func(d time.Duration, f func() []byte) []byte {
		h.Clock.Forward(d)
		defer h.Clock.Forward(-d)
		return f()
	}
	for _, c := range []struct {
		name, problem string
		change        func([]byte) []byte
	}{
		{"of another card", "card-statement-other-card", func(e []byte) []byte { return say("hanako", about(e).Nonce) }},
		{"for another document", "card-statement-other-card", func([]byte) []byte { return say("taro", warifu.DigestOf([]byte("other"))) }},
		{"too old", "card-statement-stale", func(e []byte) []byte {
			return at(-61*time.Second, func() []byte { return say("taro", about(e).Nonce) })
		}},
		{"from the future", "card-statement-stale", func(e []byte) []byte {
			return at(62*time.Second, func() []byte { return say("taro", about(e).Nonce) })
		}},
		{"with a flipped bit", "bureau-answer-unreadable", func(e []byte) []byte { return flip(e, 30) }},
		{"cut short", "bureau-answer-unreadable", func(e []byte) []byte { return e[:20] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := h.Phone(t)
			d := p.Draft(t, "taro")
			h.Cards.ChangeStatement = c.change
			_, err := p.Submit(t, d)
			h.Cards.ChangeStatement = nil
			wantProblem(t, err, c.problem)
			nothingAccepted(t, h, p)
		})
	}
}

func TestIdentifiersOpenNothingAndTellNothing(t *testing.T) {
	h := house(t, housetest.Options{})
	a := h.Phone(t).Apply(t, "taro")
	_, err := h.Registrar.Application(context.Background(), a.ID[:26]+"x")
	wantProblem(t, err, "application-unknown")
	if len(a.ID) != 27 {
		t.Errorf("identifier %q has %d characters", a.ID, len(a.ID))
	}
	h.Read(t, func(tx *store.Tx) error {
		row, err := tx.Application(a.ID)
		if row.State != warifu.ApplicationSubmitted || row.SubmittedAt.IsZero() {
			t.Errorf("row %+v", row.State)
		}
		return err
	})
}

func TestIneligibleDeviceGetsNoChallenge(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	good := registration.Enquiry{Element: p.Record.Element, Model: p.Model, OSBuild: p.OSBuild, AppVersion: p.AppVersion}
	for problem, change := range map[string]func(*registration.Enquiry){
		"device-unknown":       func(e *registration.Enquiry) { e.Model = "no such phone" },
		"app-too-old":          func(e *registration.Enquiry) { e.AppVersion = 0 },
		"element-id-malformed": func(e *registration.Enquiry) { e.Element = warifu.ElementID{} },
	} {
		e := good
		change(&e)
		_, err := h.Registrar.Challenge(context.Background(), e)
		wantProblem(t, err, problem)
	}
}

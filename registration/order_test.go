package registration_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/phone"
	"warifu/registration"
	"warifu/sandbox/handset"
	"warifu/store"
)

const both = "signature,authentication"

// ask has the phone's chip sign a request, after the secrets of the kinds were given on a
// channel of its own.
func ask(t testing.TB, h *housetest.House, p *housetest.Phone, purpose, subject string, given ...warifu.Kind) []byte {
	t.Helper()
	ctx := context.Background()
	c, err := h.Registrar.OrderChallenge(ctx, p.Record.Element)
	must(t, err)
	return askOver(t, p, purpose, subject, c.Octets, given...)
}

func askOver(t testing.TB, p *housetest.Phone, purpose, subject string, nonce []byte, given ...warifu.Kind) []byte {
	t.Helper()
	ctx := context.Background()
	channel := p.Element.Internal(handset.AppCertificate)
	token, err := jpki.Select(ctx, channel)
	must(t, err)
	for _, kind := range given {
		secret := map[warifu.Kind]string{warifu.Signature: housetest.Secrets.Signature, warifu.Authentication: housetest.Secrets.Authentication}[kind]
		must(t, token.VerifyPhone(ctx, kind, warifu.NewActivationSecret([]byte(secret))))
	}
	out, err := token.Element().DeviceRequest(ctx, purpose, subject, nonce)
	must(t, err)
	return out
}

func byDevice(h *housetest.House, p *housetest.Phone, envelope []byte) ([]registration.Standing, error) {
	return h.Registrar.ByDevice(context.Background(), p.Record.Element, envelope)
}

// wantStanding checks the states of what an order answered and of the credentials.
func wantStanding(t testing.TB, got []registration.Standing, n int, state warifu.CredentialState, holds ...warifu.HoldReason) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d credentials answered, want %d", len(got), n)
	}
	for _, s := range got {
		if s.State != state || !slices.Equal(s.Holds, holds) {
			t.Errorf("%s is %s with %v, want %s with %v", s.Kind, s.State, s.Holds, state, holds)
		}
		if (s.Ticket != nil) != (state == warifu.CredentialRevoked || state == warifu.CredentialSuperseded) {
			t.Errorf("%s is %s, and a ticket: %v", s.Kind, s.State, s.Ticket != nil)
		}
	}
}

// wantStatus is what the world is told of the credentials of an application.
func wantStatus(t testing.TB, h *housetest.House, application string, cert warifu.CertStatus, reason warifu.Reason) {
	t.Helper()
	for _, c := range credentials(t, h, application) {
		if c.Status.Cert != cert || c.Status.Reason != reason {
			t.Errorf("the status of %s is %v, want %s %s", c.Kind, c.Status, cert, reason)
		}
	}
}

func TestRevokingOnThePhoneIsFinalAndImmediate(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	envelope := ask(t, h, p, "revoke", both, warifu.Signature)
	for range 3 { // the answer was lost: the same again is no error
		got, err := byDevice(h, p, envelope)
		must(t, err)
		wantStanding(t, got, 2, warifu.CredentialRevoked)
	}
	wantStatus(t, h, a.ID, warifu.StatusRevoked, warifu.ReasonCessationOfOperation)
	h.Check(t)
	for _, purpose := range []string{"suspend:own-wish", "resume:own-wish"} {
		_, err := byDevice(h, p, ask(t, h, p, purpose, both, warifu.Signature))
		wantProblem(t, err, "credential-ended")
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	p.Own(t, "taro") // R57: one may apply again, on the same phone too
	h.Check(t)
}

func TestRevokingTakesTheRightSecret(t *testing.T) {
	sign, authenticate := warifu.Signature, warifu.Authentication
	for name, c := range map[string]struct {
		kinds   []warifu.Kind // on the phone
		subject string
		given   []warifu.Kind
		problem string
	}{
		"nothing given":                  {nil, both, nil, "secret-not-verified"},
		"the PIN for both":               {nil, both, []warifu.Kind{authenticate}, "secret-not-verified"},
		"the PIN for the login alone":    {nil, "authentication", []warifu.Kind{authenticate}, "secret-not-verified"},
		"the password for the login":     {nil, "authentication", []warifu.Kind{sign}, ""},
		"the password for the signature": {nil, "signature", []warifu.Kind{sign}, ""},
		"only a login, nothing given":    {[]warifu.Kind{authenticate}, "authentication", nil, "secret-not-verified"},
		"only a login, the PIN":          {[]warifu.Kind{authenticate}, "authentication", []warifu.Kind{authenticate}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			p := h.Phone(t)
			a := p.Own(t, "taro", c.kinds...)
			_, err := byDevice(h, p, ask(t, h, p, "revoke", c.subject, c.given...))
			if c.problem == "" {
				must(t, err)
				h.Check(t)
				return
			}
			wantProblem(t, err, c.problem)
			wantCredentials(t, h, a.ID, len(credentials(t, h, a.ID)), warifu.CredentialActive)
			h.Check(t)
		})
	}
}

// R75: a password that was typed to sign with revokes nothing afterwards; whoever finds the
// phone in the holder's hands after it needs the password as much as before.
func TestAPasswordTypedForSomethingElseRevokesNothing(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	ctx := context.Background()
	pin := phone.Secret{Kind: warifu.Authentication, Typed: housetest.Secrets.Authentication}
	password := phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}
	for what, before := range map[string]func() error{
		"signed": func() error {
			_, err := p.App.Sign(ctx, []byte("a document"), true, phone.Unlock{Typed: password.Typed})
			return err
		},
		"suspended": func() error { _, err := p.App.Suspend(ctx, nil, time.Time{}, password); return err },
		"resumed":   func() error { _, err := p.App.Resume(ctx, nil, warifu.HoldOwnWish, password); return err },
		"asked":     func() error { _, err := p.App.Check(ctx); return err },
	} {
		must(t, before())
		_, err := p.App.Revoke(ctx, nil, pin)
		wantProblem(t, err, "secret-not-verified")
		_, err = p.App.NewCode(ctx, pin)
		wantProblem(t, err, "secret-not-verified")
		for _, c := range credentials(t, h, a.ID) {
			if c.State == warifu.CredentialRevoked {
				t.Fatalf("%s, and the PIN revoked", what)
			}
		}
	}
	_, err := p.App.Revoke(ctx, nil, password)
	must(t, err)
	h.Check(t)
}

func TestThePINIsEnoughOnceTheSigningCredentialHasEnded(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	_, err := byDevice(h, p, ask(t, h, p, "revoke", "signature", warifu.Signature))
	must(t, err)
	got, err := byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Authentication))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialRevoked)
	h.Check(t)
}

func TestSuspendAndResumeAtOwnWish(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	suspend := ask(t, h, p, "suspend:own-wish", both, warifu.Authentication) // either secret will do
	got, err := byDevice(h, p, suspend)
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialHeld, warifu.HoldOwnWish)
	wantStatus(t, h, a.ID, warifu.StatusRevoked, warifu.ReasonCertificateHold)
	h.Check(t)
	_, err = byDevice(h, p, ask(t, h, p, "resume:own-wish", both, warifu.Authentication))
	wantProblem(t, err, "secret-not-verified")
	got, err = byDevice(h, p, ask(t, h, p, "resume:own-wish", both, warifu.Signature))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialActive)
	wantStatus(t, h, a.ID, warifu.StatusGood, 0)
	h.Check(t)
	_, err = byDevice(h, p, suspend) // replayed by whoever listened
	wantProblem(t, err, "challenge-used")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
}

func TestSuspendingNeedsASecretAndKnowsTheHoldsOfOthers(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	_, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both))
	wantProblem(t, err, "secret-not-verified")
	for _, reason := range []warifu.HoldReason{warifu.HoldLost, warifu.HoldCard, warifu.HoldOperator} {
		_, err := byDevice(h, p, ask(t, h, p, "suspend:"+string(reason), both, warifu.Signature))
		wantProblem(t, err, "hold-not-yours")
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	for _, c := range credentials(t, h, a.ID) {
		for _, reason := range []warifu.HoldReason{warifu.HoldLost, warifu.HoldCard, warifu.HoldOperator} {
			do(t, h, c.ID, put(h, reason))
		}
	}
	for _, reason := range []warifu.HoldReason{warifu.HoldLost, warifu.HoldCard, warifu.HoldOperator} {
		_, err := byDevice(h, p, ask(t, h, p, "resume:"+string(reason), both, warifu.Signature))
		wantProblem(t, err, "hold-not-yours")
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	// One's own wish is put and lifted beside them, and makes nothing good again.
	_, err = byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
	must(t, err)
	got, err := byDevice(h, p, ask(t, h, p, "resume:own-wish", both, warifu.Signature))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialHeld, warifu.HoldLost, warifu.HoldCard, warifu.HoldOperator)
	h.Check(t)
}

func TestARepairHoldEndsByItself(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	until := h.Clock.Now().Add(72 * time.Hour).Truncate(time.Second)
	repair := func(until time.Time) error {
		_, err := byDevice(h, p, ask(t, h, p, fmt.Sprintf("suspend:repair:%d", until.Unix()), both, warifu.Signature))
		return err
	}
	wantProblem(t, repair(h.Clock.Now()), "hold-until-past")
	wantProblem(t, repair(h.Clock.Now().Add(-time.Hour)), "hold-until-past")
	wantProblem(t, repair(h.Clock.Now().AddDate(2, 0, 0)), "hold-until-too-far")
	must(t, repair(until))
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	end := func(want int) {
		t.Helper()
		got, err := h.Registrar.EndRepairHolds(context.Background())
		must(t, err)
		if got != want {
			t.Errorf("%d holds ended, want %d", got, want)
		}
		h.Check(t)
	}
	h.Clock.To(until.Add(-time.Second))
	end(0)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	h.Clock.To(until)
	end(2)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	end(0)
	// Home earlier than thought: the holder lifts it.
	must(t, repair(h.Clock.Now().Add(time.Hour)))
	_, err := byDevice(h, p, ask(t, h, p, "resume:repair", both, warifu.Signature))
	must(t, err)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

func TestADeviceSpeaksForItselfOnly(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, thief, stranger := h.Phone(t), h.Phone(t), h.Phone(t)
	a := p.Own(t, "taro")
	thief.Own(t, "hanako")
	others := ask(t, h, thief, "revoke", both, warifu.Signature)
	_, err := byDevice(h, p, others)
	wantProblem(t, err, "paper-signature-invalid")
	_, err = byDevice(h, stranger, ask(t, h, stranger, "revoke", both))
	wantProblem(t, err, "element-unknown")
	c, err := h.Registrar.OrderChallenge(context.Background(), thief.Record.Element)
	must(t, err)
	_, err = byDevice(h, p, askOver(t, p, "revoke", both, c.Octets, warifu.Signature))
	wantProblem(t, err, "challenge-invalid") // a challenge made for another chip
	late := ask(t, h, p, "revoke", both, warifu.Signature)
	h.Clock.Forward(h.Scheme.ChallengeLife + time.Second)
	_, err = byDevice(h, p, late)
	wantProblem(t, err, "challenge-expired")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

func TestAnOrderThatIsNoneIsRefused(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	for _, c := range []struct{ purpose, subject, problem string }{
		{"revoke", "", "order-malformed"},
		{"revoke", "both", "order-malformed"},
		{"revoke", "authentication,signature", "order-malformed"},
		{"revoke", "signature,signature", "order-malformed"},
		{"revoke:now", both, "order-malformed"},
		{"revoke:", both, "order-malformed"},
		{"suspend", both, "order-malformed"},
		{"suspend:boredom", both, "order-malformed"},
		{"suspend:own-wish:1800000000", both, "order-malformed"},
		{"suspend:repair", both, "order-malformed"},
		{"suspend:repair:", both, "order-malformed"},
		{"suspend:repair:-5", both, "order-malformed"},
		{"suspend:repair:+1800000000", both, "order-malformed"},
		{"suspend:repair:1800000000:1", both, "order-malformed"},
		{"resume:repair:1800000000", both, "order-malformed"},
		{"withdraw", both, "device-request-other"},
		{"reissue-code", both, "device-request-other"},
		{"supersede", both, "device-request-other"},
		{"expire", both, "device-request-other"},
	} {
		subject := c.subject
		if subject == "" {
			subject = "," // the chip signs nothing empty
		}
		_, err := byDevice(h, p, ask(t, h, p, c.purpose, subject, warifu.Signature))
		if err == nil || warifu.ProblemOf(err).Problem != c.problem {
			t.Errorf("%s of %q: %v, want %s", c.purpose, subject, err, c.problem)
		}
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	only := h.Phone(t)
	only.Own(t, "hanako", warifu.Authentication)
	_, err := byDevice(h, only, ask(t, h, only, "revoke", both, warifu.Authentication))
	wantProblem(t, err, "credential-absent")
}

func TestAHoldReachesTheApplicationOnItsWayToTheSamePhone(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	again := p.Issue(t, "taro")
	_, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
	must(t, err)
	wantProblem(t, p.Personalize(), "application-held")
	_, err = byDevice(h, p, ask(t, h, p, "resume:own-wish", both, warifu.Signature))
	must(t, err)
	must(t, p.Personalize())
	wantState(t, h, again.ID, warifu.ApplicationPersonalized)
	h.Check(t)
}

// Every order leaves its signed paper behind and one line that all it did follows from.
func TestWhatAnOrderDidFollowsFromItsEvidence(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	envelope := ask(t, h, p, "revoke", both, warifu.Signature)
	_, err := byDevice(h, p, envelope)
	must(t, err)
	h.Read(t, func(tx *store.Tx) error {
		lines, err := tx.AuditOf(a.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(lines, func(l store.Line) bool { return l.Verb == "order" })
		if i < 0 || lines[i].Actor != "element:"+p.Record.Element.String() {
			t.Fatalf("no line of the order in %v", lines)
		}
		var digest warifu.Digest
		must(t, digest.UnmarshalText([]byte(lines[i].Detail["order"])))
		kept, err := tx.UnsealBlob(digest)
		if string(kept) != string(envelope) {
			t.Error("another paper is kept")
		}
		for _, c := range credentials(t, h, a.ID) {
			moves, err2 := tx.AuditOf(c.ID)
			must(t, err2)
			if last := moves[len(moves)-1]; last.Cause != lines[i].ID || !strings.HasPrefix(last.Actor, "element:") {
				t.Errorf("%s ended for %q by %s", c.Kind, last.Cause, last.Actor)
			}
		}
		return err
	})
}

func FuzzOrderOf(f *testing.F) {
	f.Add("revoke", both)
	f.Add("suspend:repair:1800000000", "signature")
	f.Add("resume:own-wish", "authentication")
	f.Fuzz(func(t *testing.T, purpose, subject string) {
		verb, kinds, reason, until, err := registration.OrderOf(attest.DeviceRequest{Purpose: purpose, Subject: subject})
		if err != nil {
			return
		}
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.String()
		}
		again := string(verb)
		if reason != "" {
			again += ":" + string(reason)
		}
		if !until.IsZero() {
			again += fmt.Sprintf(":%d", until.Unix())
		}
		if again != purpose || strings.Join(names, ",") != subject {
			t.Errorf("%q of %q was read as %q of %v", purpose, subject, again, names)
		}
	})
}

// The maker's certificate for the element ends, and the holder still suspends and revokes
// with the phone: it was valid when the element vouched for its keys.
func TestAPhoneWhoseMakersCertificateHasEndedStillSuspendsAndRevokes(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	h.Read(t, func(tx *store.Tx) error {
		row, err := tx.Application(a.ID)
		must(t, err)
		der, err := tx.UnsealBlob(row.Chain[0])
		must(t, err)
		leaf, err := x509.ParseCertificate(der)
		must(t, err)
		h.Clock.To(leaf.NotAfter.Add(24 * time.Hour))
		_, _, err = attest.VerifyChain([][]byte{der}, h.Maker.Anchors(), h.Clock.Now())
		wantProblem(t, err, "attestation-chain-invalid")
		return nil
	})
	got, err := byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Authentication))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialHeld, warifu.HoldOwnWish)
	got, err = byDevice(h, p, ask(t, h, p, "revoke", both, warifu.Signature))
	must(t, err)
	wantStanding(t, got, 2, warifu.CredentialRevoked)
	h.Check(t)
}

package phone_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/phone"
)

var ctx = context.Background()

// R32, R34, R35, K7: what can be typed wrong is refused before any chip is touched.
func TestWhatCanBeTypedWrongTouchesNoChip(t *testing.T) {
	f := newFixture(t)
	f.app.Element = untouched(t)
	change := func(how func(*phone.Choice)) phone.Choice {
		c := f.choice(warifu.Kinds[:]...)
		how(&c)
		return c
	}
	for slug, c := range map[string]phone.Choice{
		"kinds-none":      change(func(c *phone.Choice) { c.Kinds = nil }),
		"kind-unknown":    change(func(c *phone.Choice) { c.Kinds = []warifu.Kind{1, 1} }),
		"consent-missing": change(func(c *phone.Choice) { c.Consent = "" }),
		"card-pin-format": change(func(c *phone.Choice) { c.CardPassword = "TARO-1980" }),
	} {
		_, err := f.app.Begin(c)
		wantProblem(t, slug, slug, err)
	}
	wantProblem(t, "a PIN of five digits", "secret-format", f.app.CheckSecrets(warifu.Kinds[:], phone.Secrets{Signature: phonePass, Authentication: "12345"}))
	if f.server.challenges != 0 {
		t.Error("the server was asked")
	}
}

func TestTheWholeApplicationIsWhatTheServerGets(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Authentication, warifu.Signature)
	must(t, f.app.SignWithCard(ctx, d, f.card))
	if d.CardTries != 5 {
		t.Errorf("%d tries were told, want 5 (R28)", d.CardTries)
	}
	must(t, f.app.SetSecrets(ctx, d, phone.Secrets{Signature: "phone123", Authentication: "２４６８"})) // folded (K7)
	must(t, f.app.Submit(ctx, d))
	must(t, f.app.Submit(ctx, d))
	if len(f.server.submitted) != 2 || !bytes.Equal(f.server.submitted[0].Document, f.server.submitted[1].Document) {
		t.Fatal("submitting again is not the same document again")
	}
	document := checkSubmission(t, f.server.submitted[0])
	if document.Element != f.element.ID() || document.Model != "W-1" || document.AppVersion != 60 || document.Consent != f.consent || len(document.Keys) != 2 {
		t.Errorf("the application document says %+v", document)
	}
	if state, err := f.app.State(); err != nil || state.Application != "a1" || state.Personalized {
		t.Errorf("the app remembers %+v (%v)", state, err)
	}
}

// checkSubmission opens everything in it as the server would.
func checkSubmission(t *testing.T, s phone.Submission) attest.Document {
	t.Helper()
	message, err := cms.Parse(s.Document)
	must(t, err)
	must(t, message.Verify(nil))
	document, err := attest.ParseDocument(message.Content)
	must(t, err)
	if document.Attestation != warifu.DigestOf(s.Attestation) {
		t.Error("the document names another attestation")
	}
	body, err := attest.Peek(attest.ContextSecretsSet, s.SecretsSet)
	must(t, err)
	if identity := warifu.DigestOf(message.Content); !bytes.Contains(body, identity[:]) {
		t.Error("the secrets were set for another document")
	}
	if len(s.Chain) == 0 || len(s.CardAuthentication) == 0 {
		t.Error("chain or card's authentication certificate is missing")
	}
	return document
}

// R34: one certificate alone.
func TestOneKindAlone(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Signature)
	must(t, f.app.SignWithCard(ctx, d, f.card))
	must(t, f.app.SetSecrets(ctx, d, phone.Secrets{Signature: phonePass}))
	must(t, f.app.Submit(ctx, d))
	s := f.server.submitted[0]
	if len(s.CardAuthentication) != 0 {
		t.Error("the card's authentication certificate went along unasked")
	}
}

func TestStepsOutOfOrderAreRefused(t *testing.T) {
	f := newFixture(t)
	d, err := f.app.Begin(f.choice(warifu.Signature))
	must(t, err)
	wantProblem(t, "the tap before preparing", "draft-unprepared", f.app.SignWithCard(ctx, d, untouched(t)))
	wantProblem(t, "secrets before the tap", "draft-unsigned", f.app.SetSecrets(ctx, d, phone.Secrets{Signature: phonePass}))
	wantProblem(t, "submitting before the secrets", "draft-secrets-missing", f.app.Submit(ctx, d))
}

func TestTermsOtherThanShownAreRefused(t *testing.T) {
	f := newFixture(t)
	f.app.Element = untouched(t)
	d, err := f.app.Begin(f.choice(warifu.Signature))
	must(t, err)
	f.server.consent = "newer"
	wantProblem(t, "new notes", "consent-outdated", f.app.Prepare(ctx, d))
	f.server.consent, f.server.scheme = f.consent, "badge/999"
	wantProblem(t, "a new scheme", "scheme-changed", f.app.Prepare(ctx, d))
}

// K2: a challenge that is over costs no try.
func TestAnExpiredChallengeIsNotSigned(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Signature)
	f.clock.at = start.Add(11 * time.Minute)
	wantProblem(t, "eleven minutes later", "challenge-expired", f.app.SignWithCard(ctx, d, untouched(t)))
}

// R28, R29: the tries left are told, and a blocked card is not asked again.
func TestTheCardsTriesAreTold(t *testing.T) {
	f := newFixture(t)
	wrong := f.choice(warifu.Signature)
	wrong.CardPassword = "WRONG123"
	for want := 5; want > 0; want-- {
		d, err := f.app.Begin(wrong)
		must(t, err)
		must(t, f.app.Prepare(ctx, d))
		err = f.app.SignWithCard(ctx, d, f.card)
		if d.CardTries != want {
			t.Errorf("%d tries told, want %d", d.CardTries, want)
		}
		if want > 1 {
			wantProblem(t, "a wrong password", "card-pin-wrong", err)
		} else {
			wantProblem(t, "the last wrong password", "card-pin-blocked", err)
		}
	}
	d := f.prepared(t, warifu.Signature)
	wantProblem(t, "the right one, too late", "card-pin-blocked", f.app.SignWithCard(ctx, d, f.card))
}

func TestAPhoneIsNoParent(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Signature)
	wantProblem(t, "the phone as card", "parent-is-phone", f.app.SignWithCard(ctx, d, f.element.Contactless()))
}

// Giving up leaves nothing at the server and nothing in the shadow slots.
func TestAbandoningLeavesNothing(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Kinds[:]...)
	must(t, f.app.SignWithCard(ctx, d, f.card))
	must(t, f.app.SetSecrets(ctx, d, phone.Secrets{Signature: phonePass, Authentication: phonePIN}))
	must(t, f.app.Abandon(ctx))
	element, err := jpki.SelectElement(ctx, f.app.Element)
	must(t, err)
	slots, err := element.Slots(ctx)
	must(t, err)
	if len(slots.Shadow.Slots) != 0 || len(f.server.submitted) != 0 {
		t.Errorf("left behind: %d shadow slots, %d applications", len(slots.Shadow.Slots), len(f.server.submitted))
	}
}

// torn goes silent after some APDUs.
type torn struct {
	iso7816.Transmitter
	left int
}

func (c *torn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if c.left--; c.left < 0 {
		return nil, iso7816.ErrRemoved
	}
	return c.Transmitter.Transmit(ctx, command)
}

// The card is torn away after each APDU in turn; then the same draft is signed all
// the same, and no try was lost.
func TestACardTornAwayAnywhereCostsNothing(t *testing.T) {
	f := newFixture(t)
	d := f.prepared(t, warifu.Kinds[:]...)
	for cut := 0; ; cut++ {
		err := f.app.SignWithCard(ctx, d, &torn{f.card, cut})
		f.card.PowerOff()
		if err == nil {
			if cut < 10 {
				t.Errorf("signed with %d APDUs", cut)
			}
			break
		}
		wantProblem(t, "torn away", "card-removed", err)
	}
	if d.CardTries != 5 {
		t.Errorf("%d tries left, want 5", d.CardTries)
	}
}

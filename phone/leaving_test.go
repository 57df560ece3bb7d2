package phone_test

import (
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/registration"
)

var byPassword = phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature}

// standing wants what chip and server say of both kinds.
func finds(t *testing.T, what string, app *phone.App, want ...phone.Finding) []phone.Validity {
	t.Helper()
	kinds, err := app.Check(ctx)
	must(t, err)
	var got []phone.Finding
	for _, v := range kinds {
		got = append(got, v.Finding)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: found %v, want %v", what, got, want)
	}
	return kinds
}

// R78, K5: whoever starts a reset, a sale, a repair or a new enrolment decides first; each
// choice does what it says and no more.
func TestLeavingHandsTakesADecision(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	if out, err := p.App.Leave(ctx, phone.OccasionReset, phone.Decision{}); err != nil || out.Choice != "" {
		t.Errorf("a phone with nothing on it was asked: %+v, %v", out, err)
	}
	p.Own(t, "taro")
	for _, o := range []phone.Occasion{phone.OccasionReset, phone.OccasionListing, phone.OccasionRepair, phone.OccasionNewPhone} {
		asked, err := p.App.Leaving(ctx, o)
		must(t, err)
		if len(asked.Choices) != 3 || len(asked.Checklist) != 6 || asked.Checklist[2].Item != "transit" || asked.Checklist[3].Item != "messages" {
			t.Errorf("%s: asked %+v", o, asked)
		}
		_, err = p.App.Leave(ctx, o, phone.Decision{})
		wantProblem(t, string(o), "leaving-undecided", err)
	}
	_, err := p.App.Leave(ctx, phone.OccasionRepair, phone.Decision{Choice: "give-away"})
	wantProblem(t, "a choice of one's own", "leaving-choice-unknown", err)
	_, err = p.App.Leave(ctx, phone.OccasionRepair, phone.Decision{Choice: phone.ChoiceHold, Secret: byPassword})
	wantProblem(t, "a repair without an end", "hold-until-missing", err)
	_, err = p.App.Leave(ctx, phone.OccasionRepair, phone.Decision{Choice: phone.ChoiceHold, Until: h.Clock.Now().Add(48 * time.Hour), Secret: phone.Secret{Kind: warifu.Signature}})
	wantProblem(t, "a hold without a secret", "secret-format", err)
	finds(t, "nothing decided", p.App, phone.FindingUsable, phone.FindingUsable)

	_, err = p.App.Leave(ctx, phone.OccasionReset, phone.Decision{Choice: phone.ChoiceKeep})
	must(t, err)
	finds(t, "kept", p.App, phone.FindingUsable, phone.FindingUsable)
	_, err = p.App.Leave(ctx, phone.OccasionRepair, phone.Decision{Choice: phone.ChoiceHold, Until: h.Clock.Now().Add(48 * time.Hour), Secret: byPassword})
	must(t, err)
	kinds := finds(t, "at the repair shop", p.App, phone.FindingHeld, phone.FindingHeld)
	if !slices.Equal(kinds[0].Standing.Holds, []warifu.HoldReason{warifu.HoldRepair}) {
		t.Errorf("held because of %v", kinds[0].Standing.Holds)
	}
	out, err := p.App.Leave(ctx, phone.OccasionListing, phone.Decision{Choice: phone.ChoiceRevoke, Secret: byPassword})
	must(t, err)
	if len(out.Credentials) != 2 || out.Credentials[0].State != warifu.CredentialRevoked {
		t.Errorf("revoked: %+v", out)
	}
	finds(t, "sold", p.App, phone.FindingGone, phone.FindingGone)
	h.Check(t)
}

// Revoking before the phone goes takes back what is on its way to it too.
func TestLeavingForGoodWithdrawsWhatIsOnItsWay(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	open := p.Issue(t, "taro")
	out, err := p.App.Leave(ctx, phone.OccasionListing, phone.Decision{Choice: phone.ChoiceRevoke, Secret: byPassword})
	must(t, err)
	if out.Withdrawn != open.ID || h.Application(t, open.ID).State != warifu.ApplicationWithdrawn {
		t.Errorf("the open application is %s: %+v", h.Application(t, open.ID).State, out)
	}
	h.Check(t)
}

// R81–R83: a marketplace asks the app; nothing is told until the holder has decided, and then
// the chip proves it to that marketplace alone.
func TestAMarketplaceIsAnsweredWhenTheHolderHasDecided(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	h.Clock.Forward(time.Minute)
	var imei string
	for _, made := range h.Maker.Phones() {
		if made.Element == p.Record.Element {
			imei = "imei:" + made.IMEI
		}
	}
	q := phone.CleanQuestion{Marketplace: "flea-market", Nonce: make([]byte, 32), Identifiers: []string{imei}, Time: h.Clock.Now()}
	_, err := p.App.Listed(ctx, phone.CleanQuestion{Marketplace: "flea-market", Nonce: make([]byte, 3), Time: h.Clock.Now()})
	wantProblem(t, "a short nonce", "clean-question-malformed", err)
	asked, err := p.App.Listed(ctx, q)
	must(t, err)
	if len(asked.Choices) != 3 {
		t.Errorf("asked %+v", asked)
	}
	_, err = p.App.Leave(ctx, phone.OccasionListing, phone.Decision{})
	wantProblem(t, "undecided", "leaving-undecided", err)
	state, err := p.App.State()
	must(t, err)
	if state.Listing == nil || state.Listing.Marketplace != "flea-market" {
		t.Errorf("the question does not wait: %+v", state.Listing)
	}
	h.Clock.Forward(time.Minute)
	out, err := p.App.Leave(ctx, phone.OccasionListing, phone.Decision{Choice: phone.ChoiceRevoke, Secret: byPassword})
	must(t, err)
	if out.Proof == nil {
		t.Fatal("the marketplace has no answer")
	}
	answer, err := h.Server.Clean(ctx, *out.Proof, q)
	must(t, err)
	if answer.Answer != string(registration.CleanYes) {
		t.Errorf("the marketplace hears %+v", answer)
	}
	other := q
	other.Marketplace = "another market"
	_, err = h.Server.Clean(ctx, *out.Proof, other)
	wantProblem(t, "the proof at another marketplace", "clean-proof-other", err)
	if state, err = p.App.State(); err != nil || state.Listing != nil {
		t.Errorf("the question still waits: %+v, %v", state.Listing, err)
	}
}

// R74: a reset leaves the chip as it was, and its holder loses nothing by it; a thief who
// forges one gains nothing: no secret is forgotten, no try is given back, no hold lifted.
func TestAResetGivesItsHolderEverythingBackAndAThiefNothing(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
	_, err := p.App.Login(ctx, asked(h), page, phone.Unlock{Typed: "0000"})
	wantProblem(t, "a guess", "secret-wrong", err)
	must(t, p.FactoryReset())

	// the thief's hands, with a screen lock of their own
	_, err = p.App.Login(ctx, asked(h), page, phone.Unlock{Gesture: &thumb})
	wantProblem(t, "the screen lock after a reset", "screen-lock-off", err)
	if left := tries(t, p.App, warifu.Authentication); left != 2 {
		t.Errorf("a reset left %d tries, want 2", left)
	}
	found, err := p.App.Recognise(ctx)
	must(t, err)
	if !found.New || found.Destroyed != 0 || found.Application != a.ID || found.Kinds[0].Finding != phone.FindingUsable {
		t.Errorf("recognised %+v", found)
	}
	for what, d := range map[string]phone.Decision{
		"revoking": {Choice: phone.ChoiceRevoke, Secret: phone.Secret{Kind: warifu.Signature, Typed: "WRONG000"}},
		"holding":  {Choice: phone.ChoiceHold, Until: h.Clock.Now().Add(time.Hour), Secret: phone.Secret{Kind: warifu.Signature, Typed: "WRONG000"}},
	} {
		_, err = p.App.Leave(ctx, phone.OccasionReset, d)
		wantProblem(t, what, "secret-wrong", err)
	}
	if n, err := p.App.Wipe(ctx); n != 0 || err != nil {
		t.Errorf("wiping live keys: %d, %v", n, err)
	}
	_, err = p.App.NewCode(ctx, phone.Secret{Kind: warifu.Signature, Typed: "WRONG000"})
	wantProblem(t, "a suspension code", "secret-wrong", err)

	// the holder's hands again
	_, err = p.App.Sign(ctx, []byte("x"), true, phone.Unlock{Typed: housetest.Secrets.Signature})
	must(t, err)
	must(t, p.App.EnableScreenLock(ctx, housetest.Secrets.Authentication, thumb))
	state, err := p.App.State()
	must(t, err)
	if state.Application != a.ID || !state.Personalized || len(state.Kinds) != 2 {
		t.Errorf("the app goes on with %+v", state)
	}
	h.Check(t)
}

// A thief who resets a stolen phone and registers their own card on it destroys the keys and
// gains nothing of the holder's: what the server still counts as live is live nowhere, and
// the holder ends it with the card.
func TestAThiefsOwnRegistrationLeavesNothingOfTheHolders(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	stolen := p.Own(t, "taro")
	must(t, p.FactoryReset())
	mine := p.Own(t, "hanako")
	kinds := finds(t, "after the thief's registration", p.App, phone.FindingUsable, phone.FindingUsable)
	state, err := p.App.State()
	must(t, err)
	if state.Application != mine.ID || kinds[0].Standing.State != warifu.CredentialActive {
		t.Errorf("%+v %+v", state, kinds)
	}
	card := h.Card(t, "taro")
	defer card.PowerOff()
	elsewhere := phone.Elsewhere{Server: h.Server, Scheme: h.Scheme, Clock: h.Clock}
	_, err = elsewhere.Order(ctx, phone.CardOrder{Verb: warifu.VerbRevoke, Card: card, CardPassword: string(h.PINs(t, "taro").Signature.Reveal())})
	if err != nil && !slices.Contains([]string{"credential-ended", "credential-absent"}, warifu.ProblemOf(err).Problem) {
		t.Error(err)
	}
	standing, err := h.Server.Credentials(ctx, stolen.ID)
	must(t, err)
	for _, c := range standing {
		if c.State == warifu.CredentialActive || c.State == warifu.CredentialHeld {
			t.Errorf("the holder's %s credential is %s", c.Kind, c.State)
		}
	}
	finds(t, "the thief's own", p.App, phone.FindingUsable, phone.FindingUsable)
	h.Check(t)
}

// K18: what its former holder revoked without the phone at hand is destroyed at the first
// contact of the next one's app, without a secret; what was not revoked is not.
func TestANewOwnersAppDestroysWhatIsDeadAtFirstContact(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	must(t, p.FactoryReset())
	found, err := p.App.Recognise(ctx)
	must(t, err)
	if found.Destroyed != 0 || found.Kinds[1].Finding != phone.FindingUsable {
		t.Errorf("before the revocation: %+v", found)
	}
	card := h.Card(t, "taro")
	defer card.PowerOff()
	elsewhere := phone.Elsewhere{Server: h.Server, Scheme: h.Scheme, Clock: h.Clock}
	_, err = elsewhere.Order(ctx, phone.CardOrder{Verb: warifu.VerbRevoke, Card: card, CardPassword: string(h.PINs(t, "taro").Signature.Reveal())})
	must(t, err)
	finds(t, "revoked elsewhere", p.App, phone.FindingEnded, phone.FindingEnded)
	must(t, p.FactoryReset())
	if found, err = p.App.Recognise(ctx); err != nil || found.Destroyed != 2 || found.Application != "" || found.Kinds[0].Finding != phone.FindingGone {
		t.Errorf("the next owner's app: %+v, %v", found, err)
	}
	if found, err = p.App.Recognise(ctx); err != nil || found.Destroyed != 0 {
		t.Errorf("and once more: %+v, %v", found, err)
	}
	p.Own(t, "hanako")
	finds(t, "the next owner's own", p.App, phone.FindingUsable, phone.FindingUsable)
	h.Check(t)
}

// An application on its way is found again after a reset, and registered (R74).
func TestAResetDoesNotLoseAnApplication(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	open := p.Issue(t, "taro")
	must(t, p.FactoryReset())
	wantProblem(t, "registering what is forgotten", "application-none", p.Personalize())
	found, err := p.App.Recognise(ctx)
	must(t, err)
	if found.Application != open.ID {
		t.Errorf("recognised %+v", found)
	}
	must(t, p.Personalize())
	finds(t, "registered", p.App, phone.FindingUsable, phone.FindingUsable)
}

// New keys would destroy those that wait for an open application: the app asks first, also
// one that has forgotten it.
func TestKeysThatWaitAreNotDestroyedUnasked(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	choice := phone.Choice{Kinds: warifu.Kinds[:], Consent: h.Scheme.Consent, CardPassword: string(h.PINs(t, "taro").Signature.Reveal())}
	prepare := func() error {
		d, err := p.App.Begin(choice)
		must(t, err)
		return p.App.Prepare(ctx, d)
	}
	open := p.Issue(t, "taro")
	wantProblem(t, "over an open application", "application-open-here", prepare())
	must(t, p.Personalize())
	must(t, prepare())

	open = p.Issue(t, "taro")
	must(t, p.FactoryReset())
	wantProblem(t, "over one that the app has forgotten", "application-open-here", prepare())
	if id, err := p.App.WithdrawOpen(ctx); err != nil || id != open.ID {
		t.Errorf("withdrew %q, %v", id, err)
	}
	must(t, prepare())
	if id, err := p.App.WithdrawOpen(ctx); err != nil || id != "" {
		t.Errorf("withdrew %q, %v", id, err)
	}
	if state := h.Application(t, open.ID).State; state != warifu.ApplicationWithdrawn {
		t.Errorf("the open one is %s", state)
	}
}

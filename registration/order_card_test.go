package registration_test

import (
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

// cardOrder is an order signed with a person's card, changed by the test where it wants.
func cardOrder(t testing.TB, h *housetest.House, who string, o attest.CardOrder) []byte {
	t.Helper()
	if o.Challenge == nil {
		c, err := h.Registrar.OrderChallenge(context.Background(), warifu.ElementID{})
		must(t, err)
		o.Challenge = c.Octets
	}
	if o.Kinds == nil {
		o.Kinds = warifu.Kinds[:]
	}
	content, err := o.Marshal()
	must(t, err)
	return h.SignAs(t, who, attest.OIDCardOrder, content)
}

func byCard(h *housetest.House, document []byte) ([]registration.Standing, error) {
	return h.Registrar.ByCard(context.Background(), document)
}

// wantStates checks an order's answer without tickets: they go to the phone alone.
func wantStates(t testing.TB, got []registration.Standing, n int, state warifu.CredentialState, holds ...warifu.HoldReason) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d credentials answered, want %d", len(got), n)
	}
	for _, s := range got {
		if s.State != state || len(s.Holds) != len(holds) || s.Ticket != nil {
			t.Errorf("%s is %s with %v, want %s with %v", s.Kind, s.State, s.Holds, state, holds)
		}
	}
}

var (
	suspendLost = attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "lost"}
	resumeLost  = attest.CardOrder{Verb: warifu.VerbResume, Reason: "lost"}
	revokeAll   = attest.CardOrder{Verb: warifu.VerbRevoke}
)

func TestTheCardSuspendsALostPhoneAndResumesIt(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p, a, code := coded(t, h, "taro")
	other := h.Phone(t).Own(t, "hanako")
	document := cardOrder(t, h, "taro", suspendLost)
	for range 2 {
		got, err := byCard(h, document)
		must(t, err)
		wantStates(t, got, 2, warifu.CredentialHeld, warifu.HoldLost)
	}
	must(t, byCode(h, code.Reveal(), "")) // lost is lost, whoever says it
	wantStatus(t, h, a.ID, warifu.StatusRevoked, warifu.ReasonCertificateHold)
	wantCredentials(t, h, other.ID, 2, warifu.CredentialActive)
	h.Check(t)
	_, err := byCard(h, cardOrder(t, h, "hanako", resumeLost)) // another's card reaches another's phone
	must(t, err)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	got, err := byCard(h, cardOrder(t, h, "taro", resumeLost))
	must(t, err)
	wantStates(t, got, 2, warifu.CredentialActive)
	_, err = byCard(h, document)
	wantProblem(t, err, "challenge-used")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	_, err = byDevice(h, p, ask(t, h, p, "suspend:own-wish", both, warifu.Signature))
	must(t, err)
	_, err = byCard(h, cardOrder(t, h, "taro", attest.CardOrder{Verb: warifu.VerbResume, Reason: "own-wish"}))
	must(t, err)
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

// K9, K10: the phone is lost, broken, or both its passwords are.
func TestTheCardRevokesWithoutThePhone(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	again := p.Issue(t, "taro") // an application that the finder of the phone could fetch
	_, err := byCard(h, cardOrder(t, h, "taro", suspendLost))
	must(t, err)
	wantProblem(t, p.Personalize(), "application-held")
	document := cardOrder(t, h, "taro", revokeAll)
	for range 2 {
		got, err := byCard(h, document)
		must(t, err)
		wantStates(t, got, 2, warifu.CredentialRevoked)
		wantState(t, h, again.ID, warifu.ApplicationWithdrawn)
		h.Check(t)
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialRevoked)
	wantProblem(t, p.Personalize(), "application-not-issued")
	_, err = byCard(h, cardOrder(t, h, "taro", resumeLost))
	wantProblem(t, err, "credential-ended")
}

func TestTheCardLeavesTheNewPhoneAlone(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	old := h.Phone(t).Own(t, "taro")
	p := h.Phone(t)
	next := p.Issue(t, "taro") // bought because the old one is lost
	_, err := byCard(h, cardOrder(t, h, "taro", suspendLost))
	must(t, err)
	wantCredentials(t, h, old.ID, 2, warifu.CredentialHeld)
	_, err = byCard(h, cardOrder(t, h, "taro", revokeAll))
	must(t, err)
	wantCredentials(t, h, old.ID, 2, warifu.CredentialRevoked)
	wantState(t, h, next.ID, warifu.ApplicationIssued)
	must(t, p.Personalize())
	wantCredentials(t, h, next.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

// What is left of the old phone is the phone that is meant, whichever kind is named.
func TestTheCardMeansThePhoneThatIsLive(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	_, err := byDevice(h, p, ask(t, h, p, "revoke", "signature", warifu.Signature))
	must(t, err)
	next := h.Phone(t)
	a := next.Issue(t, "taro")
	signature := revokeAll
	signature.Kinds = warifu.Kinds[:1]
	_, err = byCard(h, cardOrder(t, h, "taro", signature))
	must(t, err)
	wantState(t, h, a.ID, warifu.ApplicationIssued)
	h.Check(t)
}

func TestAnOpenApplicationAloneIsReachedByTheCard(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	_, err := byCard(h, cardOrder(t, h, "taro", suspendLost))
	wantProblem(t, err, "credential-absent")
	a := p.Issue(t, "taro")
	got, err := byCard(h, cardOrder(t, h, "taro", suspendLost))
	must(t, err)
	wantStates(t, got, 0, "")
	wantProblem(t, p.Personalize(), "application-held")
	_, err = byCard(h, cardOrder(t, h, "taro", resumeLost))
	must(t, err)
	must(t, p.Personalize())
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
	h.Check(t)
}

func TestWhatTheCardMayNotOrder(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	for _, c := range credentials(t, h, a.ID) {
		for _, reason := range []warifu.HoldReason{warifu.HoldCard, warifu.HoldOperator} {
			do(t, h, c.ID, put(h, reason))
		}
	}
	until := h.Clock.Now().Add(24 * time.Hour)
	for name, c := range map[string]struct {
		order   attest.CardOrder
		problem string
	}{
		"lift the card's own hold":  {attest.CardOrder{Verb: warifu.VerbResume, Reason: "card"}, "hold-not-yours"},
		"lift an operator's hold":   {attest.CardOrder{Verb: warifu.VerbResume, Reason: "operator"}, "hold-not-yours"},
		"put an operator's hold":    {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "operator", Kinds: warifu.Kinds[:1]}, ""},
		"a reason that is none":     {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "boredom"}, "hold-reason-unknown"},
		"no reason":                 {attest.CardOrder{Verb: warifu.VerbSuspend}, "order-malformed"},
		"a reason to revoke":        {attest.CardOrder{Verb: warifu.VerbRevoke, Reason: "lost"}, "order-malformed"},
		"lost until a date":         {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "lost", Until: until}, "order-malformed"},
		"resume at a date":          {attest.CardOrder{Verb: warifu.VerbResume, Reason: "repair", Until: until}, "order-malformed"},
		"repair without a date":     {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "repair"}, "hold-until-past"},
		"repair that is over":       {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "repair", Until: h.Clock.Now()}, "hold-until-past"},
		"repair for years":          {attest.CardOrder{Verb: warifu.VerbSuspend, Reason: "repair", Until: until.AddDate(3, 0, 0)}, "hold-until-too-far"},
		"a challenge of a phone's":  {attest.CardOrder{Verb: warifu.VerbRevoke, Challenge: challengeFor(t, h, p.Record.Element)}, "challenge-invalid"},
		"a challenge of its making": {attest.CardOrder{Verb: warifu.VerbRevoke, Challenge: make([]byte, attest.ChallengeLength)}, "challenge-invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := byCard(h, cardOrder(t, h, "taro", c.order))
			if c.problem == "" { // it stands already: nothing is done, by whoever asks
				must(t, err)
				return
			}
			wantProblem(t, err, c.problem)
		})
	}
	wantCredentials(t, h, a.ID, 2, warifu.CredentialHeld)
	h.Check(t)
}

func challengeFor(t testing.TB, h *housetest.House, element warifu.ElementID) []byte {
	t.Helper()
	c, err := h.Registrar.OrderChallenge(context.Background(), element)
	must(t, err)
	return c.Octets
}

func TestACardOrderIsTheCardsOwn(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Own(t, "taro")
	content, err := attest.CardOrder{Challenge: challengeFor(t, h, warifu.ElementID{}), Verb: warifu.VerbRevoke, Kinds: warifu.Kinds[:]}.Marshal()
	must(t, err)
	_, err = byCard(h, h.SignAs(t, "taro", attest.OIDApplicationDocument, content))
	wantProblem(t, err, "document-not-an-order")
	_, err = byCard(h, h.SignAs(t, "taro", cms.OIDData, content))
	wantProblem(t, err, "document-not-an-order")
	_, err = byCard(h, h.SignAs(t, "taro", attest.OIDCardOrder, []byte("revoke everything")))
	wantProblem(t, err, "paper-malformed")
	_, err = byCard(h, make([]byte, registration.MaxDocument+1))
	wantProblem(t, err, "application-too-large")
	_, err = byCard(h, []byte("no message"))
	wantProblem(t, err, "signature-malformed")
	forged := cardOrder(t, h, "taro", revokeAll)
	forged[len(forged)-5] ^= 1
	if _, err = byCard(h, forged); err == nil {
		t.Error("a flipped bit is believed")
	}
	late := cardOrder(t, h, "taro", revokeAll)
	h.Clock.Forward(h.Scheme.ChallengeLife + time.Second)
	_, err = byCard(h, late)
	wantProblem(t, err, "challenge-expired")
	must(t, h.Bureau.Suspend("taro")) // who stole both has no use of the card either
	_, err = byCard(h, cardOrder(t, h, "taro", revokeAll))
	wantProblem(t, err, "card-held")
	must(t, h.Bureau.Resume("taro"))
	must(t, h.Bureau.Revoke("taro", warifu.ReasonKeyCompromise))
	_, err = byCard(h, cardOrder(t, h, "taro", revokeAll))
	wantProblem(t, err, "card-revoked")
	h.Cards.Fault = housetest.Down
	_, err = byCard(h, cardOrder(t, h, "hanako", revokeAll))
	wantProblem(t, err, "bureau-unreachable")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
}

// The phone's own signing key opens nothing with a card's order: only a card does (design §3.1).
func TestAPhoneCannotPassForACard(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	p := h.Phone(t)
	p.Own(t, "taro")
	content, err := attest.CardOrder{Challenge: challengeFor(t, h, warifu.ElementID{}), Verb: warifu.VerbRevoke, Kinds: warifu.Kinds[:]}.Marshal()
	must(t, err)
	_, err = byCard(h, signAsPhone(t, h, p, attest.OIDCardOrder, content))
	if err == nil {
		t.Fatal("a phone passes for a card")
	}
	h.Check(t)
}

// A challenge is remembered longer than it is accepted: what was fresh when it was looked at
// may have grown old, and been forgotten, by the time it is spent.
func TestAnUsedChallengeIsNotForgottenWhileItMayStillBeTaken(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	document := cardOrder(t, h, "taro", suspendLost)
	_, err := byCard(h, document)
	must(t, err)
	_, err = byCard(h, cardOrder(t, h, "taro", resumeLost))
	must(t, err)
	h.Clock.Forward(h.Scheme.ChallengeLife - time.Second)
	h.Cards.ChangeStatement = func(answer []byte) []byte {
		h.Clock.Forward(2 * time.Second) // the bureau took its time, and meanwhile the house was swept
		must(t, h.Store.Write(context.Background(), func(tx *store.Tx) error {
			_, err := tx.PurgeChallenges(h.Clock.Now())
			return err
		}))
		return answer
	}
	_, err = byCard(h, document)
	wantProblem(t, err, "challenge-used")
	wantCredentials(t, h, a.ID, 2, warifu.CredentialActive)
}

package registration_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/store"
)

// sweep goes round once.
func sweep(t testing.TB, h *housetest.House) registration.Swept {
	t.Helper()
	out, err := h.Registrar.SweepCards(context.Background(), 1000)
	must(t, err)
	if !out.Round || out.Failed != 0 {
		t.Errorf("%+v", out)
	}
	return out
}

func TestASweepFindsWhatALostMessageMissed(t *testing.T) {
	for _, c := range []struct {
		name                     string
		happens                  func(b *bureau.Bureau) error
		credentials, application string
	}{
		{"renewed", renews, "revoked privilegeWithdrawn, revoked cessationOfOperation", "application-card-ended"},
		{"revoked", loses, "revoked privilegeWithdrawn, revoked privilegeWithdrawn", "application-card-ended"},
		{"suspended", suspends, "held, held", ""},
		{"moved", moves, "revoked privilegeWithdrawn, active", "application-card-ended"},
		{"name-changed", marries, "revoked privilegeWithdrawn, active", "application-card-ended"},
		{"died", dies, "revoked privilegeWithdrawn, revoked privilegeWithdrawn", "application-card-ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			a := h.Phone(t).Own(t, who)
			next := h.Phone(t).Issue(t, who)
			if quiet := sweep(t, h); quiet.Asked != 2 || quiet.Changed != 0 {
				t.Errorf("before anything happened: %+v", quiet)
			}
			_, last := linesAfter(t, h, "")
			h.Clock.Forward(time.Minute)
			must(t, c.happens(h.Bureau))
			if found := sweep(t, h); found.Changed != 1 {
				t.Errorf("%+v", found)
			}
			if got := states(t, h, a.ID); got != c.credentials {
				t.Errorf("%s, want %s", got, c.credentials)
			}
			if got := h.Application(t, next.ID); got.Problem != c.application || got.Held != (c.name == "suspended") {
				t.Errorf("the application: %+v", got)
			}
			lines, last := linesAfter(t, h, last)
			wantTree(t, lines, "sweep")
			if again := sweep(t, h); again.Changed != 0 {
				t.Errorf("a second round: %+v", again)
			}
			catchUp(t, h) // the message comes after all
			if lines, _ = linesAfter(t, h, last); len(lines) != 0 {
				t.Errorf("done twice: %+v", lines)
			}
			h.Check(t)
		})
	}
}

func TestASweepLiftsTheCardsHoldWhenTheLiftWasLost(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	p := h.Phone(t)
	next := p.Issue(t, who)
	must(t, h.Bureau.Suspend(who))
	catchUp(t, h)
	do(t, h, credentials(t, h, a.ID)[0].ID, put(h, warifu.HoldLost))
	must(t, h.Bureau.Resume(who))
	if same := sweep(t, h); same.Changed != 0 {
		t.Errorf("in the second of the suspension nobody knows which came first: %+v", same)
	}
	h.Clock.Forward(time.Second)
	if found := sweep(t, h); found.Changed != 1 {
		t.Errorf("%+v", found)
	}
	if got := states(t, h, a.ID); got != "held, active" { // still lost
		t.Errorf("%s", got)
	}
	if h.Application(t, next.ID).Held {
		t.Error("the application still waits")
	}
	h.Check(t)
}

// TestAStatementThatWasOvertakenLiftsNothing: the bureau speaks of a good card, suspends it,
// and the event is followed before the statement is.
func TestAStatementThatWasOvertakenLiftsNothing(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	must(t, h.Bureau.Suspend(who))
	catchUp(t, h)
	h.Clock.Forward(time.Minute)
	must(t, h.Bureau.Resume(who)) // lost
	h.Clock.Forward(time.Minute)
	overtaken := func() {
		h.Clock.Forward(time.Minute)
		must(t, h.Bureau.Suspend(who))
		catchUp(t, h)
	}
	h.Cards.ChangeStatement = func(envelope []byte) []byte {
		overtaken()
		h.Cards.ChangeStatement = nil
		return envelope
	}
	sweep(t, h)
	if got := states(t, h, a.ID); got != "held, held" {
		t.Errorf("%s", got)
	}
	h.Check(t)
}

// TestAnOlderEventDoesNotUndoANewerStatement: the sweep knew first, and the messages
// come late.
func TestAnOlderEventDoesNotUndoANewerStatement(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	for _, f := range []func(*bureau.Bureau) error{suspends, resumes, suspends} {
		h.Clock.Forward(time.Minute)
		must(t, f(h.Bureau))
	}
	h.Clock.Forward(time.Minute)
	sweep(t, h)
	late := envelopes(t, h, 0)
	for _, envelope := range late {
		_, err := follow(h, envelope)
		must(t, err)
		if got := states(t, h, a.ID); got != "held, held" {
			t.Fatalf("%s", got)
		}
	}
	h.Check(t)
}

// TestEachOfAPersonsCardsHasItsOwnLastWord: a word about the card that a phone was issued
// with makes no word of the same second about the renewed card an older one.
func TestEachOfAPersonsCardsHasItsOwnLastWord(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	must(t, h.Bureau.Renew(who, bureau.Renewal{Signature: warifu.NewCardPIN([]byte("REN2026"))})) // lost
	next := h.Phone(t).Issue(t, who)
	for range 20 {
		if a.ID < next.ID { // the order in which a sweep goes
			break
		}
		next = h.Phone(t).Issue(t, who)
	}
	h.Clock.Forward(time.Minute)
	must(t, suspends(h.Bureau)) // lost too
	if found := sweep(t, h); found.Changed != 2 {
		t.Errorf("%+v", found)
	}
	if got := states(t, h, a.ID); got != "revoked privilegeWithdrawn, revoked cessationOfOperation" {
		t.Errorf("of the older card: %s", got)
	}
	if !h.Application(t, next.ID).Held {
		t.Error("the renewed card is suspended, and the application that stands on it does not wait")
	}
	h.Check(t)
}

func TestASweepGoesRoundInPortions(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	for _, id := range []string{"taro", "hanako", "kenji", who, "kaoru"} {
		h.Phone(t).Own(t, id)
	}
	before := h.Cards.Calls("statement")
	for range 2 {
		asked, cards := h.Cards.Calls("statements"), 0
		rounds := []bool{}
		for range 3 {
			out, err := h.Registrar.SweepCards(t.Context(), 2)
			must(t, err)
			rounds = append(rounds, out.Round)
			cards += out.Asked
		}
		if n := h.Cards.Calls("statements") - asked; n != 3 || cards != 5 || h.Cards.Calls("statement") != before || rounds[0] || rounds[1] || !rounds[2] {
			t.Errorf("%d papers about %d cards, %v", n, cards, rounds)
		}
	}
}

func TestASweepThatIsNotAnsweredBeginsAtTheSamePlace(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	var owned []registration.Application
	for _, id := range []string{"taro", "hanako", "kenji"} {
		owned = append(owned, h.Phone(t).Own(t, id))
	}
	_, err := h.Registrar.SweepCards(t.Context(), 1)
	must(t, err)
	h.Cards.Fault = housetest.Down
	_, err = h.Registrar.SweepCards(t.Context(), 1)
	wantProblem(t, err, "card-sweep-unanswered")
	h.Cards.Fault = nil
	for _, id := range []string{"taro", "hanako", "kenji"} {
		must(t, h.Bureau.Die(id))
	}
	for range 2 {
		_, err := h.Registrar.SweepCards(t.Context(), 1)
		must(t, err)
	}
	dead := 0
	for _, a := range owned {
		if states(t, h, a.ID) != "active, active" {
			dead++
		}
	}
	if dead != 2 {
		t.Errorf("%d of the two behind the cursor", dead)
	}
}

func TestOneCardTheBureauDoesNotAnswerForHoldsUpNoOther(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a, b := h.Phone(t).Own(t, "taro"), h.Phone(t).Own(t, "hanako")
	must(t, h.Bureau.Die("taro"))
	must(t, h.Bureau.Die("hanako"))
	var mu sync.Mutex
	asked := 0
	h.Cards.Fault = func(call string) error {
		mu.Lock()
		defer mu.Unlock()
		if call != "statement" {
			return nil
		}
		if asked++; asked == 1 {
			return warifu.Refused("card-certificate-unknown", "kind", "signature")
		}
		return nil
	}
	out, err := h.Registrar.SweepCards(t.Context(), 10)
	must(t, err)
	if out.Failed != 1 || out.Changed != 1 || !out.Round {
		t.Errorf("%+v", out)
	}
	if sweep(t, h).Changed != 1 || states(t, h, a.ID) != states(t, h, b.ID) {
		t.Errorf("after the next round: %s; %s", states(t, h, a.ID), states(t, h, b.ID))
	}
	h.Check(t)
}

func TestASweepBelievesOnlyAnAnswerToItsQuestion(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	must(t, h.Bureau.Die("hanako"))
	other, err := h.Bureau.Statement(authenticationOf(t, h, "hanako"), warifu.DigestOf([]byte("n")))
	must(t, err)
	old, err := h.Bureau.Statements([][]byte{credentialParent(t, h, a.ID)}, warifu.DigestOf([]byte("n")))
	must(t, err)
	torn := func(e []byte) []byte { return e[:len(e)-1] }
	nothing := func([]byte) []byte { return nil }
	for what, change := range map[string]func([]byte) []byte{
		"another's statement":           func([]byte) []byte { return other },
		"an answer to another question": func([]byte) []byte { return old },
		"a torn one":                    torn,
		"nothing":                       nothing,
	} {
		h.Cards.ChangeStatements = change
		_, err := h.Registrar.SweepCards(t.Context(), 10)
		t.Run(what, func(t *testing.T) { wantProblem(t, err, "card-sweep-unanswered") })
	}
	h.Cards.ChangeStatements = nil
	must(t, h.Bureau.Die("taro"))
	for what, change := range map[string]func([]byte) []byte{"torn": torn, "nothing": nothing} {
		h.Cards.ChangeStatement = change
		_, err := h.Registrar.SweepCards(t.Context(), 10)
		t.Run("of one card: "+what, func(t *testing.T) { wantProblem(t, err, "card-sweep-unanswered") })
	}
	h.Cards.ChangeStatement = func([]byte) []byte { return other }
	if out, err := h.Registrar.SweepCards(t.Context(), 10); err != nil || out.Failed != 1 || out.Changed != 0 {
		t.Errorf("another's statement: %+v, %v", out, err)
	}
	if got := states(t, h, a.ID); got != "active, active" {
		t.Errorf("%s", got)
	}
}

// credentialParent is the serial number of the card certificate that signed an application.
func credentialParent(t *testing.T, h *housetest.House, application string) (serial []byte) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) error {
		row, err := tx.Application(application)
		serial = row.Parent.SignatureSerial
		return err
	})
	return serial
}

// TestABureauWithoutPapersAboutManyCardsIsAskedAboutEach: what the sweep finds is the same.
func TestABureauWithoutPapersAboutManyCardsIsAskedAboutEach(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a, b := h.Phone(t).Own(t, "taro"), h.Phone(t).Own(t, "hanako")
	must(t, h.Bureau.Die("taro"))
	before := h.Cards.Calls("statement")
	h.Cards.Fault = func(call string) error {
		if call == "statements" {
			return warifu.NotFound("bureau-page-unknown")
		}
		return nil
	}
	out, err := h.Registrar.SweepCards(t.Context(), 10)
	if err != nil || out.Asked != 2 || out.Changed != 1 || out.Failed != 0 || h.Cards.Calls("statement") != before+2 {
		t.Errorf("%+v, %v", out, err)
	}
	if states(t, h, a.ID) == "active, active" || states(t, h, b.ID) != "active, active" {
		t.Errorf("%s; %s", states(t, h, a.ID), states(t, h, b.ID))
	}
	h.Check(t)
}

// TestASweepAsksNoFurtherAboutWhatIsHeldForAnotherReason: a lost phone's card is good, and
// nothing waits for the card.
func TestASweepAsksNoFurtherAboutWhatIsHeldForAnotherReason(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, "taro")
	do(t, h, credentials(t, h, a.ID)[0].ID, put(h, warifu.HoldLost))
	before := h.Cards.Calls("statement")
	if out := sweep(t, h); out.Asked != 1 || out.Changed != 0 || h.Cards.Calls("statement") != before {
		t.Errorf("%+v", out)
	}
}

func TestCredentialsExpireWithTheirCertificates(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	c := credentials(t, h, a.ID)[0]
	do(t, h, c.ID, put(h, warifu.HoldLost))
	h.Clock.To(c.NotAfter)
	if n, err := h.Registrar.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("in the last second: %d, %v", n, err)
	}
	h.Clock.Forward(time.Second)
	if n, err := h.Registrar.Expire(t.Context()); n != 2 || err != nil {
		t.Errorf("a second later: %d, %v", n, err)
	}
	if got := states(t, h, a.ID); got != "expired, expired" {
		t.Errorf("%s", got)
	}
	if n, err := h.Registrar.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	catchUp(t, h) // the card's own expiry finds nothing left to do
	if got := states(t, h, a.ID); got != "expired, expired" {
		t.Errorf("%s", got)
	}
	h.Check(t)
}

func TestTheCardsExpiryExpiresCredentialsAndEndsApplications(t *testing.T) {
	for _, by := range []string{"event", "sweep"} {
		t.Run(by, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			a := h.Phone(t).Own(t, who)
			end := credentials(t, h, a.ID)[0].NotAfter
			h.Clock.To(end.Add(-time.Hour))
			next := h.Phone(t).Issue(t, who)
			h.Clock.To(end.Add(time.Second))
			if by == "event" {
				catchUp(t, h)
			} else {
				sweep(t, h)
			}
			if got := states(t, h, a.ID); got != "expired, expired" {
				t.Errorf("%s", got)
			}
			if got := wantState(t, h, next.ID, warifu.ApplicationWithdrawn); got.Problem != "application-card-ended" {
				t.Errorf("%q", got.Problem)
			}
			h.Check(t)
		})
	}
}

// TestAnEventThatOvertakesPersonalizationWins: the card is good when the house asks, and
// no longer when it commits.
func TestAnEventThatOvertakesPersonalizationWins(t *testing.T) {
	for _, c := range []struct {
		name    string
		happens func(b *bureau.Bureau) error
		problem string
	}{{"suspended", suspends, "application-held"}, {"moved", moves, "application-ended"}, {"died", dies, "application-ended"}} {
		t.Run(c.name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			old := h.Phone(t).Own(t, who)
			p := h.Phone(t)
			a := p.Issue(t, who)
			h.Cards.ChangeStatement = func(envelope []byte) []byte {
				h.Cards.ChangeStatement = nil
				must(t, c.happens(h.Bureau))
				catchUp(t, h)
				return envelope
			}
			wantProblem(t, p.Personalize(), c.problem)
			for _, id := range []string{old.ID, a.ID} {
				for _, credential := range credentials(t, h, id) {
					if credential.State == warifu.CredentialActive && (c.name != "moved" || credential.Kind == warifu.Signature) {
						t.Errorf("%s is active", credential.ID)
					}
				}
			}
			h.Check(t)
			if c.name != "suspended" {
				return
			}
			must(t, h.Bureau.Resume(who))
			catchUp(t, h)
			must(t, p.Personalize())
			if got := states(t, h, a.ID); got != "active, active" {
				t.Errorf("in the end: %s", got)
			}
			h.Check(t)
		})
	}
}

// TestTwoEventsRaceAPersonalization: whoever wins, in the end no credential is good whose
// card is not.
func TestTwoEventsRaceAPersonalization(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	for i, people := range []string{"taro", "hanako", "kenji", who, "kaoru", "maria"} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			old := h.Phone(t).Own(t, people)
			p := h.Phone(t)
			a := p.Issue(t, people)
			second, _ := h.SecondServer(t)
			must(t, h.Bureau.Suspend(people))
			must(t, h.Bureau.Resume(people))
			first := envelopes(t, h, 0)
			var all sync.WaitGroup
			all.Go(func() { _ = p.Personalize() })
			all.Go(func() {
				v, err := h.Bureau.Show(people)
				if err == nil {
					err = h.Bureau.Move(people, v.Person.Elsewhere())
				}
				if err != nil {
					t.Error(err)
				}
			})
			for _, r := range []*registration.Authority{h.Registrar, second} {
				all.Go(func() {
					if _, err := r.FollowCard(context.Background(), first); err != nil {
						t.Error(err)
					}
					if _, err := r.CatchUp(context.Background(), pull(h)); err != nil && !errors.Is(err, &warifu.Error{Problem: "card-events-behind"}) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			catchUp(t, h)
			for _, id := range []string{old.ID, a.ID} {
				if c := credentials(t, h, id)[0]; c.State == warifu.CredentialActive || c.State == warifu.CredentialHeld {
					t.Errorf("the signing credential of %s is %s after a move", id, c.State)
				}
			}
			if state := h.Application(t, a.ID).State; state == warifu.ApplicationIssued {
				t.Errorf("the application is still %s", state)
			}
			h.Check(t)
		})
	}
}

func TestNothingPersonalIsInTheTrailOfAnEvent(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	h.Phone(t).Own(t, who)
	v, err := h.Bureau.Show(who)
	must(t, err)
	must(t, h.Bureau.Move(who, v.Person.Elsewhere()))
	catchUp(t, h)
	lines, _ := linesAfter(t, h, "")
	for _, l := range lines {
		for _, secret := range []string{v.Person.Name, v.Person.Address, v.Person.Elsewhere().Address, v.Person.Number} {
			if text := fmt.Sprint(l); secret != "" && strings.Contains(text, secret) {
				t.Errorf("%s", text)
			}
		}
	}
	h.Read(t, func(tx *store.Tx) error {
		for _, l := range lines {
			if l.Verb != "follow" {
				continue
			}
			var d warifu.Digest
			must(t, d.UnmarshalText([]byte(l.Detail["paper"])))
			paper, err := tx.UnsealBlob(d)
			must(t, err)
			if _, err := attest.Open(attest.ContextCardEvent, paper, h.Bureau.StatementKey()); err != nil {
				t.Errorf("the evidence does not hold: %v", err)
			}
		}
		return nil
	})
}

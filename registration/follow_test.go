package registration_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/events"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/store"
)

// pull asks the house's bureau.
func pull(h *housetest.House) registration.Pull {
	return func(_ context.Context, after int64) (events.Batch, error) { return h.Bureau.Events(after, 0) }
}

// catchUp follows whatever the bureau has told.
func catchUp(t testing.TB, h *housetest.House) {
	t.Helper()
	_, err := h.Registrar.CatchUp(context.Background(), pull(h))
	must(t, err)
}

// envelopes are the bureau's events after a number.
func envelopes(t testing.TB, h *housetest.House, after int64) [][]byte {
	t.Helper()
	batch, err := h.Bureau.Events(after, 0)
	must(t, err)
	return batch.Events
}

func follow(h *housetest.House, envelopes ...[]byte) (int64, error) {
	return h.Registrar.FollowCard(context.Background(), envelopes)
}

// lineAfter returns the audit lines written after one, and the newest's identifier.
func linesAfter(t testing.TB, h *housetest.House, last string) (lines []store.Line, newest string) {
	t.Helper()
	h.Read(t, func(tx *store.Tx) (err error) {
		lines, err = tx.AuditAfter(last, 10_000)
		return err
	})
	if newest = last; len(lines) > 0 {
		newest = lines[len(lines)-1].ID
	}
	return lines, newest
}

// wantTree checks that the lines are one tree: the first is its root, and the causes of
// every other lead there.
func wantTree(t testing.TB, lines []store.Line, root warifu.Verb) {
	t.Helper()
	if len(lines) == 0 {
		t.Fatal("nothing was written down")
	}
	byID := map[string]store.Line{}
	for _, l := range lines {
		byID[l.ID] = l
	}
	if r := lines[0]; r.Verb != root || r.Cause != "" || r.Detail["paper"] == "" || r.Actor != "card-bureau" {
		t.Errorf("the root: %+v", r)
	}
	for _, l := range lines[1:] {
		at := l
		for range 10 {
			if at.ID == lines[0].ID {
				break
			}
			at = byID[at.Cause]
		}
		if at.ID != lines[0].ID {
			t.Errorf("%s of %s does not follow from the event: cause %q", l.Verb, l.Subject, l.Cause)
		}
	}
}

// states are the states of an application's credentials, signature first.
func states(t testing.TB, h *housetest.House, application string) string {
	t.Helper()
	var out []string
	for _, c := range credentials(t, h, application) {
		s := string(c.State)
		if c.State == warifu.CredentialRevoked {
			s += " " + c.Reason.String()
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// who is the person to whom things happen: whose card ends within three months, so that
// it may be renewed.
const who = "yuki"

// life is something that happens to their card.
type life func(t *testing.T, h *housetest.House)

func happens(f func(b *bureau.Bureau) error) life {
	return func(t *testing.T, h *housetest.House) {
		t.Helper()
		must(t, f(h.Bureau))
	}
}

func moves(b *bureau.Bureau) error {
	v, err := b.Show(who)
	if err != nil {
		return err
	}
	return b.Move(who, v.Person.Elsewhere())
}

func marries(b *bureau.Bureau) error {
	v, err := b.Show(who)
	if err != nil {
		return err
	}
	return b.ChangeName(who, v.Person.Married())
}

func suspends(b *bureau.Bureau) error { return b.Suspend(who) }

func resumes(b *bureau.Bureau) error { return b.Resume(who) }

func dies(b *bureau.Bureau) error { return b.Die(who) }

func renews(b *bureau.Bureau) error { return b.Renew(who, bureau.Renewal{}) }

func loses(b *bureau.Bureau) error { return b.Revoke(who, warifu.ReasonKeyCompromise) }

// cases are K14, event by event.
var cases = []struct {
	name        string
	before      []life // happens and is followed first
	happens     life
	credentials string
	application warifu.ApplicationState // of one that was issued
	problem     string
}{
	{name: "renewed", happens: happens(renews), credentials: "revoked cessationOfOperation, revoked cessationOfOperation",
		application: warifu.ApplicationWithdrawn, problem: "application-card-renewed"},
	{name: "revoked", happens: happens(loses), credentials: "revoked privilegeWithdrawn, revoked privilegeWithdrawn",
		application: warifu.ApplicationWithdrawn, problem: "application-card-ended"},
	{name: "suspended", happens: happens(suspends), credentials: "held, held", application: warifu.ApplicationIssued},
	{name: "resumed", before: []life{happens(suspends)}, happens: happens(resumes), credentials: "active, active", application: warifu.ApplicationIssued},
	{name: "moved", happens: happens(moves), credentials: "revoked affiliationChanged, active",
		application: warifu.ApplicationWithdrawn, problem: "application-register-changed"},
	{name: "name-changed", happens: happens(marries), credentials: "revoked affiliationChanged, active",
		application: warifu.ApplicationWithdrawn, problem: "application-register-changed"},
	{name: "moved while suspended", before: []life{happens(suspends)}, happens: happens(moves), credentials: "revoked affiliationChanged, held",
		application: warifu.ApplicationWithdrawn, problem: "application-register-changed"},
	{name: "died", happens: happens(dies), credentials: "revoked cessationOfOperation, revoked cessationOfOperation",
		application: warifu.ApplicationWithdrawn, problem: "application-card-ended"},
	{name: "died while suspended", before: []life{happens(suspends)}, happens: happens(dies), credentials: "revoked cessationOfOperation, revoked cessationOfOperation",
		application: warifu.ApplicationWithdrawn, problem: "application-card-ended"},
}

func TestCredentialsFollowTheirCard(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := housetest.New(t, housetest.Options{})
			a := h.Phone(t).Own(t, who)
			bystander := h.Phone(t).Own(t, "hanako")
			for _, f := range c.before {
				f(t, h)
				catchUp(t, h)
			}
			_, last := linesAfter(t, h, "")
			told := len(h.Pushed.Told())
			c.happens(t, h)
			catchUp(t, h)
			if got := states(t, h, a.ID); got != c.credentials {
				t.Errorf("%s, want %s", got, c.credentials)
			}
			if got := states(t, h, bystander.ID); got != "active, active" {
				t.Errorf("somebody else's: %s", got)
			}
			lines, _ := linesAfter(t, h, last)
			wantTree(t, lines, "follow")
			h.Drain(t)
			if now := h.Pushed.Told()[told:]; len(now) != 1 || now[0] != a.ID {
				t.Errorf("notices about %v, want one about %s", now, a.ID)
			}
			h.Check(t)
		})
	}
}

func TestOpenApplicationsFollowTheirCard(t *testing.T) {
	for _, c := range cases {
		for _, issued := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, issued %v", c.name, issued), func(t *testing.T) {
				h := housetest.New(t, housetest.Options{})
				p := h.Phone(t)
				a := p.Apply(t, who)
				if issued {
					h.Drain(t)
				}
				for _, f := range c.before {
					f(t, h)
					catchUp(t, h)
				}
				_, last := linesAfter(t, h, "")
				c.happens(t, h)
				catchUp(t, h)
				want := c.application
				switch {
				case !issued && want == warifu.ApplicationWithdrawn:
					want = warifu.ApplicationRejected
				case !issued:
					want = warifu.ApplicationSubmitted
				}
				got := wantState(t, h, a.ID, want)
				if got.Problem != c.problem || got.Held != (c.name == "suspended") {
					t.Errorf("problem %q, held %v", got.Problem, got.Held)
				}
				lines, _ := linesAfter(t, h, last)
				wantTree(t, lines, "follow")
				h.Check(t)
				h.Clock.Forward(10 * time.Minute) // what was intended for it is settled
				h.Drain(t)
				h.Check(t)
			})
		}
	}
}

func TestTheCardsHoldIsLiftedAndNoOther(t *testing.T) {
	h, c := owned(t)
	do(t, h, c.ID, put(h, warifu.HoldLost))
	must(t, h.Bureau.Suspend(who))
	catchUp(t, h)
	must(t, h.Bureau.Resume(who))
	catchUp(t, h)
	if got := states(t, h, c.Application); got != "held, active" {
		t.Errorf("after the card is back: %s", got)
	}
	h.Read(t, func(tx *store.Tx) error {
		standing, err := tx.Holds(c.ID)
		if len(standing) != 1 || standing[0].Reason != string(warifu.HoldLost) {
			t.Errorf("%+v", standing)
		}
		return err
	})
	h.Check(t)
}

func TestAnOldPhoneAndAnOpenApplicationFollowTogether(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	old := h.Phone(t).Own(t, who)
	p := h.Phone(t)
	next := p.Issue(t, who)
	_, last := linesAfter(t, h, "")
	must(t, h.Bureau.Suspend(who))
	catchUp(t, h)
	lines, last := linesAfter(t, h, last)
	wantTree(t, lines, "follow")
	if got := states(t, h, old.ID); got != "held, held" {
		t.Errorf("the old phone: %s", got)
	}
	wantProblem(t, p.Personalize(), "application-held")
	must(t, h.Bureau.Resume(who))
	wantProblem(t, p.Personalize(), "application-held") // the bureau has said so, and nobody here has heard it yet
	catchUp(t, h)
	lines, _ = linesAfter(t, h, last)
	wantTree(t, lines, "follow")
	must(t, p.Personalize())
	if got := states(t, h, old.ID) + "; " + states(t, h, next.ID); got != "superseded, superseded; active, active" {
		t.Errorf("in the end: %s", got)
	}
	h.Check(t)
}

func TestWhateverTheLineDoesTheCascadeIsTheSame(t *testing.T) {
	for seed := range uint64(12) {
		h := housetest.New(t, housetest.Options{})
		a := h.Phone(t).Own(t, who)
		for _, f := range []func(*bureau.Bureau) error{suspends, resumes, suspends, moves, marries, resumes, suspends, dies} {
			h.Clock.Forward(time.Minute)
			must(t, f(h.Bureau))
		}
		all := envelopes(t, h, 0)
		r := mathrand.New(mathrand.NewPCG(seed, 1))
		for range 30 {
			var batch [][]byte
			for range r.IntN(5) {
				batch = append(batch, all[r.IntN(len(all))])
			}
			before, err := h.Registrar.Followed(t.Context())
			must(t, err)
			next, err := follow(h, batch...)
			if err != nil {
				wantProblem(t, err, "card-events-missing")
			}
			if now, _ := h.Registrar.Followed(t.Context()); now != next-1 || now < before {
				t.Fatalf("seed %d: %d after %d, and it waits for %d", seed, now, before, next)
			}
		}
		catchUp(t, h)
		if got := states(t, h, a.ID); got != "revoked affiliationChanged, revoked cessationOfOperation" {
			t.Errorf("seed %d: %s", seed, got)
		}
		lines, _ := linesAfter(t, h, "")
		roots := map[string]int{}
		for _, l := range lines {
			if l.Verb == "follow" {
				roots[l.Subject]++
			}
		}
		for subject, n := range roots {
			if n != 1 {
				t.Errorf("seed %d: %s was followed %d times", seed, subject, n)
			}
		}
		h.Check(t)
	}
}

func TestAGapIsNamedAndNothingBehindItIsDone(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	must(t, h.Bureau.Suspend(who))
	must(t, h.Bureau.Resume(who))
	must(t, h.Bureau.Suspend(who))
	must(t, h.Bureau.Die(who))
	all := envelopes(t, h, 0)
	next, err := follow(h, all[3], all[0])
	wantProblem(t, err, "card-events-missing")
	if e := warifu.ProblemOf(err); next != 2 || e.Params["from"] != "2" || e.Params["to"] != "3" {
		t.Errorf("waits for %d, %v", next, e.Params)
	}
	if got := states(t, h, a.ID); got != "held, held" {
		t.Errorf("%s", got)
	}
	if next, err = follow(h, all...); err != nil || next != 5 {
		t.Errorf("%d %v", next, err)
	}
}

func TestAForgedEventIsNotFollowed(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	must(t, h.Bureau.Suspend(who))
	genuine := envelopes(t, h, 0)[0]
	e, err := events.Open(genuine, h.Bureau.StatementKey())
	must(t, err)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	e.Sequence, e.Type = 2, events.Died
	forged, err := events.Seal(e, stranger)
	must(t, err)
	changed := slices.Clone(genuine)
	changed[10] ^= 1
	_, err = follow(h, genuine, forged)
	wantProblem(t, err, "paper-signature-invalid")
	if next, err := follow(h, changed, genuine); err == nil || next != 1 {
		t.Errorf("a changed octet: %d, %v", next, err)
	}
	_, err = follow(h, slices.Repeat([][]byte{genuine}, events.MaxBatch+1)...)
	wantProblem(t, err, "card-events-too-many")
	if got := states(t, h, a.ID); got != "active, active" {
		t.Errorf("%s", got)
	}
	statement, err := h.Bureau.Statement(authenticationOf(t, h, who), warifu.DigestOf([]byte("n")))
	must(t, err)
	if _, err := follow(h, statement); err == nil {
		t.Error("a statement passed for an event")
	}
}

func TestAnEventHeardLateLeavesWhatCameAfterIt(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	old := h.Phone(t).Own(t, who)
	for _, f := range []func(*bureau.Bureau) error{suspends, resumes, moves, renews} {
		h.Clock.Forward(time.Minute)
		must(t, f(h.Bureau))
	}
	h.Clock.Forward(time.Minute)
	p := h.Phone(t)
	a := p.Own(t, who) // with the new signing certificate
	catchUp(t, h)
	if got := states(t, h, a.ID); got != "active, active" {
		t.Errorf("%s", got)
	}
	if got := states(t, h, old.ID); got != "superseded, superseded" {
		t.Errorf("the old phone: %s", got)
	}
	h.Check(t)
}

func TestAnEventAboutNobodyHereOnlyCounts(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	must(t, h.Bureau.Die("hanako"))
	must(t, h.Bureau.Suspend("kenji"))
	_, last := linesAfter(t, h, "")
	catchUp(t, h)
	if lines, _ := linesAfter(t, h, last); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
	if n, err := h.Registrar.Followed(t.Context()); n != 2 || err != nil {
		t.Errorf("followed %d, %v", n, err)
	}
}

func TestTwoServersFollowEachEventOnce(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	a := h.Phone(t).Own(t, who)
	other, _ := h.SecondServer(t)
	for range 20 {
		must(t, h.Bureau.Suspend(who))
		must(t, h.Bureau.Resume(who))
	}
	must(t, h.Bureau.Suspend(who))
	all := envelopes(t, h, 0)
	var both sync.WaitGroup
	for _, r := range []*registration.Authority{h.Registrar, other, h.Registrar, other} {
		both.Go(func() {
			if next, err := r.FollowCard(context.Background(), all); err != nil || next != 42 {
				t.Errorf("waits for %d, %v", next, err)
			}
		})
	}
	both.Wait()
	if got := states(t, h, a.ID); got != "held, held" {
		t.Errorf("%s", got)
	}
	lines, _ := linesAfter(t, h, "")
	roots := 0
	for _, l := range lines {
		if l.Verb == "follow" {
			roots++
		}
	}
	if roots != 41 {
		t.Errorf("%d cascades", roots)
	}
	h.Check(t)
}

func TestCatchingUpGoesOnUntilNothingIsLeft(t *testing.T) {
	h := housetest.New(t, housetest.Options{})
	h.Phone(t).Own(t, who)
	for range 3 {
		must(t, h.Bureau.Suspend(who))
		must(t, h.Bureau.Resume(who))
	}
	portions := func(_ context.Context, after int64) (events.Batch, error) { return h.Bureau.Events(after, 2) }
	if n, err := h.Registrar.CatchUp(t.Context(), portions); n != 6 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := h.Registrar.CatchUp(t.Context(), portions); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	for what, batch := range map[string]events.Batch{"a bureau that forgot": {Newest: 5}, "a bureau that keeps things back": {Newest: 7}} {
		_, err := h.Registrar.CatchUp(t.Context(), func(context.Context, int64) (events.Batch, error) { return batch, nil })
		t.Run(what, func(t *testing.T) { wantProblem(t, err, "card-events-behind") })
	}
	down := errors.New("down")
	if _, err := h.Registrar.CatchUp(t.Context(), func(context.Context, int64) (events.Batch, error) { return events.Batch{}, down }); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
}

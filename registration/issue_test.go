package registration_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/scheme"
)

// japaneseHours gives a house the hours of jp-mobile without its RSA keys.
func japaneseHours(s *scheme.Scheme) {
	jp, err := scheme.Shipped("jp-mobile")
	if err != nil {
		panic(err)
	}
	s.Hours = jp.Hours
}

func day(d, hour, minute, second, nano int) time.Time {
	return time.Date(2026, 6, d, hour, minute, second, nano, housetest.Tokyo)
}

func TestHoursOfIssuance(t *testing.T) {
	closed := func(s *scheme.Scheme) {
		japaneseHours(s)
		s.Hours.ClosedDays = []scheme.Day{{Year: 2026, Month: time.June, Day: 11}}
	}
	for _, c := range []struct {
		name         string
		hours        func(*scheme.Scheme)
		applied, due time.Time
	}{
		{"inside", japaneseHours, day(10, 10, 30, 0, 0), day(10, 10, 30, 0, 0)},
		{"last microsecond before the cut-off", japaneseHours, day(10, 19, 29, 59, 999_999_000), day(10, 19, 29, 59, 999_999_000)},
		{"at the cut-off", japaneseHours, day(10, 19, 30, 0, 0), day(11, 7, 30, 0, 0)},
		{"between cut-off and closing", japaneseHours, day(10, 19, 45, 0, 0), day(11, 7, 30, 0, 0)},
		{"at night", japaneseHours, day(10, 23, 59, 0, 0), day(11, 7, 30, 0, 0)},
		{"before opening", japaneseHours, day(10, 7, 29, 59, 999_999_000), day(10, 7, 30, 0, 0)},
		{"at opening", japaneseHours, day(10, 7, 30, 0, 0), day(10, 7, 30, 0, 0)},
		{"on a closed day", closed, day(11, 12, 0, 0, 0), day(12, 7, 30, 0, 0)},
		{"late on the eve of a closed day", closed, day(10, 19, 30, 0, 0), day(12, 7, 30, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := house(t, housetest.Options{Alter: c.hours, Begin: day(1, 10, 0, 0, 0)})
			h.Clock.To(c.applied)
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			if !a.Due.Equal(c.due) {
				t.Fatalf("due %v, want %v", a.Due, c.due)
			}
			if c.due.After(c.applied) {
				h.Clock.To(c.due.Add(-time.Microsecond))
				h.Drain(t)
				wantState(t, h, a.ID, warifu.ApplicationSubmitted)
				h.Clock.To(c.due)
			}
			h.Drain(t)
			wantState(t, h, a.ID, warifu.ApplicationIssued)
			h.Check(t)
		})
	}
}

// Evidence is fetched when the job runs: a card that was revoked overnight is not a parent.
func TestCardRevokedOvernightIsRejectedAtIssue(t *testing.T) {
	h := house(t, housetest.Options{Alter: japaneseHours, Begin: day(10, 19, 40, 0, 0)})
	a := h.Phone(t).Apply(t, "taro")
	must(t, h.Bureau.Revoke("taro", warifu.ReasonCessationOfOperation))
	h.Clock.To(a.Due)
	h.Drain(t)
	if got := wantState(t, h, a.ID, warifu.ApplicationRejected); got.Problem != "card-revoked" {
		t.Errorf("rejected for %s", got.Problem)
	}
	if told := h.Pushed.Told(); !slices.Contains(told, a.ID) {
		t.Error("the rejection was told to nobody")
	}
	h.Check(t)
}

func TestIssueInOrderOfArrival(t *testing.T) {
	h := house(t, housetest.Options{Alter: japaneseHours, Begin: day(10, 20, 0, 0, 0)})
	who := []string{"taro", "hanako", "kenji", "kaoru"}
	var want []string
	for _, id := range who {
		h.Clock.Forward(time.Second)
		want = append(want, h.Phone(t).Apply(t, id).ID)
	}
	var got []warifu.Digest
	h.Issuers[warifu.Signature].Before = func(e registration.Evidence) error {
		got = append(got, warifu.DigestOf(contentOf(t, e.Document)))
		return nil
	}
	h.Clock.To(day(11, 7, 30, 0, 0))
	h.Drain(t)
	if told := h.Pushed.Told(); !slices.Equal(told, want) {
		t.Errorf("told in the order %v, want %v", told, want)
	}
	if len(got) != len(want) {
		t.Fatalf("%d requests, want %d", len(got), len(want))
	}
	h.Check(t)
}

// A batch fetches its evidence side by side: the card bureau sees several at a time.
func TestEvidenceOfABatchIsFetchedConcurrently(t *testing.T) {
	h := house(t, housetest.Options{})
	people := []string{"taro", "hanako", "kenji", "kaoru", "nagai", "ume"}
	for _, id := range people {
		h.Phone(t).Apply(t, id)
	}
	var inside atomic.Int64
	together := make(chan struct{})
	h.Cards.Gate = func(call string) {
		if call != "statement" {
			return
		}
		if n := inside.Add(1); n == int64(len(people)) {
			close(together)
		}
		<-together // nobody goes on before all are here: one after another would wait for ever
	}
	h.Drain(t)
	h.Cards.Gate = nil
	h.Check(t)
}

func TestOneKindRefusedRevokesTheOtherAndRejects(t *testing.T) {
	h := house(t, housetest.Options{})
	h.Issuers[warifu.Authentication].Before = func(registration.Evidence) error { return warifu.Refused("card-revoked", "kind", "authentication") }
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	if a.State != warifu.ApplicationRejected || a.Problem != "card-revoked" {
		t.Fatalf("the application is %s (%s)", a.State, a.Problem)
	}
	got := credentials(t, h, a.ID)
	if len(got) != 1 || got[0].Kind != warifu.Signature || got[0].State != warifu.CredentialRevoked {
		t.Fatalf("credentials %v, want the signature one, revoked", got)
	}
	wantProblem(t, p.Personalize(), "application-not-issued")
	h.Check(t)
}

func TestFirstKindRefusedAsksTheOtherNothing(t *testing.T) {
	h := house(t, housetest.Options{})
	h.Issuers[warifu.Signature].Before = func(registration.Evidence) error { return warifu.Refused("key-not-new") }
	asked := false
	h.Issuers[warifu.Authentication].Before = func(registration.Evidence) error { asked = true; return nil }
	a := h.Phone(t).Issue(t, "taro")
	if a.State != warifu.ApplicationRejected || asked {
		t.Errorf("the application is %s; the other authority was asked: %t", a.State, asked)
	}
	h.Check(t)
}

func TestAuthorityUnavailableIsTriedAgainAndGivesTheSameCertificate(t *testing.T) {
	h := house(t, housetest.Options{})
	lost := map[warifu.Kind][]byte{}
	for _, kind := range warifu.Kinds {
		h.Issuers[kind].After = func(_ registration.Evidence, o registration.Outcome) registration.Outcome {
			if lost[kind] == nil { // issued, and the answer is lost on the way
				lost[kind] = o.Certificate
				return registration.Outcome{Err: warifu.Unavailable("ledger-unavailable")}
			}
			if !bytes.Equal(o.Certificate, lost[kind]) {
				t.Errorf("the %s authority gave another certificate the second time", kind)
			}
			return o
		}
	}
	p := h.Phone(t)
	a := p.Issue(t, "taro")
	for tries := 0; a.State == warifu.ApplicationSubmitted; tries++ {
		if tries > 5 {
			t.Fatal("never issued")
		}
		h.Check(t)
		h.Clock.Forward(time.Minute)
		h.Drain(t)
		a = h.Application(t, a.ID)
	}
	must(t, p.Personalize())
	wantState(t, h, a.ID, warifu.ApplicationPersonalized)
	h.Check(t)
}

// The passing faults that must put an application off and never end it.
func TestPassingFaultsPutOffAndNeverReject(t *testing.T) {
	other := []byte{0x30, 0x03, 0x0A, 0x01, 0x03} // OCSPResponse tryLater
	for name, break_ := range map[string]func(*housetest.House){
		"the bureau is down":              func(h *housetest.House) { h.Cards.Fault = housetest.Down },
		"its responder is down":           func(h *housetest.House) { h.Cards.Fault = onlyStatus(housetest.Down) },
		"its responder says try later":    func(h *housetest.House) { h.Cards.ChangeStatus = func([]byte) []byte { return other } },
		"its responder answers rubbish":   func(h *housetest.House) { h.Cards.ChangeStatus = func([]byte) []byte { return []byte("<html>") } },
		"its responder's answer is torn":  func(h *housetest.House) { h.Cards.ChangeStatus = func(b []byte) []byte { return b[:len(b)/2] } },
		"a bit of the answer was flipped": func(h *housetest.House) { h.Cards.ChangeStatus = func(b []byte) []byte { return flip(b, len(b)-3) } },
		"its statement is torn":           func(h *housetest.House) { h.Cards.ChangeStatement = func(b []byte) []byte { return b[:9] } },
		"an authority's key is away": func(h *housetest.House) {
			h.Issuers[warifu.Authentication].Before = func(registration.Evidence) error { return warifu.Unavailable("signing-failed") }
		},
		"an authority fails inside": func(h *housetest.House) {
			h.Issuers[warifu.Signature].Before = func(registration.Evidence) error { return errors.New("a fault of ours") }
		},
		"a ledger is full": func(h *housetest.House) {
			h.Issuers[warifu.Signature].Ledger.FailRecord = func() error { return warifu.Unavailable("store-unavailable") }
		},
		"the evidence panics": func(h *housetest.House) { h.Cards.Fault = func(string) error { panic("a value nobody should see") } },
	} {
		t.Run(name, func(t *testing.T) {
			h := house(t, housetest.Options{})
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			break_(h)
			for range 3 {
				h.Drain(t)
				wantState(t, h, a.ID, warifu.ApplicationSubmitted)
				h.Check(t)
				h.Clock.Forward(time.Hour)
			}
			mend(h)
			h.Clock.Forward(time.Hour)
			h.Drain(t)
			wantState(t, h, a.ID, warifu.ApplicationIssued)
			must(t, p.Personalize())
			h.Check(t)
		})
	}
}

func onlyStatus(f func(string) error) func(string) error {
	return func(call string) error {
		if call == "status" {
			return f(call)
		}
		return nil
	}
}

func mend(h *housetest.House) {
	h.Cards.Fault, h.Cards.ChangeStatus, h.Cards.ChangeStatement = nil, nil, nil
	for _, i := range h.Issuers {
		i.Before, i.After, i.Ledger.FailRecord = nil, nil, nil
	}
}

// What an authority did for an application that ended meanwhile is listed as revoked.
func TestWhatWasSignedForAnEndedApplicationIsListed(t *testing.T) {
	lose := func(h *housetest.House) { // the first authority signs and its answer is lost
		h.Issuers[warifu.Signature].After = func(registration.Evidence, registration.Outcome) registration.Outcome {
			return registration.Outcome{Err: warifu.Unavailable("ledger-unavailable")}
		}
	}
	unrecorded := func(h *housetest.House) { // it intends and cannot record
		h.Issuers[warifu.Signature].Ledger.FailRecord = func() error { return warifu.Unavailable("store-unavailable") }
	}
	withdraw := func(t *testing.T, _ *housetest.House, p *housetest.Phone) {
		must(t, p.App.Withdraw(context.Background()))
	}
	reject := func(t *testing.T, h *housetest.House, _ *housetest.Phone) {
		must(t, h.Bureau.Revoke("taro", warifu.ReasonKeyCompromise))
	}
	replace := func(t *testing.T, h *housetest.House, _ *housetest.Phone) { h.Phone(t).Apply(t, "taro") }
	for name, c := range map[string]struct {
		fault func(*housetest.House)
		end   func(*testing.T, *housetest.House, *housetest.Phone)
	}{
		"lost, withdrawn": {lose, withdraw}, "lost, rejected": {lose, reject}, "lost, replaced": {lose, replace},
		"unrecorded, withdrawn": {unrecorded, withdraw}, "unrecorded, rejected": {unrecorded, reject},
	} {
		t.Run(name, func(t *testing.T) {
			h := house(t, housetest.Options{})
			p := h.Phone(t)
			a := p.Apply(t, "taro")
			c.fault(h)
			h.Drain(t)
			wantState(t, h, a.ID, warifu.ApplicationSubmitted)
			mend(h)
			c.end(t, h, p)
			for range 2 { // what ends now is settled some minutes later
				h.Clock.Forward(10 * time.Minute)
				h.Drain(t)
			}
			if got := h.Application(t, a.ID); !warifu.ApplicationLife.Final(got.State) {
				t.Fatalf("the application is %s", got.State)
			}
			wantCredentials(t, h, a.ID, 1, warifu.CredentialRevoked)
			h.Check(t)
		})
	}
}

// However many unfinished intents were listed long ago, those behind them are found.
func TestReconcileGoesThroughAllUnfinishedIntents(t *testing.T) {
	h := house(t, housetest.Options{})
	h.Issuers[warifu.Authentication].Portion = 1
	for round := range 3 {
		p := h.Phone(t)
		p.Apply(t, []string{"taro", "hanako", "kenji"}[round])
		h.Issuers[warifu.Authentication].Ledger.FailRecord = func() error { return warifu.Unavailable("store-unavailable") }
		h.Drain(t)
		mend(h)
		h.Clock.Forward(2 * time.Minute)
		must(t, p.App.Withdraw(context.Background()))
		if listed, err := h.Registrar.Reconcile(context.Background()); err != nil || listed != 1 {
			t.Fatalf("round %d: %d listed, %v", round, listed, err)
		}
	}
	h.Check(t)
}

// An intent whose application stays open for long is not forgotten by the rounds that go by.
func TestReconcileComesBackToWhatStillWaits(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	p.Apply(t, "taro")
	h.Issuers[warifu.Authentication].Ledger.FailRecord = func() error { return warifu.Unavailable("store-unavailable") }
	h.Drain(t)
	mend(h)
	for range 3 {
		h.Clock.Forward(3 * time.Hour)
		if listed, err := h.Registrar.Reconcile(context.Background()); err != nil || listed != 0 {
			t.Fatalf("%d listed while the application is open, %v", listed, err)
		}
	}
	must(t, p.App.Withdraw(context.Background()))
	if listed, err := h.Registrar.Reconcile(context.Background()); err != nil || listed != 1 {
		t.Errorf("%d listed, %v", listed, err)
	}
	h.Clock.Forward(3 * time.Hour)
	for range 2 {
		if listed, err := h.Registrar.Reconcile(context.Background()); err != nil || listed != 0 {
			t.Errorf("%d listed again, %v", listed, err)
		}
	}
	h.Check(t)
}

func TestReconcileListsUnfinishedIntentsAsRevoked(t *testing.T) {
	h := house(t, housetest.Options{})
	p := h.Phone(t)
	a := p.Apply(t, "taro")
	h.Issuers[warifu.Authentication].Ledger.FailRecord = func() error { return warifu.Unavailable("store-unavailable") }
	h.Drain(t)
	mend(h)
	h.Clock.Forward(2 * time.Minute)
	listed, err := h.Registrar.Reconcile(context.Background())
	must(t, err)
	if listed != 0 {
		t.Errorf("%d listed while the application is open: its job will finish it", listed)
	}
	must(t, p.App.Withdraw(context.Background()))
	listed, err = h.Registrar.Reconcile(context.Background())
	must(t, err)
	if listed != 1 {
		t.Errorf("%d listed, want the unfinished one", listed)
	}
	again, err := h.Registrar.Reconcile(context.Background())
	must(t, err)
	if again != 0 {
		t.Errorf("%d listed a second time", again)
	}
	for _, c := range credentials(t, h, a.ID) {
		if c.Kind == warifu.Authentication && (c.State != warifu.CredentialRevoked || !c.Certificate.IsZero()) {
			t.Errorf("the unfinished one is %s", c.State)
		}
	}
	h.Clock.Forward(10 * time.Minute)
	h.Drain(t)
	h.Check(t)
}

// Two servers drain one queue: every application is issued once.
func TestTwoServersOnOneQueueIssueOnce(t *testing.T) {
	h := house(t, housetest.Options{})
	people := []string{"taro", "hanako", "kenji", "kaoru"}
	var ids []string
	for _, id := range people {
		ids = append(ids, h.Phone(t).Apply(t, id).ID)
	}
	_, second := h.SecondServer(t)
	var all sync.WaitGroup
	errs := make([]error, 2)
	all.Go(func() { _, errs[0] = h.Queue.Drain(context.Background()) })
	all.Go(func() { _, errs[1] = second.Drain(context.Background()) })
	all.Wait()
	must(t, errors.Join(errs...))
	for _, id := range ids {
		wantState(t, h, id, warifu.ApplicationIssued)
	}
	if told := h.Pushed.Told(); len(told) != len(ids) {
		t.Errorf("%d notices for %d applications", len(told), len(ids))
	}
	h.Check(t)
}

func TestNoticeThatFailsIsTriedAgain(t *testing.T) {
	h := house(t, housetest.Options{})
	h.Pushed.Fault = func() error { return warifu.Unavailable("push-failed") }
	a := h.Phone(t).Issue(t, "taro")
	if a.State != warifu.ApplicationIssued {
		t.Fatalf("a notice that failed kept the application %s", a.State)
	}
	h.Pushed.Fault = nil
	h.Clock.Forward(time.Minute)
	h.Drain(t)
	if told := h.Pushed.Told(); !slices.Equal(told, []string{a.ID}) {
		t.Errorf("told %v", told)
	}
}

package status_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/status"
)

const deltaAddress = "http://127.0.0.1:8400/crl/signature-delta.crl"

// press is a publisher of deltas over a register, with a clock that the test moves.
type press struct {
	*status.Publisher
	t       testing.TB
	present time.Time
	source  *register
}

func newPress(t testing.TB) *press {
	p := &press{t: t, present: now}
	p.source = newRegister(p)
	p.restart()
	return p
}

func (p *press) Now() time.Time { return p.present }

// restart is the publisher of a new process, or of another server.
func (p *press) restart() {
	p.Publisher = status.NewPublisher(warifu.Signature, sign, p.source, p)
	p.Freshest = deltaAddress
}

func (p *press) parse(der []byte, err error) *crl.List {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	l, err := crl.Parse(der)
	if err == nil {
		err = l.Verify(world().ca.certificate, p.present)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return l
}

// pair makes new lists and returns them.
func (p *press) pair() (full, delta *crl.List) {
	p.t.Helper()
	p.present = p.present.Add(time.Second)
	if err := p.Refresh(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	delta = p.parse(p.DeltaList(context.Background())) // which may have the full list made anew
	return p.parse(p.List(context.Background())), delta
}

// says is what a delta says of a certificate: "", "removed" or a reason.
func says(delta *crl.List, n byte) string {
	switch s, ok := delta.Lookup(serial(n)); {
	case !ok:
		return ""
	case s.Cert == warifu.StatusGood:
		return "removed"
	default:
		return s.Reason.String()
	}
}

func wantSays(t *testing.T, delta *crl.List, n byte, want string) {
	t.Helper()
	if got := says(delta, n); got != want {
		t.Errorf("the delta says %q of %d, want %q", got, n, want)
	}
}

func TestADeltaTellsWhatChangedSinceItsBase(t *testing.T) {
	p := newPress(t)
	later := now.AddDate(1, 0, 0)
	p.source.set(1, good, later)
	p.source.set(2, held(now), later)
	p.source.set(3, held(now), later)
	p.source.set(4, revoked(warifu.ReasonKeyCompromise, now), later)
	base := p.parse(p.List(t.Context()))
	if len(base.Freshest) != 1 || base.Freshest[0] != deltaAddress || base.Base != nil {
		t.Errorf("%+v", base)
	}
	p.source.set(1, held(now), later)
	p.source.set(2, good, later)                                            // lifted
	p.source.set(3, revoked(warifu.ReasonCACompromise, now), later)         // held, then dead
	p.source.set(5, good, later)                                            // put into use: never on a list
	p.source.set(6, held(now), later)                                       // held and lifted between two lists
	p.source.set(6, good, later)                                            //
	p.source.set(7, revoked(warifu.ReasonCessationOfOperation, now), later) // never put into use
	p.source.elsewhere(8)
	full, delta := p.pair()
	if delta.Base == nil || delta.Base.Cmp(base.Number) != 0 || delta.Number.Cmp(full.Number) != 0 || !delta.ThisUpdate.Equal(full.ThisUpdate) || len(delta.Freshest) != 0 {
		t.Errorf("base %v number %v of full %v on %v", delta.Base, delta.Number, full.Number, base.Number)
	}
	for n, want := range map[byte]string{1: "certificateHold", 2: "removed", 3: "cACompromise", 4: "", 5: "", 6: "removed", 7: "cessationOfOperation", 8: ""} {
		wantSays(t, delta, n, want)
	}
	p.source.set(1, good, later) // was on a list after the base, though not on the base
	_, delta = p.pair()
	wantSays(t, delta, 1, "removed")
	wantSays(t, delta, 2, "removed")
	p.source.set(2, held(now), later) // again
	_, delta = p.pair()
	wantSays(t, delta, 2, "certificateHold")
}

func TestThereIsNoDeltaWithoutAListBeforeIt(t *testing.T) {
	p := newPress(t)
	p.source.set(2, held(now), now.AddDate(1, 0, 0))
	first := p.parse(p.List(t.Context()))
	delta := p.parse(p.DeltaList(t.Context())) // has a second full list made
	if delta.Base.Cmp(first.Number) != 0 || delta.Len() != 0 {
		t.Errorf("base %v, first %v, %d entries", delta.Base, first.Number, delta.Len())
	}
	if again := p.parse(p.DeltaList(t.Context())); again.Number.Cmp(delta.Number) != 0 {
		t.Error("made anew though it is young")
	}
	p.Freshest = ""
	if _, err := p.DeltaList(t.Context()); warifu.ProblemOf(err).Problem != "status-list-unavailable" {
		t.Error(err)
	}
}

func TestAfterARestartDeltasStandOnANewBase(t *testing.T) {
	p := newPress(t)
	p.source.set(2, held(now), now.AddDate(1, 0, 0))
	old, _ := p.pair()
	p.restart()
	p.source.set(2, good, now.AddDate(1, 0, 0))
	p.present = p.present.Add(time.Minute)
	delta := p.parse(p.DeltaList(t.Context()))
	if delta.Base.Cmp(old.Number) <= 0 {
		t.Error("a delta on a list that this process does not know")
	}
	if _, err := crl.Combine(old, delta); warifu.ProblemOf(err).Problem != "crl-delta-mismatch" {
		t.Error(err)
	}
	p.source.set(3, held(now), now.AddDate(1, 0, 0))
	full, delta := p.pair()
	wantSays(t, delta, 2, "")
	wantSays(t, delta, 3, "certificateHold")
	if full.Number.Cmp(old.Number) <= 0 {
		t.Error("numbers do not grow")
	}
}

func TestTheBaseIsRenewed(t *testing.T) {
	p := newPress(t)
	p.BaseAge = time.Hour
	p.source.set(2, held(now), now.AddDate(1, 0, 0))
	first := p.parse(p.List(t.Context()))
	_, delta := p.pair()
	p.present = p.present.Add(time.Hour)
	renewed, delta2 := p.pair() // the new base, and the last delta on the old one
	if delta.Base.Cmp(first.Number) != 0 || delta2.Base.Cmp(first.Number) != 0 {
		t.Error(delta.Base, delta2.Base)
	}
	p.source.set(2, good, now.AddDate(1, 0, 0))
	_, delta = p.pair()
	if delta.Base.Cmp(renewed.Number) != 0 {
		t.Errorf("base %v, want %v", delta.Base, renewed.Number)
	}
	wantSays(t, delta, 2, "removed")
}

func TestWhatExpiredLongAgoLeavesBothListsTogether(t *testing.T) {
	p := newPress(t)
	end := now.Add(time.Minute)
	p.source.set(2, revoked(warifu.ReasonSuperseded, now), end)
	p.source.set(3, held(now), end)
	p.parse(p.List(t.Context()))
	p.present = end.Add(p.Life - 2*time.Second)
	full, delta := p.pair()
	if _, ok := full.Lookup(serial(2)); !ok || says(delta, 2) != "" {
		t.Error("gone before a day has passed since its end")
	}
	p.restart()
	p.parse(p.List(t.Context()))
	p.present = p.present.Add(time.Minute)
	full, delta = p.pair()
	if _, ok := full.Lookup(serial(2)); ok {
		t.Error("still listed")
	}
	wantSays(t, delta, 2, "removed")
	wantSays(t, delta, 3, "removed")
}

func TestAFeedWithAGapMakesANewBase(t *testing.T) {
	for name, harm := range map[string]func(*register){
		"a gap":                     func(r *register) { r.feed = append(r.feed[:1:1], r.feed[2:]...) },
		"a database that went back": func(r *register) { r.feed = r.feed[:0] },
		"its end is missing":        func(r *register) { r.feed[len(r.feed)-1].Number++ },
	} {
		p := newPress(t)
		later := now.AddDate(1, 0, 0)
		p.source.set(9, held(now), later)
		first := p.parse(p.List(t.Context()))
		for n := range byte(3) {
			p.source.set(n, held(now), later)
		}
		harm(p.source)
		_, delta := p.pair()
		if delta.Base.Cmp(first.Number) <= 0 {
			t.Errorf("%s: the delta stands on the list before it", name)
		}
	}
}

// TestListsOfTwoServersMayBeUsedTogether lets a change fall between the number of a
// list and its content, on either server.
func TestListsOfTwoServersMayBeUsedTogether(t *testing.T) {
	later := now.AddDate(1, 0, 0)
	p := newPress(t)
	p.source.set(2, held(now), later)
	other := newPress(t)
	other.source = p.source
	other.restart()
	p.source.before = func() { // p's base is made after these changes and the other's list, of a greater number, before
		p.source.before = nil
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.source.set(2, good, later)
		p.source.set(3, held(now), later)
	}
	base := p.parse(p.List(t.Context()))
	theirs := p.parse(other.List(t.Context()))
	if theirs.Number.Cmp(base.Number) <= 0 {
		t.Fatal("the test does not test")
	}
	_, delta := p.pair()
	both, err := crl.Combine(theirs, delta)
	if err != nil {
		t.Fatal(err)
	}
	if s, listed := both.Lookup(serial(2)); listed {
		t.Errorf("lifted: %+v", s)
	}
	if s, listed := both.Lookup(serial(3)); !listed || s.Reason != warifu.ReasonCertificateHold {
		t.Errorf("held: %+v", s)
	}
}

func TestNeitherListIsServedWithoutTheOther(t *testing.T) {
	p := newPress(t)
	p.source.set(2, held(now), now.AddDate(1, 0, 0))
	full, delta := p.pair()
	fail := func(ctx context.Context, list *crl.Draft) error {
		if list.Head().Base != 0 {
			return errSigning
		}
		return sign(ctx, list)
	}
	broken := newPress(t)
	broken.source = p.source
	broken.Publisher = status.NewPublisher(warifu.Signature, fail, p.source, broken)
	broken.Freshest = deltaAddress
	stands := broken.parse(broken.List(t.Context()))
	if err := broken.Refresh(t.Context()); !errors.Is(err, errSigning) {
		t.Error(err)
	}
	if again := broken.parse(broken.List(t.Context())); again.Number.Cmp(stands.Number) != 0 {
		t.Error("a full list without its delta was served")
	}
	p.source.down = errDown
	if err := p.Refresh(t.Context()); !errors.Is(err, errDown) {
		t.Error(err)
	}
	if l, d := p.parse(p.List(t.Context())), p.parse(p.DeltaList(t.Context())); l.Number.Cmp(full.Number) != 0 || d.Number.Cmp(delta.Number) != 0 {
		t.Error("other lists")
	}
	p.present = p.present.Add(p.DeltaLife)
	if _, err := p.DeltaList(t.Context()); warifu.ProblemOf(err).Problem != "status-list-unavailable" {
		t.Error("a delta is served past its nextUpdate:", err)
	}
	if _, err := p.List(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAListingMakesNoDeltas(t *testing.T) {
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(newRecords().revoked), clock)
	p.Freshest = deltaAddress
	if _, err := p.DeltaList(t.Context()); err == nil {
		t.Error("a delta of nothing was made")
	}
}

func TestDeltasAreServedAsListsAre(t *testing.T) {
	p := newPress(t)
	p.source.set(2, held(now), now.AddDate(1, 0, 0))
	_, delta := p.pair()
	get := func(method string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.Deltas().ServeHTTP(w, httptest.NewRequest(method, "/crl/signature-delta.crl", nil))
		return w
	}
	w := get(http.MethodGet)
	h := w.Header()
	if w.Code != http.StatusOK || w.Body.String() != string(delta.Raw) || h.Get("Content-Type") != "application/pkix-crl" ||
		h.Get("Cache-Control") != "max-age=60, public, no-transform, must-revalidate" || h.Get("ETag") == "" {
		t.Error(w.Code, h)
	}
	if w := get(http.MethodPut); w.Code != http.StatusMethodNotAllowed {
		t.Error(w.Code)
	}
	p.Freshest = ""
	if w := get(http.MethodGet); w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}

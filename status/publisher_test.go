package status_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/status"
)

func sign(_ context.Context, list *crl.Draft) error {
	return list.Sign(world().ca.certificate, world().ca.key)
}

func listOf(t *testing.T, p *status.Publisher) *crl.List {
	t.Helper()
	der, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := crl.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTheListNamesWhatIsRevokedOrHeld(t *testing.T) {
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(newRecords().revoked), clock)
	l := listOf(t, p)
	if err := l.Verify(world().ca.certificate, now); err != nil {
		t.Fatal(err)
	}
	if s, ok := l.Lookup(serial(isHeld)); !ok || s.Reason != warifu.ReasonCertificateHold || l.Len() != 2 {
		t.Errorf("%v %+v", ok, s)
	}
	if _, ok := l.Lookup(serial(isGood)); ok {
		t.Error("a good certificate is listed")
	}
}

func TestAListStandsUntilItAgesOrIsRefreshed(t *testing.T) {
	source := newRecords()
	present := now
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(source.revoked), warifu.ClockFunc(func() time.Time { return present }))
	first := listOf(t, p)
	source.set(isGood, warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded, RevokedAt: now})
	if listOf(t, p).Number.Cmp(first.Number) != 0 {
		t.Error("made anew though it is young")
	}
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := listOf(t, p)
	if _, ok := second.Lookup(serial(isGood)); !ok || second.Number.Cmp(first.Number) <= 0 {
		t.Error("the refreshed list is the old one, in the same microsecond")
	}
	present = present.Add(status.DefaultListAge)
	if listOf(t, p).Number.Cmp(second.Number) <= 0 {
		t.Error("an aged list was served")
	}
}

func TestHowFarAListHasComeIsTold(t *testing.T) {
	const many = 10_000
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(func(_ context.Context, add func(warifu.StatusRecord) error) error {
		for n := range many {
			r := warifu.StatusRecord{Kind: warifu.Signature, Serial: []byte{1, byte(n >> 16), byte(n >> 8), byte(n)}, Status: warifu.Status{Cert: warifu.StatusRevoked, RevokedAt: clock.Now()}}
			if err := add(r); err != nil {
				return err
			}
		}
		return nil
	}), clock)
	for _, want := range []int{0, many} { // the first list does not know how many there are
		var steps [][2]int
		p.Progress = func(done, all int) { steps = append(steps, [2]int{done, all}) }
		if err := p.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(steps) != 2 || steps[0] != [2]int{4096, want} || steps[1] != [2]int{8192, want} {
			t.Errorf("told of %v", steps)
		}
	}
}

func TestNumbersGrowOverARestart(t *testing.T) {
	first := listOf(t, status.NewPublisher(warifu.Signature, sign, status.Listing(newRecords().revoked), clock))
	later := warifu.ClockFunc(func() time.Time { return now.Add(time.Millisecond) })
	second := listOf(t, status.NewPublisher(warifu.Signature, sign, status.Listing(newRecords().revoked), later))
	if second.Number.Cmp(first.Number) <= 0 {
		t.Error(first.Number, second.Number)
	}
}

func TestAListThatCannotBeMadeLeavesTheOldOneWhileItHolds(t *testing.T) {
	source := newRecords()
	present := now
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(source.revoked), warifu.ClockFunc(func() time.Time { return present }))
	first := listOf(t, p)
	source.err = errDown
	present = now.Add(time.Hour)
	if listOf(t, p).Number.Cmp(first.Number) != 0 {
		t.Error("another list")
	}
	if err := p.Refresh(t.Context()); err == nil {
		t.Error("refreshed from a source that is down")
	}
	present = now.Add(status.DefaultListLife)
	if _, err := p.List(t.Context()); warifu.ProblemOf(err).Problem != "status-list-unavailable" {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/crl/signature.crl", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}

func TestListsAreServedWithATag(t *testing.T) {
	p := status.NewPublisher(warifu.Signature, sign, status.Listing(newRecords().revoked), clock)
	get := func(method, tag string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/crl/signature.crl", nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	w := get(http.MethodGet, "")
	der, _ := p.List(t.Context())
	h := w.Header()
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), der) || h.Get("Content-Type") != "application/pkix-crl" ||
		h.Get("Cache-Control") != "max-age=60, public, no-transform, must-revalidate" || h.Get("Expires") != now.Add(time.Minute).Format(http.TimeFormat) {
		t.Error(w.Code, h)
	}
	if w := get(http.MethodGet, h.Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Error(w.Code)
	}
	if w := get(http.MethodHead, ""); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Error(w.Code)
	}
	if w := get(http.MethodPost, ""); w.Code != http.StatusMethodNotAllowed {
		t.Error(w.Code)
	}
}

func TestManyReadersMakeOneList(t *testing.T) {
	var mu sync.Mutex
	made := 0
	counting := func(ctx context.Context, list *crl.Draft) error {
		mu.Lock()
		made++
		mu.Unlock()
		return sign(ctx, list)
	}
	p := status.NewPublisher(warifu.Signature, counting, status.Listing(newRecords().revoked), clock)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := p.List(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("%d lists made", made)
	}
}

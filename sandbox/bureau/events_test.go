package bureau_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"warifu"
	"warifu/events"
	"warifu/profile"
	"warifu/sandbox/bureau"
	"warifu/sandbox/person"
)

// heard is every event so far.
func heard(t testing.TB, b *bureau.Bureau) []events.Event {
	t.Helper()
	batch, err := b.Events(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, b, batch.Events)
}

func opened(t testing.TB, b *bureau.Bureau, envelopes [][]byte) []events.Event {
	t.Helper()
	out := make([]events.Event, len(envelopes))
	for i, envelope := range envelopes {
		var err error
		if out[i], err = events.Open(envelope, b.StatementKey()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// named is a certificate as an event names it.
func named(c bureau.CertificateView) events.Certificate {
	return events.Certificate{Kind: c.Kind, Serial: c.Certificate.SerialNumber.Bytes()}
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachLifeEventIsToldOnceAndNamesWhatItConcerns(t *testing.T) {
	c := newClock()
	b := open(t, t.TempDir(), c)
	v := issued(t, b, "yuki") // two months left: may renew
	signing, authentication := named(of(t, v, warifu.Signature)), named(of(t, v, warifu.Authentication))
	both := []events.Certificate{signing, authentication}
	handle := statement(t, b, of(t, v, warifu.Signature).Certificate.Raw, warifu.DigestOf(nil)).Person
	away, other := v.Person.Elsewhere(), v.Person.Married()
	for i, step := range []struct {
		do    func() error
		want  events.Type // "" for nothing told
		about []events.Certificate
	}{
		{func() error { return b.Suspend("yuki") }, events.Suspended, both},
		{func() error { _ = b.Suspend("yuki"); return nil }, "", nil},
		{func() error { return b.Resume("yuki") }, events.Resumed, both},
		{func() error { _ = b.Resume("yuki"); return nil }, "", nil},
		{func() error { return b.Move("yuki", away) }, events.Moved, both[:1]},
		{func() error { return b.Move("yuki", away) }, "", nil},
		{func() error { return b.ChangeName("yuki", other) }, events.NameChanged, nil},
		{func() error { return b.ChangeName("yuki", other) }, "", nil},
		{func() error { return b.Renew("yuki", bureau.Renewal{}) }, events.Renewed, both},
		{func() error { _ = b.Renew("yuki", bureau.Renewal{}); return nil }, "", nil},
		{func() error { return b.Revoke("yuki", warifu.ReasonKeyCompromise) }, events.Revoked, nil}, // the new ones
		{func() error { _ = b.Revoke("yuki", warifu.ReasonKeyCompromise); return nil }, "", nil},
		{func() error { return b.Die("yuki") }, events.Died, nil},
		{func() error { return b.Die("yuki") }, "", nil},
	} {
		before := heard(t, b)
		do(t, step.do())
		after := heard(t, b)[len(before):]
		if step.want == "" {
			if len(after) != 0 {
				t.Errorf("step %d told %+v", i, after)
			}
			continue
		}
		want := events.Event{Sequence: int64(len(before)) + 1, At: c.Now(), Type: step.want, Person: handle, Certificates: step.about}
		if step.want == events.Revoked {
			now, _ := b.Show("yuki")
			want.Reason, want.Certificates = warifu.ReasonKeyCompromise, []events.Certificate{named(of(t, now, warifu.Signature)), named(of(t, now, warifu.Authentication))}
		}
		if len(after) != 1 || !after[0].Equal(want) {
			t.Errorf("step %d: %+v, want %+v", i, after, want)
		}
	}
}

func TestAMoveEndsTheSigningCertificateAndTheCounterWritesTheNewAddress(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	b := open(t, dir, c)
	before := issued(t, b, "taro")
	to := before.Person.Elsewhere()
	do(t, b.Move("taro", to))
	v, _ := b.Show("taro")
	if got := of(t, v, warifu.Signature); got.Status.Reason != warifu.ReasonAffiliationChanged || !got.Certificate.Equal(of(t, before, warifu.Signature).Certificate) {
		t.Errorf("after the move: %+v", got.Status)
	}
	if got := of(t, v, warifu.Authentication).Status; got.Cert != warifu.StatusGood || !v.Unprinted {
		t.Errorf("authentication %+v, unprinted %v", got, v.Unprinted)
	}
	_ = b.Close()
	b = open(t, dir, c) // the register remembers
	do(t, b.Renew("taro", bureau.Renewal{}))
	v, _ = b.Show("taro")
	a, _, err := profile.ParseAttributes(of(t, v, warifu.Signature).Certificate)
	if err != nil || a.Address != to.Address || v.Person.Address != to.Address || v.Unprinted {
		t.Errorf("after the counter: %q, %v", a.Address, err)
	}
	if !of(t, v, warifu.Authentication).Certificate.Equal(of(t, before, warifu.Authentication).Certificate) || v.CardSerial != before.CardSerial {
		t.Error("more was renewed than the signing certificate")
	}
	if card, err := b.Card("taro"); err != nil || card == nil {
		t.Errorf("the card: %v", err)
	}
	do(t, b.ChangeName("taro", v.Person.Married()))
	do(t, b.Renew("taro", bureau.Renewal{}))
	v, _ = b.Show("taro")
	if a, _, _ := profile.ParseAttributes(of(t, v, warifu.Signature).Certificate); a.Name != v.Person.Name || a.Name == before.Person.Name {
		t.Errorf("the new name: %q", a.Name)
	}
}

func TestAChildMovesWithoutASigningCertificate(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	v := issued(t, b, "sakura")
	do(t, b.Move("sakura", v.Person.Elsewhere()))
	if told := heard(t, b); len(told) != 1 || told[0].Type != events.Moved || len(told[0].Certificates) != 0 {
		t.Errorf("%+v", told)
	}
	if now, _ := b.Show("sakura"); now.State != bureau.StateGood {
		t.Errorf("the card is %s", now.State)
	}
}

func TestNothingHappensToTheDead(t *testing.T) {
	c := newClock()
	b := open(t, t.TempDir(), c)
	v := issued(t, b, "yuki")
	do(t, b.Suspend("yuki"))
	do(t, b.Die("yuki"))
	told := heard(t, b)
	c.to(start.AddDate(20, 0, 0))
	for what, step := range map[string]func() error{
		"renew":   func() error { return b.Renew("yuki", bureau.Renewal{}) },
		"resume":  func() error { return b.Resume("yuki") },
		"suspend": func() error { return b.Suspend("yuki") },
		"revoke":  func() error { return b.Revoke("yuki", warifu.ReasonKeyCompromise) },
		"move":    func() error { return b.Move("yuki", v.Person.Elsewhere()) },
		"marry":   func() error { return b.ChangeName("yuki", v.Person.Married()) },
	} {
		if got := problem(step()); got != "card-state" {
			t.Errorf("%s: %q", what, got)
		}
	}
	for _, e := range heard(t, b)[len(told):] {
		if e.Person == told[0].Person {
			t.Errorf("about the dead: %+v", e)
		}
	}
	if now, _ := b.Show("yuki"); now.State != bureau.StateRevoked || now.Died.IsZero() {
		t.Errorf("%s, died %s", now.State, now.Died)
	}
}

func TestTheClockTellsBirthdaysAndTheEndOfCertificates(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	b := open(t, dir, c)
	aoi := issued(t, b, "aoi") // five days left
	if told := heard(t, b); len(told) != 0 {
		t.Fatalf("before anything happened: %+v", told)
	}
	end := of(t, aoi, warifu.Authentication).Certificate.NotAfter
	c.to(end)
	if n, err := b.Advance(); n != 0 || err != nil {
		t.Errorf("in the last second: %d, %v", n, err)
	}
	c.to(end.Add(time.Second))
	if n, err := b.Advance(); n != 2 || err != nil {
		t.Errorf("a second later: %d, %v", n, err)
	}
	c.to(start.AddDate(0, 0, 21)) // ren is fifteen
	told := heard(t, b)
	if len(told) != 3 || told[0].Type != events.Expired || !told[0].At.Equal(end) || told[2].Type != events.Turned15 ||
		!told[2].At.Equal(person.DateOf(start.AddDate(0, 0, 20))) {
		t.Errorf("%+v", told)
	}
	_ = b.Close()
	b = open(t, dir, c)
	if n, err := b.Advance(); n != 0 || err != nil {
		t.Errorf("told again after a restart: %d, %v", n, err)
	}
}

func TestTheLogIsTheSameForEverAndAHoleInItIsDamage(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	b := open(t, dir, c)
	for range 2 {
		do(t, b.Suspend("taro"))
		do(t, b.Resume("taro"))
	}
	before, err := b.Events(0, 0)
	do(t, err)
	_ = b.Close()
	b = open(t, dir, c)
	after, err := b.Events(0, 0)
	do(t, err)
	if before.Newest != 4 || !slices.EqualFunc(before.Events, after.Events, bytes.Equal) {
		t.Error("a restart changed what was told")
	}
	_ = b.Close()
	do(t, os.Remove(filepath.Join(dir, "events", "000000000002.json")))
	_, err = bureau.Open(bureau.Config{Dir: dir, Clock: c, BaseURL: base, NewKey: nextKey})
	if problem(err) != "world-damaged" {
		t.Errorf("with a hole: %v", err)
	}
}

// TestAnEventThatWasNotNumberedYetIsNumberedAtTheNextOpening puts the folder into the
// state of a bureau that was killed between writing the card and writing the event.
func TestAnEventThatWasNotNumberedYetIsNumberedAtTheNextOpening(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	b := open(t, dir, c)
	do(t, b.Suspend("taro"))
	do(t, b.Die("taro"))
	want := heard(t, b)
	_ = b.Close()
	do(t, os.Remove(filepath.Join(dir, "events", "000000000002.json")))
	for range 2 {
		b = open(t, dir, c)
		if got := heard(t, b); !slices.EqualFunc(got, want, events.Event.Equal) {
			t.Errorf("%+v, want %+v", got, want)
		}
		_ = b.Close()
	}
}

func TestAPullAnswersInPortions(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b) + "/events"
	for range 3 {
		do(t, b.Suspend("taro"))
		do(t, b.Resume("taro"))
	}
	for query, want := range map[string][]int64{
		"": {1, 2, 3, 4, 5, 6}, "?after=4": {5, 6}, "?after=1&limit=2": {2, 3}, "?limit=1000000": {1, 2, 3, 4, 5, 6}, "?after=99": {},
	} {
		status, answer := fetch(t, http.MethodGet, url+query, "", nil)
		var batch events.Batch
		if err := json.Unmarshal(answer, &batch); status != http.StatusOK || err != nil || batch.Newest != 6 || batch.Events == nil {
			t.Fatalf("%q: %d %s", query, status, answer)
		}
		got := []int64{}
		for _, e := range opened(t, b, batch.Events) {
			got = append(got, e.Sequence)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"?after=-1", "?after=x", "?before=1", "?after=1&after=2"} {
		if status, answer := fetch(t, http.MethodGet, url+query, "", nil); status != 422 || !bytes.Contains(answer, []byte("bureau-request-malformed")) {
			t.Errorf("%q: %d %s", query, status, answer)
		}
	}
}

func TestAPushIsTriedAgainAndComesInOrder(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	do(t, b.Suspend("taro")) // before anybody subscribed
	ctx, stop := context.WithCancel(t.Context())
	failures, waits := 7, 0
	arrived, gaveUp := make(chan events.Event, 10), make(chan struct{}, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.Push(ctx, 0, func(_ context.Context, batch events.Batch) error {
			if failures > 0 {
				failures--
				if failures == 2 {
					gaveUp <- struct{}{} // the fifth try: nothing more until something happens
				}
				return errors.New("nobody there")
			}
			for _, e := range opened(t, b, batch.Events) {
				arrived <- e
			}
			return nil
		}, func(context.Context, int) error { waits++; return nil })
	}()
	<-gaveUp
	do(t, b.Resume("taro"))
	do(t, b.Die("taro"))
	for n := range int64(3) {
		if e := <-arrived; e.Sequence != n+1 {
			t.Errorf("event %d came as number %d", e.Sequence, n+1)
		}
	}
	stop()
	<-done
	if waits < 5 || waits > 7 {
		t.Errorf("waited %d times", waits)
	}
}

func TestAPushIsPosted(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	do(t, b.Suspend("taro"))
	got := make(chan events.Batch, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch events.Batch
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil || r.URL.Path != "/api/v1/card-events" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		got <- batch
		w.WriteHeader(http.StatusNoContent)
	}))
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go b.Push(ctx, 0, bureau.PostTo(s.URL+"/api/v1/card-events", nil), nil)
	if batch := <-got; batch.Newest != 1 || len(opened(t, b, batch.Events)) != 1 {
		t.Errorf("%+v", batch)
	}
}

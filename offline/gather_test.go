package offline_test

import (
	"context"
	"testing"
	"time"

	"warifu"
	"warifu/offline"
	"warifu/profile"
)

// tell makes what is due and returns what a reader finds.
func (r *plainRegister) tell(t *testing.T, p *offline.Publisher, l *life) warifu.CertStatus {
	t.Helper()
	if _, err := p.Round(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r.told(t, p)(l.certificate).Cert
}

// at is an instant in Japan.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, 6, day, hour, minute, 0, 0, profile.Japan)
}

func TestACertificateOfTodayIsCoveredOnceItIsKnownAndItsDayOnceItIsOver(t *testing.T) {
	r := &plainRegister{house: newHouse(t), now: at(12, 9, 0)}
	p := r.publisher()
	p.DeltaEvery, p.Every = time.Minute, time.Minute
	before := r.issue(100)
	before.set(good)
	if got := r.tell(t, p, before); got != warifu.StatusGood {
		t.Errorf("issued today before the pack: %v", got)
	}
	after := r.issue(100)
	after.set(good)
	if got := r.told(t, p)(after.certificate).Cert; got != warifu.StatusUnknown {
		t.Errorf("issued today after the pack: %v", got)
	}
	// More than are listed: all of today's are unknown, until the day is over and settled.
	for range offline.MaxRecent {
		r.issue(100).set(good)
	}
	for _, c := range []struct {
		at   time.Time
		want warifu.CertStatus
	}{
		{at(12, 10, 0), warifu.StatusUnknown}, {at(13, 0, 5), warifu.StatusUnknown}, {at(13, 1, 59), warifu.StatusUnknown}, {at(13, 2, 0), warifu.StatusGood},
	} {
		r.now = c.at
		if got := r.tell(t, p, before); got != c.want {
			t.Errorf("at %v: %v, want %v", c.at, got, c.want)
		}
	}
}

// On an authority's first day certificates begin with the authority and not with the day.
func TestTheAuthoritysFirstDayIsCoveredLikeAnyOther(t *testing.T) {
	r := &plainRegister{house: newHouse(t)}
	r.now = r.issuer.NotBefore.Add(time.Hour)
	first := r.issue(1000)
	first.set(good)
	if !first.certificate.NotBefore.Equal(r.issuer.NotBefore) {
		t.Fatalf("it begins at %v", first.certificate.NotBefore)
	}
	for range offline.MaxRecent {
		r.issue(1000).set(good)
	}
	r.now = now
	if got := r.tell(t, r.publisher(), first); got != warifu.StatusGood {
		t.Errorf("%v", got)
	}
}

func TestARegisterThatWentBackGetsAWholePack(t *testing.T) {
	r := &plainRegister{house: newHouse(t), now: at(12, 9, 0)}
	p := r.publisher()
	l := r.issue(100)
	l.set(gone)
	if got := r.tell(t, p, l); got != warifu.StatusRevoked {
		t.Fatal(got)
	}
	l.set(good) // put back from a copy: no life goes there by itself
	r.now = at(12, 10, 0)
	if got := r.tell(t, p, l); got != warifu.StatusGood || p.Current().Delta != nil {
		t.Errorf("%v, delta %v", got, p.Current().Delta != nil)
	}
}

func TestWhileTheRegisterIsAwayWhatWasMadeStays(t *testing.T) {
	r := &plainRegister{house: newHouse(t), now: at(12, 9, 0)}
	p := r.publisher()
	r.away = true
	if _, err := p.Round(context.Background()); err == nil || p.Current() != nil {
		t.Fatal("a pack without a number")
	}
	r.away = false
	l := r.issue(100)
	l.set(good)
	r.tell(t, p, l)
	made := p.Current()
	r.away, r.now = true, at(12, 11, 0)
	if _, err := p.Round(context.Background()); err == nil || p.Current() != made {
		t.Error("what can be had changed")
	}
	r.away = false
	if again, err := p.Round(context.Background()); err != nil || !again || p.Current().Delta == nil {
		t.Errorf("once it is back: %v", err)
	}
	if again, err := p.Round(context.Background()); err != nil || again {
		t.Errorf("before the next is due: %v", err)
	}
}

// A pack is believed no longer than the key that signed it: where the responder's
// certificate ends first, so does the pack.
func TestAPackEndsWithItsResponder(t *testing.T) {
	r := &plainRegister{house: newHouse(t)}
	r.now = r.responder.NotAfter.Add(-time.Hour)
	p := r.publisher()
	if _, err := p.Round(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := p.Current().Full.NextUpdate; !got.Equal(r.responder.NotAfter) {
		t.Errorf("the pack ends at %v, its responder at %v", got, r.responder.NotAfter)
	}
}

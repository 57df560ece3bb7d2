package bureau_test

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/bureau"
	"warifu/sandbox/person"
)

var start = time.Date(2026, time.November, 22, 9, 0, 0, 0, person.Tokyo)

const base = "http://127.0.0.1:8401/bureau"

// keys are made once for the whole test binary; worlds in tests share them.
var keys = sync.OnceValue(func() []*rsa.PrivateKey {
	out := make([]*rsa.PrivateKey, 4)
	for i := range out {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out[i] = k
	}
	return out
})

var drawn atomic.Uint64

func nextKey() (*rsa.PrivateKey, error) {
	return keys()[drawn.Add(1)%uint64(len(keys()))], nil
}

// clock is a world's clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func open(t testing.TB, dir string, c warifu.Clock) *bureau.Bureau {
	t.Helper()
	b, err := bureau.Open(bureau.Config{Dir: dir, Clock: c, BaseURL: base, NewKey: nextKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// issued issues the person's card and shows it.
func issued(t testing.TB, b *bureau.Bureau, id string) bureau.View {
	t.Helper()
	if err := b.Issue(id); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	v, err := b.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func of(t testing.TB, v bureau.View, kind warifu.Kind) bureau.CertificateView {
	t.Helper()
	for _, c := range v.Certificates {
		if c.Kind == kind {
			return c
		}
	}
	t.Fatalf("%s has no %s certificate", v.Person.ID, kind)
	return bureau.CertificateView{}
}

func TestEveryCertificateFollowsTheCardProfile(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	all, err := b.Persons()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		v := issued(t, b, p.Person.ID)
		if want := p.Person.MaySign(p.Person.CertificatesIssued); want != (len(v.Certificates) == 2) {
			t.Errorf("%s: %d certificates", p.Person.ID, len(v.Certificates))
		}
		for _, c := range v.Certificates {
			if err := profile.Card(c.Kind, profile.Endpoints{}).Check(c.Certificate); err != nil {
				t.Errorf("%s: %v", p.Person.ID, err)
			}
			if err := c.Certificate.CheckSignatureFrom(b.Authority(c.Kind)); err != nil {
				t.Errorf("%s: %v", p.Person.ID, err)
			}
			if n := len(c.Certificate.SerialNumber.Bytes()); n != 4 {
				t.Errorf("%s: serial of %d octets", p.Person.ID, n)
			}
			if c.Certificate.NotAfter.Format("150405Z07") != "145959Z" {
				t.Errorf("%s ends at %s, not at midnight in Tokyo", p.Person.ID, c.Certificate.NotAfter)
			}
		}
	}
}

func TestEachPersonsDifferenceShowsInTheirCard(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	attributes := func(v bureau.View) profile.Attributes {
		a, _, err := profile.ParseAttributes(of(t, v, warifu.Signature).Certificate)
		if err != nil {
			t.Error(err)
		}
		return a
	}
	left := func(v bureau.View) time.Duration {
		return of(t, v, warifu.Authentication).Certificate.NotAfter.Sub(start)
	}
	day := 24 * time.Hour
	for id, holds := range map[string]func(bureau.View) bool{
		"sakura": func(v bureau.View) bool {
			return len(v.Certificates) == 1 && v.Certificates[0].Kind == warifu.Authentication
		},
		"ren":     func(v bureau.View) bool { return len(v.Certificates) == 1 },
		"kaoru":   func(v bureau.View) bool { return attributes(v).NameSubstitution == "1000" },
		"kenji":   func(v bureau.View) bool { return left(v) > 729*day && left(v) < 733*day },
		"yuki":    func(v bureau.View) bool { return left(v) > 59*day && left(v) < 63*day },
		"aoi":     func(v bureau.View) bool { return left(v) > 5*day && left(v) < 6*day },
		"goro":    func(v bureau.View) bool { return left(v) < 0 && v.CardExpires.Before(start) && v.State == "expired" },
		"mika":    func(v bureau.View) bool { return v.State == "held" },
		"shin":    func(v bureau.View) bool { return v.State == "revoked" },
		"maria":   func(v bureau.View) bool { return left(v) < 600*day && len(attributes(v).Name) > 60 },
		"nagai":   func(v bureau.View) bool { return len([]rune(attributes(v).Address)) == 200 },
		"ume":     func(v bureau.View) bool { return attributes(v).BirthDate == "219240520" },
		"kyoko":   func(v bureau.View) bool { return attributes(v).Name == "高橋［佐藤］　京子" },
		"makoto":  func(v bureau.View) bool { return attributes(v).Gender == "3" },
		"yoshino": func(v bureau.View) bool { return []rune(attributes(v).Name)[0] == 0x20BB7 },
		"uruu":    func(v bureau.View) bool { return left(v) > 0 && v.State == "good" },
		"taro":    func(v bureau.View) bool { return v.State == "good" && attributes(v).BirthDate == "319800217" },
	} {
		if v := issued(t, b, id); !holds(v) {
			t.Errorf("%s is not what they are there for: %+v", id, v.Certificates)
		}
	}
}

func TestSomebodyUnknownIsToldSo(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	for _, err := range []error{b.Issue("nobody"), b.Suspend("nobody"), b.Renew("nobody", bureau.Renewal{})} {
		if warifu.ProblemOf(err).Problem != "person-unknown" {
			t.Errorf("got %v", err)
		}
	}
}

func TestNobodyIsIssuedACertificateOfAnotherDay(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	g := person.Generator{Seed: 1, Start: start}
	for name, date := range map[string]string{"tomorrow": "2026-11-23", "before there was an authority": "2010-01-01"} {
		r := g.Person(7).Record()
		r.Birth, r.CardIssued, r.CertificatesIssued = "1970-01-01", date, date
		if _, err := b.New(r); warifu.ProblemOf(err).Params["field"] != "certificates_issued" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFurtherPersonsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, newClock())
	p, err := first.Resident()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.New(p.Record()); warifu.ProblemOf(err).Problem != "person-exists" {
		t.Errorf("twice the same: %v", err)
	}
	second := open(t, dir, newClock())
	v := issued(t, second, p.ID)
	if v.Person.Record() != p.Record() || len(v.Certificates) != 2 {
		t.Errorf("%+v", v)
	}
}

func TestARestartKeepsEverything(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	first := open(t, dir, c)
	before := issued(t, first, "taro")
	if err := first.Suspend("taro"); err != nil {
		t.Fatal(err)
	}
	c.to(start.Add(time.Hour))
	second := open(t, dir, c)
	after, err := second.Show("taro")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range warifu.Kinds {
		was, is := of(t, before, kind), of(t, after, kind)
		if !was.Certificate.Equal(is.Certificate) || is.Status.Reason != warifu.ReasonCertificateHold {
			t.Errorf("%s: %+v", kind, is.Status)
		}
		if !first.Authority(kind).Equal(second.Authority(kind)) {
			t.Error("another authority")
		}
	}
	if !first.StatementKey().Equal(second.StatementKey()) || !first.Start().Equal(second.Start()) {
		t.Error("another world")
	}
}

func TestManyHandsAtOnceIssueOneCard(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	var wait sync.WaitGroup
	seen := make([]string, 8)
	for i := range seen {
		wait.Go(func() {
			if err := b.Issue("hanako"); err != nil {
				t.Error(err)
				return
			}
			v, err := b.Show("hanako")
			if err != nil || len(v.Certificates) == 0 {
				t.Error(err)
				return
			}
			seen[i] = v.Certificates[0].Certificate.SerialNumber.String()
			if _, err := b.Persons(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, s := range seen {
		if s != seen[0] {
			t.Fatalf("two cards: %v", seen)
		}
	}
}

package bureau_test

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/attest"
	"warifu/crl"
	"warifu/events"
	"warifu/sandbox/bureau"
	"warifu/sandbox/person"
)

// life is one card living through whatever comes, with what must stay true of it.
type life struct {
	dir     string
	clock   *clock
	bureau  *bureau.Bureau
	id      string
	handle  warifu.Digest
	ended   map[warifu.Digest]warifu.Reason // certificates once revoked for good
	serials map[warifu.Kind]map[string]warifu.Digest
}

func (l *life) open(t *rapid.T) {
	b, err := bureau.Open(bureau.Config{Dir: l.dir, Clock: l.clock, BaseURL: base, NewKey: nextKey})
	if err != nil {
		t.Fatal(err)
	}
	l.bureau = b
}

// check looks at the card through every door the bureau has.
func (l *life) check(t *rapid.T) {
	v, err := l.bureau.Show(l.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Certificates {
		digest := warifu.DigestOf(c.Certificate.Raw)
		if known, seen := l.serials[c.Kind][c.Certificate.SerialNumber.String()]; seen && known != digest {
			t.Fatal("one serial number for two certificates")
		}
		l.serials[c.Kind][c.Certificate.SerialNumber.String()] = digest
		if _, ended := l.ended[digest]; ended && c.Status.Cert == warifu.StatusGood {
			t.Fatal("what was revoked is good again")
		}
		if c.Status.Cert == warifu.StatusRevoked && c.Status.Reason != warifu.ReasonCertificateHold {
			l.ended[digest] = c.Status.Reason
		}
		if c.Certificate.NotAfter.After(v.CardExpires) && v.State == bureau.StateGood {
			t.Fatal("a certificate outlives its card")
		}
		l.agree(t, c)
	}
}

// agree compares statement, OCSP's source and list.
func (l *life) agree(t *rapid.T, c bureau.CertificateView) {
	envelope, err := l.bureau.Statement(c.Certificate.Raw, warifu.DigestOf([]byte("nonce")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.OpenCardStatement(envelope, l.bureau.StatementKey())
	if err != nil {
		t.Fatal(err)
	}
	if l.handle.IsZero() {
		l.handle = s.Person
	}
	stated, _ := s.Of(c.Kind)
	if s.Person != l.handle || stated.State != c.Status.Cert || stated.Held != (c.Status.Reason == warifu.ReasonCertificateHold) {
		t.Fatalf("the statement says %+v of %+v", stated, c.Status)
	}
	r, known := l.bureau.Status(c.Kind, c.Certificate.SerialNumber.Bytes())
	if !known || r.Status != c.Status {
		t.Fatalf("OCSP would say %+v of %+v", r.Status, c.Status)
	}
	var der bytes.Buffer
	if err := l.bureau.CRL(&der, c.Kind); err != nil {
		t.Fatal(err)
	}
	list, err := crl.Parse(der.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, listed := list.Lookup(c.Certificate.SerialNumber.Bytes()); listed != (c.Status.Cert == warifu.StatusRevoked) {
		t.Fatal("the list says otherwise")
	}
}

func (l *life) person(t *rapid.T) person.Person {
	v, err := l.bureau.Show(l.id)
	if err != nil {
		t.Fatal(err)
	}
	return v.Person
}

// followed reads the events as a follower does, who knows nothing else, and wants to
// have come to the same end as the statements.
func (l *life) followed(t *rapid.T) {
	batch, err := l.bureau.Events(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	ended, held := map[string]bool{}, map[string]bool{}
	for i, envelope := range batch.Events {
		e, err := events.Open(envelope, l.bureau.StatementKey())
		if err != nil || e.Sequence != int64(i)+1 {
			t.Fatalf("event %d has the number %d: %v", i+1, e.Sequence, err)
		}
		if e.Person != l.handle {
			continue
		}
		for _, c := range e.Certificates {
			name := c.Kind.String() + string(c.Serial)
			switch e.Type {
			case events.Suspended:
				held[name] = true
			case events.Resumed:
				held[name] = false
			default:
				ended[name] = true
			}
		}
	}
	v, err := l.bureau.Show(l.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Certificates {
		name := c.Kind.String() + string(c.Certificate.SerialNumber.Bytes())
		isHeld := c.Status.Reason == warifu.ReasonCertificateHold
		isEnded := c.Status.Cert == warifu.StatusRevoked && !isHeld || l.clock.Now().After(c.Certificate.NotAfter)
		if ended[name] != isEnded || !isEnded && held[name] != isHeld {
			t.Fatalf("a follower thinks ended %v, held %v; the card is %+v", ended[name], held[name], c.Status)
		}
	}
}

// few has rapid draw twenty lives instead of a hundred.
func few(t *testing.T) {
	before := flag.Lookup("rapid.checks").Value.String()
	_ = flag.Set("rapid.checks", "20")
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
}

func TestWhateverComesStatementsStatusAndListAgree(t *testing.T) {
	if os.Getenv("WARIFU_SOAK") == "" {
		few(t) // every step forces files to the disk
	}
	dir, c := t.TempDir(), newClock()
	rapid.Check(t, func(t *rapid.T) {
		l := &life{dir: dir, clock: c, ended: map[warifu.Digest]warifu.Reason{}, serials: map[warifu.Kind]map[string]warifu.Digest{warifu.Signature: {}, warifu.Authentication: {}}}
		l.open(t)
		p, err := l.bureau.Resident()
		if err != nil {
			t.Fatal(err)
		}
		l.id = p.ID
		if err := l.bureau.Issue(l.id); err != nil {
			t.Fatal(err)
		}
		steps := map[string]func() error{
			"suspend": func() error { return l.bureau.Suspend(l.id) },
			"resume":  func() error { return l.bureau.Resume(l.id) },
			"revoke":  func() error { return l.bureau.Revoke(l.id, warifu.ReasonKeyCompromise) },
			"renew":   func() error { return l.bureau.Renew(l.id, bureau.Renewal{}) },
			"move":    func() error { return l.bureau.Move(l.id, l.person(t).Elsewhere()) },
			"marry":   func() error { return l.bureau.ChangeName(l.id, l.person(t).Married()) },
			"die":     func() error { return l.bureau.Die(l.id) },
			"restart": func() error { _ = l.bureau.Close(); l.open(t); return nil },
			"weeks":   func() error { c.to(c.Now().Add(20 * 24 * time.Hour)); return nil },
		}
		names := []string{"suspend", "resume", "revoke", "renew", "restart", "weeks", "move", "marry", "renew", "weeks", "die"}
		for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 8).Draw(t, "steps") {
			if p := problem(steps[name]()); p != "" && p != "card-state" && p != "renewal-too-early" {
				t.Fatalf("%s: %s", name, p)
			}
			l.check(t)
			l.followed(t)
		}
		_ = l.bureau.Close()
	})
}

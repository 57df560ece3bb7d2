package ca_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/profile"
)

func TestACardBecomesTwoCertificates(t *testing.T) {
	for _, name := range []string{"badge", "jp-mobile"} {
		w := newWorld(name)
		w.phoneKey = phoneKeys(name)
		r := w.newApplication().request()
		for _, kind := range warifu.Kinds {
			c := parse(w.issue(t, kind, r))
			if err := profile.Phone(kind, profile.Algorithm(w.scheme.Algorithm), partitioned()).Check(c); err != nil {
				t.Errorf("%s %s: %v", name, kind, err)
			}
			if err := c.CheckSignatureFrom(w.authority[kind].certificate); err != nil {
				t.Errorf("%s %s: %v", name, kind, err)
			}
			if !serials(kind).Check(c.SerialNumber.Bytes()) {
				t.Errorf("%s %s: serial number %x is not of this authority", name, kind, c.SerialNumber)
			}
			a, present, err := profile.ParseAttributes(c)
			if present != (kind == warifu.Signature) || err != nil || present && a != yamada {
				t.Errorf("%s %s: attributes present %v, %v", name, kind, present, err)
			}
		}
	}
}

func TestNothingLinksTheTwoCertificatesOfAPerson(t *testing.T) {
	w := newWorld("badge")
	r := w.newApplication().request()
	s, a := parse(w.issue(t, warifu.Signature, r)), parse(w.issue(t, warifu.Authentication, r))
	w.clock = w.clock.Add(7 * time.Hour)
	other := parse(w.issue(t, warifu.Authentication, w.newApplication().request()))
	if !a.NotBefore.Equal(other.NotBefore) {
		t.Error("two people's certificates of one day begin at different instants")
	}
	if s.Subject.CommonName == a.Subject.CommonName || bytes.Equal(s.SerialNumber.Bytes()[1:], a.SerialNumber.Bytes()[1:]) {
		t.Error("common name or serial number links the two")
	}
	if strings.Contains(string(a.Raw), "山田") || strings.Contains(string(a.Raw), "東京") {
		t.Error("the authentication certificate names the person")
	}
}

func TestACertificateEndsWithItsParent(t *testing.T) {
	w := newWorld("badge")
	a := w.newApplication()
	earlier := time.Date(2028, 1, 1, 14, 59, 59, 0, time.UTC)
	a.request()
	s := w.statementOf(a.card, warifu.DigestOf(must(a.document.Marshal())))
	s.Certificates[1].NotAfter = earlier
	a.statement = &s
	r := a.request()
	if c := parse(w.issue(t, warifu.Signature, r)); !c.NotAfter.Equal(a.card.certs[warifu.Signature].NotAfter) {
		t.Errorf("signature: %v", c.NotAfter)
	}
	if c := parse(w.issue(t, warifu.Authentication, r)); !c.NotAfter.Equal(earlier) {
		t.Errorf("authentication: %v", c.NotAfter)
	}
}

func TestOneKindCanBeHadAlone(t *testing.T) {
	w := newWorld("badge")
	r := w.newApplication(warifu.Authentication).request()
	w.issue(t, warifu.Authentication, r)
	if o := w.issuers[warifu.Signature].Issue(t.Context(), []ca.Request{r})[0]; o.Err == nil {
		t.Error("a signature certificate that nobody applied for")
	}
}

func TestABatchIsTwoCommitsAndItsRefusalsHurtNobody(t *testing.T) {
	w := newWorld("badge")
	var requests []ca.Request
	for n := range 20 {
		a := w.newApplication()
		if n%5 == 3 {
			a.status[warifu.Signature] = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise}
		}
		requests = append(requests, a.request())
	}
	requests = append(requests, ca.Request{}, requests[0])
	out := w.issuers[warifu.Signature].Issue(t.Context(), requests)
	for n, o := range out {
		if refused := n%5 == 3 && n < 20 || n == 20; refused != (o.Err != nil) {
			t.Errorf("request %d: %v", n, o.Err)
		}
	}
	if !bytes.Equal(out[0].Certificate, out[21].Certificate) {
		t.Error("one application twice in a batch made two certificates")
	}
	if got := w.ledgers[warifu.Signature].commits; got != 2 {
		t.Errorf("%d commits", got)
	}
}

func TestATakenIndexIsDrawnAnew(t *testing.T) {
	w := newWorld("badge")
	config := ca.ConfigOf(w.issuers[warifu.Signature])
	config.Random = &stutter{}
	issuer := must(ca.New(config))
	for range 3 {
		if o := issuer.Issue(t.Context(), []ca.Request{w.newApplication().request()})[0]; o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	if len(w.ledgers[warifu.Signature].rows) != 3 {
		t.Error("not three intents")
	}
}

// stutter is randomness that repeats itself for a while.
type stutter struct{ calls int }

func (s *stutter) Read(p []byte) (int, error) {
	s.calls++
	for n := range p {
		p[n] = byte(s.calls / 6)
	}
	return len(p), nil
}

func TestAHalfMadeConfigurationIsRefused(t *testing.T) {
	w := newWorld("badge")
	for name, change := range map[string]func(*ca.Config){
		"no ledger":       func(c *ca.Config) { c.Ledger = nil },
		"no cards":        func(c *ca.Config) { c.Cards = nil },
		"another's key":   func(c *ca.Config) { c.Key = newKey() },
		"no CA":           func(c *ca.Config) { c.Certificate = w.newCard().certs[warifu.Signature] },
		"no serials":      func(c *ca.Config) { c.Serials = ca.SerialCipher{} },
		"no kind":         func(c *ca.Config) { c.Kind = 0 },
		"no challenge":    func(c *ca.Config) { c.Challenge = nil },
		"no endpoints":    func(c *ca.Config) { c.Endpoints = profile.Endpoints{} },
		"other algorithm": func(c *ca.Config) { s := *c.Scheme; s.Algorithm = "rsa-512"; c.Scheme = &s },
	} {
		c := ca.ConfigOf(w.issuers[warifu.Signature])
		change(&c)
		if _, err := ca.New(c); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

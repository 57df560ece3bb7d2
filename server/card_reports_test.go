package server_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/sandbox/bureau"
	"warifu/server"
	"warifu/store"
)

// sometimes is a way to the bureau that can be cut.
type sometimes struct {
	away    atomic.Bool
	reports atomic.Int64 // that arrived
	next    http.RoundTripper
}

func (s *sometimes) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.away.Load() {
		return nil, errors.New("the line is dead")
	}
	if strings.HasSuffix(r.URL.Path, "/card-reports") {
		s.reports.Add(1)
	}
	return s.next.RoundTrip(r)
}

// lostCard puts a report into the outbox as a call at the hotline does.
func lostCard(t *testing.T, s *server.Server, receipt string, person warifu.Digest, p *premises) {
	t.Helper()
	must(t, s.Registration().Store.Write(t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertCall(store.Call{Receipt: receipt, Operator: "aoi", Matched: 1, Person: person, At: p.clock.Now()}); err != nil {
			return err
		}
		return tx.PutCardReport(store.CardReport{Receipt: receipt, Person: person, At: p.clock.Now()})
	}))
}

func TestALostCardIsReportedWhenItsBureauIsBackAndOnce(t *testing.T) {
	p := newPremises(t)
	p.furnish(t)
	must(t, p.bureau.Issue("kyoko"))
	line := &sometimes{next: p.client().Transport}
	s, err := server.New(t.Context(), p.config, server.Options{Clock: p.clock, Bureau: &http.Client{Transport: line}})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	person := p.handleOf(t, "kyoko")
	state := func() string {
		t.Helper()
		v, err := p.bureau.Show("kyoko")
		must(t, err)
		return v.State
	}
	lostCard(t, s, "0123-4567-8901", warifu.DigestOf([]byte("somebody the bureau does not know")), p)
	lostCard(t, s, "0123-4567-8902", person, p)
	open := func(want int) {
		t.Helper()
		n, oldest, err := s.Registration().OpenCardReports(t.Context())
		must(t, err)
		if n != want || oldest.IsZero() != (want == 0) {
			t.Errorf("%d reports are open, want %d", n, want)
		}
	}
	s.Sweep(t.Context()) // the bureau does not believe this server yet
	open(2)
	p.bureau.BelieveReports(p.reportKey(t))
	line.away.Store(true)
	s.Sweep(t.Context())
	open(2)
	if got := state(); got != bureau.StateGood {
		t.Errorf("the card is %s", got)
	}
	line.away.Store(false)
	s.Sweep(t.Context())
	open(1) // the one that the bureau refuses stays, and has kept nobody waiting
	if got := state(); got != bureau.StateHeld {
		t.Errorf("the card is %s", got)
	}
	before := line.reports.Load()
	s.Sweep(t.Context())
	if line.reports.Load() != before+1 { // the refused one alone
		t.Errorf("%d reports in one round", line.reports.Load()-before)
	}
	must(t, p.bureau.Resume("kyoko"))
}

// reportKey is what the ceremony left for the bureau.
func (p *premises) reportKey(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	b, err := os.ReadFile(p.config.ReportKeyFile())
	must(t, err)
	block, _ := pem.Decode(b)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	must(t, err)
	return key.(*ecdsa.PublicKey)
}

// handleOf is the opaque name of a person, out of a card statement.
func (p *premises) handleOf(t *testing.T, id string) warifu.Digest {
	t.Helper()
	v, err := p.bureau.Show(id)
	must(t, err)
	envelope, err := p.bureau.Statement(v.Certificates[0].Certificate.Raw, warifu.DigestOf([]byte("nonce")))
	must(t, err)
	s, err := attest.OpenCardStatement(envelope, p.bureau.StatementKey())
	must(t, err)
	return s.Person
}

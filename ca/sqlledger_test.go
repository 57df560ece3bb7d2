package ca_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"warifu"
	"warifu/ca"
	"warifu/keystore"
	"warifu/store"
)

// TestTheShippedLedgerKeepsTheCycle runs the cycle on SQLite: what Issuer asks of a
// Ledger and what store gives is the same contract.
func TestTheShippedLedgerKeepsTheCycle(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "ledger.db")
	if err := store.MigrateLedger(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	keys := must(keystore.Memory())
	seal := must(keys.GenerateSymmetric("seal", 256))
	ledger := must(store.OpenLedger(t.Context(), dsn, seal))
	defer func() { _ = ledger.Close() }()

	w := newWorld("badge")
	issuer := must(ca.New(withLedger(ca.ConfigOf(w.issuers[sig]), ledger)))
	a := w.newApplication()
	var requests []ca.Request
	for range 5 {
		requests = append(requests, w.newApplication().request())
	}
	requests = append(requests, a.request(), requests[0])
	out := issuer.Issue(t.Context(), requests)
	for n, o := range out {
		if o.Err != nil {
			t.Fatalf("request %d: %v", n, o.Err)
		}
	}
	signatures := w.signatures()
	again := issuer.Issue(t.Context(), requests)
	for n := range out {
		if !bytes.Equal(out[n].Certificate, again[n].Certificate) {
			t.Errorf("request %d: the retry gave another certificate", n)
		}
	}
	if w.signatures() != signatures || !bytes.Equal(out[0].Certificate, out[6].Certificate) {
		t.Error("a retry signed again")
	}
	thief := w.newApplication()
	thief.setKey(0, a.document.Keys[0].PublicKey)
	if o := issuer.Issue(t.Context(), []ca.Request{thief.request()})[0]; !errors.Is(o.Err, &warifu.Error{Problem: "key-seen"}) {
		t.Errorf("%v", o.Err)
	}
	w.keys[sig].fail.Store(&errPower)
	crashed := w.newApplication()
	if o := issuer.Issue(t.Context(), []ca.Request{crashed.request()})[0]; o.Err == nil {
		t.Fatal("no crash")
	}
	if o := issuer.Issue(t.Context(), []ca.Request{crashed.request()})[0]; o.Err != nil {
		t.Errorf("the retry after a crash: %v", o.Err)
	}
}

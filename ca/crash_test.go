package ca_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"warifu"
	"warifu/ca"
)

// TestARetryAfterACrashGivesTheSameCertificate pulls the plug at every seam of the cycle
// and asks again, an hour later, a new process with nothing but the ledger.
func TestARetryAfterACrashGivesTheSameCertificate(t *testing.T) {
	type seam struct {
		name     string
		pull     func(w *world)
		intended bool // the intent outlives the crash
		recorded bool // so does the certificate
	}
	for _, scheme := range []string{"badge", "jp-mobile"} {
		for _, s := range []seam{
			{"before the intent", func(w *world) { w.ledgers[sig].before["Intend"] = errPower }, false, false},
			{"after the intent", func(w *world) { w.ledgers[sig].after["Intend"] = errPower }, true, false},
			{"while signing", func(w *world) { w.keys[sig].fail.Store(&errPower) }, true, false},
			{"after signing", func(w *world) { w.ledgers[sig].before["Record"] = errPower }, true, false},
			{"after recording", func(w *world) { w.ledgers[sig].after["Record"] = errPower }, true, true},
		} {
			t.Run(scheme+"/"+s.name, func(t *testing.T) {
				w := newWorld(scheme)
				w.phoneKey = phoneKeys(scheme)
				a := w.newApplication()
				s.pull(w)
				o := w.issuers[sig].Issue(t.Context(), []ca.Request{a.request()})[0]
				if code := warifu.ProblemOf(o.Err).Code; !errors.Is(o.Err, errPower) || code != warifu.CodeUnavailable || o.Certificate != nil {
					t.Fatalf("%v %v: what crashed may be tried again and gives nothing away", o.Err, code)
				}
				before := rows(w)
				if (len(before) == 1) != s.intended || s.intended && (before[0].Certificate != nil) != s.recorded {
					t.Fatalf("%d intents in the ledger", len(before))
				}
				w.clock = w.clock.Add(time.Hour)
				a.statusAt = w.clock
				w.issuers[sig] = w.issuer(sig)
				checkRetry(t, w, w.issue(t, sig, a.request()), before)
			})
		}
	}
}

func rows(w *world) []warifu.Intent { return append([]warifu.Intent(nil), w.ledgers[sig].rows...) }

func checkRetry(t *testing.T, w *world, certificate []byte, before []warifu.Intent) {
	t.Helper()
	after := rows(w)
	if len(after) != 1 || !bytes.Equal(after[0].Certificate, certificate) {
		t.Fatalf("%d intents, recorded what left: %v", len(after), bytes.Equal(after[0].Certificate, certificate))
	}
	if len(before) == 1 && !bytes.Equal(parse(certificate).RawTBSCertificate, before[0].TBS) {
		t.Error("the retry signed other octets than those intended")
	}
	if len(before) == 1 && before[0].Certificate != nil && !bytes.Equal(before[0].Certificate, certificate) {
		t.Error("the retry gave another certificate than the one recorded")
	}
	for n := 1; n < len(w.keys[sig].made); n++ {
		if !bytes.Equal(w.keys[sig].made[n], w.keys[sig].made[0]) {
			t.Error("the retry made another signature over the same octets")
		}
	}
}

func TestAnIntentNobodyFinishesIsListed(t *testing.T) {
	w := newWorld("badge")
	w.keys[sig].fail.Store(&errPower)
	w.issuers[sig].Issue(t.Context(), []ca.Request{w.newApplication().request()})
	if got, err := w.issuers[sig].Unfinished(t.Context(), warifu.Intent{}); err != nil || len(got) != 0 {
		t.Errorf("an intent still at work is listed: %d %v", len(got), err)
	}
	w.clock = w.clock.Add(2 * time.Minute)
	got, err := w.issuers[sig].Unfinished(t.Context(), warifu.Intent{})
	if err != nil || len(got) != 1 || got[0].Certificate != nil {
		t.Errorf("%d %v", len(got), err)
	}
}

// A card that dies between intent and retry: nothing is signed, and the intent stays to
// be listed as revoked.
func TestARetryIsCheckedAgain(t *testing.T) {
	w := newWorld("badge")
	a := w.newApplication()
	w.ledgers[sig].after["Intend"] = errPower
	w.issuers[sig].Issue(t.Context(), []ca.Request{a.request()})
	a.status[sig] = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonAffiliationChanged}
	o := w.issuers[sig].Issue(t.Context(), []ca.Request{a.request()})[0]
	if !errors.Is(o.Err, &warifu.Error{Problem: "card-revoked"}) || w.signatures() != 0 {
		t.Errorf("%v, %d signatures", o.Err, w.signatures())
	}
}

func TestABrokenKeyRecordsNothing(t *testing.T) {
	w := newWorld("badge")
	w.keys[sig].spoil = true
	o := w.issuers[sig].Issue(t.Context(), []ca.Request{w.newApplication().request()})[0]
	if o.Err == nil || w.ledgers[sig].rows[0].Certificate != nil {
		t.Errorf("%v: a signature that does not verify was recorded", o.Err)
	}
}

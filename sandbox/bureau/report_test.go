package bureau_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/bureau"
)

var reporting = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

func report(t *testing.T, r events.CardReport) []byte {
	t.Helper()
	envelope, err := events.SealReport(r, reporting())
	do(t, err)
	return envelope
}

func TestAReportedCardIsHeldOnceAndItsEventSaysSo(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	b := open(t, dir, c)
	v := issued(t, b, "taro")
	r := events.CardReport{Person: statement(t, b, of(t, v, warifu.Signature).Certificate.Raw, warifu.DigestOf(nil)).Person, Receipt: "0123-4567-8901", At: c.Now()}
	_, err := b.Report(report(t, r))
	want(t, err, "bureau-page-unknown") // nobody is believed yet
	b.BelieveReports(&reporting().PublicKey)
	tell := func(state string) {
		t.Helper()
		body, _ := json.Marshal(map[string]any{"report": report(t, r)})
		status, answer := fetch(t, http.MethodPost, serve(t, b)+"/card-reports", "application/json", body)
		var got bureau.Reported
		if err := json.Unmarshal(answer, &got); err != nil || status != http.StatusOK || got.State != state || got.Receipt != r.Receipt {
			t.Fatalf("%d %s, want the card %s", status, answer, state)
		}
	}
	tell(bureau.StateHeld)
	tell(bureau.StateHeld)
	told := heard(t, b)
	if len(told) != 1 || told[0].Type != events.Suspended || len(told[0].Certificates) != 2 || told[0].Person != r.Person {
		t.Fatalf("told %+v", told)
	}
	do(t, b.Resume("taro"))
	do(t, b.Close())
	b = open(t, dir, c) // it remembers over a restart
	b.BelieveReports(&reporting().PublicKey)
	tell(bureau.StateGood) // who found the card has it back, whatever is sent again
	r.Receipt = "0123-4567-8902"
	tell(bureau.StateHeld) // another call is another loss
	do(t, b.Revoke("taro", warifu.ReasonKeyCompromise))
	r.Receipt = "0123-4567-8903"
	before := len(heard(t, b))
	tell(bureau.StateRevoked)
	if len(heard(t, b)) != before {
		t.Error("an event about a card of which nothing changed")
	}
}

func TestAReportIsOnlyBelievedOfTheAuthorityAndFresh(t *testing.T) {
	c := newClock()
	b := open(t, t.TempDir(), c)
	issued(t, b, "taro")
	b.BelieveReports(b.StatementKey()) // somebody else's key
	r := events.CardReport{Person: warifu.DigestOf([]byte("nobody")), Receipt: "0123-4567-8901", At: c.Now()}
	_, err := b.Report(report(t, r))
	want(t, err, "paper-signature-invalid")
	b.BelieveReports(&reporting().PublicKey)
	_, err = b.Report(report(t, r))
	want(t, err, "person-unknown")
	for _, off := range []time.Duration{events.ReportLife + time.Second, -events.ReportLife - time.Second} {
		r.At = c.Now().Add(off)
		_, err = b.Report(report(t, r))
		want(t, err, "card-report-stale")
	}
	_, err = b.Report([]byte("0"))
	want(t, err, "paper-malformed")
	if len(heard(t, b)) != 0 {
		t.Error("something was told")
	}
}

func want(t *testing.T, err error, slug string) {
	t.Helper()
	if problem(err) != slug {
		t.Errorf("got %v, want %q", err, slug)
	}
}

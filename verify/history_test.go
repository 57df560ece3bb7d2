package verify_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/ocsp"
	"warifu/verify"
)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// past is the history of h's holder: in use for two days, on hold from 24 to 20 hours ago.
func past(h house) ocsp.History {
	return ocsp.History{
		CertID: ocsp.NewCertID(crypto.SHA256, h.authority.certificate, h.holder.certificate.SerialNumber), AsOf: now, Active: ago(48 * time.Hour),
		Holds: []ocsp.Interval{{From: ago(24 * time.Hour), To: ago(20 * time.Hour)}},
	}
}

func history(t testing.TB, by party, h ocsp.History) verify.RawHistory {
	t.Helper()
	der, err := ocsp.SignHistory(h, by.certificate, by.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestWhatWasSignedDuringAHoldStaysBadAfterTheLift is design §5.
func TestWhatWasSignedDuringAHoldStaysBadAfterTheLift(t *testing.T) {
	h := world()[phoneSignature]
	der := signed(t, h.holder, content, false)
	v := verifier(t) // whose checker says: good, now
	with := v.WithHistory(history(t, h.responder, past(h)))
	ask := func(v *verify.Verifier, at time.Time) *verify.Result {
		return must(t)(v.Document(t.Context(), der, nil, verify.Policy{At: at}))
	}
	for name, at := range map[string]time.Time{"in the midst": ago(22 * time.Hour), "its first second": ago(24 * time.Hour), "its last second": ago(20*time.Hour + time.Second)} {
		r := ask(with, at)
		wantBad(t, name, r, "certificate-was-suspended")
		if p := r.Reasons[0].Params; p["since"] != "2026-03-31T09:30:00Z" || p["until"] != "2026-03-31T13:30:00Z" || r.Status.Reason != warifu.ReasonCertificateHold {
			t.Error(name, p, r.Status)
		}
		wantUnknown(t, name+", without history", ask(v, at), "status-answer-later")
	}
	for name, at := range map[string]time.Time{"before it": ago(24*time.Hour + time.Second), "at the lift": ago(20 * time.Hour), "now": now} {
		r := ask(with, at)
		wantGood(t, name, r)
		if r.StatusSource != "history handed in" || !r.StatusTime.Equal(now) || r.StatusAge() != 0 || r.Status != good {
			t.Error(name, r.StatusSource, r.StatusTime, r.Status)
		}
	}
	wantUnknown(t, "before it was in use", ask(with, ago(49*time.Hour)), "status-unknown")
	r := ask(with, time.Time{})
	wantGood(t, "no instant named", r)
	if r.StatusSource != "said" {
		t.Error("the history was asked about the present:", r.StatusSource)
	}
}

func TestAHistoryTellsRevocationsToo(t *testing.T) {
	h := world()[phoneSignature]
	v := verify.New(trust(t), nil, clock)
	ask := func(change func(*ocsp.History), at time.Time) *verify.Result {
		p := past(h)
		change(&p)
		return must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{At: at, History: history(t, h.responder, p)}))
	}
	dead := func(p *ocsp.History) { p.Revoked = revokedAt(warifu.ReasonKeyCompromise, ago(20*time.Hour)) }
	standing := func(p *ocsp.History) { p.Holds[0].To = time.Time{} }
	never := func(p *ocsp.History) { p.Holds, p.Active = nil, time.Time{} }
	wantBad(t, "after it was revoked", ask(dead, ago(time.Hour)), "certificate-revoked")
	wantBad(t, "the instant it was revoked", ask(dead, ago(20*time.Hour)), "certificate-revoked")
	wantBad(t, "on hold, and revoked out of it", ask(dead, ago(21*time.Hour)), "certificate-was-suspended")
	wantGood(t, "before either", ask(dead, ago(30*time.Hour)))
	wantBad(t, "on hold still", ask(standing, ago(time.Hour)), "certificate-suspended")
	wantGood(t, "before the hold that stands", ask(standing, ago(30*time.Hour)))
	wantUnknown(t, "never in use", ask(never, ago(time.Hour)), "status-unknown")
}

func TestAHistoryIsHeldAgainstIssuerSerialAndReach(t *testing.T) {
	h, other := world()[phoneSignature], world()[phoneAuthentication]
	late := h.delegate(now.AddDate(0, -2, 0), now.Add(-time.Minute))
	neighbour := past(h)
	neighbour.CertID = ocsp.NewCertID(crypto.SHA256, h.authority.certificate, big.NewInt(5))
	asOf := func(t time.Time) ocsp.History {
		p := past(h)
		p.AsOf = t
		return p
	}
	clean := past(h) // says nothing of the hold; signed by whoever the case says
	clean.Holds = nil
	fine := history(t, h.responder, past(h))
	cases := []struct {
		name    string
		raw     verify.RawHistory
		at      time.Time
		problem string
	}{
		{"the authority's own", history(t, h.authority, past(h)), ago(10 * time.Hour), ""},
		{"kept since then", history(t, h.responder, asOf(ago(10*time.Hour))), ago(10 * time.Hour), ""},
		{"made just before the instant", history(t, h.responder, asOf(ago(10*time.Hour+time.Second))), ago(10 * time.Hour), "status-answer-stale"},
		{"a little old, about now", history(t, h.responder, asOf(ago(4*time.Minute))), now, ""},
		{"too old, about now", history(t, h.responder, asOf(ago(6*time.Minute))), now, "status-answer-stale"},
		{"of another serial number", history(t, h.responder, neighbour), ago(10 * time.Hour), "status-answer-mismatch"},
		{"of another authority", history(t, other.responder, past(other)), ago(10 * time.Hour), "status-answer-mismatch"},
		{"by another authority's responder", history(t, other.responder, past(h)), ago(10 * time.Hour), "status-responder-unauthorized"},
		{"by another authority", history(t, other.authority, past(h)), ago(10 * time.Hour), "status-responder-unauthorized"},
		{"by a forger's responder", history(t, forged()[phoneSignature].responder, past(h)), ago(10 * time.Hour), "status-responder-unauthorized"},
		{"by the holder", history(t, h.holder, clean), ago(22 * time.Hour), "status-responder-unauthorized"},
		{"by a responder whose time is over", history(t, late, past(h)), ago(10 * time.Hour), "status-responder-unauthorized"},
		{"from the future", history(t, h.responder, asOf(now.Add(time.Hour))), ago(10 * time.Hour), "status-answer-future"},
		{"truncated", fine[:len(fine)-1], ago(10 * time.Hour), "status-answer-malformed"},
		{"empty", nil, ago(10 * time.Hour), "status-answer-malformed"},
		{"an OCSP answer", answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now), ago(10 * time.Hour), "status-answer-malformed"},
	}
	for _, c := range cases {
		r := must(t)(verifier(t).Certificate(t.Context(), h.holder.certificate, verify.Policy{At: c.at, History: c.raw}))
		if c.problem == "" {
			wantGood(t, c.name, r)
			continue
		}
		wantUnknown(t, c.name, r, c.problem)
	}
	bounded := verify.Policy{At: now, MaxStatusAge: time.Minute, History: history(t, h.responder, asOf(ago(2*time.Minute)))}
	wantUnknown(t, "older than the policy bears", must(t)(verifier(t).Certificate(t.Context(), h.holder.certificate, bounded)), "status-answer-stale")
}

// TestAHistoryKeptAwayMakesNothingGood: whoever stands between gains nothing by it.
func TestAHistoryKeptAwayMakesNothingGood(t *testing.T) {
	h := world()[phoneSignature]
	then := ago(22 * time.Hour)
	away := failing{errors.New("no route")}
	ask := func(h house, history verify.History, s warifu.Status, at time.Time) *verify.Result {
		v := verify.New(trust(t), said{status: s, at: at}, clock).WithHistory(history)
		return must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{At: then}))
	}
	wantUnknown(t, "with an answer of that time", ask(h, away, good, then), "internal")
	wantBad(t, "with word of a revocation", ask(h, away, revokedAt(warifu.ReasonSuperseded, ago(30*time.Hour)), now), "certificate-revoked")
	card := world()[cardSignature]
	wantGood(t, "a card's authority tells none: as without", ask(card, verify.HistoryClient{}, good, then))
	wantUnknown(t, "and an answer of now is too late", ask(card, verify.HistoryClient{}, good, now), "status-answer-later")
}

type failing struct{ err error }

func (f failing) Holds(context.Context, *x509.Certificate, *x509.Certificate, time.Time) (verify.Past, error) {
	return verify.Past{}, f.err
}

func TestTheHistoryClientAsksBesideTheResponder(t *testing.T) {
	h := world()[phoneSignature]
	var asked string
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		serial, err := hex.DecodeString(r.URL.Path[len("/api/v1/status-history/signature/"):])
		if err != nil {
			t.Error(err)
		}
		p := past(h)
		p.CertID = ocsp.NewCertID(crypto.SHA256, h.authority.certificate, new(big.Int).SetBytes(serial))
		w.Header().Set("Content-Type", "application/cms")
		_, _ = w.Write(history(t, h.responder, p))
	})
	e := endpoints
	e.OCSP = address + "/ocsp/signature"
	c := h.issueAt(e, now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)).certificate
	v := verifier(t).WithHistory(verify.HistoryClient{})
	r := must(t)(v.Certificate(t.Context(), c, verify.Policy{At: ago(22 * time.Hour)}))
	wantBad(t, "asked", r, "certificate-was-suspended")
	if asked != "/api/v1/status-history/signature/"+hex.EncodeToString(c.SerialNumber.Bytes()) || r.StatusSource != "history "+address+"/api/v1/status-history/signature" {
		t.Error(asked, r.StatusSource)
	}
	fixed := verify.HistoryClient{Address: address + "/api/v1/status-history/signature/"}
	wantBad(t, "an address of the caller's", must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{At: ago(22 * time.Hour), History: fixed})), "certificate-was-suspended")
	der, err := fixed.Fetch(t.Context(), h.holder.certificate, h.authority.certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, "fetched and kept", must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{At: ago(time.Hour), History: verify.RawHistory(der)})))
	for _, ocspAddress := range []string{address + "/bureau/ocsp/signature", address + "/ocsp/authentication", address + "/ocsp", address + "/ocsp/signature?x", "ldap://x/ocsp/signature"} {
		e.OCSP = ocspAddress
		c := h.issueAt(e, now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)).certificate
		if _, err := (verify.HistoryClient{}).Holds(t.Context(), c, h.authority.certificate, now); !errors.Is(err, &warifu.Error{Problem: "status-history-absent"}) {
			t.Errorf("%s: %v", ocspAddress, err)
		}
	}
}

func TestTheHistoryClientBelievesNoRubbish(t *testing.T) {
	h := world()[phoneSignature]
	reply := func(status int, mediaType string, body []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
	}
	fine := history(t, h.responder, past(h))
	elsewhere := served(t, reply(200, "application/cms", fine))
	for name, c := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request)
		problem string
	}{
		"404":       {reply(404, "application/cms", fine), "status-unavailable"},
		"html":      {reply(200, "text/html", fine), "status-unavailable"},
		"oversized": {reply(200, "application/cms", make([]byte, ocsp.MaxHistory+1)), "status-answer-too-large"},
		"redirect":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }, "status-unavailable"},
		"half":      {reply(200, "application/cms", fine[:len(fine)/2]), "status-answer-malformed"},
	} {
		p := verify.Policy{At: ago(10 * time.Hour), History: verify.HistoryClient{Address: served(t, c.answer)}}
		wantUnknown(t, name, must(t)(verifier(t).Certificate(t.Context(), h.holder.certificate, p)), c.problem)
	}
	p := verify.Policy{At: ago(10 * time.Hour), History: verify.HistoryClient{Address: "http://127.0.0.1:1/"}}
	wantUnknown(t, "nobody there", must(t)(verifier(t).Certificate(t.Context(), h.holder.certificate, p)), "status-unavailable")
}

// TestNothingInAHoldIsEverGood draws holds, an instant, and whatever a checker and a
// stapled answer might say.
func TestNothingInAHoldIsEverGood(t *testing.T) {
	h := world()[phoneSignature]
	believed := trust(t)
	rapid.Check(t, func(r *rapid.T) {
		hours := rapid.IntRange(2, 60)
		p := past(h)
		p.Holds = nil
		for range rapid.IntRange(0, 5).Draw(r, "holds") {
			from := ago(time.Duration(hours.Draw(r, "from")) * time.Hour)
			p.Holds = append(p.Holds, ocsp.Interval{From: from, To: from.Add(time.Duration(hours.Draw(r, "for")) * time.Minute)})
		}
		slices.SortFunc(p.Holds, func(a, b ocsp.Interval) int { return a.From.Compare(b.From) })
		if n := len(p.Holds); n > 0 && rapid.Bool().Draw(r, "the last one stands") {
			p.Holds[n-1].To = time.Time{}
		}
		at := ago(time.Duration(rapid.IntRange(0, 60*60).Draw(r, "minutes ago")) * time.Minute)
		statuses := []warifu.Status{good, {}, revokedAt(warifu.ReasonCertificateHold, at), revokedAt(warifu.ReasonSuperseded, now)}
		checker := said{status: rapid.SampledFrom(statuses).Draw(r, "status"), at: rapid.SampledFrom([]time.Time{at, now, ago(time.Hour)}).Draw(r, "of")}
		raw, err := ocsp.SignHistory(p, h.responder.certificate, h.responder.key)
		if err != nil {
			r.Fatal(err)
		}
		result, err := verify.New(believed, checker, clock).WithHistory(verify.RawHistory(raw)).Certificate(context.Background(), h.holder.certificate, verify.Policy{At: at})
		if err != nil {
			r.Fatal(err)
		}
		held := slices.ContainsFunc(p.Holds, func(i ocsp.Interval) bool { return i.Contains(at) })
		want := verify.Good
		switch {
		case held:
			want = verify.Bad
		case at.Before(p.Active):
			want = verify.Unknown
		}
		if result.Verdict != want {
			r.Fatalf("%s %v at %v with %v", result.Verdict, result.Reasons, at, fmt.Sprint(p.Holds))
		}
	})
}

// FuzzRawHistory holds that no octets but a history of the responder tell a past.
func FuzzRawHistory(f *testing.F) {
	h := world()[phoneSignature]
	f.Add([]byte(history(f, h.responder, past(h))))
	f.Fuzz(func(t *testing.T, der []byte) {
		p, err := verify.RawHistory(der).Holds(context.Background(), h.holder.certificate, h.authority.certificate, now)
		if err == nil && !slices.ContainsFunc(p.Holds, func(i verify.Interval) bool { return i.From.Equal(ago(24 * time.Hour)) }) {
			t.Fatalf("%+v", p)
		}
	})
}

package verify_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/profile"
	"warifu/verify"
)

func revokedAt(reason warifu.Reason, at time.Time) warifu.Status {
	return warifu.Status{Cert: warifu.StatusRevoked, Reason: reason, RevokedAt: at}
}

func TestWhatWasNotCheckedIsNeverGood(t *testing.T) {
	c := world()[phoneSignature].holder.certificate
	ask := func(s verify.StatusChecker, p verify.Policy) *verify.Result {
		return must(t)(verify.New(trust(t), s, clock).Certificate(t.Context(), c, p))
	}
	wantUnknown(t, "no checker", ask(nil, verify.Policy{}), "status-not-checked")
	wantUnknown(t, "no line", ask(said{err: errors.New("no route")}, verify.Policy{}), "internal")
	wantUnknown(t, "unknown", ask(said{at: now}, verify.Policy{}), "status-unknown")
	wantUnknown(t, "stale", ask(said{status: good, at: now.Add(-11 * time.Minute)}, verify.Policy{}), "status-answer-stale")
	wantUnknown(t, "too old for the policy", ask(said{status: good, at: now.Add(-2 * time.Minute)}, verify.Policy{MaxStatusAge: time.Minute}), "status-answer-stale")
	wantUnknown(t, "future", ask(said{status: good, at: now.Add(6 * time.Minute)}, verify.Policy{}), "status-answer-later")
	wantUnknown(t, "nobody in the list", ask(verify.FirstOf{}, verify.Policy{}), "status-not-checked")
	wantGood(t, "the policy's own checker", ask(nil, verify.Policy{Status: said{status: good, at: now}}))
	second := verify.FirstOf{said{err: errors.New("down")}, said{status: good, at: now}}
	wantGood(t, "the second of two", ask(second, verify.Policy{}))
}

func TestARevokedOrSuspendedCertificateIsBad(t *testing.T) {
	c := world()[phoneSignature].holder.certificate
	ask := func(s said, p verify.Policy) *verify.Result {
		return must(t)(verify.New(trust(t), s, clock).Certificate(t.Context(), c, p))
	}
	yesterday := now.AddDate(0, 0, -1)
	r := ask(said{status: revokedAt(warifu.ReasonKeyCompromise, yesterday), at: now}, verify.Policy{})
	wantBad(t, "revoked", r, "certificate-revoked")
	if r.Status.Reason != warifu.ReasonKeyCompromise || !r.Status.RevokedAt.Equal(yesterday) {
		t.Errorf("%+v", r.Status)
	}
	wantBad(t, "suspended", ask(said{status: revokedAt(warifu.ReasonCertificateHold, yesterday), at: now}, verify.Policy{}), "certificate-suspended")
	wantBad(t, "revoked, by an old word", ask(said{status: revokedAt(warifu.ReasonSuperseded, yesterday), at: now.Add(-time.Hour)}, verify.Policy{}), "certificate-revoked")
	wantUnknown(t, "suspended, by an old word", ask(said{status: revokedAt(warifu.ReasonCertificateHold, yesterday), at: now.Add(-time.Hour)}, verify.Policy{}), "status-answer-stale")
}

func TestAtATrustedTimeTheStatusMustSpeakOfThatTime(t *testing.T) {
	c := world()[phoneSignature].holder.certificate
	then := now.AddDate(0, 0, -7)
	ask := func(s said) *verify.Result {
		return must(t)(verify.New(trust(t), s, clock).Certificate(t.Context(), c, verify.Policy{At: then}))
	}
	wantGood(t, "an answer of that time", ask(said{status: good, at: then.Add(-time.Minute)}))
	wantUnknown(t, "good today says nothing of a hold lifted since", ask(said{status: good, at: now}), "status-answer-later")
	wantUnknown(t, "revoked since", ask(said{status: revokedAt(warifu.ReasonSuperseded, now.Add(-time.Hour)), at: now}), "status-answer-later")
	wantBad(t, "revoked before", ask(said{status: revokedAt(warifu.ReasonSuperseded, then.Add(-time.Hour)), at: now}), "certificate-revoked")
	wantBad(t, "in a hold", ask(said{status: revokedAt(warifu.ReasonCertificateHold, then.Add(-time.Hour)), at: then}), "certificate-suspended")
}

func TestAnAnswerHandedInIsHeldAgainstIssuerAndSerial(t *testing.T) {
	h, other := world()[phoneSignature], world()[phoneAuthentication]
	serial := h.holder.certificate.SerialNumber
	late := h.delegate(now.AddDate(0, -2, 0), now.Add(-time.Minute))
	cases := []struct {
		name    string
		answer  []byte
		problem string
	}{
		{"delegated", answered(t, h, h.responder, serial, good, now), ""},
		{"the authority's own", answered(t, h, h.authority, serial, good, now), ""},
		{"about another certificate", answered(t, h, h.responder, big.NewInt(5), good, now), "status-answer-mismatch"},
		{"another authority's responder", answered(t, h, other.responder, serial, good, now), "status-responder-unauthorized"},
		{"another authority", answered(t, h, other.authority, serial, good, now), "status-responder-unauthorized"},
		{"a forger's responder", answered(t, h, forged()[phoneSignature].responder, serial, good, now), "status-responder-unauthorized"},
		{"the holder itself", answered(t, h, h.holder, serial, good, now), "status-responder-unauthorized"},
		{"a responder whose time is over", answered(t, h, late, serial, good, now), "status-responder-unauthorized"},
		{"stale", answered(t, h, h.responder, serial, good, now.Add(-time.Hour)), "status-answer-stale"},
		{"future", answered(t, h, h.responder, serial, good, now.Add(time.Hour)), "status-answer-future"},
		{"unknown", answered(t, h, h.responder, serial, warifu.Status{}, now), "status-unknown"},
		{"tryLater", ocsp.ErrorResponse(ocsp.TryLater), "status-refused"},
		{"truncated", answered(t, h, h.responder, serial, good, now)[:80], "status-answer-malformed"},
		{"empty", nil, "status-answer-malformed"},
	}
	v := verify.New(trust(t), nil, clock)
	for _, c := range cases {
		r := must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{Status: verify.RawOCSP(c.answer)}))
		if c.problem == "" {
			wantGood(t, c.name, r)
			continue
		}
		wantUnknown(t, c.name, r, c.problem)
	}
}

func list(t testing.TB, h house, head crl.Head, serials ...*big.Int) []byte {
	t.Helper()
	var out bytes.Buffer
	err := crl.Write(&out, head, func(add func(warifu.StatusRecord) error) error {
		for _, s := range serials {
			if err := add(warifu.StatusRecord{Serial: s.Bytes(), Status: revokedAt(warifu.ReasonSuperseded, now.Add(-time.Hour))}); err != nil {
				return err
			}
		}
		return nil
	}, h.authority.certificate, h.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var fullHead = crl.Head{Number: 9, ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour)}

func TestAListHandedInIsHeldAgainstIssuerAndScope(t *testing.T) {
	h := world()[phoneSignature]
	c := h.holder.certificate
	delta, scoped, elsewhere, old := fullHead, fullHead, fullHead, fullHead
	delta.Base = 8
	scoped.Point = endpoints.CRL
	elsewhere.Point = "http://status.test/other.crl"
	old.ThisUpdate, old.NextUpdate = now.Add(-2*time.Hour), now.Add(-time.Hour)
	v := verify.New(trust(t), nil, clock)
	ask := func(der []byte) *verify.Result {
		return must(t)(v.Certificate(t.Context(), c, verify.Policy{Status: verify.RawCRL(der)}))
	}
	wantGood(t, "not listed", ask(list(t, h, fullHead, big.NewInt(7))))
	wantGood(t, "scope named", ask(list(t, h, scoped, big.NewInt(7))))
	wantBad(t, "listed", ask(list(t, h, fullHead, c.SerialNumber)), "certificate-revoked")
	wantUnknown(t, "delta", ask(list(t, h, delta)), "crl-is-delta")
	wantUnknown(t, "other scope", ask(list(t, h, elsewhere)), "crl-scope-mismatch")
	wantUnknown(t, "old", ask(list(t, h, old)), "crl-stale")
	wantUnknown(t, "other authority", ask(list(t, world()[phoneAuthentication], fullHead)), "crl-issuer-mismatch")
	wantUnknown(t, "forged", ask(list(t, forged()[phoneSignature], fullHead)), "crl-signature")
	wantUnknown(t, "truncated", ask(list(t, h, fullHead)[:50]), "crl-malformed")
}

// served serves body and tells what was asked.
func served(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(s.Close)
	return s.URL
}

// responder answers good about anything asked of h; nonce says what to do with the request's.
func responder(t *testing.T, h house, nonce func([]byte) []byte) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		request, err := ocsp.ParseRequest(body)
		if err != nil {
			t.Error(err)
			return
		}
		single := ocsp.Single{CertID: request.CertIDs[0], Status: good, ThisUpdate: now, NextUpdate: now.Add(time.Minute)}
		der, err := ocsp.Sign([]ocsp.Single{single}, nonce(request.Nonce), now, h.responder.certificate, h.responder.key)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = w.Write(der)
	}
}

func TestTheOCSPClientAsksWithANonce(t *testing.T) {
	h := world()[phoneSignature]
	same := func(n []byte) []byte { return n }
	none := func([]byte) []byte { return nil }
	other := func([]byte) []byte { return []byte("another nonce") }
	ask := func(o verify.OCSPClient) *verify.Result {
		return must(t)(verify.New(trust(t), o, clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
	}
	echo, silent, wrong := served(t, responder(t, h, same)), served(t, responder(t, h, none)), served(t, responder(t, h, other))
	r := ask(verify.OCSPClient{Address: echo, RequireNonce: true})
	wantGood(t, "echoed", r)
	if r.StatusSource != "ocsp "+echo || r.StatusAge() != 0 {
		t.Error(r.StatusSource, r.StatusAge())
	}
	wantGood(t, "SHA-1", ask(verify.OCSPClient{Address: echo, Hash: crypto.SHA1}))
	wantGood(t, "left out", ask(verify.OCSPClient{Address: silent}))
	wantUnknown(t, "left out though required", ask(verify.OCSPClient{Address: silent, RequireNonce: true}), "status-nonce-mismatch")
	wantUnknown(t, "another", ask(verify.OCSPClient{Address: wrong}), "status-nonce-mismatch")
	der, err := verify.OCSPClient{Address: echo}.Fetch(t.Context(), h.holder.certificate, h.authority.certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	wantGood(t, "fetched", must(t)(verify.New(trust(t), verify.RawOCSP(der), clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{})))
}

func TestTheOCSPClientBelievesNoRubbish(t *testing.T) {
	h := world()[phoneSignature]
	reply := func(status int, mediaType string, body []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
	}
	const ocspType = "application/ocsp-response"
	fine := answered(t, h, h.responder, h.holder.certificate.SerialNumber, good, now)
	elsewhere := served(t, reply(200, ocspType, fine))
	cases := map[string]struct {
		answer  func(http.ResponseWriter, *http.Request)
		problem string
	}{
		"503":       {reply(503, ocspType, fine), "status-unavailable"},
		"html":      {reply(200, "text/html", fine), "status-unavailable"},
		"oversized": {reply(200, ocspType, make([]byte, ocsp.MaxResponse+1)), "status-answer-too-large"},
		"redirect":  {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }, "status-unavailable"},
		"cut off": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "999")
			reply(200, ocspType, fine)(w, r)
		}, "status-unavailable"},
	}
	for name, c := range cases {
		o := verify.OCSPClient{Address: served(t, c.answer)}
		r := must(t)(verify.New(trust(t), o, clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
		wantUnknown(t, name, r, c.problem)
	}
	nowhere := verify.OCSPClient{Address: "http://127.0.0.1:1/"}
	wantUnknown(t, "nobody there", must(t)(verify.New(trust(t), nowhere, clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{})), "status-unavailable")
}

func TestTheCRLClientKeepsAListForAWhile(t *testing.T) {
	fetched := 0
	h := world()[phoneSignature]
	der := list(t, h, fullHead, big.NewInt(7))
	e := endpoints
	e.CRL = served(t, func(w http.ResponseWriter, _ *http.Request) {
		fetched++
		w.Header().Set("Content-Type", "application/pkix-crl")
		_, _ = w.Write(der)
	})
	c := h.issueAt(e, now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)).certificate
	present := now
	v := verify.New(trust(t), &verify.CRLClient{}, warifu.ClockFunc(func() time.Time { return present }))
	for range 3 {
		r := must(t)(v.Certificate(t.Context(), c, verify.Policy{}))
		wantGood(t, "listed", r)
		if !strings.HasPrefix(r.StatusSource, "crl http://127.0.0.1") {
			t.Error(r.StatusSource)
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
	present = present.Add(2 * time.Minute)
	der = list(t, h, fullHead, c.SerialNumber)
	wantBad(t, "listed since", must(t)(v.Certificate(t.Context(), c, verify.Policy{})), "certificate-revoked")
	if fetched != 2 {
		t.Errorf("fetched %d times", fetched)
	}
}

func TestACardsListHasNoAddressAndIsNamedByTheCaller(t *testing.T) {
	h := world()[cardSignature]
	r := must(t)(verify.New(trust(t), &verify.CRLClient{}, clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
	wantUnknown(t, "directory name only", r, "status-address-absent")
	address := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pkix-crl")
		_, _ = w.Write(list(t, h, fullHead))
	})
	r = must(t)(verify.New(trust(t), &verify.CRLClient{Address: address}, clock).Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
	wantGood(t, "named", r)
	if r.Class != profile.ClassCard {
		t.Error(r.Class)
	}
}

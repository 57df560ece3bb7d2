package crashtest_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"io"
	"net/http"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/phone"
	"warifu/profile"
	"warifu/verify"
)

// examiner is a relying party that looks at every phone while the server stands.
type examiner struct {
	town     *town
	verifier *verify.Verifier
	good     map[*resident]int               // phones of a holder whose keys are both believed
	active   map[*resident]bool              // holders one of whose phones was personalized
	revoked  map[warifu.Kind]map[string]bool // serials that the responder calls revoked
	issuers  map[warifu.Kind]*x509.Certificate
}

// examine has every phone sign and log in: of each holder's phones exactly the newest
// personalized one is believed, by OCSP; what is not is on the list, too.
func (f *fleet) examine(t *testing.T) {
	t.Helper()
	e := &examiner{town: f.town, good: map[*resident]int{}, active: map[*resident]bool{},
		revoked: map[warifu.Kind]map[string]bool{warifu.Signature: {}, warifu.Authentication: {}}, issuers: map[warifu.Kind]*x509.Certificate{}}
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		e.issuers[kind] = f.town.authority(t, kind)
		must(t, trust.Add(profile.ClassPhone, kind, e.issuers[kind]))
	}
	e.verifier = verify.New(trust, verify.OCSPClient{}, clock)
	for _, h := range f.list() {
		e.look(t, h)
	}
	for who := range e.active {
		want(t, "phones of "+who.id+" that are believed", e.good[who], 1)
	}
	for kind, serials := range e.revoked {
		e.awaitListed(t, kind, serials)
	}
}

func (e *examiner) look(t *testing.T, h *handheld) {
	t.Helper()
	slots, err := h.slots(t.Context())
	must(t, err)
	if h.seen != warifu.ApplicationPersonalized {
		want(t, h.name+": live slots", len(slots.Live.Slots), 0)
		return
	}
	e.active[h.who] = true
	if len(slots.Live.Slots) == 0 {
		return // superseded before it was live; then another phone is believed
	}
	signed, logged := e.signs(t, h), e.logsIn(t, h)
	if signed && logged {
		e.good[h.who]++
	} else if signed || logged {
		t.Errorf("%s: one of its two certificates is believed (signature: %v)", h.name, signed)
	}
}

// signs has the phone sign a document and reports whether it is believed.
func (e *examiner) signs(t *testing.T, h *handheld) bool {
	t.Helper()
	document := []byte("the document of " + h.name)
	signature, err := h.app.Sign(t.Context(), document, true, phone.Unlock{Typed: secrets.Signature})
	must(t, err)
	result, err := e.verifier.Document(t.Context(), signature, document, verify.Policy{})
	must(t, err)
	return e.judge(t, h, result)
}

// logsIn has the phone answer a question and reports whether it is believed.
func (e *examiner) logsIn(t *testing.T, h *handheld) bool {
	t.Helper()
	q := phone.Question{Purpose: "login", ClientID: "crashtest", Origin: "https://rp.example", Nonce: make([]byte, 16), Time: clock.Now().UTC().Truncate(time.Second)}
	_, _ = rand.Read(q.Nonce) // never fails (crypto/rand)
	answer, err := h.app.Login(t.Context(), q, q.Origin, phone.Unlock{Typed: secrets.Authentication})
	must(t, err)
	c, err := x509.ParseCertificate(answer.Certificate)
	must(t, err)
	result, err := e.verifier.Presence(t.Context(), q.Presence(), c, answer.Signature, verify.Policy{})
	must(t, err)
	return e.judge(t, h, result)
}

// judge remembers the certificates that came out, and lets nothing pass but good and revoked.
func (e *examiner) judge(t *testing.T, h *handheld, r *verify.Result) bool {
	t.Helper()
	e.town.saw(r.Certificate.Raw)
	e.responder(t, r)
	switch {
	case r.Verdict == verify.Good:
		return true
	case r.Status.Cert == warifu.StatusRevoked && r.Status.Reason == warifu.ReasonSuperseded:
		e.revoked[r.Kind][string(r.Certificate.SerialNumber.Bytes())] = true
	default:
		t.Errorf("%s: its %s certificate is %s: %v", h.name, r.Kind, r.Verdict, r.Reasons)
	}
	return false
}

// responder remembers the certificate of who told the status.
func (e *examiner) responder(t *testing.T, r *verify.Result) {
	t.Helper()
	raw, err := verify.OCSPClient{}.Fetch(t.Context(), r.Certificate, e.issuers[r.Kind], clock.Now())
	must(t, err)
	answer, err := ocsp.ParseResponse(raw)
	must(t, err)
	e.town.saw(answer.ResponderCertificate.Raw)
}

// awaitListed waits until the revocation list has every serial, which takes the server a
// second or two.
func (e *examiner) awaitListed(t *testing.T, kind warifu.Kind, serials map[string]bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		missing := 0
		list := e.list(t, kind)
		for serial := range serials {
			if _, listed := list.Lookup([]byte(serial)); !listed {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		if ctx.Err() != nil {
			t.Errorf("%d superseded %s certificates are not on the list", missing, kind)
			return
		}
		wait(ctx, 100*time.Millisecond)
	}
}

func (e *examiner) list(t *testing.T, kind warifu.Kind) *crl.List {
	t.Helper()
	response, err := http.Get(e.town.origin + "/crl/" + kind.String() + ".crl")
	must(t, err)
	defer response.Body.Close()
	der, err := io.ReadAll(response.Body)
	must(t, err)
	list, err := crl.Parse(der)
	must(t, err)
	return list
}

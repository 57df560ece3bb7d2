package ca_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"testing"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/profile"
)

func TestADelegatedResponderAnswersForItsAuthority(t *testing.T) {
	for _, name := range []string{"badge", "jp-mobile"} {
		w := newWorld(name)
		key := newKey()
		der, err := w.issuers[sig].CertifyResponder(t.Context(), key.Public())
		if err != nil {
			t.Fatal(err)
		}
		responder := parse(der)
		if err := profile.CheckResponder(responder); err != nil {
			t.Error(err)
		}
		authority := w.authority[sig].certificate
		id := ocsp.NewCertID(crypto.SHA256, authority, responder.SerialNumber)
		single := ocsp.Single{CertID: id, Status: warifu.Status{Cert: warifu.StatusGood}, ThisUpdate: now, NextUpdate: now.Add(time.Minute)}
		response := must(ocsp.ParseResponse(must(ocsp.Sign([]ocsp.Single{single}, nil, now, responder, key))))
		if err := response.Verify(authority, now); err != nil {
			t.Error(err)
		}
		if again := must(w.issuers[sig].CertifyResponder(t.Context(), key.Public())); !bytes.Equal(again, der) || len(w.ledgers[sig].rows) != 1 {
			t.Error("asking again made another certificate")
		}
		if rows := w.ledgers[sig].rows; !bytes.Equal(rows[0].Certificate, der) {
			t.Error("a responder's certificate without its intent")
		}
	}
}

func TestAResponderIsP256AndNobodyElses(t *testing.T) {
	w := newWorld("badge")
	if _, err := w.issuers[sig].CertifyResponder(t.Context(), rsaKey().Public()); err == nil {
		t.Error("an RSA responder")
	}
	a := w.newApplication()
	w.issue(t, sig, a.request())
	taken := parse(w.ledgers[sig].rows[0].Certificate).PublicKey
	if _, err := w.issuers[sig].CertifyResponder(t.Context(), taken); err == nil {
		t.Error("a phone's key became a responder's")
	}
}

func TestAResponderIsReplacedInTime(t *testing.T) {
	w := newWorld("badge")
	c := parse(must(w.issuers[sig].CertifyResponder(t.Context(), newKey().Public())))
	for after, due := range map[time.Duration]bool{0: false, ca.ResponderLife / 2: false, ca.ResponderLife * 3 / 4: true, 2 * ca.ResponderLife: true} {
		if ca.ResponderDue(c, now.Add(after)) != due {
			t.Errorf("after %v: due %v", after, !due)
		}
	}
	if !ca.ResponderDue(nil, now) {
		t.Error("no responder is not due")
	}
}

func TestTheAuthoritySignsItsList(t *testing.T) {
	w := newWorld("badge")
	c := parse(w.issue(t, sig, w.newApplication().request()))
	record := warifu.StatusRecord{Kind: sig, Serial: c.SerialNumber.Bytes(), Status: warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonSuperseded, RevokedAt: now}}
	draft := crl.NewDraft(new(crl.Memory), crl.Head{Number: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour)})
	if err := errors.Join(draft.Add(record), w.issuers[sig].SignCRL(draft)); err != nil {
		t.Fatal(err)
	}
	list := must(crl.Parse(must(io.ReadAll(draft.Reader()))))
	if err := list.Verify(w.authority[sig].certificate, now); err != nil {
		t.Error(err)
	}
}

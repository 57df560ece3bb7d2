package verify_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/profile"
	"warifu/verify"
)

var content = []byte("口座の開設を申し込みます。\n")

func TestASignatureOfCardOrPhoneIsGoodAndToldApart(t *testing.T) {
	v := verifier(t)
	for _, p := range []place{cardSignature, phoneSignature} {
		h := world()[p]
		for _, detached := range []bool{false, true} {
			var beside []byte
			if detached {
				beside = content
			}
			r := must(t)(v.Document(t.Context(), signed(t, h.holder, content, detached), beside, verify.Policy{}))
			wantGood(t, p.class.String(), r)
			if r.Class != p.class || r.Kind != warifu.Signature || !r.SigningTime.Equal(now) || r.StatusSource != "said" || (string(r.Content) == string(content)) == detached {
				t.Errorf("%v: %+v", p, r)
			}
		}
	}
}

func TestRSAAsOnTheRealCardIsGood(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouseWith(cardSignature, key)
	holder := h.issueTo(key, endpoints, now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)) // one key for both: it is slow to make
	var trust verify.Trust
	if err := trust.Add(h.class, h.kind, h.authority.certificate); err != nil {
		t.Fatal(err)
	}
	v := verify.New(trust, verify.RawOCSP(answered(t, h, h.responder, holder.certificate.SerialNumber, good, now)), clock)
	wantGood(t, "rsa", must(t)(v.Document(t.Context(), signed(t, holder, content, false), nil, verify.Policy{})))
	wantBad(t, "rsa", must(t)(v.Document(t.Context(), signed(t, holder, content, true), []byte("other"), verify.Policy{})), "signature-content-mismatch")
}

func TestAnAuthenticationKeyNeverSignsADocument(t *testing.T) {
	v := verifier(t)
	for _, p := range []place{cardAuthentication, phoneAuthentication} {
		r := must(t)(v.Document(t.Context(), signed(t, world()[p].holder, content, false), nil, verify.Policy{Kind: warifu.Authentication}))
		wantBad(t, p.class.String(), r, "certificate-purpose")
	}
}

func TestASignatureKeyNeverAnswersAChallenge(t *testing.T) {
	v := verifier(t)
	for _, p := range []place{cardSignature, phoneSignature} {
		h := world()[p].holder
		wantBad(t, p.class.String(), must(t)(v.Presence(t.Context(), question, h.certificate, respond(t, h, question), verify.Policy{})), "certificate-purpose")
	}
}

func TestOnlyTheAttributesAskedForAreTold(t *testing.T) {
	v := verifier(t)
	der := signed(t, world()[phoneSignature].holder, content, false)
	none := must(t)(v.Document(t.Context(), der, nil, verify.Policy{}))
	if !none.Attributes.IsZero() {
		t.Error("told without being asked")
	}
	birth := must(t)(v.Document(t.Context(), der, nil, verify.Policy{Attributes: []verify.Attribute{verify.BirthDate}}))
	if birth.Attributes != (profile.Attributes{BirthDate: yamada.BirthDate}) {
		t.Error("not the birth date alone")
	}
	all := must(t)(v.Document(t.Context(), der, nil, verify.Policy{Attributes: verify.AllAttributes}))
	if all.Attributes != yamada {
		t.Error("not the four")
	}
	h := world()[phoneAuthentication].holder
	r := must(t)(v.Presence(t.Context(), question, h.certificate, respond(t, h, question), verify.Policy{Attributes: verify.AllAttributes}))
	wantGood(t, "presence", r)
	if len(r.Warnings) != 1 || r.Warnings[0].Problem != "attributes-absent" {
		t.Error(r.Warnings)
	}
}

func TestAnApplicationDocumentIsNoDocumentForAnybodyElse(t *testing.T) {
	v := verifier(t)
	h := world()[cardSignature].holder
	prepared, err := cms.Prepare(attest.OIDApplicationDocument, content, h.certificate, nil, now, false)
	if err != nil {
		t.Fatal(err)
	}
	der := finish(t, h, prepared)
	wantBad(t, "relying party", must(t)(v.Document(t.Context(), der, nil, verify.Policy{})), "signature-content-type")
	asked := verify.Policy{ContentType: attest.OIDApplicationDocument, Classes: []profile.Class{profile.ClassCard}}
	wantGood(t, "registration", must(t)(v.Document(t.Context(), der, nil, asked)))
	wantBad(t, "a plain document as application", must(t)(v.Document(t.Context(), signed(t, h, content, false), nil, asked)), "signature-content-type")
}

func TestARelyingPartyAcceptsCardOrPhoneOrBoth(t *testing.T) {
	v := verifier(t)
	for _, p := range []place{cardSignature, phoneSignature} {
		der := signed(t, world()[p].holder, content, false)
		other := profile.ClassCard + profile.ClassPhone - p.class
		wantBad(t, p.class.String(), must(t)(v.Document(t.Context(), der, nil, verify.Policy{Classes: []profile.Class{other}})), "certificate-class")
		wantGood(t, p.class.String(), must(t)(v.Document(t.Context(), der, nil, verify.Policy{Classes: []profile.Class{p.class}})))
	}
}

func TestAChangedDocumentIsBad(t *testing.T) {
	v := verifier(t)
	h := world()[phoneSignature].holder
	r := must(t)(v.Document(t.Context(), signed(t, h, content, true), append(content, '!'), verify.Policy{}))
	wantBad(t, "detached", r, "signature-content-mismatch")
	r = must(t)(v.Document(t.Context(), signed(t, h, content, true), nil, verify.Policy{}))
	wantBad(t, "without the document", r, "signature-content-absent")
	r = must(t)(v.Document(t.Context(), []byte("not a signature"), nil, verify.Policy{}))
	wantBad(t, "no signature", r, "signature-malformed")
	r = must(t)(v.Document(t.Context(), signed(t, h, content, false), nil, verify.Policy{MaxMessage: 100}))
	wantBad(t, "too large", r, "signature-too-large")
}

func TestAForgersAuthorityOfTheSameNameIsNotBelieved(t *testing.T) {
	v := verifier(t)
	r := must(t)(v.Document(t.Context(), signed(t, forged()[phoneSignature].holder, content, false), nil, verify.Policy{}))
	wantBad(t, "forged", r, "certificate-authority-untrusted")
	if r.StatusSource != "" || !r.Attributes.IsZero() {
		t.Error("went on after the chain failed")
	}
}

func TestAnAuthorityIsBelievedForItsOwnCertificatesOnly(t *testing.T) {
	// the phone's authentication authority signs a certificate of signature policy
	h := world()[phoneAuthentication]
	h.kind = warifu.Signature
	r := must(t)(verifier(t).Certificate(t.Context(), h.issue(now.AddDate(0, -1, 0), now.AddDate(1, 0, 0)).certificate, verify.Policy{}))
	wantBad(t, "wrong authority", r, "certificate-authority-wrong")
}

func TestTwoGenerationsOfOneAuthorityAreToldBySignature(t *testing.T) {
	both := trust(t)
	second := forged()[phoneSignature]
	if err := both.Add(profile.ClassPhone, warifu.Signature, second.authority.certificate); err != nil {
		t.Fatal(err)
	}
	v := verify.New(both, said{status: good, at: now}, clock)
	for _, h := range []house{world()[phoneSignature], second} {
		r := must(t)(v.Certificate(t.Context(), h.holder.certificate, verify.Policy{}))
		wantGood(t, "generation", r)
		if !r.Authority.Equal(h.authority.certificate) {
			t.Error("another generation")
		}
	}
}

func TestNobodyIsBelievedByDefault(t *testing.T) {
	v := verify.New(verify.Trust{}, said{status: good, at: now}, clock)
	r := must(t)(v.Certificate(t.Context(), world()[phoneSignature].holder.certificate, verify.Policy{}))
	wantBad(t, "no trust", r, "certificate-authority-untrusted")
	var none verify.Trust
	if err := none.Add(profile.ClassPhone, warifu.Signature, world()[phoneSignature].holder.certificate); err == nil {
		t.Error("a holder's certificate taken for an authority's")
	}
}

func TestACertificateOutsideItsTimeIsBad(t *testing.T) {
	v := verifier(t)
	h := world()[phoneSignature]
	for problem, p := range map[string]party{
		"certificate-expired":       h.issue(now.AddDate(-1, 0, 0), now.Add(-time.Second)),
		"certificate-not-yet-valid": h.issue(now.Add(time.Second), now.AddDate(1, 0, 0)),
	} {
		wantBad(t, problem, must(t)(v.Certificate(t.Context(), p.certificate, verify.Policy{})), problem)
	}
}

func TestAnyOtherCertificateIsBad(t *testing.T) {
	v := verifier(t)
	h := world()[phoneSignature]
	wantBad(t, "responder", must(t)(v.Certificate(t.Context(), h.responder.certificate, verify.Policy{})), "certificate-policy-unknown")
	wantBad(t, "authority", must(t)(v.Certificate(t.Context(), h.authority.certificate, verify.Policy{})), "certificate-policy-unknown")
	template := *h.holder.certificate // the right policy and authority, another profile
	template.ExtraExtensions = template.Extensions
	template.IsCA, template.BasicConstraintsValid = true, true
	der, err := x509.CreateCertificate(rand.Reader, &template, h.authority.certificate, h.holder.key.Public(), h.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	r := must(t)(v.Certificate(t.Context(), certificate(der, nil), verify.Policy{}))
	wantBad(t, "a certificate that may sign certificates", r, "profile-mismatch")
}

func TestAnAnswerServesItsOwnQuestionOnly(t *testing.T) {
	v := verifier(t)
	h := world()[phoneAuthentication].holder
	signature := respond(t, h, question)
	wantGood(t, "own", must(t)(v.Presence(t.Context(), question, h.certificate, signature, verify.Policy{})))
	change := map[string]func(*attest.Presence){
		"purpose":     func(q *attest.Presence) { q.Purpose = "revoke" },
		"client":      func(q *attest.Presence) { q.ClientID = "shop" },
		"origin":      func(q *attest.Presence) { q.Origin = "https://shop.example" },
		"nonce":       func(q *attest.Presence) { q.Nonce = []byte("0123456789abcdeF") },
		"transaction": func(q *attest.Presence) { q.Transaction = "t-2" },
		"time":        func(q *attest.Presence) { q.Time = q.Time.Add(time.Second) },
	}
	for name, f := range change {
		q := question
		f(&q)
		wantBad(t, name, must(t)(v.Presence(t.Context(), q, h.certificate, signature, verify.Policy{})), "signature-invalid")
	}
}

func TestAQuestionMustBindEnoughAndBeAnsweredInTime(t *testing.T) {
	v := verifier(t)
	h := world()[cardAuthentication].holder
	weak := map[string]func(*attest.Presence){
		"short nonce": func(q *attest.Presence) { q.Nonce = q.Nonce[:15] },
		"no client":   func(q *attest.Presence) { q.ClientID = "" },
		"no origin":   func(q *attest.Presence) { q.Origin = "" },
		"no purpose":  func(q *attest.Presence) { q.Purpose = "" },
		"cut off":     func(q *attest.Presence) { q.Transaction = string(make([]byte, 1<<16)) },
	}
	for name, f := range weak {
		q := question
		f(&q)
		wantBad(t, name, must(t)(v.Presence(t.Context(), q, h.certificate, respond(t, h, q), verify.Policy{})), "presence-question-weak")
	}
	for name, at := range map[string]time.Time{"late": now.Add(-11 * time.Minute), "future": now.Add(6 * time.Minute)} {
		q := question
		q.Time = at
		wantBad(t, name, must(t)(v.Presence(t.Context(), q, h.certificate, respond(t, h, q), verify.Policy{})), "presence-stale")
	}
}

func TestAnImplausibleSigningTimeIsAWarningOnly(t *testing.T) {
	h := world()[phoneSignature].holder
	prepared, err := cms.Prepare(cms.OIDData, content, h.certificate, nil, now.AddDate(-5, 0, 0), false)
	if err != nil {
		t.Fatal(err)
	}
	r := must(t)(verifier(t).Document(t.Context(), finish(t, h, prepared), nil, verify.Policy{}))
	wantGood(t, "signing time", r)
	if len(r.Warnings) != 1 || r.Warnings[0].Problem != "signing-time-implausible" {
		t.Error(r.Warnings)
	}
}

func TestAContextThatEndedIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := verifier(t).Certificate(ctx, world()[phoneSignature].holder.certificate, verify.Policy{})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTheZeroResultIsNotGood(t *testing.T) {
	var r verify.Result
	if r.Verdict != verify.Unknown || r.Err() == nil || r.Verdict.String() != "unknown" {
		t.Error(r.Verdict)
	}
}

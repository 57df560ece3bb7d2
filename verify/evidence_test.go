package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/document"
	"warifu/ocsp"
	"warifu/verify"
)

// stampedAt is a station whose clock is set by the test.
type stampedAt struct {
	t  testing.TB
	by station
	at time.Time
}

func (s stampedAt) Stamp(_ context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return s.by.stamp(s.t, digest, s.at), nil
}

// keeper hands out an answer that was made beforehand.
type keeper []byte

func (k keeper) Fetch(context.Context, *x509.Certificate, *x509.Certificate, time.Time) ([]byte, error) {
	return k, nil
}

func gathered(t testing.TB, h house, s verify.Subject, answer []byte) *verify.Evidence {
	t.Helper()
	v := verifier(t).WithTimestamps(trustedStation().anchors())
	e, r, err := v.Gather(t.Context(), s, verify.Sources{OCSP: keeper(answer), Stamper: stampedAt{t, trustedStation(), now}}, verify.Policy{})
	if err != nil {
		t.Fatalf("%v %v", err, r.Reasons)
	}
	return e
}

// subjects is one signature in every form.
func subjects(t testing.TB, h house) map[verify.Form]verify.Subject {
	t.Helper()
	sign := func(digest [32]byte) []byte {
		signature, err := h.holder.key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	must := func(s verify.Subject, err error) verify.Subject {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	prepared, err := document.PrepareXML([]byte("<a>割符</a>"), h.holder.certificate, now)
	if err != nil {
		t.Fatal(err)
	}
	file, err := prepared.Finish(sign(prepared.Digest()), nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(content)
	return map[verify.Form]verify.Subject{
		verify.FormCMS:    must(verify.CMSSubject(signed(t, h.holder, content, false), nil)),
		verify.FormPDF:    must(verify.PDFSubject(signPDF(t, contract(t), h.holder, time.Time{}), "")),
		verify.FormXML:    must(verify.XMLSubject(file)),
		verify.FormDigest: verify.DigestSubject(digest, h.holder.certificate, sign(digest)),
	}
}

func answerNow(t testing.TB, h house, status warifu.Status) []byte {
	return answered(t, h, h.responder, h.holder.certificate.SerialNumber, status, now)
}

// afterYears is a verifier six years on: responder and certificate have ended, nobody answers.
func afterYears(t testing.TB, years int) *verify.Verifier {
	return verify.New(trust(t), nil, warifu.ClockFunc(func() time.Time { return now.AddDate(years, 0, 0) })).WithTimestamps(trustedStation().anchors())
}

func TestEvidenceProvesYearsLaterWithNobodyToAsk(t *testing.T) {
	h := world()[phoneSignature]
	for form, s := range subjects(t, h) {
		e := gathered(t, h, s, answerNow(t, h, good))
		file, err := e.Export()
		if err != nil {
			t.Fatal(err)
		}
		var seen struct{ Notice map[string]string }
		if err := json.Unmarshal(file, &seen); err != nil || !strings.Contains(seen.Notice["en"], "personal document") || seen.Notice["ja"] == "" {
			t.Errorf("%s: the export does not say what it is: %v", form, err)
		}
		read, err := verify.Import(file)
		if err != nil {
			t.Fatal(err)
		}
		if read.ID() != e.ID() || read.Subject.Document != s.Document {
			t.Errorf("%s: another record came back", form)
		}
		r := must(t)(afterYears(t, 6).Evidence(t.Context(), read, verify.Policy{Attributes: []verify.Attribute{verify.Name}}))
		wantGood(t, string(form), r)
		if !r.At.Equal(now) || r.Attributes.Name != yamada.Name || r.Attributes.Address != "" {
			t.Errorf("%s: at %v, %+v", form, r.At, r.Attributes)
		}
		der, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(der); i += 7 {
			broken := bytes.Clone(der)
			broken[i] ^= 1
			if read, err := verify.ParseEvidence(broken); err == nil {
				if r := must(t)(afterYears(t, 6).Evidence(t.Context(), read, verify.Policy{})); r.Verdict == verify.Good {
					t.Fatalf("%s: octet %d changed and nobody noticed", form, i)
				}
			}
		}
	}
}

func TestEvidenceIsRenewedBeforeItsTimestampEnds(t *testing.T) {
	h := world()[phoneSignature]
	e := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	until, err := e.Until()
	if err != nil || !until.Equal(trustedStation().signer.Certificate.NotAfter) {
		t.Fatalf("until %v, %v", until, err)
	}
	// The station's certificate ends after nine years.
	wantBad(t, "ten years later", must(t)(afterYears(t, 10).Evidence(t.Context(), e, verify.Policy{})), "evidence-lapsed")
	late := otherStation() // a younger one takes over
	late.signer.Certificate = youngStation(t, late)
	id := e.ID()
	if err := e.Renew(t.Context(), stampedAt{t, late, now.AddDate(8, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	if e.ID() != id {
		t.Error("renewing gave the record another name")
	}
	v := func(years int) *verify.Verifier {
		return afterYears(t, years).WithTimestamps(anchorsOf(trustedStation(), late))
	}
	wantGood(t, "renewed, ten years later", must(t)(v(10).Evidence(t.Context(), e, verify.Policy{})))
	wantBad(t, "the second over something else", must(t)(v(10).Evidence(t.Context(), swapped(e), verify.Policy{})), "timestamp-mismatch")

	lapsed := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	if err := lapsed.Renew(t.Context(), stampedAt{t, late, now.AddDate(9, 6, 0)}); err != nil {
		t.Fatal(err)
	}
	wantBad(t, "renewed too late", must(t)(v(10).Evidence(t.Context(), lapsed, verify.Policy{})), "evidence-lapsed")
}

// A verifier whose clock is a little behind the authority's has gathered no forgery (RFC 3161, 2.4.2: accuracy).
func TestEvidenceBearsAClockALittleBehind(t *testing.T) {
	h := world()[phoneSignature]
	e := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	behind := func(d time.Duration) *verify.Verifier {
		return verify.New(trust(t), nil, warifu.ClockFunc(func() time.Time { return now.Add(-d) })).WithTimestamps(anchorsOf(trustedStation()))
	}
	wantGood(t, "a second behind", must(t)(behind(time.Second).Evidence(t.Context(), e, verify.Policy{})))
	wantBad(t, "an hour behind", must(t)(behind(time.Hour).Evidence(t.Context(), e, verify.Policy{})), "timestamp-future")
}

func TestEvidenceSaysBadForWhatWasNotGood(t *testing.T) {
	h := world()[phoneSignature]
	s := subjects(t, h)[verify.FormCMS]
	held := revokedAt(warifu.ReasonCertificateHold, ago(time.Hour))
	v := verify.New(trust(t), said{status: held, at: now}, clock).WithTimestamps(trustedStation().anchors())
	if e, r, err := v.Gather(t.Context(), s, verify.Sources{OCSP: keeper(answerNow(t, h, held)), Stamper: stampedAt{t, trustedStation(), now}}, verify.Policy{}); err == nil || e != nil || !r.Has("certificate-suspended") {
		t.Errorf("evidence of a signature in a hold: %v", err)
	}
	e := gathered(t, h, s, answerNow(t, h, good))
	for what, c := range map[string]struct {
		change func(e *verify.Evidence)
		want   string
	}{
		"another answer":       {func(e *verify.Evidence) { e.OCSP = answerNow(t, h, held) }, "timestamp-mismatch"},
		"another document":     {func(e *verify.Evidence) { e.Subject.Document[0]++ }, "timestamp-mismatch"},
		"no time-stamp":        {func(e *verify.Evidence) { e.Stamps = nil }, "evidence-malformed"},
		"stamped by a forger":  {func(e *verify.Evidence) { restamp(t, e, otherStation(), now) }, "timestamp-untrusted"},
		"a stale answer":       {func(e *verify.Evidence) { restamp(t, e, trustedStation(), now.Add(time.Hour)) }, "status-answer-stale"},
		"a held certificate's": {func(e *verify.Evidence) { e.OCSP = answerNow(t, h, held); restamp(t, e, trustedStation(), now) }, "certificate-suspended"},
		"another's answer": {func(e *verify.Evidence) {
			e.OCSP = answered(t, h, h.responder, world()[cardSignature].holder.certificate.SerialNumber, good, now)
			restamp(t, e, trustedStation(), now)
		}, "status-answer-mismatch"},
		"another authority": {func(e *verify.Evidence) { e.Authority = []byte{1}; restamp(t, e, trustedStation(), now) }, "evidence-authority"},
		"another signature": {func(e *verify.Evidence) { e.Subject.Covered[0]++; restamp(t, e, trustedStation(), now) }, "signature-content-mismatch"},
	} {
		copied := *e
		copied.Stamps = append([][]byte{}, e.Stamps...)
		c.change(&copied)
		r := must(t)(afterYears(t, 1).Evidence(t.Context(), &copied, verify.Policy{}))
		if r.Verdict == verify.Good || !r.Has(c.want) {
			t.Errorf("%s: %s %v, want %s", what, r.Verdict, r.Reasons, c.want)
		}
	}
}

// TestEvidenceWithAHistoryTellsAHoldThatWasLifted has a signature made in a hold, and
// evidence gathered after the lift by somebody who hides the history.
func TestEvidenceWithAHistoryTellsAHoldThatWasLifted(t *testing.T) {
	h := world()[phoneSignature]
	then := ago(time.Hour)
	s, err := verify.CMSSubject(stampedMessage(t, h.holder, trustedStation(), then), content)
	if err != nil {
		t.Fatal(err)
	}
	past := ocsp.History{
		CertID: ocsp.NewCertID(crypto.SHA256, h.authority.certificate, h.holder.certificate.SerialNumber), AsOf: now, Active: ago(48 * time.Hour),
		Holds: []ocsp.Interval{{From: ago(2 * time.Hour), To: ago(30 * time.Minute)}},
	}
	e := &verify.Evidence{Subject: s, Authority: h.authority.certificate.Raw, OCSP: answerNow(t, h, good), History: history(t, h.responder, past)}
	restamp(t, e, trustedStation(), now)
	wantBad(t, "with the history", must(t)(afterYears(t, 1).Evidence(t.Context(), e, verify.Policy{})), "certificate-was-suspended")
	e.History = nil
	restamp(t, e, trustedStation(), now)
	wantUnknown(t, "without it", must(t)(afterYears(t, 1).Evidence(t.Context(), e, verify.Policy{})), "status-answer-later")
}

func restamp(t *testing.T, e *verify.Evidence, by station, at time.Time) {
	e.Stamps = nil
	if err := e.Renew(t.Context(), stampedAt{t, by, at}); err != nil {
		t.Fatal(err)
	}
}

func FuzzParseEvidence(f *testing.F) {
	h := world()[phoneSignature]
	for _, s := range subjects(f, h) {
		der, err := gathered(f, h, s, answerNow(f, h, good)).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := verify.ParseEvidence(in)
		if err != nil {
			return
		}
		if again, err := e.Marshal(); err != nil || !bytes.Equal(again, in) {
			t.Fatalf("read is not what was written: %v", err)
		}
		must(t)(afterYears(t, 1).Evidence(t.Context(), e, verify.Policy{}))
	})
}

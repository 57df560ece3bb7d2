package verification_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/ledger"
	"warifu/phone"
	"warifu/profile"
	"warifu/verification"
	"warifu/verify"
)

func TestALoginAndACertificateAreCheckedToo(t *testing.T) {
	w := newTown(t, housetest.Options{})
	q := phone.Question{Purpose: "login", ClientID: "bank", Origin: "https://bank.test", Nonce: make([]byte, 32), Transaction: "t1", Time: w.Clock.Now().UTC().Truncate(time.Second)}
	answer, err := w.phone.App.Login(ctx, q, q.Origin, phone.Unlock{Typed: housetest.Secrets.Authentication})
	must(t, err)
	login := verification.Question{Form: verification.FormPresence, Certificate: answer.Certificate, Signature: answer.Signature, Presence: q.Presence(), Purpose: "to log in"}
	if a := w.check(t, login); a.Result.Verdict != verify.Good || a.NoEvidence != "evidence-nothing-signed" || a.Result.Kind != warifu.Authentication {
		t.Errorf("%+v", a)
	}
	login.Presence.ClientID = "shop"
	if a := w.check(t, login); a.Result.Verdict != verify.Bad {
		t.Error("an answer for another is good")
	}
	alone := verification.Question{Form: verification.FormCertificate, Certificate: answer.Certificate, Accept: []profile.Class{profile.ClassCard}, Purpose: "to look"}
	if a := w.check(t, alone); !a.Result.Has("certificate-class") {
		t.Errorf("%v", a.Result.Reasons)
	}
	lines := w.ledger(t)
	if len(lines) != 3 || lines[0].What != ledger.LoggedIn || lines[1].Result != "bad" || lines[2].What != ledger.Asked {
		t.Errorf("%+v", lines)
	}
}

func TestAQuestionThatIsNotWholeIsRefused(t *testing.T) {
	w := newTown(t, housetest.Options{})
	for name, q := range map[string]verification.Question{
		"nothing": {}, "no purpose": {Form: verification.FormCMS, Signature: w.signed}, "no form": {Signature: w.signed, Purpose: "x"},
		"no signature": {Form: verification.FormCMS, Purpose: "x"}, "no file": {Form: verification.FormPDF, Purpose: "x"},
		"a short digest": {Form: verification.FormDigest, Digest: []byte{1}, Signature: []byte{1}, Certificate: []byte{1}, Purpose: "x"},
		"no certificate": {Form: verification.FormCertificate, Certificate: []byte("x"), Purpose: "x"},
	} {
		_, err := w.Desk.Check(ctx, housetest.BankKey, q)
		if warifu.ProblemOf(err).Problem != "verification-incomplete" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEvidenceIsRenewedInTimeAndPurgedInTime(t *testing.T) {
	w := newTown(t, housetest.Options{})
	a := w.check(t, w.question())
	w.Clock.To(a.Evidence.Until.Add(-30 * day))
	younger := w.NewStamps(t, 20*365*day)
	c := w.DeskConfig(t, younger, w.Stamps)
	desk := verification.New(c)
	if n, err := desk.Renew(ctx); err != nil || n != 1 {
		t.Fatalf("renewed %d: %v", n, err)
	}
	if n, err := desk.Renew(ctx); err != nil || n != 0 {
		t.Errorf("renewed %d again: %v", n, err)
	}
	w.Clock.Forward(60 * day)
	again, err := desk.Again(ctx, housetest.BankKey, a.ID)
	must(t, err)
	if again.Result.Verdict != verify.Good || again.Evidence.ID != a.Evidence.ID || !again.Evidence.Until.After(a.Evidence.Until) {
		t.Errorf("%s %v", again.Result.Verdict, again.Result.Reasons)
	}
	w.Clock.Forward(w.Scheme.EvidenceKeep)
	if n, err := desk.Purge(ctx); err != nil || n != 1 {
		t.Errorf("purged %d: %v", n, err)
	}
	_, err = desk.Again(ctx, housetest.BankKey, a.ID)
	problem(t, err, "verification-unknown")
}

// TestSignedFilesAreCheckedAndProvenLater has a phone sign a PDF file and an XML document: good,
// kept as evidence that can be judged again, and bad once anything in them is another.
func TestSignedFilesAreCheckedAndProvenLater(t *testing.T) {
	w := newTown(t, housetest.Options{})
	pdf, err := os.ReadFile("../document/testdata/contract.pdf")
	must(t, err)
	for _, c := range []struct {
		form     verification.Form
		as       phone.SignatureForm
		document []byte
		from, to string
	}{
		{verification.FormPDF, phone.FormPDF, pdf, "100 yen", "900 yen"},
		{verification.FormXML, phone.FormXML, []byte("<return><tax>100</tax></return>"), ">100<", ">900<"},
	} {
		signed, err := w.phone.App.SignDocument(ctx, c.document, phone.Signing{Form: c.as}, phone.Unlock{Typed: housetest.Secrets.Signature})
		must(t, err)
		q := verification.Question{Form: c.form, Document: signed.File, Purpose: "to take a filing"}
		a := w.check(t, q)
		if a.Result.Verdict != verify.Good || a.Evidence == nil || a.Document != warifu.DigestOf(signed.File) {
			t.Fatalf("%s: %v %v, evidence %v (%s)", c.form, a.Result.Verdict, a.Result.Reasons, a.Evidence, a.NoEvidence)
		}
		w.Clock.Forward(time.Hour)
		again, err := w.Desk.Again(ctx, housetest.BankKey, a.ID)
		must(t, err)
		if again.Result.Verdict != verify.Good || !again.Result.At.Before(w.Clock.Now().Add(-59*time.Minute)) {
			t.Errorf("%s: from its evidence %v %v, judged at %v", c.form, again.Result.Verdict, again.Result.Reasons, again.Result.At)
		}
		q.Document = bytes.Replace(signed.File, []byte(c.from), []byte(c.to), 1)
		if a := w.check(t, q); a.Result.Verdict != verify.Bad || !a.Result.Has("signature-content-mismatch") || a.NoEvidence != "evidence-not-good" {
			t.Errorf("%s, changed: %v %v (%s)", c.form, a.Result.Verdict, a.Result.Reasons, a.NoEvidence)
		}
		q.Document = c.document
		if a := w.check(t, q); a.Result.Verdict != verify.Bad {
			t.Errorf("%s, unsigned: %v", c.form, a.Result.Verdict)
		}
	}
	// Each was good and good again; the changed PDF file still names its signer. A changed XML
	// document is refused before anybody's name in it is looked at, and stands in nobody's ledger.
	if lines := w.ledger(t); len(lines) != 5 || lines[2].Result != "bad" || lines[4].What != ledger.CheckedAgain {
		t.Errorf("%d lines: %+v", len(lines), lines)
	}
}

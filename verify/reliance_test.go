package verify_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"warifu/verify"
)

// lasting is a station whose certificate lasts so many years, longer than its algorithm.
func lasting(years int) station {
	s := newStation()
	old := s.signer.Certificate
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "a lasting station"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(years, 0, 0),
		ExtraExtensions: old.Extensions[:1],
	}
	s.signer.Certificate = certificate(x509.CreateCertificate(rand.Reader, template, template, s.signer.Key.Public(), s.signer.Key))
	return s
}

func TestEvidenceIsDueBeforeItsTimestampsAlgorithmAges(t *testing.T) {
	h := world()[phoneSignature]
	row, known := verify.RelianceOf(trustedStation().signer.Certificate.PublicKey)
	if !known || row.Algorithm != "P-256" || row.Source == "" {
		t.Fatalf("%+v", row)
	}
	e := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	long := lasting(15) // until 2041: its algorithm ends before it
	restamp(t, e, long, now)
	until, err := e.Until()
	if err != nil || !until.Equal(row.Until) {
		t.Fatalf("until %v, want %v: %v", until, row.Until, err)
	}
	const margin = 90 * 24 * time.Hour
	for at, want := range map[time.Time]bool{now: false, until.Add(-margin - time.Second): false, until.Add(-margin): true, until.Add(time.Hour): true} {
		if due, err := e.Due(at, margin); err != nil || due != want {
			t.Errorf("due at %v: %v %v", at, due, err)
		}
	}
	// A stamper of the same algorithm gains nothing, and nothing is added in vain.
	if done, err := e.RenewIfDue(t.Context(), stampedAt{t, long, until.Add(-time.Hour)}, until.Add(-time.Hour), margin); err != nil || done || len(e.Stamps) != 1 {
		t.Errorf("renewed by the same algorithm: %v %v, %d time-stamps", done, err, len(e.Stamps))
	}
	// One whose certificate ends sooner than the algorithm is renewed by one that lasts.
	short := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	ends, err := short.Until()
	if err != nil || !ends.Before(row.Until) {
		t.Fatalf("until %v: %v", ends, err)
	}
	if done, err := short.RenewIfDue(t.Context(), stampedAt{t, long, now}, now, margin); err != nil || done {
		t.Errorf("renewed when it was not due: %v %v", done, err)
	}
	at := ends.Add(-time.Hour)
	if done, err := short.RenewIfDue(t.Context(), stampedAt{t, long, at}, at, margin); err != nil || !done || len(short.Stamps) != 2 {
		t.Errorf("not renewed: %v %v", done, err)
	}
	if _, err := (&verify.Evidence{}).Due(now, margin); err == nil {
		t.Error("a record without time-stamps is due for nothing")
	}
}

func TestAnAgedAlgorithmIsWarnedOf(t *testing.T) {
	h := world()[phoneSignature]
	e := gathered(t, h, subjects(t, h)[verify.FormCMS], answerNow(t, h, good))
	long := lasting(15)
	restamp(t, e, long, now)
	for years, warned := range map[int]int{6: 0, 11: 1} {
		r := must(t)(afterYears(t, years).WithTimestamps(long.anchors()).Evidence(t.Context(), e, verify.Policy{}))
		wantGood(t, "years later", r)
		if len(r.Warnings) != warned || (warned == 1 && r.Warnings[0].Problem != "evidence-algorithm-aged") {
			t.Errorf("after %d years: %v", years, r.Warnings)
		}
	}
}

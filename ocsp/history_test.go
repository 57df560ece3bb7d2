package ocsp_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/ocsp"
)

func before(d time.Duration) time.Time { return now.Add(-d) }

// past is a history with one of everything.
func past() ocsp.History {
	return ocsp.History{
		CertID: ocsp.NewCertID(crypto.SHA256, world().authority.certificate, serial), AsOf: now, Active: before(10 * time.Hour),
		Holds:   []ocsp.Interval{{From: before(9 * time.Hour), To: before(8 * time.Hour)}, {From: before(4 * time.Hour), To: before(3 * time.Hour)}},
		Revoked: warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: before(time.Hour)},
	}
}

func signedBy(t testing.TB, p party, h ocsp.History) []byte {
	t.Helper()
	der, err := ocsp.SignHistory(h, p.certificate, p.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// forge signs a content as a history is signed.
func forge(t testing.TB, content []byte) []byte {
	t.Helper()
	w := world().responder
	prepared, err := cms.Prepare(ocsp.OIDHistory, content, w.certificate, nil, time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	digest := prepared.Digest()
	signature, err := w.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := prepared.Finish(signature)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestHistoriesReadBack(t *testing.T) {
	w := world()
	never, held := past(), past()
	never.Active, never.Holds, never.Revoked = time.Time{}, nil, warifu.Status{}
	held.Revoked, held.Holds[1].To = warifu.Status{}, time.Time{}
	for name, h := range map[string]ocsp.History{"everything": past(), "never in use": never, "on hold": held} {
		for _, by := range []party{w.responder, w.authority} {
			got, err := ocsp.ParseHistory(signedBy(t, by, h))
			if err != nil {
				t.Fatal(name, err)
			}
			if err := got.Verify(w.authority.certificate, serial, now); err != nil {
				t.Error(name, err)
			}
			h.CertID = got.CertID // which keeps its octets
			if !reflect.DeepEqual(got.History, h) {
				t.Errorf("%s: %+v, want %+v", name, got.History, h)
			}
		}
	}
}

func TestAHistoryTellsTheStatusAtAnyInstant(t *testing.T) {
	h := past()
	at := func(hours float64) time.Time { return before(time.Duration(hours * float64(time.Hour))) }
	cases := []struct {
		hours  float64
		status warifu.CertStatus
		reason warifu.Reason
	}{
		{11, warifu.StatusUnknown, 0}, {10, warifu.StatusGood, 0}, {9.5, warifu.StatusGood, 0}, {9, warifu.StatusRevoked, 6}, {8.5, warifu.StatusRevoked, 6},
		{8, warifu.StatusGood, 0}, {3.5, warifu.StatusRevoked, 6}, {2, warifu.StatusGood, 0}, {1, warifu.StatusRevoked, 1}, {0, warifu.StatusRevoked, 1},
	}
	for _, c := range cases {
		if s := h.At(at(c.hours)); s.Cert != c.status || s.Reason != c.reason {
			t.Errorf("%v hours ago: %+v", c.hours, s)
		}
	}
	h.Revoked, h.Holds[1].To = warifu.Status{}, time.Time{}
	if s := h.At(now); s.Reason != warifu.ReasonCertificateHold || !s.RevokedAt.Equal(at(4)) {
		t.Errorf("in a hold without end: %+v", s)
	}
}

func TestAHistoryIsHeldAgainstIssuerSerialAndResponder(t *testing.T) {
	w, other := world(), stranger()
	late := issue(w.authority, withLife(-48*time.Hour, -time.Hour), mustP256())
	plain := responderTemplate()
	plain.ExtKeyUsage = nil
	leaf := issue(w.authority, plain, mustP256())
	elsewhere, future := past(), past()
	elsewhere.CertID = ocsp.NewCertID(crypto.SHA256, other.authority.certificate, serial)
	future.AsOf = now.Add(6 * time.Minute)
	for name, c := range map[string]struct {
		by      party
		history ocsp.History
		serial  *big.Int
		problem string
	}{
		"another serial number":          {w.responder, past(), big.NewInt(5), "status-answer-mismatch"},
		"another authority's":            {w.responder, elsewhere, serial, "status-answer-mismatch"},
		"another authority's responder":  {other.responder, past(), serial, "status-responder-unauthorized"},
		"another authority itself":       {other.authority, past(), serial, "status-responder-unauthorized"},
		"a responder whose time is over": {late, past(), serial, "status-responder-unauthorized"},
		"a holder":                       {leaf, past(), serial, "status-responder-unauthorized"},
		"from the future":                {w.responder, future, serial, "status-answer-future"},
	} {
		h, err := ocsp.ParseHistory(signedBy(t, c.by, c.history))
		if err != nil {
			t.Fatal(name, err)
		}
		if err := h.Verify(w.authority.certificate, c.serial, now); !errors.Is(err, problem(c.problem)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHistoriesThatCannotBeTrueAreRefused(t *testing.T) {
	cases := map[string]func(*ocsp.History){
		"in use from the future": func(h *ocsp.History) { h.Active = now.Add(2 * time.Second) },
		"a hold from the future": func(h *ocsp.History) {
			h.Holds[1] = ocsp.Interval{From: now.Add(time.Second), To: now.Add(2 * time.Second)}
		},
		"a lift in the future":       func(h *ocsp.History) { h.Holds[1].To = now.Add(2 * time.Second) },
		"out of order":               func(h *ocsp.History) { h.Holds[0], h.Holds[1] = h.Holds[1], h.Holds[0] },
		"lifted before it was put":   func(h *ocsp.History) { h.Holds[0].To = h.Holds[0].From.Add(-time.Second) },
		"an empty hold":              func(h *ocsp.History) { h.Holds[0].To = h.Holds[0].From },
		"on hold and dead":           func(h *ocsp.History) { h.Holds[1].To = time.Time{} },
		"a hold without end, others": func(h *ocsp.History) { h.Holds[0].To, h.Revoked = time.Time{}, warifu.Status{} },
		"dead in the future":         func(h *ocsp.History) { h.Revoked.RevokedAt = now.Add(time.Second) },
		"finally on hold":            func(h *ocsp.History) { h.Revoked.Reason = warifu.ReasonCertificateHold },
		"finally removed":            func(h *ocsp.History) { h.Revoked.Reason = warifu.ReasonRemoveFromCRL },
		"by SHA-1":                   func(h *ocsp.History) { h.CertID = ocsp.NewCertID(crypto.SHA1, world().authority.certificate, serial) },
	}
	for name, change := range cases {
		h := past()
		change(&h)
		if _, err := ocsp.ParseHistory(signedBy(t, world().responder, h)); !errors.Is(err, problem("status-answer-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := past()
	long.Holds = make([]ocsp.Interval, ocsp.MaxHolds+1)
	if _, err := ocsp.SignHistory(long, world().responder.certificate, world().responder.key); !errors.Is(err, problem("status-answer-too-large")) {
		t.Error(err)
	}
	if _, err := ocsp.ParseHistory(make([]byte, ocsp.MaxHistory+1)); !errors.Is(err, problem("status-answer-too-large")) {
		t.Error(err)
	}
}

func TestALongestHistoryIsRead(t *testing.T) {
	h := past()
	h.Holds = nil
	for i := range ocsp.MaxHolds {
		from := before(9 * time.Hour).Add(time.Duration(i) * 2 * time.Second)
		h.Holds = append(h.Holds, ocsp.Interval{From: from, To: from.Add(time.Second)})
	}
	got, err := ocsp.ParseHistory(signedBy(t, world().responder, h))
	if err != nil || len(got.Holds) != ocsp.MaxHolds || got.Verify(world().authority.certificate, serial, now) != nil {
		t.Error(err)
	}
}

func TestEveryFlippedOrMissingOctetOfAHistoryIsNoticed(t *testing.T) {
	der := signedBy(t, world().responder, past())
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 0x01
		if h, err := ocsp.ParseHistory(bad); err == nil && h.Verify(world().authority.certificate, serial, now) == nil {
			t.Fatalf("octet %d", i)
		}
		if _, err := ocsp.ParseHistory(der[:i]); !errors.Is(err, problem("status-answer-malformed")) {
			t.Fatalf("%d octets: %v", i, err)
		}
	}
	for name, other := range map[string][]byte{
		"an OCSP response": answer(t, world().responder, nil, single(crypto.SHA256, good)),
		"another paper":    forge(t, []byte("another paper")),
		"nothing in it":    forge(t, nil),
	} {
		if _, err := ocsp.ParseHistory(other); !errors.Is(err, problem("status-answer-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenSSLReadsAHistory(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	ca, file := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "history")
	for name, content := range map[string][]byte{
		ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: world().authority.certificate.Raw}), file: signedBy(t, world().responder, past()),
	} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content := filepath.Join(dir, "content")
	out, err := exec.CommandContext(t.Context(), path, "cms", "-verify", "-inform", "DER", "-binary", "-in", file, "-CAfile", ca, "-purpose", "any", "-attime", "1775035800", "-out", content).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), path, "asn1parse", "-inform", "DER", "-in", content).CombinedOutput()
	if err != nil || !strings.Contains(string(out), before(9*time.Hour).Format("20060102150405Z")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// FuzzParseHistory feeds the content under a right signature: what is read encodes to
// the same and tells a status for any instant.
func FuzzParseHistory(f *testing.F) {
	for _, h := range []ocsp.History{past(), {CertID: past().CertID, AsOf: now}} {
		m, err := cms.Parse(signedBy(f, world().responder, h))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		h, err := ocsp.ParseHistory(forge(t, content))
		if err != nil {
			return
		}
		for _, i := range h.Holds {
			if s := h.At(i.From); s.Cert != warifu.StatusRevoked {
				t.Fatalf("%+v while it is on hold", s)
			}
		}
		if again, err := ocsp.ParseHistory(signedBy(t, world().responder, h.History)); err != nil || !reflect.DeepEqual(again.History, h.History) {
			t.Fatal(err)
		}
	})
}

// FuzzParseSignedHistory feeds whole messages: nothing but the seed is ever believed.
func FuzzParseSignedHistory(f *testing.F) {
	seed := signedBy(f, world().responder, past())
	f.Add(seed)
	f.Fuzz(func(t *testing.T, der []byte) {
		h, err := ocsp.ParseHistory(der)
		if err != nil || h.Verify(world().authority.certificate, serial, now) != nil {
			return
		}
		if !reflect.DeepEqual(h.Holds, past().Holds) {
			t.Fatalf("%+v", h.History)
		}
	})
}

// withLife is a responder's template for another time.
func withLife(from, to time.Duration) *x509.Certificate {
	c := responderTemplate()
	c.NotBefore, c.NotAfter = now.Add(from), now.Add(to)
	return c
}

package status_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	xocsp "golang.org/x/crypto/ocsp"

	"warifu"
	"warifu/ocsp"
)

// lives is a keeper that knows every status.
func lives() *keeper {
	k := newKeeper(1 << 20)
	for n, s := range newRecords().held {
		k.source.tell(serial(n), s)
	}
	k.source.tell(serial(isNeverIssued), warifu.Status{})
	return k
}

// TestAnotherImplementationReadsEveryStatus: golang.org/x/crypto/ocsp and OpenSSL, of kept
// answers and through the listener (RFC 6960 §2.2: good, revoked with reason and time, on hold, unknown).
func TestAnotherImplementationReadsEveryStatus(t *testing.T) {
	k := lives()
	address := "http://" + doors(t, k.Responder)["listener"]
	ca := pemFile(t, "ca.pem", "CERTIFICATE", world().ca.certificate.Raw)
	for n, want := range map[byte]struct {
		status, reason int
		said           string
	}{isGood: {xocsp.Good, 0, ": good"}, isRevoked: {xocsp.Revoked, xocsp.KeyCompromise, "keyCompromise"}, isHeld: {xocsp.Revoked, xocsp.CertificateHold, "certificateHold"}, isPending: {xocsp.Unknown, 0, ": unknown"}} {
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			for range 2 { // signed, and kept
				_, der := do(t, http.MethodGet, address+pathOf(ask(t, []ocsp.CertID{certID(h, n)}, nil)), "", nil)
				r, err := xocsp.ParseResponse(der, world().ca.certificate)
				if err != nil || r.Status != want.status || r.RevocationReason != want.reason || r.IssuerHash != h || !r.ThisUpdate.Equal(now) {
					t.Errorf("%d by %v: %v %+v", n, h, err, r)
				}
				if want.status == xocsp.Revoked && !r.RevokedAt.Equal(newRecords().held[n].RevokedAt) {
					t.Errorf("%d: revoked at %v", n, r.RevokedAt)
				}
			}
		}
		out, err := openssl(t, "ocsp", "-CAfile", ca, "-issuer", ca, "-sha256", "-serial", "0x"+hex.EncodeToString(serial(n)), "-url", address+"/ocsp/signature")
		if err != nil || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, want.said) {
			t.Errorf("%d: %v\n%s", n, err, out)
		}
	}
}

// TestRFC9919HeadersOfAnswers: §5, and §6.2: whatever is successful carries no
// no-store and no no-cache, whatever is not carries one.
func TestRFC9919HeadersOfAnswers(t *testing.T) {
	k := lives()
	for door, address := range doors(t, k.Responder) {
		for name, c := range map[string]struct {
			question []byte
			caching  string
		}{
			"kept":    {ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil), "max-age=60, public, no-transform, must-revalidate"},
			"nonce":   {ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, []byte{1}), "max-age=0, public, no-transform, must-revalidate"},
			"unknown": {ask(t, []ocsp.CertID{certID(crypto.SHA256, isPending)}, nil), "max-age=0, public, no-transform, must-revalidate"},
			"refused": {[]byte("rubbish"), "no-store"},
		} {
			r, der := do(t, http.MethodGet, "http://"+address+pathOf(c.question), "", nil)
			h := r.Header
			if h.Get("Cache-Control") != c.caching || h.Get("Pragma") != "" || h.Get("Date") == "" || r.ContentLength != int64(len(der)) || h.Get("Content-Type") != "application/ocsp-response" {
				t.Errorf("%s: %s: %v", door, name, h)
			}
			if kept := name == "kept"; kept != (h.Get("ETag") == `"`+hex.EncodeToString(sum256(der))+`"`) || kept != (h.Get("Last-Modified") == now.Format(http.TimeFormat)) {
				t.Errorf("%s: %s: %v", door, name, h)
			}
		}
	}
}

// TestAConditionThatHoldsIsAnswered304 (RFC 9110 §13.1.2), and one that does not with the answer.
func TestAConditionThatHoldsIsAnswered304(t *testing.T) {
	k := lives()
	for door, address := range doors(t, k.Responder) {
		path := pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil))
		first, der := do(t, http.MethodGet, "http://"+address+path, "", nil)
		tag := first.Header.Get("ETag")
		for condition, want := range map[string]int{tag: 304, "W/" + tag: 304, `"a", ` + tag: 304, "*": 304, `"a"`: 200, strings.Trim(tag, `"`): 200} {
			conn, in := dial(t, address)
			if _, err := io.WriteString(conn, get(path, "If-None-Match: "+condition)); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != want || r.Header.Get("ETag") != tag || (want == 200) != (len(body) == len(der)) {
				t.Errorf("%s: %s: %v %s %d", door, condition, err, r.Status, len(body))
			}
		}
	}
}

// TestRFC9919TheResponder, §3.2.2: named by its key, its certificate goes along, with
// nocheck and short-lived, with no address of a status of its own; P-256 under every authority.
func TestRFC9919TheResponder(t *testing.T) {
	r, err := ocsp.ParseResponse(lives().Answer(t.Context(), ask(t, []ocsp.CertID{certID(crypto.SHA256, isGood)}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c := r.ResponderCertificate
	if c == nil || len(c.OCSPServer) != 0 || len(c.CRLDistributionPoints) != 0 || ocsp.CheckDelegation(c, world().ca.certificate, now) != nil {
		t.Errorf("%+v", c)
	}
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("%T", c.PublicKey)
	}
}

func sum256(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

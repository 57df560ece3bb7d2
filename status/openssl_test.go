package status_test

import (
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/profile"
	"warifu/status"
	"warifu/verify"
)

// openssl runs the command and returns what it printed; the test is skipped where there is none.
func openssl(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	out, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
	return string(out), err
}

func pemFile(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// statusServer is responder and list as the house serves them.
func statusServer(t *testing.T, source *records) *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /crl/signature.crl", status.NewPublisher(warifu.Signature, sign, status.Listing(source.revoked), clock))
	s := httptest.NewServer(route(mux, newResponder(t, source)))
	t.Cleanup(s.Close)
	return s
}

func TestOpenSSLAsksForEveryStatus(t *testing.T) {
	s := statusServer(t, newRecords())
	ca := pemFile(t, "ca.pem", "CERTIFICATE", world().ca.certificate.Raw)
	for n, want := range map[byte]string{isGood: ": good", isRevoked: "Reason: keyCompromise", isHeld: "Reason: certificateHold", isPending: ": unknown", isNeverIssued: ": unknown"} {
		leaf := pemFile(t, "leaf.pem", "CERTIFICATE", world().issue(n, s.URL).certificate.Raw)
		for _, hash := range []string{"-sha1", "-sha256"} {
			for _, nonce := range []string{"-nonce", "-no_nonce"} {
				out, err := openssl(t, "ocsp", "-CAfile", ca, "-issuer", ca, hash, "-cert", leaf, "-url", s.URL+"/ocsp/signature", nonce)
				if err != nil || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, want) || strings.Contains(out, "WARNING") {
					t.Errorf("%d %s %s: %v\n%s", n, hash, nonce, err, out)
				}
			}
		}
	}
}

func TestOpenSSLAsksAboutSeveralAtOnce(t *testing.T) {
	s := statusServer(t, newRecords())
	ca := pemFile(t, "ca.pem", "CERTIFICATE", world().ca.certificate.Raw)
	out, err := openssl(t, "ocsp", "-CAfile", ca, "-issuer", ca, "-url", s.URL+"/ocsp/signature",
		"-serial", "0x"+hex.EncodeToString(serial(isGood)), "-serial", "0x"+hex.EncodeToString(serial(isRevoked)))
	if err != nil || strings.Count(out, "This Update") != 2 || !strings.Contains(out, "keyCompromise") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOpenSSLChecksAgainstTheList(t *testing.T) {
	source := newRecords()
	der, err := status.NewPublisher(warifu.Signature, sign, status.Listing(source.revoked), clock).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ca := pemFile(t, "ca.pem", "CERTIFICATE", world().ca.certificate.Raw)
	list := pemFile(t, "list.pem", "X509 CRL", der)
	if out, err := openssl(t, "crl", "-in", list, "-CAfile", ca, "-noout", "-text"); err != nil || !strings.Contains(out, "verify OK") || !strings.Contains(out, "Certificate Hold") {
		t.Errorf("%v\n%s", err, out)
	}
	for n, good := range map[byte]bool{isGood: true, isRevoked: false, isHeld: false} {
		leaf := pemFile(t, "leaf.pem", "CERTIFICATE", world().issue(n, "http://127.0.0.1").certificate.Raw)
		out, err := openssl(t, "verify", "-crl_check", "-CAfile", ca, "-CRLfile", list, leaf)
		if (err == nil) != good || (!good && !strings.Contains(out, "revoked")) {
			t.Errorf("%d: %v\n%s", n, err, out)
		}
	}
}

// TestTheRelyingPartysLibraryAgrees asks the same server through package verify.
func TestTheRelyingPartysLibraryAgrees(t *testing.T) {
	s := statusServer(t, newRecords())
	var trust verify.Trust
	if err := trust.Add(profile.ClassPhone, warifu.Signature, world().ca.certificate); err != nil {
		t.Fatal(err)
	}
	checkers := map[string]verify.StatusChecker{
		"post": verify.OCSPClient{RequireNonce: true}, "get": verify.OCSPClient{Get: true, NoNonce: true}, "list": &verify.CRLClient{},
	}
	for n, want := range map[byte]verify.Verdict{isGood: verify.Good, isRevoked: verify.Bad, isHeld: verify.Bad} {
		c := world().issue(n, s.URL).certificate
		for name, checker := range checkers {
			r, err := verify.New(trust, checker, clock).Certificate(t.Context(), c, verify.Policy{})
			if err != nil || r.Verdict != want {
				t.Errorf("%s %d: %v %v %v", name, n, err, r.Verdict, r.Reasons)
			}
		}
	}
	pending := world().issue(isPending, s.URL).certificate
	r, err := verify.New(trust, checkers["post"], clock).Certificate(t.Context(), pending, verify.Policy{})
	if err != nil || r.Verdict != verify.Unknown || !r.Has("status-unknown") {
		t.Error(err, r.Verdict, r.Reasons)
	}
}

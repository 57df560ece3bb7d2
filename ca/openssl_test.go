package ca_test

import (
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
)

// TestOpenSSLBelievesWhatWeIssue lets a second implementation read and verify.
func TestOpenSSLBelievesWhatWeIssue(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	for _, scheme := range []string{"badge", "jp-mobile"} {
		w := newWorld(scheme)
		w.phoneKey = phoneKeys(scheme)
		r := w.newApplication().request()
		for _, kind := range warifu.Kinds {
			dir := t.TempDir()
			leaf := write(t, dir, "leaf.pem", "CERTIFICATE", w.issue(t, kind, r))
			root := write(t, dir, "root.pem", "CERTIFICATE", w.authority[kind].certificate.Raw)
			list := crl.NewDraft(new(crl.Memory), crl.Head{
				Number: 1, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), Point: parse(w.issue(t, kind, r)).CRLDistributionPoints[0],
			})
			if err := w.issuers[kind].SignCRL(list); err != nil {
				t.Fatal(err)
			}
			lists := write(t, dir, "crl.pem", "X509 CRL", must(io.ReadAll(list.Reader())))
			at := now.UTC().Unix()
			out := openssl(t, "verify", "-x509_strict", "-attime", strconv.FormatInt(at, 10), "-CAfile", root, "-CRLfile", lists, "-crl_check", leaf)
			if !strings.Contains(out, "OK") {
				t.Errorf("%s %s: %s", scheme, kind, out)
			}
			checkText(t, kind, openssl(t, "x509", "-noout", "-text", "-in", leaf))
		}
	}
}

func checkText(t *testing.T, kind warifu.Kind, text string) {
	t.Helper()
	wants := map[warifu.Kind][]string{
		warifu.Signature:      {"Digital Signature, Non Repudiation", "2.25.154071603.2.1", "othername"},
		warifu.Authentication: {"X509v3 Key Usage: critical\n                Digital Signature\n", "TLS Web Client Authentication", "2.25.154071603.2.2"},
	}[kind]
	wants = append(wants, "Version: 3", "X509v3 Certificate Policies: critical", "X509v3 Issuer Alternative Name", "DirName:/C=JP/O=",
		"URI:http://127.0.0.1:8400/crl/signature/", "OCSP - URI:http://127.0.0.1:8400/ocsp/signature", "CA Issuers - URI:http://127.0.0.1:8400/ca/signature.cer",
		"Not Before: Jun  9 15:00:00 2026 GMT", "Not After : Feb 17 14:59:59 2030 GMT")
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: openssl does not say %q:\n%s", kind, want, text)
		}
	}
	if kind == warifu.Authentication && strings.Contains(text, "Subject Alternative Name") {
		t.Error("an authentication certificate with a subjectAltName")
	}
}

func write(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

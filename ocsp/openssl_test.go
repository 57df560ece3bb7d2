package ocsp_test

import (
	"crypto"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu/ocsp"
)

func TestOpenSSLReadsOurRequestsAndAnswers(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	run := func(arguments ...string) string {
		out, err := exec.CommandContext(t.Context(), path, append([]string{"ocsp"}, arguments...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", arguments, err, out)
		}
		return string(out)
	}
	w := world()
	request, err := ocsp.Request{Nonce: []byte("sixteen octets.."), CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, w.authority.certificate, serial)}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if out := run("-reqin", file("request", request), "-req_text"); !strings.Contains(out, "Hash Algorithm: sha256") || !strings.Contains(out, "OCSP Nonce") {
		t.Error(out)
	}
	ca := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.authority.certificate.Raw}))
	response := file("response", answer(t, w.responder, []byte("sixteen octets.."), single(crypto.SHA1, held)))
	out := run("-respin", response, "-resp_text", "-CAfile", ca, "-attime", "1775035800")
	if !strings.Contains(out, "certificateHold") || !strings.Contains(out, "Response verify OK") {
		t.Error(out)
	}
}

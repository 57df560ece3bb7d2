package cms_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"warifu"
	"warifu/cms"
)

// openssl runs the command; the test is skipped where there is none.
func openssl(t *testing.T, arguments ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	return exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
}

func file(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestOpenSSLAcceptsAttachedAndDetached(t *testing.T) {
	content := []byte("確定申告書\r\n\x00binary\n")
	for name, id := range identities {
		dir := t.TempDir()
		ca := file(t, dir, "ca.pem", pemOf("CERTIFICATE", id().certificate.Raw))
		document := file(t, dir, "document", content)
		attached := file(t, dir, "a.p7m", sign(t, id(), cms.OIDData, content, false))
		detached := file(t, dir, "d.p7s", sign(t, id(), cms.OIDData, content, true))
		out := filepath.Join(dir, "out")
		common := []string{"cms", "-verify", "-inform", "DER", "-CAfile", ca, "-purpose", "any", "-binary", "-cades", "-out", out}
		for kind, more := range map[string][]string{"attached": {"-in", attached}, "detached": {"-in", detached, "-content", document}} {
			if said, err := openssl(t, append(common, more...)...); err != nil {
				t.Errorf("%s %s: %v\n%s", name, kind, err, said)
			}
			if got, _ := os.ReadFile(out); !bytes.Equal(got, content) {
				t.Errorf("%s %s: another content", name, kind)
			}
		}
		if said, err := openssl(t, append(common, "-in", detached, "-content", ca)...); err == nil {
			t.Errorf("%s: another document was accepted\n%s", name, said)
		}
	}
}

// TestWeReadWhatOpenSSLSigns also shows where the subset ends.
func TestWeReadWhatOpenSSLSigns(t *testing.T) {
	content := []byte("content")
	for name, id := range identities {
		dir := t.TempDir()
		key, err := x509.MarshalPKCS8PrivateKey(id().key)
		if err != nil {
			t.Fatal(err)
		}
		document := file(t, dir, "document", content)
		base := []string{
			"cms", "-sign", "-binary", "-outform", "DER", "-in", document, "-signer", file(t, dir, "c.pem", pemOf("CERTIFICATE", id().certificate.Raw)),
			"-inkey", file(t, dir, "k.pem", pemOf("PRIVATE KEY", key)),
		}
		cases := map[string]struct {
			flags   []string
			problem string
		}{
			"detached":             {[]string{"-md", "sha256"}, ""},
			"attached":             {[]string{"-md", "sha256", "-nodetach"}, ""},
			"cades":                {[]string{"-md", "sha256", "-nodetach", "-cades"}, ""},
			"sha1":                 {[]string{"-md", "sha1", "-nodetach"}, "signature-algorithm"},
			"sha512":               {[]string{"-md", "sha512", "-nodetach"}, "signature-algorithm"},
			"no signed attributes": {[]string{"-md", "sha256", "-nodetach", "-noattr"}, "signature-malformed"},
			"by key identifier":    {[]string{"-md", "sha256", "-nodetach", "-keyid"}, "signature-malformed"},
			"no certificate":       {[]string{"-md", "sha256", "-nodetach", "-nocerts"}, "signature-malformed"},
			"streamed (BER)":       {[]string{"-md", "sha256", "-nodetach", "-stream"}, "signature-malformed"},
		}
		for what, c := range cases {
			out := filepath.Join(dir, "out")
			if said, err := openssl(t, append(append(base, "-out", out), c.flags...)...); err != nil {
				t.Fatalf("%s %s: %v\n%s", name, what, err, said)
			}
			der, _ := os.ReadFile(out)
			m, err := cms.Parse(der)
			if c.problem != "" {
				if !errors.Is(err, &warifu.Error{Problem: c.problem}) {
					t.Errorf("%s %s: %v, want %s", name, what, err, c.problem)
				}
				continue
			}
			if err == nil {
				err = m.Verify(content)
			}
			if err != nil {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
}

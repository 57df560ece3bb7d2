package verify_test

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"warifu/verify"
)

// TestOpenSSLAndWeAgreeOnDocuments runs the commands of docs/validation.md on certificates of the profile.
func TestOpenSSLAndWeAgreeOnDocuments(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	v := verifier(t)
	for _, p := range []place{cardSignature, phoneSignature} {
		h := world()[p]
		dir := t.TempDir()
		file := func(name string, content []byte) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		ca := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.authority.certificate.Raw}))
		letter, other := file("letter", content), file("other", []byte("another letter"))
		for name, der := range map[string][]byte{"ours": signed(t, h.holder, content, true), "forged": signed(t, forged()[p].holder, content, true)} {
			signature := file(name+".p7s", der)
			for _, document := range []string{letter, other} {
				beside, err := os.ReadFile(document)
				if err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), openssl, "cms", "-verify", "-inform", "DER", "-binary", "-in", signature, "-content", document,
					"-CAfile", ca, "-signer", filepath.Join(dir, "holder.pem"), "-out", os.DevNull, "-attime", strconv.FormatInt(now.Unix(), 10)).CombinedOutput()
				r := must(t)(v.Document(t.Context(), der, beside, verify.Policy{}))
				want := name == "ours" && document == letter
				if (err == nil) != want || (r.Verdict == verify.Good) != want {
					t.Errorf("%s %s %s: openssl %v, we %s\n%s", p.class, name, filepath.Base(document), err, r.Verdict, out)
				}
			}
		}
	}
}

package pkitest_test

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"warifu/internal/pkitest"
)

// TestBetterTLS goes through the certificates of BetterTLS's suites, path building and name
// constraints, under WARIFU_SOAK: its own program makes them, in half a minute. We build no
// paths and know no name constraints, since an authority of ours certifies holders directly; so
// that of its cases those count that a strict profile must refuse, which is all: none of its
// roots is an authority of ours, none of its certificates a holder's, and where the
// standard library finds a signature wrong we do too.
func TestBetterTLS(t *testing.T) {
	if os.Getenv("WARIFU_SOAK") == "" {
		t.Skip("BetterTLS's suites are made and tried under WARIFU_SOAK=1")
	}
	file := filepath.Join(t.TempDir(), "tests.json")
	export := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", "./test-suites/cmd/bettertls", "export-tests", "--out", file)
	export.Dir = pkitest.Module(t, pkitest.BetterTLS)
	if out, err := export.CombinedOutput(); err != nil {
		t.Skipf("BetterTLS's program cannot be built here (no network?): %v\n%s", err, out)
	}
	var suites struct {
		TrustRoot []byte
		Suites    map[string]struct {
			TestCases []struct{ Certificates [][]byte }
		}
	}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &suites)
	}
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(suites.TrustRoot)
	if err != nil {
		t.Fatal(err)
	}
	checkStranger(t, "the root", root)
	seen, cases := map[string]bool{}, 0
	for name, suite := range suites.Suites {
		for _, one := range suite.TestCases {
			cases++
			issuers := []*x509.Certificate{root}
			for _, der := range one.Certificates {
				c, err := x509.ParseCertificate(der)
				if err != nil || seen[string(der)] {
					continue
				}
				seen[string(der)] = true
				checkStranger(t, name, c)
				issuers = append(issuers, c)
			}
			checkAll(t, name, issuers)
		}
	}
	if cases < 1000 || len(seen) < 1000 {
		t.Errorf("%d cases, %d certificates", cases, len(seen))
	}
}

// checkAll tries each certificate under each that could have issued it by its name.
func checkAll(t *testing.T, name string, all []*x509.Certificate) {
	t.Helper()
	for _, c := range all[1:] {
		for _, issuer := range all {
			if string(issuer.RawSubject) == string(c.RawIssuer) {
				checkLink(t, name, c, issuer)
			}
		}
	}
}

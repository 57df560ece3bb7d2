package pkitest_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/profile"
	"warifu/verify"
)

// What a client may say of a certificate. By a list nobody can tell what is not in use yet,
// or was never issued, from what is good.
const (
	good    = "good"
	revoked = "revoked KEY_COMPROMISE"
	held    = "revoked CERTIFICATE_HOLD"
	unknown = "unknown"
)

// cases are certificates by name, and what OCSP and lists say of them.
type verdicts struct{ ocsp, list string }

var before = map[string]verdicts{
	"good": {good, good}, "revoked": {revoked, revoked}, "held": {held, held}, "resumed": {held, held},
	"pending": {unknown, good}, "never": {unknown, good}, "old": {held, held}, "later": {good, good},
}

// after is what they say when one was resumed, and another suspended.
var after = map[string]verdicts{
	"good": {good, good}, "revoked": {revoked, revoked}, "held": {held, held}, "resumed": {good, good},
	"pending": {unknown, good}, "never": {unknown, good}, "old": {held, held}, "later": {held, held},
}

var names = []string{"good", "revoked", "held", "resumed", "pending", "never", "old", "later"}

// town is a house with one certificate of every sort, in files.
type town struct {
	*house
	dir          string
	certificates map[string]*x509.Certificate
}

func newTown(t *testing.T, algorithm profile.Algorithm) *town {
	w := &town{house: newHouse(t, algorithm), dir: t.TempDir(), certificates: map[string]*x509.Certificate{}}
	w.file("ca", "CERTIFICATE", w.ca.certificate.Raw)
	for n, name := range names {
		c := w.issue(uint64(n+1), name == "old")
		w.certificates[name] = c
		w.file(name, "CERTIFICATE", c.Raw)
	}
	stop := func(reason warifu.Reason) warifu.Status {
		return warifu.Status{Cert: warifu.StatusRevoked, Reason: reason, RevokedAt: now.Add(-1e9)}
	}
	for name, s := range map[string]warifu.Status{
		"good": {Cert: warifu.StatusGood}, "revoked": stop(warifu.ReasonKeyCompromise), "held": stop(warifu.ReasonCertificateHold),
		"resumed": stop(warifu.ReasonCertificateHold), "pending": {}, "old": stop(warifu.ReasonCertificateHold), "later": {Cert: warifu.StatusGood},
	} {
		w.set(w.certificates[name], s)
	}
	w.refresh()
	return w
}

// change resumes one and suspends another.
func (w *town) change() {
	w.set(w.certificates["resumed"], warifu.Status{Cert: warifu.StatusGood})
	w.set(w.certificates["later"], warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold, RevokedAt: now})
	w.refresh()
}

// file writes NAME.cer (DER) and NAME.pem and returns their common beginning.
func (w *town) file(name, kind string, der []byte) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.WriteFile(path+".cer", der, 0o600))
	w.must(os.WriteFile(path+".pem", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// list writes a list into files.
func (w *town) list(name string, der []byte, err error) string {
	w.t.Helper()
	w.must(err)
	return w.file(name, "X509 CRL", der)
}

// part writes the partial list of a certificate into files.
func (w *town) part(name string) string {
	w.t.Helper()
	der, err := w.publisher.PartList(w.t.Context(), w.partitions.Of(w.certificates[name].SerialNumber.Bytes()))
	return w.list("part-of-"+name, der, err)
}

// want compares with what is to be said, by OCSP or by list.
func want(t *testing.T, who string, said map[string]string, wanted map[string]verdicts, ocsp bool) {
	t.Helper()
	for _, name := range names {
		should := wanted[name].list
		if ocsp {
			should = wanted[name].ocsp
		}
		if said[name] != should {
			t.Errorf("%s: %s is %q, and should be %q", who, name, said[name], should)
		}
	}
}

// TestOpenSSLJavaAndWeAgree is the matrix: who asks, by which way, before and after a
// suspension and its lifting.
func TestOpenSSLJavaAndWeAgree(t *testing.T) {
	for _, algorithm := range []profile.Algorithm{profile.P256, profile.RSA2048} {
		t.Run(string(algorithm), func(t *testing.T) {
			w := newTown(t, algorithm)
			old, err := w.publisher.List(t.Context())
			kept := w.list("kept", old, err) // the full list of before, for deltas
			w.all(t, before)
			w.change()
			w.all(t, after)
			t.Run("deltas", func(t *testing.T) { w.deltas(t, kept) })
		})
	}
}

func (w *town) all(t *testing.T, wanted map[string]verdicts) {
	t.Helper()
	t.Run("we", func(t *testing.T) {
		want(t, "OCSP", w.ask(t, verify.OCSPClient{RequireNonce: true}), wanted, true)
		want(t, "lists", w.ask(t, &verify.CRLClient{}), wanted, false)
		want(t, "full list", w.ask(t, &verify.CRLClient{Address: w.base + "/crl/signature.crl"}), wanted, false)
	})
	t.Run("openssl", func(t *testing.T) {
		want(t, "ocsp", w.opensslOCSP(t), wanted, true)
		full, err := w.publisher.List(t.Context())
		path := w.list("full", full, err)
		want(t, "full list", w.opensslVerify(t, func(string) []string { return []string{path} }), wanted, false)
		want(t, "parts", w.opensslVerify(t, func(name string) []string {
			if name == "old" { // names the full list
				return []string{path}
			}
			return []string{w.part(name)}
		}), wanted, false)
	})
	t.Run("java", func(t *testing.T) {
		want(t, "OCSP", w.java(t, "ocsp"), wanted, true)
		want(t, "lists", w.java(t, "crl"), wanted, false)
		full, err := w.publisher.List(t.Context())
		want(t, "full list", w.java(t, "crl", w.list("full", full, err)+".cer"), wanted, false)
	})
}

// deltas are asked about with the full list of before the change and the delta of after it.
func (w *town) deltas(t *testing.T, kept string) {
	der, err := w.publisher.DeltaList(t.Context())
	delta := w.list("delta", der, err)
	full, err := os.ReadFile(kept + ".cer")
	w.must(err)
	want(t, "we", w.ask(t, verify.RawDelta{Full: full, Delta: der}), after, false)
	want(t, "openssl", w.opensslVerify(t, func(string) []string { return []string{kept, delta} }, "-extended_crl", "-use_deltas"), after, false)
	// A delta alone is no list. Java, which knows no deltas, and we refuse it; OpenSSL does with
	// -extended_crl, and without takes it for one (docs/validation.md says so).
	for who, said := range map[string]map[string]string{
		"we": w.ask(t, verify.RawCRL(der)), "java": w.java(t, "crl", delta+".cer"),
		"openssl": w.opensslVerify(t, func(string) []string { return []string{delta} }, "-extended_crl"),
	} {
		for name, verdict := range said {
			if verdict != unknown {
				t.Errorf("%s took a delta for a full list: %s is %q", who, name, verdict)
			}
		}
	}
}

// TestThePartOfAnotherIsNoAnswer: whoever is handed a certificate and the wrong partial list
// does not take its silence for good.
func TestThePartOfAnotherIsNoAnswer(t *testing.T) {
	w := newTown(t, profile.P256)
	own := w.partitions.Of(w.certificates["held"].SerialNumber.Bytes())
	der, err := w.publisher.PartList(t.Context(), (own+1)%parts)
	path := w.list("wrong", der, err)
	for who, said := range map[string]string{
		"we":      w.ask(t, verify.RawCRL(der))["held"],
		"openssl": w.opensslVerify(t, func(string) []string { return []string{path} })["held"],
		"java":    w.java(t, "crl", path+".cer")["held"],
	} {
		if said != unknown {
			t.Errorf("%s: %s", who, said)
		}
	}
}

// TestTheRecipeFindsTheList is the line of docs/validation.md by which a shell learns a list's address.
func TestTheRecipeFindsTheList(t *testing.T) {
	w := newTown(t, profile.P256)
	out, err := program(t, "sh", "-c", `openssl x509 -in "$0" -noout -ext crlDistributionPoints | sed -n 's/.*URI://p'`, filepath.Join(w.dir, "good.pem"))
	if err != nil || strings.TrimSpace(out) != w.certificates["good"].CRLDistributionPoints[0] {
		t.Errorf("%v: %s", err, out)
	}
}

// ask is what package verify says.
func (w *town) ask(t *testing.T, checker verify.StatusChecker) map[string]string {
	t.Helper()
	var trust verify.Trust
	w.must(trust.Add(profile.ClassPhone, warifu.Signature, w.ca.certificate))
	said := map[string]string{}
	for name, c := range w.certificates {
		r, err := verify.New(trust, checker, warifu.SystemClock{}).Certificate(t.Context(), c, verify.Policy{})
		w.must(err)
		switch {
		case r.Verdict == verify.Good:
			said[name] = good
		case r.Has("certificate-suspended"):
			said[name] = held
		case r.Has("certificate-revoked"):
			said[name] = revoked
		case r.Verdict == verify.Unknown:
			said[name] = unknown
		default:
			said[name] = strings.TrimSpace(r.Err().Error())
		}
	}
	return said
}

// program runs a program and returns what it printed; the test is skipped where there is none.
func program(t *testing.T, name string, arguments ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: nobody but ourselves was asked", name)
	}
	out, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
	return string(out), err
}

func (w *town) opensslOCSP(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	ca := filepath.Join(w.dir, "ca.pem")
	for _, name := range names {
		out, err := program(t, "openssl", "ocsp", "-CAfile", ca, "-issuer", ca, "-cert", filepath.Join(w.dir, name+".pem"), "-url", w.base+"/ocsp/signature")
		switch {
		case err != nil || !strings.Contains(out, "Response verify OK") || strings.Contains(out, "WARNING"):
			said[name] = out
		case strings.Contains(out, ": good"):
			said[name] = good
		case strings.Contains(out, "keyCompromise"):
			said[name] = revoked
		case strings.Contains(out, "certificateHold"):
			said[name] = held
		case strings.Contains(out, ": unknown"):
			said[name] = unknown
		}
	}
	return said
}

// opensslVerify checks with the lists that pick names for each certificate. OpenSSL says
// "revoked" and no reason; it is taken from the list, which openssl crl prints.
func (w *town) opensslVerify(t *testing.T, pick func(name string) []string, options ...string) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, name := range names {
		var lists []byte
		for _, path := range pick(name) {
			b, err := os.ReadFile(path + ".pem")
			w.must(err)
			lists = append(lists, b...)
		}
		file := filepath.Join(w.dir, "lists.pem")
		w.must(os.WriteFile(file, lists, 0o600))
		arguments := append([]string{"verify", "-x509_strict", "-crl_check", "-CAfile", filepath.Join(w.dir, "ca.pem"), "-CRLfile", file}, options...)
		out, err := program(t, "openssl", append(arguments, filepath.Join(w.dir, name+".pem"))...)
		switch {
		case err == nil && strings.HasSuffix(strings.TrimSpace(out), "OK"):
			said[name] = good
		case strings.Contains(out, "certificate revoked") && name == "revoked":
			said[name] = revoked
		case strings.Contains(out, "certificate revoked"):
			said[name] = held
		case strings.Contains(out, "unable to get certificate CRL"), strings.Contains(out, "different CRL scope"):
			said[name] = unknown
		default:
			said[name] = out
		}
	}
	return said
}

// classes returns the folder with the compiled testdata/Check.java.
func (w *town) classes(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, "Check.class")); err != nil {
		if out, err := program(t, "javac", "-d", w.dir, "testdata/Check.java"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return w.dir
}

// java asks the Java platform in a process of its own, which keeps no list of before.
func (w *town) java(t *testing.T, how string, lists ...string) map[string]string {
	t.Helper()
	if len(lists) > 0 { // Java would fetch others beside those it is given
		w.dark.Store(true)
		defer w.dark.Store(false)
	}
	arguments := []string{"-Dcom.sun.security.enableCRLDP=true", "-XX:TieredStopAtLevel=1", "-cp", w.classes(t), "Check", how, filepath.Join(w.dir, "ca.cer")}
	arguments = append(append(arguments, lists...), "--")
	for _, name := range names {
		arguments = append(arguments, filepath.Join(w.dir, name+".cer"))
	}
	out, err := program(t, "java", arguments...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := map[string]string{}
	for line := range strings.Lines(out) {
		name, verdict, _ := strings.Cut(strings.TrimSpace(line), ".cer ")
		said[name] = verdict
	}
	return said
}

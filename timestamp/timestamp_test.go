package timestamp_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/timestamp"
)

var (
	now    = time.Date(2026, 6, 10, 3, 0, 0, 120_000_000, time.UTC)
	policy = asn1.ObjectIdentifier{2, 25, 154071603, 4, 1}
	text   = []byte("割符を合わせる\n")
)

type authority struct {
	root   *x509.Certificate
	signer *timestamp.Signer
}

// newAuthority makes a root and a time-stamping authority with this extended key usage.
func newAuthority(t testing.TB, usage asn1.ObjectIdentifier, critical bool) authority {
	t.Helper()
	rootKey, key := newKey(t), newKey(t)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "time root"}, NotBefore: now.AddDate(-4, 0, 0), NotAfter: now.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root = issue(t, root, root, rootKey, rootKey)
	usages, err := asn1.Marshal([]asn1.ObjectIdentifier{usage})
	if err != nil {
		t.Fatal(err)
	}
	c := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "clock"}, NotBefore: now.AddDate(-3, 0, 0), NotAfter: now.AddDate(15, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: usages}},
	}, root, key, rootKey)
	return authority{root, &timestamp.Signer{Certificate: c, Key: key, Policy: policy, Accuracy: 1500 * time.Millisecond}}
}

var forStamps, forCode = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a authority) answer(t testing.TB, r *timestamp.Request) []byte {
	t.Helper()
	der, err := a.signer.Answer(r, now, big.NewInt(77))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTokenProvesThatADigestExisted(t *testing.T) {
	a := newAuthority(t, forStamps, true)
	question := &timestamp.Request{Imprint: sha256.Sum256(text), Nonce: big.NewInt(123456789), Certificates: true}
	der, err := question.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	read, err := timestamp.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	token, err := timestamp.ParseAnswer(a.answer(t, read), question)
	if err != nil {
		t.Fatal(err)
	}
	if !token.Time.Equal(now) || token.Accuracy != 1500*time.Millisecond || token.Serial.Int64() != 77 || !token.Policy.Equal(policy) {
		t.Errorf("token says %+v", token.Info)
	}
	anchors := timestamp.NewAnchors(a.root)
	if err := token.Verify(anchors, sha256.Sum256(text)); err != nil {
		t.Fatal(err)
	}
	other := newAuthority(t, forStamps, true)
	for what, c := range map[string]struct {
		anchors timestamp.Anchors
		digest  [32]byte
		want    string
	}{
		"another digest": {anchors, sha256.Sum256([]byte("x")), "timestamp-mismatch"},
		"another root":   {timestamp.NewAnchors(other.root), sha256.Sum256(text), "timestamp-untrusted"},
		"nobody trusted": {timestamp.Anchors{}, sha256.Sum256(text), "timestamp-untrusted"},
	} {
		if err := token.Verify(c.anchors, c.digest); warifu.ProblemOf(err).Problem != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	for i := range token.Raw {
		broken := bytes.Clone(token.Raw)
		broken[i] ^= 1
		if again, err := timestamp.ParseToken(broken); err == nil && again.Verify(anchors, sha256.Sum256(text)) == nil {
			t.Fatalf("octet %d changed and nobody noticed", i)
		}
	}
}

func TestOnlyAnAuthorityForTimeAloneIsBelieved(t *testing.T) {
	for what, a := range map[string]authority{"code signing": newAuthority(t, forCode, true), "not critical": newAuthority(t, forStamps, false)} {
		question := &timestamp.Request{Imprint: sha256.Sum256(text), Certificates: true}
		token, err := timestamp.ParseAnswer(a.answer(t, question), question)
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Verify(timestamp.NewAnchors(a.root), question.Imprint); warifu.ProblemOf(err).Problem != "timestamp-purpose" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAnAnswerToAnotherQuestionIsRefused(t *testing.T) {
	a := newAuthority(t, forStamps, true)
	question := &timestamp.Request{Imprint: sha256.Sum256(text), Nonce: big.NewInt(5), Certificates: true}
	for what, other := range map[string]*timestamp.Request{
		"nonce":      {Imprint: question.Imprint, Nonce: big.NewInt(6), Certificates: true},
		"no nonce":   {Imprint: question.Imprint, Certificates: true},
		"the digest": {Imprint: sha256.Sum256(nil), Nonce: big.NewInt(5), Certificates: true},
	} {
		if _, err := timestamp.ParseAnswer(a.answer(t, other), question); warifu.ProblemOf(err).Problem != "timestamp-mismatch" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := timestamp.ParseAnswer(timestamp.Refusal(timestamp.BadAlgorithm), question); warifu.ProblemOf(err).Problem != "timestamp-refused" {
		t.Errorf("a refusal: %v", err)
	}
	if _, err := a.signer.Answer(&timestamp.Request{Policy: asn1.ObjectIdentifier{1, 2, 3}}, now, big.NewInt(1)); warifu.ProblemOf(err).Problem != "timestamp-policy" {
		t.Errorf("another policy: %v", err)
	}
}

// openssl runs the program where it is installed.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func TestOpenSSLBelievesOurTokens(t *testing.T) {
	a := newAuthority(t, forStamps, true)
	dir := t.TempDir()
	data, query := write(t, filepath.Join(dir, "data"), text), filepath.Join(dir, "q.tsq")
	openssl(t, "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
	der, err := os.ReadFile(query)
	if err != nil {
		t.Fatal(err)
	}
	question, err := timestamp.ParseRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	answer := write(t, filepath.Join(dir, "a.tsr"), a.answer(t, question))
	root := write(t, filepath.Join(dir, "root.pem"), asPEM("CERTIFICATE", a.root.Raw))
	if out := openssl(t, "ts", "-verify", "-queryfile", query, "-in", answer, "-CAfile", root, "-attime", "1781060400"); !strings.Contains(out, "Verification: OK") {
		t.Error(out)
	}
	if out := openssl(t, "ts", "-reply", "-in", answer, "-text"); !strings.Contains(out, "Jun 10 03:00:00.12 2026 GMT") || !strings.Contains(out, "0x01 seconds, 0x01F4 millis") {
		t.Error(out)
	}
}

func TestWeBelieveOpenSSLsTokens(t *testing.T) {
	a := newAuthority(t, forStamps, true)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(a.signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "serial"), []byte("01\n"))
	configuration := write(t, filepath.Join(dir, "tsa.cnf"), []byte("[tsa]\ndefault_tsa = one\n[one]\nserial = "+filepath.Join(dir, "serial")+
		"\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\naccuracy = secs:1, millisecs:500\ness_cert_id_alg = sha256\n"))
	question := &timestamp.Request{Imprint: sha256.Sum256(text), Nonce: big.NewInt(99), Certificates: true}
	der, err := question.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	answer := filepath.Join(dir, "a.tsr")
	openssl(t, "ts", "-reply", "-config", configuration, "-section", "one", "-queryfile", write(t, filepath.Join(dir, "q"), der),
		"-signer", write(t, filepath.Join(dir, "c.pem"), asPEM("CERTIFICATE", a.signer.Certificate.Raw)),
		"-inkey", write(t, filepath.Join(dir, "k.pem"), asPEM("PRIVATE KEY", key)), "-out", answer)
	der, err = os.ReadFile(answer)
	if err != nil {
		t.Fatal(err)
	}
	token, err := timestamp.ParseAnswer(der, question)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(timestamp.NewAnchors(a.signer.Certificate), question.Imprint); err != nil {
		t.Fatal(err)
	}
	if token.Accuracy != 1500*time.Millisecond {
		t.Errorf("accuracy %v", token.Accuracy)
	}
}

func FuzzParse(f *testing.F) {
	a := newAuthority(f, forStamps, true)
	question := &timestamp.Request{Imprint: sha256.Sum256(text), Nonce: big.NewInt(5), Certificates: true}
	der, err := question.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(a.answer(f, question))
	f.Add(timestamp.Refusal(timestamp.SystemFailure))
	f.Fuzz(func(t *testing.T, in []byte) {
		if r, err := timestamp.ParseRequest(in); err == nil {
			if again, err := r.Marshal(); err != nil || (len(in) == len(again) && !bytes.Equal(again, in)) {
				t.Fatalf("%x read as %x", in, again)
			}
		}
		if token, err := timestamp.ParseAnswer(in, question); err == nil {
			_ = token.Verify(timestamp.NewAnchors(a.root), question.Imprint)
		}
	})
}

package timestamp_test

import (
	"crypto/sha256"
	"crypto/x509"
	"testing"
	"time"

	"warifu/timestamp"
)

// appointed is a root and an authority below it as the house makes them.
func appointed(t testing.TB, from time.Time, later time.Duration) authority {
	t.Helper()
	rootKey, key := newKey(t), newKey(t)
	root := parsed(t)(timestamp.Root(rootKey, "WARIFU-TEST", from))
	c := parsed(t)(timestamp.Appoint(root, rootKey, key.Public(), "http://warifu.test/ca/timestamp.cer", from.Add(later)))
	return authority{root, &timestamp.Signer{Certificate: c, Key: key, Policy: timestamp.Policy, Accuracy: time.Second}}
}

func parsed(t testing.TB) func([]byte, error) *x509.Certificate {
	return func(der []byte, err error) *x509.Certificate {
		t.Helper()
		if err == nil {
			c, err := x509.ParseCertificate(der)
			if err == nil {
				return c
			}
		}
		t.Fatal(err)
		return nil
	}
}

func TestAnAppointedAuthorityIsBelievedToItsEnd(t *testing.T) {
	a := appointed(t, now, 0)
	for _, at := range []time.Time{now.Add(time.Second), now.AddDate(timestamp.AuthorityYears, 0, 0).Add(-time.Hour)} {
		serial, err := timestamp.NewSerial()
		if err != nil {
			t.Fatal(err)
		}
		der, err := a.signer.Token(&timestamp.Request{Imprint: sha256.Sum256(text)}, at, serial)
		if err != nil {
			t.Fatal(err)
		}
		token, err := timestamp.ParseToken(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Verify(timestamp.NewAnchors(a.root), sha256.Sum256(text)); err != nil {
			t.Error(err)
		}
	}
	if !timestamp.SuccessorDue(nil, now) || !timestamp.SuccessorDue(a.signer.Certificate, now.AddDate(1, 0, 1)) || timestamp.SuccessorDue(a.signer.Certificate, now.AddDate(0, 11, 0)) {
		t.Error("a key signs for a year")
	}
	if late := appointed(t, now, 15*365*24*time.Hour); !late.signer.Certificate.NotAfter.Equal(late.root.NotAfter) {
		t.Errorf("the authority ends %v, its root %v", late.signer.Certificate.NotAfter, late.root.NotAfter)
	}
}

// RFC 3161 §2.4.1: the certificate is in the token where certReq asked for it, and not
// otherwise.
func TestTheCertificateTravelsWhereItWasAskedFor(t *testing.T) {
	a := appointed(t, now, 0)
	for _, asked := range []bool{true, false} {
		r := &timestamp.Request{Imprint: sha256.Sum256(text), Certificates: asked}
		serial, err := timestamp.NewSerial()
		if err != nil {
			t.Fatal(err)
		}
		der, err := a.signer.Answer(r, now.Add(time.Second), serial)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := timestamp.ParseAnswer(der, r); (err == nil) != asked {
			t.Errorf("asked for the certificate: %v; read: %v", asked, err)
		}
		dir := t.TempDir()
		root, own := write(t, dir+"/root.pem", asPEM("CERTIFICATE", a.root.Raw)), write(t, dir+"/own.pem", asPEM("CERTIFICATE", a.signer.Certificate.Raw))
		openssl(t, "ts", "-verify", "-data", write(t, dir+"/text", text), "-in", write(t, dir+"/answer", der), "-CAfile", root, "-untrusted", own, "-attime", "1781060500")
	}
}

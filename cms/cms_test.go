package cms_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"warifu"
	"warifu/cms"
)

var signedAt = time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC)

var oidOwn = asn1.ObjectIdentifier{2, 25, 154071603, 1, 1}

// identity is a self-signed certificate with its key.
type identity struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

var rsaIdentity = sync.OnceValue(func() identity {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return selfSigned(key, 77)
})

var p256Identity = sync.OnceValue(func() identity {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return selfSigned(key, 0x80)
})

func selfSigned(key crypto.Signer, serial int64) identity {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{Country: []string{"JP"}, CommonName: "署名 太郎"},
		NotBefore: signedAt.AddDate(-1, 0, 0), NotAfter: signedAt.AddDate(20, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return identity{key, c}
}

func sign(t testing.TB, id identity, contentType asn1.ObjectIdentifier, content []byte, detached bool) []byte {
	t.Helper()
	p, err := cms.Prepare(contentType, content, id.certificate, nil, signedAt, detached)
	if err != nil {
		t.Fatal(err)
	}
	digest := p.Digest()
	signature, err := id.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := p.Finish(signature)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

var identities = map[string]func() identity{"rsa-2048": rsaIdentity, "p-256": p256Identity}

func TestWhatIsSignedReadsBack(t *testing.T) {
	content := []byte("住民票の写しの交付を申請します。\n")
	for name, id := range identities {
		for _, detached := range []bool{false, true} {
			der := sign(t, id(), cms.OIDData, content, detached)
			m, err := cms.Parse(der)
			if err != nil {
				t.Fatalf("%s detached=%v: %v", name, detached, err)
			}
			if err := m.Verify(content); err != nil {
				t.Errorf("%s detached=%v: %v", name, detached, err)
			}
			if m.Detached != detached || m.Detached == (m.Content != nil) || !m.SigningTime.Equal(signedAt) || m.Digest() != sha256.Sum256(content) {
				t.Errorf("%s: %+v", name, m)
			}
			if err := m.Verify([]byte("something else")); !errors.Is(err, &warifu.Error{Problem: "signature-content-mismatch"}) {
				t.Errorf("%s: other content: %v", name, err)
			}
		}
	}
}

func TestAnEmptyDocumentMayBeSigned(t *testing.T) {
	m, err := cms.Parse(sign(t, p256Identity(), cms.OIDData, []byte{}, false))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(nil); err != nil {
		t.Fatal(err)
	}
}

func TestADetachedMessageNeedsItsContent(t *testing.T) {
	m, err := cms.Parse(sign(t, p256Identity(), cms.OIDData, []byte("x"), true))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(nil); !errors.Is(err, &warifu.Error{Problem: "signature-content-absent"}) {
		t.Fatal(err)
	}
}

func TestFinishRefusesASignatureOfAnotherKey(t *testing.T) {
	p, err := cms.Prepare(oidOwn, []byte("x"), p256Identity().certificate, nil, signedAt, false)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	digest := p.Digest()
	signature, _ := other.Sign(rand.Reader, digest[:], crypto.SHA256)
	if _, err := p.Finish(signature); !errors.Is(err, &warifu.Error{Problem: "signature-invalid"}) {
		t.Fatal(err)
	}
}

func TestOwnContentTypeMakesVersionThree(t *testing.T) {
	m, err := cms.ParseWithin(sign(t, rsaIdentity(), oidOwn, []byte("application"), false), cms.MaxPaper)
	if err != nil {
		t.Fatal(err)
	}
	if !m.ContentType.Equal(oidOwn) {
		t.Fatal(m.ContentType)
	}
}

func TestAKeyOutsideTheSubsetIsRefused(t *testing.T) {
	key, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, err := cms.Prepare(cms.OIDData, nil, selfSigned(key, 5).certificate, nil, signedAt, false)
	if !errors.Is(err, &warifu.Error{Problem: "signature-key-unsupported"}) {
		t.Fatal(err)
	}
}

func TestAnotherLibraryAgrees(t *testing.T) {
	content := []byte("content")
	for name, id := range identities {
		for _, detached := range []bool{false, true} {
			p7, err := pkcs7.Parse(sign(t, id(), cms.OIDData, content, detached))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if detached {
				p7.Content = content
			}
			if err := p7.Verify(); err != nil {
				t.Errorf("%s detached=%v: %v", name, detached, err)
			}
		}
	}
}

func TestOthersTravelAlongOnce(t *testing.T) {
	a, b := p256Identity(), rsaIdentity()
	p, err := cms.Prepare(cms.OIDData, []byte("x"), a.certificate, []*x509.Certificate{b.certificate, a.certificate, b.certificate}, time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	digest := p.Digest()
	signature, _ := a.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	der, err := p.Finish(signature)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Certificates) != 2 || !bytes.Equal(m.Signer.Raw, a.certificate.Raw) || !m.SigningTime.IsZero() {
		t.Fatalf("%+v", m)
	}
}

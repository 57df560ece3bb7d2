package signed_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"warifu/signed"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOneFlippedOctetOfAnythingIsAnotherFact(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "p-256": p256(t)} {
		digest := sha256.Sum256([]byte(name))
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // checked, then remembered
			if err := signed.Digest(key.Public(), digest, signature); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for i := range signature {
			flipped := bytes.Clone(signature)
			flipped[i] ^= 1
			if signed.Digest(key.Public(), digest, flipped) == nil {
				t.Errorf("%s: octet %d of the signature flipped and believed", name, i)
			}
		}
		other := digest
		other[31] ^= 1
		if !errors.Is(signed.Digest(key.Public(), other, signature), signed.ErrInvalid) {
			t.Errorf("%s: another digest is believed", name)
		}
		if signed.Digest(p256(t).Public(), digest, signature) == nil {
			t.Errorf("%s: another key is believed", name)
		}
		if signed.Digest(key.Public(), digest, append(bytes.Clone(signature), 0)) == nil {
			t.Errorf("%s: an octet more is believed", name)
		}
	}
}

func TestOtherKeysAreRefused(t *testing.T) {
	public, _, _ := ed25519.GenerateKey(rand.Reader)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 a point off the curve, which no other way makes
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	for _, key := range []crypto.PublicKey{public, &p384.PublicKey, nil, (*ecdsa.PublicKey)(nil), (*rsa.PublicKey)(nil), &rsa.PublicKey{}, off} {
		if !errors.Is(signed.Digest(key, [32]byte{}, nil), signed.ErrKey) {
			t.Errorf("%T is taken", key)
		}
	}
}

// issue makes a certificate by the issuer, or by itself.
func issue(t *testing.T, template *x509.Certificate, issuer *x509.Certificate, key crypto.Signer, by crypto.Signer) *x509.Certificate {
	t.Helper()
	template.SerialNumber, template.Subject = big.NewInt(1), pkix.Name{CommonName: "x"}
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Unix(1<<32, 0)
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestByAgreesWithTheStandardLibrary(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "p-256": p256(t)} {
		authority := issue(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, key, key)
		leafKey := p256(t)
		leaf := issue(t, &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}, authority, leafKey, key)
		under := issue(t, &x509.Certificate{}, leaf, p256(t), leafKey) // by who may not
		noSign := issue(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign}, nil, key, key)
		broken := *leaf
		broken.Signature = bytes.Clone(leaf.Signature)
		broken.Signature[len(broken.Signature)-1] ^= 1
		for _, c := range []struct {
			what      string
			c, issuer *x509.Certificate
			good      bool
		}{
			{"a leaf by its authority", leaf, authority, true}, {"an authority by itself", authority, authority, true}, {"a leaf by itself", leaf, leaf, false},
			{"a leaf by a leaf", under, leaf, false}, {"by who may not sign certificates", leaf, noSign, false}, {"a flipped bit", &broken, authority, false},
		} {
			standard, ours := c.c.CheckSignatureFrom(c.issuer), signed.By(c.c, c.issuer)
			if (standard == nil) != c.good || (ours == nil) != c.good {
				t.Errorf("%s: %s: %v and %v", name, c.what, standard, ours)
			}
		}
	}
}

func TestAWeakDigestIsNotTakenForAStrongOne(t *testing.T) {
	c := issue(t, &x509.Certificate{SignatureAlgorithm: x509.SHA512WithRSA, IsCA: true, BasicConstraintsValid: true}, nil, rsaKey(), rsaKey())
	if !errors.Is(signed.By(c, c), signed.ErrKey) {
		t.Error("SHA-512 is taken for SHA-256")
	}
}

func TestMemoryIsBoundedAndKeepsWhatIsAskedFor(t *testing.T) {
	m := signed.NewMemory(8)
	often := [32]byte{0xFF}
	m.Tell(often)
	for i := range 1000 {
		m.Tell([32]byte{byte(i), byte(i >> 8)})
		if !m.Has(often) {
			t.Fatalf("forgotten after %d others", i+1)
		}
		if m.Len() > 8 {
			t.Fatalf("%d facts held", m.Len())
		}
	}
	if m.Has([32]byte{}) {
		t.Error("the oldest is still there")
	}
}

func FuzzDigest(f *testing.F) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), 7))
	if err != nil {
		f.Fatal(err)
	}
	digest := sha256.Sum256([]byte("seed"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(digest[:], signature)
	f.Add(make([]byte, 32), []byte{0x30, 0})
	f.Fuzz(func(t *testing.T, d, s []byte) {
		if len(d) != 32 {
			return
		}
		want := ecdsa.VerifyASN1(&key.PublicKey, d, s)
		for range 2 {
			if got := signed.Digest(&key.PublicKey, [32]byte(d), s) == nil; got != want {
				t.Fatalf("%v, the standard library says %v", got, want)
			}
		}
	})
}

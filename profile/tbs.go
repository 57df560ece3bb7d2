package profile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// Algorithm names what a key is; schemes and the keystore use the same words.
type Algorithm string

// The algorithms. With RSA-2048 (e = 65537) goes sha256WithRSAEncryption, with P-256 ecdsa-with-SHA256.
const (
	RSA2048 Algorithm = "rsa-2048"
	P256    Algorithm = "p-256"
)

var signatureIdentifier = map[Algorithm][]byte{
	RSA2048: {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00}, // RFC 4055 §5, NULL parameters
	P256:    {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02},                   // RFC 5758 §3.2, no parameters
}

// AlgorithmOf says which of the two a public key is, or Invalid "key-algorithm-unsupported".
func AlgorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N != nil && k.N.BitLen() == 2048 && k.E == 65537 {
			return RSA2048, nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return P256, nil
		}
	}
	return "", warifu.Invalid("key-algorithm-unsupported")
}

// maxSerial is RFC 5280 §4.1.2.2's limit on the octets of a serial number.
const maxSerial = 20

// draft is what every tbsCertificate of the house is made of.
type draft struct {
	serial              []byte
	signer              crypto.PublicKey // the issuer's
	issuer, subject     []byte           // Names, DER
	notBefore, notAfter time.Time
	publicKey           []byte // SubjectPublicKeyInfo, DER
	extensions          []pkix.Extension
}

func malformed(part string) error { return warifu.Invalid("certificate-draft-malformed", "part", part) }

// encode builds TBSCertificate, version 3.
func (d draft) encode() ([]byte, error) {
	algorithm, err := AlgorithmOf(d.signer)
	if err != nil {
		return nil, err
	}
	serial := new(big.Int).SetBytes(d.serial)
	switch {
	case serial.Sign() <= 0 || serial.BitLen() >= 8*maxSerial:
		return nil, malformed("serial")
	case !d.notBefore.Before(d.notAfter):
		return nil, malformed("validity")
	case len(d.issuer) == 0 || len(d.subject) == 0:
		return nil, malformed("name")
	case len(d.publicKey) == 0:
		return nil, malformed("public-key")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1BigInt(serial)
		b.AddBytes(signatureIdentifier[algorithm])
		b.AddBytes(d.issuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, d.notBefore)
			addTime(b, d.notAfter)
		})
		b.AddBytes(d.subject)
		b.AddBytes(d.publicKey)
		b.AddASN1(cbasn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range d.extensions {
					addExtension(b, e)
				}
			})
		})
	})
	return b.Bytes()
}

// addTime follows RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

func addExtension(b *cryptobyte.Builder, e pkix.Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(e.Id)
		if e.Critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1OctetString(e.Value)
	})
}

// Certificate puts a tbsCertificate and its signature together; algorithm is that of
// the key that signed, and the same that stands inside tbs.
func Certificate(tbs []byte, algorithm Algorithm, signature []byte) ([]byte, error) {
	identifier, ok := signatureIdentifier[algorithm]
	if !ok {
		return nil, warifu.Invalid("key-algorithm-unsupported")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(identifier)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}

// Sign signs tbs with key (SHA-256) and returns the certificate. It does not look at
// tbs: who calls it has checked what is being signed. No randomness is handed to the
// key, so that a Go key signs the same octets the same way twice (PKCS#1 v1.5, RFC
// 6979) and a retry makes the same certificate.
func Sign(tbs []byte, key crypto.Signer) ([]byte, error) {
	algorithm, err := AlgorithmOf(key.Public())
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	signature, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return Certificate(tbs, algorithm, signature)
}

// KeyID is the key identifier of a SubjectPublicKeyInfo: the leftmost 160 bits of
// SHA-256 over the key's bit string (RFC 7093 §2, method 1).
func KeyID(publicKey []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if rest, err := asn1.Unmarshal(publicKey, &info); err != nil || len(rest) != 0 {
		return nil, malformed("public-key")
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20], nil
}

// readKey decodes a SubjectPublicKeyInfo and refuses any but the one DER encoding
// of a key of a supported algorithm; wanted "" takes either.
func readKey(publicKey []byte, wanted Algorithm) error {
	key, err := x509.ParsePKIXPublicKey(publicKey)
	if err != nil {
		return malformed("public-key")
	}
	return checkKey(key, publicKey, wanted)
}

// checkKey checks a parsed key and that it has no other encoding than the one given.
func checkKey(key crypto.PublicKey, publicKey []byte, wanted Algorithm) error {
	algorithm, err := AlgorithmOf(key)
	if err != nil {
		return err
	}
	again, err := x509.MarshalPKIXPublicKey(key)
	if err != nil || string(again) != string(publicKey) {
		return malformed("public-key")
	}
	if wanted != "" && wanted != algorithm {
		return warifu.Invalid("key-algorithm-unsupported")
	}
	return nil
}

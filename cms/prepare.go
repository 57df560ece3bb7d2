package cms

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

var (
	tagExplicit0 = cbasn1.Tag(0).ContextSpecific().Constructed()
	tagExplicit1 = cbasn1.Tag(1).ContextSpecific().Constructed()
)

// Prepared is a message that lacks only its signature.
type Prepared struct {
	contentType  asn1.ObjectIdentifier
	content      []byte
	detached     bool
	signer       *x509.Certificate
	certificates [][]byte // DER, signer first
	attributes   []byte   // DER SET OF Attribute
	algorithm    asn1.ObjectIdentifier
}

// Prepare makes a message of the content, to be signed with the certificate's key.
// others are certificates that go along, such as the authority's. The instant at,
// to the second, becomes the signingTime attribute; the zero time leaves it out.
// A detached message does not carry the content. Error: Refused
// "signature-key-unsupported".
func Prepare(contentType asn1.ObjectIdentifier, content []byte, certificate *x509.Certificate, others []*x509.Certificate, at time.Time, detached bool) (*Prepared, error) {
	p, err := PrepareDigest(contentType, sha256.Sum256(content), certificate, others, at)
	if err != nil {
		return nil, err
	}
	p.content, p.detached = content, detached
	return p, nil
}

// PrepareDigest is Prepare of a detached message for who holds SHA-256 of the content
// only, as for the signed ranges of a PDF file.
func PrepareDigest(contentType asn1.ObjectIdentifier, digest [sha256.Size]byte, certificate *x509.Certificate, others []*x509.Certificate, at time.Time) (*Prepared, error) {
	algorithm, ok := signatureAlgorithm(certificate.PublicKey)
	if !ok {
		return nil, warifu.Refused("signature-key-unsupported")
	}
	p := &Prepared{contentType: contentType, detached: true, signer: certificate, algorithm: algorithm}
	for _, c := range append([]*x509.Certificate{certificate}, others...) {
		if !slices.ContainsFunc(p.certificates, func(der []byte) bool { return bytes.Equal(der, c.Raw) }) {
			p.certificates = append(p.certificates, c.Raw)
		}
	}
	var err error
	p.attributes, err = signedAttributes(contentType, digest, certificate, at)
	return p, err
}

// SignedAttributes returns the DER SET OF Attribute whose digest is signed
// (RFC 5652 §5.4: with the tag of SET, not the implicit tag it travels under).
func (p *Prepared) SignedAttributes() []byte { return bytes.Clone(p.attributes) }

// Digest returns SHA-256 of SignedAttributes: what the key signs.
func (p *Prepared) Digest() [sha256.Size]byte { return sha256.Sum256(p.attributes) }

// Finish checks the signature against the certificate and returns the DER of the
// ContentInfo. Errors as CheckSignature.
func (p *Prepared) Finish(signature []byte) ([]byte, error) {
	if err := CheckSignature(p.signer.PublicKey, p.Digest(), signature); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tagExplicit0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { p.addSignedData(b, signature) })
		})
	})
	return b.Bytes()
}

func (p *Prepared) addSignedData(b *cryptobyte.Builder, signature []byte) {
	b.AddASN1Int64(signedDataVersion(p.contentType))
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addSHA256(b) })
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(p.contentType)
		if !p.detached {
			b.AddASN1(tagExplicit0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.content) })
		}
	})
	b.AddASN1(tagExplicit0, func(b *cryptobyte.Builder) { addSorted(b, p.certificates) })
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { p.addSignerInfo(b, signature) })
	})
}

func (p *Prepared) addSignerInfo(b *cryptobyte.Builder, signature []byte) {
	b.AddASN1Int64(1)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(p.signer.RawIssuer)
		b.AddASN1BigInt(p.signer.SerialNumber)
	})
	addSHA256(b)
	retagged := bytes.Clone(p.attributes)
	retagged[0] = byte(tagExplicit0) // [0] IMPLICIT SET OF
	b.AddBytes(retagged)
	addAlgorithm(b, p.algorithm)
	b.AddASN1OctetString(signature)
}

// signedDataVersion is the version RFC 5652 §5.1 asks for: 1 for id-data, 3 for any
// other content type.
func signedDataVersion(contentType asn1.ObjectIdentifier) int64 {
	if contentType.Equal(OIDData) {
		return 1
	}
	return 3
}

// signedAttributes encodes the SET OF Attribute of one signature.
func signedAttributes(contentType asn1.ObjectIdentifier, digest [sha256.Size]byte, certificate *x509.Certificate, at time.Time) ([]byte, error) {
	add := [](func() ([]byte, error)){
		func() ([]byte, error) {
			return attribute(oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) })
		},
		func() ([]byte, error) {
			return attribute(oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest[:]) })
		},
		func() ([]byte, error) {
			return attribute(oidSigningCertificateV2, func(b *cryptobyte.Builder) { addSigningCertificate(b, certificate) })
		},
	}
	if !at.IsZero() {
		add = append(add, func() ([]byte, error) {
			return attribute(oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, at.UTC().Truncate(time.Second)) })
		})
	}
	var attributes [][]byte
	for _, f := range add {
		der, err := f()
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, der)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addSorted(b, attributes) })
	return b.Bytes()
}

func attribute(oid asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SET, value)
	})
	return b.Bytes()
}

// addSigningCertificate encodes SigningCertificateV2 (RFC 5035 §3): one ESSCertIDv2
// with the default hash, SHA-256, and without the issuer, which the sid names already.
func addSigningCertificate(b *cryptobyte.Builder, certificate *x509.Certificate) {
	digest := sha256.Sum256(certificate.Raw)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest[:]) })
		})
	})
}

// addTime encodes a Time as RFC 5652 §11.3 has it: UTCTime through 2049.
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() >= 1950 && t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

func addSHA256(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidSHA256) })
}

// addAlgorithm encodes a signature's AlgorithmIdentifier: NULL parameters for RSA
// (RFC 3370 §3.2), none for ECDSA (RFC 5754 §3.3).
func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if oid.Equal(oidRSAEncryption) {
			b.AddASN1NULL()
		}
	})
}

// addSorted writes the elements of a SET OF in DER's order (X.690 §11.6).
func addSorted(b *cryptobyte.Builder, elements [][]byte) {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	for _, e := range sorted {
		b.AddBytes(e)
	}
}

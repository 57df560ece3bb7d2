package ocsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// ResponseStatus is the outermost word of a response (RFC 6960 §4.2.1).
type ResponseStatus int

// The statuses; 4 is not used.
const (
	Successful       ResponseStatus = 0
	MalformedRequest ResponseStatus = 1
	InternalError    ResponseStatus = 2
	TryLater         ResponseStatus = 3
	SigRequired      ResponseStatus = 5
	Unauthorized     ResponseStatus = 6
)

// String returns the status as RFC 6960 writes it.
func (s ResponseStatus) String() string {
	names := map[ResponseStatus]string{
		Successful: "successful", MalformedRequest: "malformedRequest", InternalError: "internalError",
		TryLater: "tryLater", SigRequired: "sigRequired", Unauthorized: "unauthorized",
	}
	if n, ok := names[s]; ok {
		return n
	}
	return fmt.Sprintf("status(%d)", int(s))
}

// Single is the answer about one certificate. Times are to the second, in UTC.
type Single struct {
	CertID     CertID
	Status     warifu.Status
	ThisUpdate time.Time
	NextUpdate time.Time // zero: newer information is always there
	// Archive is the archive cutoff (RFC 6960 §4.4.4), for a certificate that may have
	// expired: what ended after it can still be asked about. Zero: not said.
	Archive time.Time
}

var (
	oidArchive         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidBasic           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

// ErrorResponse returns the response that says only why there is no answer.
func ErrorResponse(status ResponseStatus) []byte {
	return []byte{0x30, 0x03, 0x0A, 0x01, byte(status)}
}

// Sign makes a response of the answers, signed with SHA-256 by the responder's key
// (RSA or P-256). The responder is named by its key; its certificate goes along
// unless it is the authority's own. nonce is the request's, or nil. Neither order
// nor number of answers is looked at.
func Sign(singles []Single, nonce []byte, producedAt time.Time, responder *x509.Certificate, key crypto.Signer) ([]byte, error) {
	algorithm, err := algorithmOf(key.Public())
	if err != nil {
		return nil, err
	}
	tbs, err := responseData(singles, nonce, producedAt, responder)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var basic cryptobyte.Builder
	basic.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		addAlgorithm(b, algorithm)
		b.AddASN1BitString(signature)
		if !responder.IsCA {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(responder.Raw) })
			})
		}
	})
	return wrap(basic)
}

// wrap puts a BasicOCSPResponse into a successful OCSPResponse.
func wrap(basic cryptobyte.Builder) ([]byte, error) {
	der, err := basic.Bytes()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(int64(Successful))
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1OctetString(der)
			})
		})
	})
	return b.Bytes()
}

func responseData(singles []Single, nonce []byte, producedAt time.Time, responder *x509.Certificate) ([]byte, error) {
	keyHash := sha1.Sum(publicKeyBits(responder)) // RFC 6960 §4.2.1: KeyHash is SHA-1, as a name
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(context(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyHash[:]) })
		b.AddASN1GeneralizedTime(producedAt.UTC())
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, s := range singles {
				s.add(b)
			}
		})
		addNonce(b, context(1), nonce)
	})
	return b.Bytes()
}

func (s Single) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		s.CertID.add(b)
		switch s.Status.Cert {
		case warifu.StatusGood:
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
		case warifu.StatusRevoked:
			addRevoked(b, s.Status)
		default:
			b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(s.ThisUpdate.UTC())
		if !s.NextUpdate.IsZero() {
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(s.NextUpdate.UTC()) })
		}
		if !s.Archive.IsZero() {
			addExtension(b, context(1), oidArchive, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(s.Archive.UTC()) })
		}
	})
}

// addRevoked adds CertStatus revoked: [1] IMPLICIT RevokedInfo (RFC 6960 §4.2.1).
func addRevoked(b *cryptobyte.Builder, s warifu.Status) {
	b.AddASN1(context(1), func(b *cryptobyte.Builder) {
		b.AddASN1GeneralizedTime(s.RevokedAt.UTC())
		if s.Reason != warifu.ReasonUnspecified { // RFC 5280 §5.3.1: rather absent
			b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.Reason)) })
		}
	})
}

func algorithmOf(key crypto.PublicKey) (asn1.ObjectIdentifier, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return oidSHA256WithRSA, nil
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return oidECDSAWithSHA256, nil
		}
	}
	return nil, errors.New("ocsp: the responder's key is neither RSA nor P-256")
}

func addAlgorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if oid.Equal(oidSHA256WithRSA) {
			b.AddASN1NULL()
		}
	})
}

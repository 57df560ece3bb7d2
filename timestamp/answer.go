package timestamp

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
)

type extension = pkix.Extension

// Failure is why there is no token (PKIFailureInfo, RFC 3161 §2.4.2): the number of its bit.
type Failure int

// The failures of RFC 3161 §2.4.2.
const (
	BadAlgorithm         Failure = 0
	BadRequest           Failure = 2
	BadDataFormat        Failure = 5
	TimeNotAvailable     Failure = 14
	UnacceptedPolicy     Failure = 15
	UnacceptedExtension  Failure = 16
	AddInfoNotAvailable  Failure = 17
	SystemFailure        Failure = 25
	statusGranted                = 0
	statusGrantedWithMod         = 1
	statusRejection              = 2
)

// FailureOf is what an authority answers to a request that ParseRequest refused.
func FailureOf(err error) Failure {
	switch warifu.ProblemOf(err).Problem {
	case "timestamp-imprint":
		return BadAlgorithm
	case "timestamp-extension":
		return UnacceptedExtension
	}
	return BadDataFormat
}

// Signer is a time-stamping authority: its certificate, whose extended key usage is
// id-kp-timeStamping alone, its key, and the policy it follows.
type Signer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
	Policy      asn1.ObjectIdentifier
	Accuracy    time.Duration // to the microsecond; zero: not said
}

// Answer makes the DER of a TimeStampResp with a token for the request. The time is cut
// to the millisecond. The authority's certificate travels along where it was asked for, and
// not otherwise (RFC 3161 §2.4.1, certReq). Error: Refused "timestamp-policy" for a policy that is
// not the signer's.
func (s *Signer) Answer(r *Request, at time.Time, serial *big.Int) ([]byte, error) {
	token, err := s.Token(r, at, serial)
	if err == nil && !r.Certificates {
		token, err = withoutCertificates(token)
	}
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(statusGranted) })
		b.AddBytes(token)
	})
	return b.Bytes()
}

// withoutCertificates takes the certificates out of a token: they are not signed.
func withoutCertificates(token []byte) ([]byte, error) {
	in := cryptobyte.String(token)
	var message, oid, wrapped, data, version, algorithms, content, certificates cryptobyte.String
	outer := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !in.ReadASN1(&message, cbasn1.SEQUENCE) || !message.ReadASN1Element(&oid, cbasn1.OBJECT_IDENTIFIER) || !message.ReadASN1(&wrapped, outer) ||
		!wrapped.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadASN1Element(&version, cbasn1.INTEGER) || !data.ReadASN1Element(&algorithms, cbasn1.SET) ||
		!data.ReadASN1Element(&content, cbasn1.SEQUENCE) || !data.ReadASN1(&certificates, outer) {
		return nil, malformed("certificates")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(oid)
		b.AddASN1(outer, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, part := range []cryptobyte.String{version, algorithms, content, data} {
					b.AddBytes(part)
				}
			})
		})
	})
	return b.Bytes()
}

// Token makes the token alone. The authority's certificate always travels along.
func (s *Signer) Token(r *Request, at time.Time, serial *big.Int) ([]byte, error) {
	if r.Policy != nil && !r.Policy.Equal(s.Policy) {
		return nil, warifu.Refused("timestamp-policy")
	}
	info := Info{Policy: s.Policy, Imprint: r.Imprint, Serial: serial, Time: at.UTC().Truncate(time.Millisecond), Accuracy: s.Accuracy, Nonce: r.Nonce}
	content, err := info.marshal()
	if err != nil {
		return nil, err
	}
	return cms.Sign(OIDInfo, content, s.Certificate, s.Key)
}

func (i *Info) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(i.Policy)
		addImprint(b, i.Imprint)
		b.AddASN1BigInt(i.Serial)
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) {
			b.AddBytes([]byte(i.Time.Format("20060102150405.999999999") + "Z"))
		})
		if i.Accuracy > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { i.addAccuracy(b) })
		}
		if i.Nonce != nil {
			b.AddASN1BigInt(i.Nonce)
		}
	})
	return b.Bytes()
}

func (i *Info) addAccuracy(b *cryptobyte.Builder) {
	if s := i.Accuracy / time.Second; s > 0 {
		b.AddASN1Int64(int64(s))
	}
	for n, unit := range []time.Duration{time.Millisecond, time.Microsecond} {
		if v := i.Accuracy / unit % 1000; v > 0 {
			b.AddASN1Int64WithTag(int64(v), cbasn1.Tag(n).ContextSpecific())
		}
	}
}

// Refusal makes the DER of a TimeStampResp without a token.
func Refusal(f Failure) []byte {
	bits := make([]byte, f/8+1)
	bits[f/8] = 0x80 >> (f % 8)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(statusRejection)
			b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
				b.AddUint8(uint8(7 - f%8))
				b.AddBytes(bits)
			})
		})
	})
	return b.BytesOrPanic()
}

// ParseAnswer reads the answer to a request and returns its token, unverified: it is
// about the request's digest and repeats its nonce. Errors: Refused "timestamp-refused" when
// the authority gave none, "timestamp-mismatch" when it is another's, Invalid
// "timestamp-malformed", TooLarge "timestamp-too-large", those of ParseToken.
func ParseAnswer(der []byte, r *Request) (*Token, error) {
	if len(der) > MaxAnswer {
		return nil, warifu.TooLarge("timestamp-too-large")
	}
	in := cryptobyte.String(der)
	var body, status, token cryptobyte.String
	var code int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1(&status, cbasn1.SEQUENCE) || !status.ReadASN1Integer(&code) {
		return nil, malformed("status")
	}
	if code != statusGranted && code != statusGrantedWithMod {
		return nil, warifu.Refused("timestamp-refused")
	}
	if !body.ReadASN1Element(&token, cbasn1.SEQUENCE) || !body.Empty() {
		return nil, malformed("timeStampToken")
	}
	t, err := ParseToken(token)
	if err != nil {
		return nil, err
	}
	same := t.Imprint == r.Imprint && (r.Nonce == nil) == (t.Nonce == nil) && (r.Nonce == nil || r.Nonce.Cmp(t.Nonce) == 0) &&
		(r.Policy == nil || r.Policy.Equal(t.Policy))
	if !same {
		return nil, warifu.Refused("timestamp-mismatch")
	}
	return t, nil
}

package timestamp

import (
	"crypto/sha256"
	"encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

const (
	// MaxRequest bounds a request in octets.
	MaxRequest = 1 << 10
	// MaxAnswer bounds an answer in octets, its token's certificates included.
	MaxAnswer = 32 << 10

	maxNonce = 33 // octets of the INTEGER: 32 and a sign octet
)

var oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

// Request is a TimeStampReq (RFC 3161 §2.4.1).
type Request struct {
	// Imprint is SHA-256 of what shall be proven to have existed.
	Imprint [sha256.Size]byte
	// Policy is the policy asked for; nil: whichever the authority has.
	Policy asn1.ObjectIdentifier
	// Nonce is repeated in the token; nil: none. At most 32 octets, not negative.
	Nonce *big.Int
	// Certificates asks for the authority's certificates in the token. A token without
	// them is of no use to this package.
	Certificates bool
}

// Marshal returns the DER.
func (r *Request) Marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, r.Imprint)
		if r.Policy != nil {
			b.AddASN1ObjectIdentifier(r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.Certificates {
			b.AddASN1Boolean(true)
		}
	})
	return b.Bytes()
}

// ParseRequest reads a request. Errors: Invalid "timestamp-malformed" with
// parameter "what", TooLarge "timestamp-too-large", Refused "timestamp-imprint" for a
// digest that is not SHA-256, "timestamp-extension" for one that has extensions.
func ParseRequest(der []byte) (*Request, error) {
	if len(der) > MaxRequest {
		return nil, warifu.TooLarge("timestamp-too-large")
	}
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var version int
	r := &Request{}
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) || version != 1 {
		return nil, malformed("version")
	}
	var err error
	if r.Imprint, err = readImprint(&body); err != nil {
		return nil, err
	}
	if body.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER) && !body.ReadASN1ObjectIdentifier(&r.Policy) {
		return nil, malformed("reqPolicy")
	}
	if r.Nonce, err = readNonce(&body); err != nil {
		return nil, err
	}
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && (!body.ReadASN1Boolean(&r.Certificates) || !r.Certificates) {
		return nil, malformed("certReq") // FALSE is the default, which DER leaves out
	}
	if body.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return nil, warifu.Refused("timestamp-extension")
	}
	if !body.Empty() {
		return nil, malformed("more than a request")
	}
	return r, nil
}

func malformed(what string) *warifu.Error {
	return warifu.Invalid("timestamp-malformed", "what", what)
}

func addImprint(b *cryptobyte.Builder, imprint [sha256.Size]byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidSHA256) })
		b.AddASN1OctetString(imprint[:])
	})
}

// readImprint reads a MessageImprint; parameters of the algorithm are absent or NULL.
func readImprint(in *cryptobyte.String) (imprint [sha256.Size]byte, err error) {
	var body, algorithm, null, digest cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		(!algorithm.Empty() && (!algorithm.ReadASN1(&null, cbasn1.NULL) || !null.Empty() || !algorithm.Empty())) ||
		!body.ReadASN1(&digest, cbasn1.OCTET_STRING) || !body.Empty() {
		return imprint, malformed("messageImprint")
	}
	if !oid.Equal(oidSHA256) {
		return imprint, warifu.Refused("timestamp-imprint")
	}
	if len(digest) != len(imprint) {
		return imprint, malformed("hashedMessage")
	}
	return [sha256.Size]byte(digest), nil
}

// readNonce reads an optional nonce.
func readNonce(in *cryptobyte.String) (*big.Int, error) {
	if !in.PeekASN1Tag(cbasn1.INTEGER) {
		return nil, nil
	}
	n := new(big.Int)
	if !in.ReadASN1Integer(n) || n.Sign() < 0 || len(n.Bytes()) >= maxNonce {
		return nil, malformed("nonce")
	}
	return n, nil
}

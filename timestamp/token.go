package timestamp

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
)

// OIDInfo is id-ct-TSTInfo, the content type of a token.
var OIDInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

var oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// Info is what a token says (TSTInfo, RFC 3161 §2.4.2).
type Info struct {
	Policy   asn1.ObjectIdentifier
	Imprint  [sha256.Size]byte
	Serial   *big.Int
	Time     time.Time     // genTime, UTC
	Accuracy time.Duration // the true time is within this of Time; zero: not said
	Nonce    *big.Int      // nil: none
}

// Token is a time-stamp token as it was read. Nothing in it is to be believed before Verify.
type Token struct {
	Info
	Authority *x509.Certificate // who signed
	Raw       []byte

	message *cms.Message
}

// ParseToken reads a token: the DER of its ContentInfo. Errors: Invalid
// "timestamp-malformed" with parameter "what", TooLarge "timestamp-too-large", those of
// cms.Parse, Refused "timestamp-imprint".
func ParseToken(der []byte) (*Token, error) {
	if len(der) > MaxAnswer {
		return nil, warifu.TooLarge("timestamp-too-large")
	}
	m, err := cms.ParseWithin(der, MaxAnswer)
	if err != nil {
		return nil, err
	}
	if !m.ContentType.Equal(OIDInfo) || m.Detached {
		return nil, malformed("content type")
	}
	t := &Token{Authority: m.Signer, Raw: der, message: m}
	if err := t.read(m.Content); err != nil {
		return nil, err
	}
	return t, nil
}

func (i *Info) read(content cryptobyte.String) error {
	var body, accuracy cryptobyte.String
	var version int
	if !content.ReadASN1(&body, cbasn1.SEQUENCE) || !content.Empty() || !body.ReadASN1Integer(&version) || version != 1 ||
		!body.ReadASN1ObjectIdentifier(&i.Policy) {
		return malformed("policy")
	}
	var err error
	if i.Imprint, err = readImprint(&body); err != nil {
		return err
	}
	i.Serial = new(big.Int)
	if !body.ReadASN1Integer(i.Serial) || i.Serial.Sign() < 0 || len(i.Serial.Bytes()) > 20 {
		return malformed("serialNumber")
	}
	if !readGenTime(&body, &i.Time) {
		return malformed("genTime")
	}
	if body.PeekASN1Tag(cbasn1.SEQUENCE) && (!body.ReadASN1(&accuracy, cbasn1.SEQUENCE) || !i.readAccuracy(accuracy)) {
		return malformed("accuracy")
	}
	var ordering bool
	if body.PeekASN1Tag(cbasn1.BOOLEAN) && (!body.ReadASN1Boolean(&ordering) || !ordering) {
		return malformed("ordering")
	}
	if i.Nonce, err = readNonce(&body); err != nil {
		return err
	}
	tsa := cbasn1.Tag(0).ContextSpecific().Constructed()
	if body.PeekASN1Tag(tsa) && !body.SkipASN1(tsa) { // a name beside the one in the certificate
		return malformed("tsa")
	}
	if !body.Empty() {
		return malformed("extensions")
	}
	return nil
}

// readGenTime reads a GeneralizedTime in Z with or without a fraction (RFC 3161 §2.4.2):
// no trailing zeros, no more than nine digits.
func readGenTime(in *cryptobyte.String, out *time.Time) bool {
	var octets cryptobyte.String
	if !in.ReadASN1(&octets, cbasn1.GeneralizedTime) {
		return false
	}
	s, utc := strings.CutSuffix(string(octets), "Z")
	whole, fraction, dotted := strings.Cut(s, ".")
	if !utc || len(whole) != 14 || (dotted && (fraction == "" || len(fraction) > 9 || strings.HasSuffix(fraction, "0"))) {
		return false
	}
	for _, r := range whole + fraction {
		if r < '0' || r > '9' {
			return false
		}
	}
	layout := "20060102150405"
	if dotted {
		layout, whole = layout+".999999999", whole+"."+fraction
	}
	t, err := time.ParseInLocation(layout, whole, time.UTC)
	*out = t
	return err == nil
}

func (i *Info) readAccuracy(in cryptobyte.String) bool {
	units := []struct {
		tag  cbasn1.Tag
		unit time.Duration
	}{{cbasn1.INTEGER, time.Second}, {cbasn1.Tag(0).ContextSpecific(), time.Millisecond}, {cbasn1.Tag(1).ContextSpecific(), time.Microsecond}}
	for n, u := range units {
		if !in.PeekASN1Tag(u.tag) {
			continue
		}
		var octets cryptobyte.String
		if !in.ReadASN1(&octets, u.tag) || len(octets) == 0 || len(octets) > 4 || octets[0]&0x80 != 0 {
			return false
		}
		v := new(big.Int).SetBytes(octets).Int64()
		if n > 0 && (v < 1 || v > 999) {
			return false
		}
		i.Accuracy += time.Duration(v) * u.unit
	}
	return in.Empty()
}

// Anchors are the authorities whose tokens are believed: roots, or the authorities' own
// certificates.
type Anchors struct{ certificates []*x509.Certificate }

// NewAnchors believes these.
func NewAnchors(certificates ...*x509.Certificate) Anchors { return Anchors{certificates} }

// IsZero reports whether nobody is believed.
func (a Anchors) IsZero() bool { return len(a.certificates) == 0 }

// Verify checks that the token was signed by an authority that one of the anchors had
// appointed for nothing else when it was, and that it speaks of this digest. Errors: Refused
// "timestamp-mismatch", "timestamp-untrusted", "timestamp-purpose", "timestamp-signature".
func (t *Token) Verify(anchors Anchors, digest [sha256.Size]byte) error {
	if subtle.ConstantTimeCompare(t.Imprint[:], digest[:]) != 1 {
		return warifu.Refused("timestamp-mismatch")
	}
	if !forStampsAlone(t.Authority) {
		return warifu.Refused("timestamp-purpose")
	}
	if err := t.chain(anchors); err != nil {
		return warifu.Refused("timestamp-untrusted").With(err)
	}
	if err := t.message.Verify(nil); err != nil {
		return warifu.Refused("timestamp-signature").With(err)
	}
	return nil
}

// chain builds a path from the authority to an anchor, as it was when the token was made.
func (t *Token) chain(anchors Anchors) error {
	for _, a := range anchors.certificates {
		if bytes.Equal(a.Raw, t.Authority.Raw) && !t.Time.Before(a.NotBefore) && !t.Time.After(a.NotAfter) {
			return nil
		}
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, a := range anchors.certificates {
		roots.AddCert(a)
	}
	for _, c := range t.message.Certificates {
		between.AddCert(c)
	}
	_, err := t.Authority.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	return err
}

// forStampsAlone reports whether the certificate's extended key usage is critical and
// id-kp-timeStamping alone (RFC 3161 §2.3).
func forStampsAlone(c *x509.Certificate) bool {
	critical := slices.ContainsFunc(c.Extensions, func(e extension) bool { return e.Id.Equal(oidExtendedKeyUsage) && e.Critical })
	return critical && len(c.UnknownExtKeyUsage) == 0 && slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping})
}

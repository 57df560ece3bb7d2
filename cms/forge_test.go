package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/cms"
)

// forgery is a message whose signature is right and whose shape is the test's to choose.
type forgery struct {
	id            identity
	version       int64
	digests       [][]byte
	contentType   asn1.ObjectIdentifier
	content       []byte // the element inside [0]; nil: none
	certificates  [][]byte
	afterCerts    []byte
	attributes    [][]byte
	noAttributes  bool
	sorted        bool
	serial        []byte // INTEGER element; nil: the signer's
	signerVersion int64
	digest        []byte
	algorithm     []byte
	unsigned      []byte
	signers       int
	afterInfo     []byte
}

var (
	oidSigned           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTypeAttr         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigestAttr       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTimeAttr         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidCertificateAttr  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidProtectionAttr   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	oidUnknownAttr      = asn1.ObjectIdentifier{1, 2, 3, 4}
	oidSHA1             = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256           = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSAWithSHA256  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA1    = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidRSAPSS           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	explicit0           = cbasn1.Tag(0).ContextSpecific().Constructed()
	explicit1           = cbasn1.Tag(1).ContextSpecific().Constructed()
	forgedText          = []byte("the content")
	forgedDigest        = sha256.Sum256(forgedText)
	forgedDigestElement = element(cbasn1.OCTET_STRING, forgedDigest[:])
)

func element(tag cbasn1.Tag, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(content, nil)) })
	return b.BytesOrPanic()
}

func sequence(content ...[]byte) []byte { return element(cbasn1.SEQUENCE, content...) }

func oid(o asn1.ObjectIdentifier) []byte {
	der, err := asn1.Marshal(o)
	if err != nil {
		panic(err)
	}
	return der
}

func attr(o asn1.ObjectIdentifier, values ...[]byte) []byte {
	return sequence(oid(o), element(cbasn1.SET, values...))
}

func honest() *forgery {
	id := p256Identity()
	return &forgery{
		id: id, version: 1, digests: [][]byte{sequence(oid(oidSHA256))}, contentType: cms.OIDData,
		content: element(cbasn1.OCTET_STRING, forgedText), certificates: [][]byte{id.certificate.Raw},
		attributes: [][]byte{attr(oidTypeAttr, oid(cms.OIDData)), attr(oidDigestAttr, forgedDigestElement)}, sorted: true,
		signerVersion: 1, digest: sequence(oid(oidSHA256)), algorithm: sequence(oid(oidECDSAWithSHA256)), signers: 1,
	}
}

func (f *forgery) signerInfo() []byte {
	attributes := slices.Clone(f.attributes)
	if f.sorted {
		slices.SortFunc(attributes, bytes.Compare)
	}
	signedOver := element(cbasn1.SET, attributes...)
	digest := sha256.Sum256(signedOver)
	carried := element(explicit0, attributes...)
	if f.noAttributes {
		digest, carried = forgedDigest, nil
	}
	signature, err := f.id.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	serial := f.serial
	if serial == nil {
		var b cryptobyte.Builder
		b.AddASN1BigInt(f.id.certificate.SerialNumber)
		serial = b.BytesOrPanic()
	}
	return sequence(integer(f.signerVersion), sequence(f.id.certificate.RawIssuer, serial), f.digest, carried, f.algorithm, element(cbasn1.OCTET_STRING, signature), f.unsigned)
}

func integer(n int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(n)
	return b.BytesOrPanic()
}

func (f *forgery) der() []byte {
	encapsulated := oid(f.contentType)
	if f.content != nil {
		encapsulated = append(encapsulated, element(explicit0, f.content)...)
	}
	var certificates []byte
	if f.certificates != nil {
		certificates = element(explicit0, f.certificates...)
	}
	var signers []byte
	for range f.signers {
		signers = append(signers, f.signerInfo()...)
	}
	data := sequence(integer(f.version), element(cbasn1.SET, f.digests...), sequence(encapsulated), certificates, f.afterCerts, element(cbasn1.SET, signers))
	return append(sequence(oid(oidSigned), element(explicit0, data)), f.afterInfo...)
}

func TestTheForgerIsHonestToBeginWith(t *testing.T) {
	m, err := cms.Parse(honest().der())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(nil); err != nil {
		t.Fatal(err)
	}
}

func TestEachShapeOutsideTheSubsetIsRefused(t *testing.T) {
	null := element(cbasn1.NULL)
	sha1 := sequence(oid(oidSHA1))
	wrongESS := sequence(sequence(sequence(element(cbasn1.OCTET_STRING, make([]byte, 32)))))
	protection := func(digest, algorithm []byte) []byte { return sequence(digest, element(explicit1, algorithm)) }
	timed := func(tag cbasn1.Tag, s string) []byte { return attr(oidTimeAttr, element(tag, []byte(s))) }
	add := func(a ...[]byte) func(*forgery) {
		return func(f *forgery) { f.attributes = append(f.attributes, a...) }
	}
	set := func(a ...[]byte) func(*forgery) { return func(f *forgery) { f.attributes = a } }
	other := rsaIdentity().certificate.Raw
	cases := []struct {
		name    string
		change  func(*forgery)
		problem string
	}{
		{"two signers", func(f *forgery) { f.signers = 2 }, "signature-malformed"},
		{"no signer", func(f *forgery) { f.signers = 0 }, "signature-malformed"},
		{"no signed attributes", func(f *forgery) { f.noAttributes = true }, "signature-malformed"},
		{"empty signed attributes", set(), "signature-malformed"},
		{"no contentType", set(attr(oidDigestAttr, forgedDigestElement)), "signature-malformed"},
		{"no messageDigest", set(attr(oidTypeAttr, oid(cms.OIDData))), "signature-malformed"},
		{"contentType twice", add(attr(oidTypeAttr, oid(cms.OIDData))), "signature-malformed"},
		{"messageDigest twice", add(attr(oidDigestAttr, element(cbasn1.OCTET_STRING, make([]byte, 32)))), "signature-malformed"},
		{"two values", set(attr(oidTypeAttr, oid(cms.OIDData), oid(oidOwn)), attr(oidDigestAttr, forgedDigestElement)), "signature-malformed"},
		{"another contentType", set(attr(oidTypeAttr, oid(oidOwn)), attr(oidDigestAttr, forgedDigestElement)), "signature-malformed"},
		{"short messageDigest", set(attr(oidTypeAttr, oid(cms.OIDData)), attr(oidDigestAttr, element(cbasn1.OCTET_STRING, forgedDigest[:20]))), "signature-malformed"},
		{"attributes out of order", func(f *forgery) {
			f.sorted = false
			slices.SortFunc(f.attributes, func(a, b []byte) int { return bytes.Compare(b, a) })
		}, "signature-malformed"},
		{"an unknown attribute twice", add(attr(oidUnknownAttr, null), attr(oidUnknownAttr, integer(1))), "signature-malformed"},
		{"too many attributes", func(f *forgery) {
			for i := range 20 {
				f.attributes = append(f.attributes, attr(append(oidUnknownAttr, i), null))
			}
		}, "signature-malformed"},
		{"time with an offset", add(timed(cbasn1.UTCTime, "260401093000+0900")), "signature-malformed"},
		{"time without seconds", add(timed(cbasn1.UTCTime, "2604010930Z")), "signature-malformed"},
		{"GeneralizedTime before 2050", add(timed(cbasn1.GeneralizedTime, "20260401093000Z")), "signature-malformed"},
		{"time with a fraction", add(timed(cbasn1.GeneralizedTime, "20600401093000.5Z")), "signature-malformed"},
		{"no time at all", add(timed(cbasn1.UTCTime, "")), "signature-malformed"},
		{"another signing certificate", add(attr(oidCertificateAttr, wrongESS)), "signature-certificate-mismatch"},
		{"signing certificate by SHA-1", add(attr(oidCertificateAttr, sequence(sequence(sequence(sha1, element(cbasn1.OCTET_STRING, make([]byte, 20))))))), "signature-algorithm"},
		{"protected digest SHA-1", add(attr(oidProtectionAttr, protection(sha1, oid(oidECDSAWithSHA256)))), "signature-algorithm"},
		{"protected algorithm another", add(attr(oidProtectionAttr, protection(sequence(oid(oidSHA256)), oid(oidRSAPSS)))), "signature-malformed"},
		{"digest SHA-1 in SignerInfo", func(f *forgery) { f.digest = sha1 }, "signature-algorithm"},
		{"digest SHA-1 in digestAlgorithms", func(f *forgery) { f.digests = [][]byte{sha1} }, "signature-algorithm"},
		{"two digestAlgorithms", func(f *forgery) { f.digests = append(f.digests, sha1) }, "signature-malformed"},
		{"no digestAlgorithms", func(f *forgery) { f.digests = nil }, "signature-malformed"},
		{"ECDSA with SHA-1", func(f *forgery) { f.algorithm = sequence(oid(oidECDSAWithSHA1)) }, "signature-algorithm"},
		{"RSA-PSS", func(f *forgery) { f.algorithm = sequence(oid(oidRSAPSS)) }, "signature-algorithm"},
		{"RSA for a P-256 key", func(f *forgery) {
			f.algorithm = sequence(oid(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}), null)
		}, "signature-algorithm"},
		{"parameters", func(f *forgery) { f.algorithm = sequence(oid(oidECDSAWithSHA256), integer(1)) }, "signature-malformed"},
		{"version 3 with id-data", func(f *forgery) { f.version = 3 }, "signature-malformed"},
		{"version 1 with another type", func(f *forgery) { f.contentType = oidOwn }, "signature-malformed"},
		{"signer version 3", func(f *forgery) { f.signerVersion = 3 }, "signature-malformed"},
		{"unsigned attributes", func(f *forgery) { f.unsigned = element(explicit1, attr(oidUnknownAttr, null)) }, "signature-malformed"},
		{"crls", func(f *forgery) { f.afterCerts = element(explicit1, sequence()) }, "signature-malformed"},
		{"no certificates", func(f *forgery) { f.certificates = nil }, "signature-malformed"},
		{"empty certificates", func(f *forgery) { f.certificates = [][]byte{} }, "signature-malformed"},
		{"another's certificate", func(f *forgery) { f.certificates = [][]byte{other} }, "signature-malformed"},
		{"a certificate twice", func(f *forgery) { f.certificates = append(f.certificates, f.certificates[0]) }, "signature-malformed"},
		{"no certificate at all", func(f *forgery) { f.certificates = [][]byte{sequence()} }, "signature-malformed"},
		{"another serial", func(f *forgery) { f.serial = integer(99) }, "signature-malformed"},
		{"serial not the shortest", func(f *forgery) { f.serial = element(cbasn1.INTEGER, []byte{0, 0, 0x80}) }, "signature-malformed"},
		{"content in pieces", func(f *forgery) { f.content = element(0x24, element(cbasn1.OCTET_STRING, forgedText)) }, "signature-malformed"},
		{"two contents", func(f *forgery) { f.content = append(f.content, f.content...) }, "signature-malformed"},
		{"trailing octet", func(f *forgery) { f.afterInfo = []byte{0} }, "signature-malformed"},
	}
	for _, c := range cases {
		f := honest()
		c.change(f)
		m, err := cms.Parse(f.der())
		if !errors.Is(err, &warifu.Error{Problem: c.problem}) {
			t.Errorf("%s: %v, want %s", c.name, err, c.problem)
		}
		if err == nil && m.Verify(nil) == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}

func TestOtherHonestShapesAreTaken(t *testing.T) {
	null := element(cbasn1.NULL)
	ess := sha256.Sum256(p256Identity().certificate.Raw)
	for name, change := range map[string]func(*forgery){
		"NULL parameters of SHA-256": func(f *forgery) { f.digest = sequence(oid(oidSHA256), null) },
		"an unknown attribute":       func(f *forgery) { f.attributes = append(f.attributes, attr(oidUnknownAttr, null)) },
		"the signing certificate": func(f *forgery) {
			f.attributes = append(f.attributes, attr(oidCertificateAttr, sequence(sequence(sequence(element(cbasn1.OCTET_STRING, ess[:]))))))
		},
		"protected algorithms": func(f *forgery) {
			f.attributes = append(f.attributes, attr(oidProtectionAttr, sequence(sequence(oid(oidSHA256)), element(explicit1, oid(oidECDSAWithSHA256)))))
		},
		"a time after 2049": func(f *forgery) {
			f.attributes = append(f.attributes, attr(oidTimeAttr, element(cbasn1.GeneralizedTime, []byte("20600401093000Z"))))
		},
	} {
		f := honest()
		change(f)
		m, err := cms.Parse(f.der())
		if err == nil {
			err = m.Verify(nil)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLengthsAreDefiniteAndShortest(t *testing.T) {
	der := honest().der() // 30 82 hh ll …
	if der[1] != 0x82 {
		t.Fatal("not the length expected")
	}
	indefinite := append([]byte{0x30, 0x80}, append(bytes.Clone(der[4:]), 0, 0)...)
	longer := append([]byte{0x30, 0x83, 0}, der[2:]...)
	for name, bad := range map[string][]byte{"indefinite": indefinite, "not the shortest": longer, "empty": nil} {
		if _, err := cms.Parse(bad); !errors.Is(err, &warifu.Error{Problem: "signature-malformed"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	der := honest().der()
	for i := range der {
		if _, err := cms.Parse(der[:i]); !errors.Is(err, &warifu.Error{Problem: "signature-malformed"}) {
			t.Fatalf("%d octets: %v", i, err)
		}
	}
}

// TestNoFlippedOctetIsBelieved allows flips inside certificates that come along: their
// own signatures are for the chain to check, and the signer's is pinned by its digest.
func TestNoFlippedOctetIsBelieved(t *testing.T) {
	der := sign(t, p256Identity(), cms.OIDData, forgedText, false)
	for i := range der {
		bad := bytes.Clone(der)
		bad[i] ^= 0x04
		m, err := cms.Parse(bad)
		if err == nil && m.Verify(forgedText) == nil {
			t.Fatalf("octet %d of %d", i, len(der))
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	for name, der := range map[string][]byte{
		"document over the caller's limit": sign(t, p256Identity(), oidOwn, make([]byte, cms.MaxPaper), false),
	} {
		if _, err := cms.ParseWithin(der, cms.MaxPaper); !errors.Is(err, &warifu.Error{Problem: "signature-too-large"}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	large := sign(t, p256Identity(), cms.OIDData, make([]byte, 2<<20), false)
	if m, err := cms.Parse(large); err != nil || m.Verify(nil) != nil {
		t.Error("a large document:", err)
	}
	f := honest()
	f.attributes = append(f.attributes, attr(oidUnknownAttr, element(cbasn1.OCTET_STRING, make([]byte, 70<<10))))
	if _, err := cms.Parse(f.der()); !errors.Is(err, &warifu.Error{Problem: "signature-too-large"}) {
		t.Error("a large frame:", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(honest().der())
	f.Add(sign(f, p256Identity(), cms.OIDData, forgedText, true))
	f.Add(sign(f, rsaIdentity(), oidOwn, forgedText, false))
	f.Fuzz(func(t *testing.T, der []byte) {
		m, err := cms.ParseWithin(der, cms.MaxPaper)
		if err != nil {
			if p := warifu.ProblemOf(err); p.Code == warifu.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		if m.Signer == nil || m.Detached != (m.Content == nil) && len(m.Content) > 0 {
			t.Fatalf("%+v", m)
		}
		_ = m.Verify(forgedText)
	})
}

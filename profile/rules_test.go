package profile_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
)

// draft is a tbsCertificate taken apart, to be changed and put together again.
type draft struct {
	Version    int `asn1:"explicit,tag:0"`
	Serial     *big.Int
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   struct{ NotBefore, NotAfter time.Time }
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"explicit,tag:3"`
}

func (d *draft) extension(t testing.TB, id ...int) *pkix.Extension {
	t.Helper()
	for n := range d.Extensions {
		if d.Extensions[n].Id.Equal(id) {
			return &d.Extensions[n]
		}
	}
	t.Fatalf("no extension %v", id)
	return nil
}

// remake takes a certificate apart, changes it and signs it again.
func remake(t testing.TB, c *x509.Certificate, key crypto.Signer, change func(d *draft)) *x509.Certificate {
	t.Helper()
	var d draft
	if _, err := asn1.Unmarshal(c.RawTBSCertificate, &d); err != nil {
		t.Fatal(err)
	}
	change(&d)
	tbs, err := asn1.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	der, err := profile.Sign(tbs, key)
	return parse(t, der, err)
}

// reparsed changes what was read, where crypto/x509 would not read the octets.
func reparsed(c *x509.Certificate, change func(c *x509.Certificate)) *x509.Certificate {
	copied := *c
	change(&copied)
	return &copied
}

func name(t testing.TB, n pkix.Name) asn1.RawValue {
	t.Helper()
	der, err := asn1.Marshal(n.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return asn1.RawValue{FullBytes: der}
}

func TestEachRuleHasACertificateThatBreaksItAlone(t *testing.T) {
	key := ecKey()
	p := profile.Phone(warifu.Signature, profile.P256, endpoints)
	issuer := authority(t, profile.PhoneAuthority(warifu.Signature, ""), key)
	tbs, err := p.TBS(entity(t, p, key), issuer)
	if err != nil {
		t.Fatal(err)
	}
	der, err := profile.Sign(tbs, key)
	good := parse(t, der, err)
	extension := func(change func(e *pkix.Extension), id ...int) *x509.Certificate {
		return remake(t, good, key, func(d *draft) { change(d.extension(t, id...)) })
	}
	uncritical := func(e *pkix.Extension) { e.Critical = false }
	critical := func(e *pkix.Extension) { e.Critical = true }
	broken := map[string][]*x509.Certificate{
		"version":             {reparsed(good, func(c *x509.Certificate) { c.Version = 1 })},
		"serial":              {reparsed(good, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(-1) }), remake(t, good, key, func(d *draft) { d.Serial = new(big.Int).Lsh(big.NewInt(1), 160) })},
		"signature-algorithm": {reparsed(good, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })},
		"validity":            {remake(t, good, key, func(d *draft) { d.Validity.NotAfter = d.Validity.NotBefore })},
		"subject": {
			remake(t, good, key, func(d *draft) { d.Subject = name(t, pkix.Name{Country: []string{"JP"}}) }),
			remake(t, good, key, func(d *draft) { d.Subject = name(t, pkix.Name{Country: []string{"US"}, CommonName: "X"}) }),
			remake(t, good, key, func(d *draft) { d.Subject = name(t, pkix.Name{Country: []string{"JP"}, CommonName: "山田太郎"}) }),
			remake(t, good, key, func(d *draft) {
				d.Subject = name(t, pkix.Name{Country: []string{"JP"}, Locality: []string{"Tokyo-to"}, CommonName: "X"})
			}),
			remake(t, good, key, func(d *draft) { d.Subject = name(t, pkix.Name{Country: []string{"JP"}, CommonName: "X"}) }), // PrintableString
		},
		"key": {remake(t, good, key, func(d *draft) {
			d.PublicKey = asn1.RawValue{FullBytes: spki(t, rsaKey())}
			id, _ := profile.KeyID(spki(t, rsaKey()))
			d.extension(t, 2, 5, 29, 14).Value = append([]byte{4, 20}, id...)
		})},
		"key-usage":          {extension(uncritical, 2, 5, 29, 15), extension(func(e *pkix.Extension) { e.Value = []byte{3, 2, 7, 0x80} }, 2, 5, 29, 15)},
		"extended-key-usage": {remake(t, good, key, func(d *draft) { d.Extensions = append(d.Extensions, clientAuth) })},
		"policy": {extension(uncritical, 2, 5, 29, 32), extension(func(e *pkix.Extension) {
			e.Value = bytes.Replace(e.Value, []byte(endpoints.CPS), []byte(strings.ToUpper(endpoints.CPS)), 1)
		}, 2, 5, 29, 32)},
		"subject-alternative-name": {extension(critical, 2, 5, 29, 17), remake(t, good, key, func(d *draft) { d.Extensions = without(d.Extensions, 17) })},
		"issuer-alternative-name":  {extension(critical, 2, 5, 29, 18), extension(func(e *pkix.Extension) { e.Value = []byte("\x30\x07\x82\x05a.jp.") }, 2, 5, 29, 18)},
		"crl-distribution-point": {extension(critical, 2, 5, 29, 31), extension(func(e *pkix.Extension) {
			e.Value = bytes.Replace(e.Value, []byte("127.0.0.1"), []byte("127.0.0.2"), 1)
		}, 2, 5, 29, 31)},
		"authority-information": {extension(func(e *pkix.Extension) {
			e.Value = bytes.Replace(e.Value, []byte("127.0.0.1"), []byte("127.0.0.2"), 1)
		}, 1, 3, 6, 1, 5, 5, 7, 1, 1)},
		"authority-key-identifier": {remake(t, good, key, func(d *draft) { d.Extensions = without(d.Extensions, 35) })},
		"subject-key-identifier":   {extension(func(e *pkix.Extension) { e.Value = append(bytes.Clone(e.Value[:21]), e.Value[21]^1) }, 2, 5, 29, 14)},
		"extensions": {remake(t, good, key, func(d *draft) {
			d.Extensions = append(d.Extensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0}})
		})},
	}
	for _, r := range profile.Rules() {
		if len(broken[r.Name]) == 0 {
			t.Errorf("rule %q has no certificate that breaks it", r.Name)
		}
	}
	for want, certificates := range broken {
		for n, c := range certificates {
			var got []string
			for _, r := range p.Broken(c) {
				got = append(got, r.Name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s, certificate %d: breaks %q", want, n, got)
			}
		}
	}
}

var clientAuth = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")}

func without(extensions []pkix.Extension, last int) []pkix.Extension {
	var out []pkix.Extension
	for _, e := range extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, last}) {
			out = append(out, e)
		}
	}
	return out
}

// FuzzParseAttributes feeds the content of a subjectAltName; what is accepted encodes to
// the same octets again.
func FuzzParseAttributes(f *testing.F) {
	e, err := yamada.Extension()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Value)
	f.Add([]byte{0x30, 0})
	f.Add([]byte("\x30\x0b\x82\x09localhost"))
	f.Fuzz(func(t *testing.T, value []byte) {
		a, present, err := profile.ParseAttributes(&x509.Certificate{Extensions: []pkix.Extension{{Id: e.Id, Value: value}}})
		if err != nil {
			return
		}
		again, err := a.Extension()
		if !present || err != nil || !bytes.Equal(again.Value, value) {
			t.Fatalf("accepted, and encodes to other octets: %v", err)
		}
		if _, err := a.Birth(); err != nil {
			t.Fatal("accepted without a date of birth")
		}
	})
}

// FuzzCheck feeds whole certificates: Check must answer, whatever crypto/x509 lets through.
func FuzzCheck(f *testing.F) {
	for _, e := range all(f) {
		f.Add(e.Certificate.Raw)
	}
	f.Fuzz(func(_ *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		for _, class := range []profile.Class{profile.ClassCard, profile.ClassPhone} {
			for _, kind := range warifu.Kinds {
				_ = profile.Of(class, kind).Check(c)
			}
		}
		_, _, _ = profile.ClassOf(c)
		_, _ = profile.CheckAuthority(c), profile.CheckResponder(c)
	})
}

package ocsp_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/ocsp"
)

func TestWhomNobodyAppointedIsNotBelieved(t *testing.T) {
	w := world()
	appointed := func(change func(*x509.Certificate)) party {
		template := responderTemplate()
		change(template)
		return issue(w.authority, template, mustP256())
	}
	intermediate := issue(w.authority, &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "below"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, ExtraExtensions: []pkix.Extension{{Id: ocsp.OIDNoCheck, Value: []byte{5, 0}}},
	}, mustP256())
	cases := map[string]party{
		"a stranger's responder": stranger().responder,
		"a stranger":             stranger().authority,
		"without OCSPSigning":    appointed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }),
		"any purpose":            appointed(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }),
		"without nocheck":        appointed(func(c *x509.Certificate) { c.ExtraExtensions = nil }),
		"a key not for signing":  appointed(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }),
		"expired":                appointed(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, -2, 0), now.Add(-time.Second) }),
		"not yet valid":          appointed(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(time.Second), now.AddDate(0, 1, 0) }),
		"an unknown critical demand": appointed(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		}),
		"an authority below":           intermediate,
		"appointed by one below":       issue(intermediate, responderTemplate(), mustP256()),
		"a stranger of the same name":  {key: mustP256(), certificate: w.responder.certificate},
		"the authority's name, forged": {key: mustRSA(), certificate: w.authority.certificate},
	}
	for name, p := range cases {
		r, err := ocsp.ParseResponse(answer(t, p, nil, single(crypto.SHA256, good)))
		if err != nil {
			t.Fatal(name, err)
		}
		err = r.Verify(w.authority.certificate, now)
		if !errors.Is(err, problem("status-responder-unauthorized")) && !errors.Is(err, problem("status-answer-signature")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerSpeaksOfOneCertificateAndOneTime(t *testing.T) {
	w := world()
	r, err := ocsp.ParseResponse(answer(t, w.responder, nil, single(crypto.SHA1, good)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(w.authority.certificate, big.NewInt(3)); !errors.Is(err, problem("status-answer-mismatch")) {
		t.Error("another serial:", err)
	}
	if _, err := r.Find(stranger().authority.certificate, serial); !errors.Is(err, problem("status-answer-mismatch")) {
		t.Error("another issuer:", err)
	}
	s, err := r.Find(w.authority.certificate, serial)
	if err != nil {
		t.Fatal(err)
	}
	open := s
	open.NextUpdate = time.Time{}
	cases := map[string]struct {
		s    ocsp.Single
		at   time.Time
		age  time.Duration
		want string
	}{
		"now":                       {s, now, 0, ""},
		"clocks differ a little":    {s, now.Add(-ocsp.MaxSkew), 0, ""},
		"clocks differ too much":    {s, now.Add(-ocsp.MaxSkew - 1), 0, "status-answer-future"},
		"its last instant":          {s, now.Add(time.Minute), 0, ""},
		"over":                      {s, now.Add(time.Minute + 1), 0, "status-answer-stale"},
		"too old for the asker":     {s, now.Add(11 * time.Second), 10 * time.Second, "status-answer-stale"},
		"without end, fresh":        {open, now.Add(time.Minute), 0, ""},
		"without end, old":          {open, now.Add(ocsp.MaxSkew + 1), 0, "status-answer-stale"},
		"without end, asker's rule": {open, now.Add(time.Hour), 2 * time.Hour, ""},
	}
	for name, c := range cases {
		err := c.s.Fresh(c.at, c.age)
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, problem(c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Verify(w.authority.certificate, now.Add(-time.Hour)); !errors.Is(err, problem("status-answer-future")) {
		t.Error("produced in the future:", err)
	}
}

func TestTwoAnswersThatDifferAreNone(t *testing.T) {
	w := world()
	agree, err := ocsp.ParseResponse(answer(t, w.responder, nil, single(crypto.SHA1, good), single(crypto.SHA256, good)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agree.Find(w.authority.certificate, serial); err != nil {
		t.Error(err)
	}
	differ, err := ocsp.ParseResponse(answer(t, w.responder, nil, single(crypto.SHA1, good), single(crypto.SHA256, lost)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := differ.Find(w.authority.certificate, serial); !errors.Is(err, problem("status-answer-malformed")) {
		t.Error(err)
	}
}

func TestNoTruncatedOrAlteredAnswerIsBelieved(t *testing.T) {
	w := world()
	der := answer(t, w.responder, []byte("nonce"), single(crypto.SHA256, held))
	for i := range der {
		if _, err := ocsp.ParseResponse(der[:i]); err == nil {
			t.Fatalf("%d octets", i)
		}
		bad := bytes.Clone(der)
		bad[i] ^= 0x01
		r, err := ocsp.ParseResponse(bad)
		if err == nil && r.Verify(w.authority.certificate, now) == nil {
			t.Fatalf("octet %d", i)
		}
	}
	if _, err := ocsp.ParseResponse(append(bytes.Clone(der), 0)); !errors.Is(err, problem("status-answer-malformed")) {
		t.Error("trailing octet:", err)
	}
	if _, err := ocsp.ParseResponse(make([]byte, ocsp.MaxResponse+1)); !errors.Is(err, problem("status-answer-too-large")) {
		t.Error(err)
	}
}

// shape is an OCSPRequest put together by hand.
type shape struct {
	before, list, extensions, after []byte
}

func (s shape) der() []byte {
	return der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, s.before, der(cbasn1.SEQUENCE, s.list), s.extensions), s.after)
}

func der(tag cbasn1.Tag, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(content, nil)) })
	return b.BytesOrPanic()
}

func explicit(n uint8, content ...[]byte) []byte {
	return der(cbasn1.Tag(n).ContextSpecific().Constructed(), content...)
}

func oid(o ...int) []byte {
	out, err := asn1.Marshal(asn1.ObjectIdentifier(o))
	if err != nil {
		panic(err)
	}
	return out
}

var (
	critical  = []byte{1, 1, 0xFF}
	nonceOID  = []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	otherOID  = []int{1, 2, 3, 4}
	emptyNull = []byte{5, 0}
)

func extension(o []int, mark []byte, value []byte) []byte {
	return der(cbasn1.SEQUENCE, oid(o...), mark, der(cbasn1.OCTET_STRING, value))
}

func extensions(list ...[]byte) []byte {
	return explicit(2, der(cbasn1.SEQUENCE, list...))
}

func one(serialElement []byte, after ...[]byte) []byte {
	hash := der(cbasn1.OCTET_STRING, make([]byte, 20))
	sha1 := der(cbasn1.SEQUENCE, oid(1, 3, 14, 3, 2, 26), emptyNull)
	return der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, sha1, hash, hash, serialElement), bytes.Join(after, nil))
}

func TestRequestsOutsideTheRulesAreRefused(t *testing.T) {
	fine := one([]byte{2, 1, 5})
	nonce := func(n int) []byte { return extension(nonceOID, nil, der(cbasn1.OCTET_STRING, make([]byte, n))) }
	shortHash := der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, oid(1, 3, 14, 3, 2, 26)), der(cbasn1.OCTET_STRING, make([]byte, 19)), der(cbasn1.OCTET_STRING, make([]byte, 20)), []byte{2, 1, 5}))
	refused := map[string]shape{
		"nothing asked":             {},
		"version 2":                 {before: explicit(0, []byte{2, 1, 1}), list: fine},
		"negative serial":           {list: one([]byte{2, 1, 0x80})},
		"serial of 21 octets":       {list: one(der(cbasn1.INTEGER, bytes.Repeat([]byte{1}, 21)))},
		"serial not the shortest":   {list: one([]byte{2, 2, 0, 5})},
		"a digest too short":        {list: shortHash},
		"too many":                  {list: bytes.Repeat(fine, ocsp.MaxCertIDs+1)},
		"nonce of no octets":        {list: fine, extensions: extensions(nonce(0))},
		"nonce of 129 octets":       {list: fine, extensions: extensions(nonce(129))},
		"nonce not wrapped":         {list: fine, extensions: extensions(extension(nonceOID, nil, []byte{1, 2, 3}))},
		"two nonces":                {list: fine, extensions: extensions(nonce(16), nonce(16))},
		"no extension in the list":  {list: fine, extensions: extensions()},
		"something after":           {list: fine, after: []byte{5, 0}},
		"something after one":       {list: one([]byte{2, 1, 5}, []byte{5, 0})},
		"a broken single extension": {list: one([]byte{2, 1, 5}, explicit(0, []byte{5, 0}))},
	}
	for name, s := range refused {
		if _, err := ocsp.ParseRequest(s.der()); !errors.Is(err, problem("status-request-malformed")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ocsp.ParseRequest(make([]byte, ocsp.MaxRequest+1)); !errors.Is(err, problem("status-request-too-large")) {
		t.Error(err)
	}
}

func TestRequestsInsideTheRulesAreRead(t *testing.T) {
	fine := one([]byte{2, 1, 5})
	unknown := der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, oid(2, 16, 840, 1, 101, 3, 4, 2, 3)), der(cbasn1.OCTET_STRING, make([]byte, 64)), der(cbasn1.OCTET_STRING, make([]byte, 64)), []byte{2, 1, 5}))
	cases := map[string]struct {
		shape
		critical bool
	}{
		"version 1 written out":         {shape{before: explicit(0, []byte{2, 1, 0}), list: fine}, false},
		"a requestor's name":            {shape{before: explicit(1, explicit(4, der(cbasn1.SEQUENCE))), list: fine}, false},
		"an unknown extension":          {shape{list: fine, extensions: extensions(extension(otherOID, nil, emptyNull))}, false},
		"an unknown critical one":       {shape{list: fine, extensions: extensions(extension(otherOID, critical, emptyNull))}, true},
		"an unknown critical, single":   {shape{list: one([]byte{2, 1, 5}, explicit(0, der(cbasn1.SEQUENCE, extension(otherOID, critical, emptyNull))))}, true},
		"a signature":                   {shape{list: fine, after: explicit(0, der(cbasn1.SEQUENCE))}, false},
		"a digest nobody here computes": {shape{list: unknown}, false},
		"sixty-four":                    {shape{list: bytes.Repeat(fine, ocsp.MaxCertIDs)}, false},
	}
	for name, c := range cases {
		r, err := ocsp.ParseRequest(c.der())
		if err != nil || r.CriticalUnknown != c.critical {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := ocsp.ParseRequest(shape{list: unknown}.der())
	if err != nil || r.CertIDs[0].Hash != 0 || r.CertIDs[0].IssuedBy(world().authority.certificate) {
		t.Errorf("%+v %v", r, err)
	}
}

func TestACertIDIsRepeatedOctetForOctet(t *testing.T) {
	w := world()
	a := ocsp.NewCertID(crypto.SHA1, w.authority.certificate, serial)
	bare := der(cbasn1.SEQUENCE, der(cbasn1.SEQUENCE, // without the NULL parameters
		der(cbasn1.SEQUENCE, oid(1, 3, 14, 3, 2, 26)), der(cbasn1.OCTET_STRING, a.IssuerNameHash), der(cbasn1.OCTET_STRING, a.IssuerKeyHash),
		der(cbasn1.INTEGER, append([]byte{0}, serial.Bytes()...))))
	r, err := ocsp.ParseRequest(shape{list: bare}.der())
	if err != nil {
		t.Fatal(err)
	}
	s := ocsp.Single{CertID: r.CertIDs[0], Status: good, ThisUpdate: now}
	if out := answer(t, w.responder, nil, s); !bytes.Contains(out, bare[2:]) {
		t.Error("written another way")
	}
}

func FuzzParseRequest(f *testing.F) {
	a := world().authority.certificate
	seed, _ := ocsp.Request{Nonce: []byte{1}, CertIDs: []ocsp.CertID{ocsp.NewCertID(crypto.SHA1, a, serial), ocsp.NewCertID(crypto.SHA256, a, serial)}}.Marshal()
	f.Add(seed)
	f.Add(shape{list: one([]byte{2, 1, 5}), extensions: extensions(extension(otherOID, critical, emptyNull))}.der())
	f.Add(shape{before: explicit(1, explicit(4, sequence())), list: one([]byte{2, 1, 5}, explicit(0, sequence(extension(locatorOID, critical, sequence(sequence(), sequence()))))), after: explicit(0, sequence())}.der())
	f.Add(shape{list: one([]byte{2, 1, 5}), extensions: extensions(extension(acceptableOID, nil, sequence(basicOID)), extension(preferredOID, critical, sequence(sequence(sequence(oid(1, 2, 840, 10045, 4, 3, 2))))))}.der())
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := ocsp.ParseRequest(in)
		if err != nil {
			return
		}
		out, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ocsp.ParseRequest(out)
		if err != nil || len(again.CertIDs) != len(r.CertIDs) || !bytes.Equal(again.Nonce, r.Nonce) {
			t.Fatalf("%v: %x", err, out)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add(answer(f, world().responder, []byte("nonce"), single(crypto.SHA1, held), single(crypto.SHA256, good)))
	f.Add(answer(f, world().authority, nil, single(crypto.SHA256, warifu.Status{})))
	f.Add(ocsp.ErrorResponse(ocsp.TryLater))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := ocsp.ParseResponse(in)
		if err != nil {
			return
		}
		_ = r.Verify(world().authority.certificate, now)
		_, _ = r.Find(world().authority.certificate, serial)
	})
}

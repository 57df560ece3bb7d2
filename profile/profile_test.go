package profile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
)

var (
	begin = time.Date(2026, 4, 1, 0, 0, 0, 0, profile.Japan)
	end   = time.Date(2031, 2, 17, 23, 59, 59, 0, profile.Japan)

	rsaKey = sync.OnceValue(func() crypto.Signer {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
	ecKey = sync.OnceValue(func() crypto.Signer {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

var endpoints = profile.Endpoints{
	OCSP: "http://127.0.0.1:8400/ocsp/signature", CRL: "http://127.0.0.1:8400/crl/signature.crl",
	Issuer: "http://127.0.0.1:8400/ca/signature.cer", CPS: "http://127.0.0.1:8400/docs/profile",
}

var yamada = profile.Attributes{
	Name: "山田　太郎", NameSubstitution: "00000", Gender: "1", BirthDate: "319800217",
	Address: "東京都清瀬市中里五丁目８４２番地", AddressSubstitution: "0000000000000000",
}

func spki(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t testing.TB, der []byte, err error) *x509.Certificate {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func authority(t testing.TB, a profile.Authority, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := a.SelfSign(key, []byte{1}, begin, begin.AddDate(10, 0, 0))
	return parse(t, der, err)
}

func entity(t testing.TB, p *profile.Profile, key crypto.Signer) profile.EndEntity {
	t.Helper()
	in := profile.EndEntity{
		Serial: []byte{0x07, 0x05, 0xD9, 0x90}, PublicKey: spki(t, key), CommonName: "997794E9AGCIEG13221003A",
		NotBefore: begin, NotAfter: end,
	}
	if p.Class == profile.ClassCard {
		in.Prefecture, in.Municipality = "Tokyo-to", "Kiyose-shi"
	}
	if p.Kind == warifu.Signature {
		in.Attributes = yamada
	}
	return in
}

// all makes one certificate of each end-entity profile, the phone's in both algorithms.
func all(t testing.TB) map[string]struct {
	Profile     *profile.Profile
	Certificate *x509.Certificate
	Issuer      *x509.Certificate
	Key         crypto.Signer
} {
	t.Helper()
	out := map[string]struct {
		Profile     *profile.Profile
		Certificate *x509.Certificate
		Issuer      *x509.Certificate
		Key         crypto.Signer
	}{}
	add := func(name string, p *profile.Profile, a profile.Authority, key crypto.Signer) {
		issuer := authority(t, a, key)
		tbs, err := p.TBS(entity(t, p, key), issuer)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		der, err := profile.Sign(tbs, key)
		e := out[name]
		e.Profile, e.Certificate, e.Issuer, e.Key = p, parse(t, der, err), issuer, key
		out[name] = e
	}
	for _, kind := range warifu.Kinds {
		add("card-"+kind.String(), profile.Card(kind, endpoints), profile.CardAuthority(kind), rsaKey())
		add("phone-"+kind.String(), profile.Phone(kind, profile.RSA2048, endpoints), profile.PhoneAuthority(kind, ""), rsaKey())
		add("badge-"+kind.String(), profile.Phone(kind, profile.P256, endpoints), profile.PhoneAuthority(kind, "Shirakaba"), ecKey())
	}
	return out
}

func TestEveryProfileBuildsWhatItChecks(t *testing.T) {
	for name, e := range all(t) {
		if err := e.Profile.Check(e.Certificate); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		class, kind, ok := profile.ClassOf(e.Certificate)
		if !ok || class != e.Profile.Class || kind != e.Profile.Kind {
			t.Errorf("%s: ClassOf = %v %v %v", name, class, kind, ok)
		}
		if err := profile.Of(class, kind).Check(e.Certificate); err != nil {
			t.Errorf("%s without endpoints: %v", name, err)
		}
		if err := e.Certificate.CheckSignatureFrom(e.Issuer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := profile.CheckAuthority(e.Issuer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(e.Certificate.UnhandledCriticalExtensions) != 0 {
			t.Errorf("%s: unhandled critical %v", name, e.Certificate.UnhandledCriticalExtensions)
		}
	}
}

func TestNoProfileAcceptsAnothersCertificate(t *testing.T) {
	certificates := all(t)
	for name, e := range certificates {
		for other, f := range certificates {
			if name == other || strings.TrimPrefix(strings.TrimPrefix(name, "badge"), "phone") == strings.TrimPrefix(strings.TrimPrefix(other, "badge"), "phone") {
				continue
			}
			if f.Profile.Check(e.Certificate) == nil {
				t.Errorf("%s passes as %s", name, other)
			}
		}
	}
	if certificates["badge-signature"].Profile.Check(certificates["phone-signature"].Certificate) == nil {
		t.Error("an RSA key passes where the scheme says P-256")
	}
}

func TestAttributesComeBackAsTheyWent(t *testing.T) {
	long := yamada
	long.Address, long.AddressSubstitution = strings.Repeat("丁", profile.MaxAddress), ""
	for _, a := range []profile.Attributes{yamada, long.Complete()} {
		key := ecKey()
		p := profile.Phone(warifu.Signature, profile.P256, endpoints)
		issuer := authority(t, profile.PhoneAuthority(warifu.Signature, ""), key)
		in := entity(t, p, key)
		in.Attributes = a
		tbs, err := p.TBS(in, issuer)
		if err != nil {
			t.Fatal(err)
		}
		der, err := profile.Sign(tbs, key)
		got, present, err := profile.ParseAttributes(parse(t, der, err))
		if err != nil || !present || got != a {
			t.Errorf("got %v %v %v", got == a, present, err)
		}
	}
}

func TestAttributesOutOfBoundsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*profile.Attributes){
		"no name":                   func(a *profile.Attributes) { a.Name = "" },
		"long name":                 func(a *profile.Attributes) { a.Name = strings.Repeat("山", profile.MaxName+1) },
		"long address":              func(a *profile.Attributes) { a.Address = strings.Repeat("丁", profile.MaxAddress+1) },
		"control in address":        func(a *profile.Attributes) { a.Address = "東京\n都" },
		"not UTF-8":                 func(a *profile.Attributes) { a.Address = "\xff\xfe" },
		"gender 9":                  func(a *profile.Attributes) { a.Gender = "9" },
		"30 February":               func(a *profile.Attributes) { a.BirthDate = "319800230" },
		"era 6":                     func(a *profile.Attributes) { a.BirthDate = "619800217" },
		"short date":                func(a *profile.Attributes) { a.BirthDate = "19800217" },
		"no year":                   func(a *profile.Attributes) { a.BirthDate = "000000000" },
		"short substitution":        func(a *profile.Attributes) { a.NameSubstitution = "00" },
		"letters in a substitution": func(a *profile.Attributes) { a.NameSubstitution = "00a00" },
	} {
		a := yamada
		change(&a)
		if a.Complete().Check() == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestNobodyIsTakenForOlderThanTheyMayBe(t *testing.T) {
	for _, c := range []struct {
		birth string
		at    time.Time
		age   int
	}{
		{"420110401", time.Date(2026, 4, 1, 0, 0, 0, 0, profile.Japan), 15},
		{"420110402", time.Date(2026, 4, 1, 23, 59, 59, 0, profile.Japan), 14},
		{"420110401", time.Date(2026, 3, 31, 14, 59, 59, 0, time.UTC), 14},
		{"420110401", time.Date(2026, 3, 31, 15, 0, 0, 0, time.UTC), 15},
		{"420080229", time.Date(2023, 2, 28, 12, 0, 0, 0, profile.Japan), 14},
		{"420080229", time.Date(2023, 3, 1, 0, 0, 0, 0, profile.Japan), 15},
		{"020110000", time.Date(2026, 6, 1, 0, 0, 0, 0, profile.Japan), 14},
		{"020110200", time.Date(2026, 2, 27, 0, 0, 0, 0, profile.Japan), 14},
		{"020110200", time.Date(2026, 2, 28, 0, 0, 0, 0, profile.Japan), 15},
	} {
		a := yamada
		a.BirthDate = c.birth
		if got, err := a.Age(c.at); err != nil || got != c.age {
			t.Errorf("born %s at %v: %d %v, want %d", c.birth, c.at, got, err, c.age)
		}
	}
}

func TestAttributesAreNotPrinted(t *testing.T) {
	if s := yamada.String() + yamada.GoString(); strings.Contains(s, "山田") {
		t.Error(s)
	}
}

func TestDraftsThatNoCertificateMayComeFromAreRefused(t *testing.T) {
	p := profile.Phone(warifu.Signature, profile.P256, endpoints)
	issuer := authority(t, profile.PhoneAuthority(warifu.Signature, ""), ecKey())
	for name, change := range map[string]func(*profile.EndEntity){
		"21-octet serial": func(e *profile.EndEntity) { e.Serial = append([]byte{0x80}, make([]byte, 19)...) },
		"zero serial":     func(e *profile.EndEntity) { e.Serial = []byte{0} },
		"other algorithm": func(e *profile.EndEntity) { e.PublicKey = spki(t, rsaKey()) },
		"no key":          func(e *profile.EndEntity) { e.PublicKey = nil },
		"trailing octet":  func(e *profile.EndEntity) { e.PublicKey = append(e.PublicKey, 0) },
		"ends first":      func(e *profile.EndEntity) { e.NotAfter = e.NotBefore },
		"no common name":  func(e *profile.EndEntity) { e.CommonName = "" },
		"name in CN":      func(e *profile.EndEntity) { e.CommonName = "山田" },
		"a locality":      func(e *profile.EndEntity) { e.Prefecture = "Tokyo-to" },
		"no attributes":   func(e *profile.EndEntity) { e.Attributes = profile.Attributes{} },
	} {
		in := entity(t, p, ecKey())
		change(&in)
		if _, err := p.TBS(in, issuer); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

func TestResponderAndMakerCertificates(t *testing.T) {
	issuer := authority(t, profile.PhoneAuthority(warifu.Signature, ""), rsaKey())
	tbs, err := profile.Responder{Serial: []byte{9}, PublicKey: spki(t, ecKey()), CommonName: "OCSP 1", NotBefore: begin, NotAfter: begin.AddDate(0, 1, 0)}.TBS(issuer)
	if err != nil {
		t.Fatal(err)
	}
	der, err := profile.Sign(tbs, rsaKey())
	responder := parse(t, der, err)
	if err := profile.CheckResponder(responder); err != nil {
		t.Error(err)
	}
	if profile.CheckResponder(issuer) == nil {
		t.Error("the authority passes as its own responder")
	}
	if profile.CheckAuthority(responder) == nil {
		t.Error("a responder passes as an authority")
	}
	rootDER, err := profile.MakerRoot("Yakumo Semiconductor", ecKey(), []byte{1}, begin, begin.AddDate(30, 0, 0))
	root := parse(t, rootDER, err)
	id := warifu.ElementID{1, 2, 3}
	tbs, err = profile.ElementLeaf(id, spki(t, ecKey()), []byte{2}, begin, begin.AddDate(30, 0, 0), root)
	if err != nil {
		t.Fatal(err)
	}
	der, err = profile.Sign(tbs, ecKey())
	leaf := parse(t, der, err)
	if leaf.Subject.SerialNumber != id.String() || leaf.CheckSignatureFrom(root) != nil {
		t.Errorf("leaf %v", leaf.Subject)
	}
}

func TestABenchOfTBS(t *testing.T) {
	p := profile.Phone(warifu.Authentication, profile.P256, endpoints)
	issuer := authority(t, profile.PhoneAuthority(warifu.Authentication, ""), ecKey())
	in := entity(t, p, ecKey())
	if n := testing.AllocsPerRun(10, func() { _, _ = p.TBS(in, issuer) }); n > 400 {
		t.Errorf("%v allocations to build one tbsCertificate", n)
	}
}

package ca_test

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/profile"
)

// TestTheLintsAreThoseRead: the argument of shape.go is about these lints of this
// zlint. Whoever changes either reads what the new ones look at, and then the digest here.
func TestTheLintsAreThoseRead(t *testing.T) {
	names := ca.ZlintNames(newWorld("badge").issuers[sig])
	slices.Sort(names)
	if digest := sha256.Sum256([]byte(strings.Join(names, "\n"))); hex.EncodeToString(digest[:8]) != "95905ceb35100102" {
		t.Errorf("%d lints are asked, not those read: %x", len(names), digest[:8])
	}
	if !strings.Contains(string(must(os.ReadFile("../go.mod"))), "github.com/zmap/zlint/v3 v3.7.3\n") {
		t.Error("zlint is another version than the one read")
	}
}

// anybody is a certificate that the authority could be asked for, of the shape that
// its kind and the form of its notAfter have.
func anybody(r *rand.Rand, kind warifu.Kind, notBefore time.Time, long bool) profile.EndEntity {
	letters := make([]byte, 15)
	for i := range letters {
		letters[i] = byte(r.Uint32())
	}
	in := profile.EndEntity{
		Serial: serials(kind).Serial(r.Uint64()), PublicKey: spki(newKey()), CommonName: base32.StdEncoding.EncodeToString(letters),
		NotBefore: notBefore, NotAfter: notBefore.Add(time.Duration(2+r.IntN(150_000_000)) * time.Second),
	}
	if long {
		in.NotAfter = time.Date(2050+r.IntN(100), 1, 1+r.IntN(365), r.IntN(24), 0, r.IntN(60), 0, time.UTC)
	}
	if kind == warifu.Signature {
		runes := []rune("山田太郎髙﨑𠮷A&;. '<>日")
		some := func(most int) string {
			var b strings.Builder
			for range 1 + r.IntN(most) {
				b.WriteRune(runes[r.IntN(len(runes))])
			}
			return b.String()
		}
		in.Attributes = profile.Attributes{Name: some(profile.MaxName), Address: some(profile.MaxAddress), Gender: string(rune('1' + r.IntN(3))), BirthDate: "319900101"}.Complete()
	}
	return in
}

// TestZlintFindsTheSameOfEveryCertificateOfAShape draws certificates that have nothing in
// common but the shape, and asks all lints about each.
func TestZlintFindsTheSameOfEveryCertificateOfAShape(t *testing.T) {
	w := newWorld("badge")
	r := rand.New(rand.NewPCG(7, 7))
	shapes := map[[32]byte]bool{}
	for _, kind := range []warifu.Kind{sig, auth} {
		for _, long := range []bool{false, true} {
			p := profile.Phone(kind, profile.P256, phoneEndpoints)
			var first [32]byte
			for n := range 60 {
				in := anybody(r, kind, time.Date(2026, 6, 10, 0, 0, 0, 0, profile.Japan), long)
				der := must(profile.Sign(must(p.TBS(in, w.authority[kind].certificate)), w.keys[kind]))
				shape, ok := ca.ShapeOf(parse(der))
				if !ok {
					t.Fatalf("%s: no shape", kind)
				}
				if n == 0 {
					first = shape
				}
				if shape != first {
					t.Fatalf("%s: another shape", kind)
				}
				if err := ca.Zlint(w.issuers[kind], der); err != nil {
					t.Fatal(err)
				}
			}
			shapes[first] = true
		}
	}
	if len(shapes) != 4 {
		t.Errorf("%d shapes of four", len(shapes))
	}
}

// TestWhateverIsNotArguedAwayIsInTheShape changes one thing at a time: what zlint could
// have an opinion of makes another shape, or none.
func TestWhateverIsNotArguedAwayIsInTheShape(t *testing.T) {
	w := newWorld("badge")
	r := rand.New(rand.NewPCG(8, 8))
	day := time.Date(2026, 6, 10, 0, 0, 0, 0, profile.Japan)
	make := func(change func(p *profile.Profile, in *profile.EndEntity)) ([32]byte, bool) {
		p, in := profile.Phone(sig, profile.P256, phoneEndpoints), anybody(r, sig, day, false)
		change(p, &in)
		return ca.ShapeOf(parse(must(profile.Sign(must(p.TBS(in, w.authority[sig].certificate)), w.keys[sig]))))
	}
	good, ok := make(func(*profile.Profile, *profile.EndEntity) {})
	if !ok {
		t.Fatal("no shape")
	}
	for name, change := range map[string]func(p *profile.Profile, in *profile.EndEntity){
		"serial number of 16 octets": func(_ *profile.Profile, in *profile.EndEntity) { in.Serial = in.Serial[1:] },
		"another first day":          func(_ *profile.Profile, in *profile.EndEntity) { in.NotBefore = in.NotBefore.AddDate(0, 0, 1) },
		"a year after 2049":          func(_ *profile.Profile, in *profile.EndEntity) { in.NotAfter = in.NotAfter.AddDate(40, 0, 0) },
		"ends before it begins":      func(_ *profile.Profile, in *profile.EndEntity) { in.NotAfter = in.NotBefore.Add(-time.Hour) },
		"a name with a space":        func(_ *profile.Profile, in *profile.EndEntity) { in.CommonName = " " + in.CommonName[1:] },
		"a longer name":              func(_ *profile.Profile, in *profile.EndEntity) { in.CommonName += "A" },
		"an RSA key": func(p *profile.Profile, in *profile.EndEntity) {
			p.Algorithm, in.PublicKey = profile.RSA2048, spki(rsaKey())
		},
		"another policy":          func(p *profile.Profile, _ *profile.EndEntity) { p.Policy = profile.PolicyPhoneAuthentication },
		"another list's address":  func(p *profile.Profile, _ *profile.EndEntity) { p.Endpoints.CRL = "crl/signature.crl" },
		"another OCSP address":    func(p *profile.Profile, _ *profile.EndEntity) { p.Endpoints.OCSP += "x" },
		"another issuer address":  func(p *profile.Profile, _ *profile.EndEntity) { p.Endpoints.Issuer += "x" },
		"a practice statement":    func(p *profile.Profile, _ *profile.EndEntity) { p.Endpoints.CPS = "http://127.0.0.1/cps" },
		"authentication's extras": func(p *profile.Profile, _ *profile.EndEntity) { p.Kind = auth },
	} {
		func() {
			defer func() {
				if v := recover(); v != nil { // what TBS refuses to build is nobody's shape
					t.Logf("%s: not built: %v", name, v)
				}
			}()
			if shape, ok := make(change); ok && shape == good {
				t.Errorf("%s: the same shape", name)
			}
		}()
	}
}

// TestShapesOfMalformedOctetsAreNone flips every octet of the to-be-signed part outside
// what is argued away: parsed at all, it has another shape or none.
func TestShapesOfMalformedOctetsAreNone(t *testing.T) {
	w := newWorld("badge")
	p, in := profile.Phone(auth, profile.P256, phoneEndpoints), anybody(rand.New(rand.NewPCG(9, 9)), auth, now, false)
	c := parse(must(profile.Sign(must(p.TBS(in, w.authority[auth].certificate)), w.keys[auth])))
	good, ok := ca.ShapeOf(c)
	if !ok {
		t.Fatal("no shape")
	}
	same := 0
	for i := range c.RawTBSCertificate {
		d := *c
		d.RawTBSCertificate = slices.Clone(c.RawTBSCertificate)
		d.RawTBSCertificate[i] ^= 0x80
		if shape, ok := ca.ShapeOf(&d); ok && shape == good {
			same++
		}
	}
	// Octets 1 to 16 of the serial number and the point's coordinates (which the parsed
	// fields, here left as they were, hold against the identifier).
	if most := profile.SerialLength - 1 + 64; same > most {
		t.Errorf("%d flipped octets change nothing, over %d", same, most)
	}
}

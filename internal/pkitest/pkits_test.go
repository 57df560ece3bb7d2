package pkitest_test

import (
	//lint:ignore SA1019 PKITS has keys of it, which are to be refused
	"crypto/dsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/pkitest"
	"warifu/profile"
	"warifu/signed"
	"warifu/verify"
)

// What of NIST's PKITS applies to us, whose hierarchies have two levels and a strict profile:
//
//   - 4.1 signatures, 4.2 validity, 4.3 names, 4.6 basic constraints, 4.7 key usage: with its own
//     certificates, below. Ours are stricter than it: names are compared octet by octet, so
//     that its 4.3.3 to 4.3.6 and 4.3.9 to 4.3.11 (case, white space, other string types), which a
//     path builder must take, could not become ours; DSA (4.1.4, 4.1.5) is no algorithm here.
//   - 4.4 revocation, 4.14 distribution points, 4.15 deltas: the Go distribution has the certificates
//     and not the lists, so the lists are made here, one for each condition that PKITS describes,
//     under our own authority and for our own certificate.
//   - 4.5 (self-issued authorities, keys rolled over), 4.4.19 to 4.4.21 (a separate key for lists), 4.14.22
//     to 4.14.35 (indirect lists): there are none here, and whoever brings one is refused.
//   - 4.8 to 4.12 (policy trees) and 4.13 (name constraints): no policy is mapped and no name
//     constrained; exactly one policy is demanded octet by octet. 4.16 (private extensions):
//     profile.Rules refuses every extension that it does not know.

var (
	oidDelta      = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidIssuer     = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidUnknown    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 2, 1, 12, 2} // as PKITS's
	pointRelative = []byte{0x30, 0x11, 0xA0, 0x0F, 0xA1, 0x0D, 0x30, 0x0B, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0C, 0x04, 'C', 'R', 'L', '1'}
)

// point is an issuingDistributionPoint of an address, and of what stands behind it.
func point(address string, more ...byte) pkix.Extension {
	var full []byte
	if address != "" {
		full = wrap(0xA0, wrap(0xA0, wrap(0x86, []byte(address))))
	}
	return pkix.Extension{Id: oidPoint, Critical: true, Value: wrap(0x30, append(full, more...))}
}

func wrap(tag byte, content []byte) []byte {
	return append([]byte{tag, byte(len(content))}, content...)
}

func base(n byte) pkix.Extension {
	return pkix.Extension{Id: oidDelta, Critical: true, Value: []byte{2, 1, n}}
}

// listing is one list to be made with the standard library, as another authority would.
type listing struct {
	number    int64
	serials   []*big.Int
	reason    int // of each; 0: none said
	next      time.Time
	list      []pkix.Extension
	entry     []pkix.Extension
	other     bool // of another authority of the same name
	name      bool // of another name
	falsified bool
}

func (w *pkits) make(l *listing) []byte {
	w.t.Helper()
	if l == nil {
		return nil
	}
	issuer, key := *w.ca.certificate, w.ca.key
	if l.other {
		issuer, key = *w.stranger.certificate, w.stranger.key
	}
	if l.name {
		issuer.RawSubject, issuer.Subject = nil, pkix.Name{CommonName: "Wrong"}
	}
	template := &x509.RevocationList{Number: big.NewInt(l.number), ThisUpdate: now.Add(-time.Hour), NextUpdate: l.next, ExtraExtensions: l.list}
	if l.next.IsZero() {
		template.NextUpdate = now.Add(time.Hour)
	}
	if template.NextUpdate.Before(template.ThisUpdate) {
		template.ThisUpdate = template.NextUpdate.Add(-time.Hour)
	}
	for _, serial := range l.serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: now.Add(-2 * time.Hour), ReasonCode: l.reason, ExtraExtensions: l.entry})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, &issuer, key)
	w.must(err)
	if l.falsified {
		der[len(der)-3] ^= 1
	}
	return der
}

type pkits struct {
	*house
	stranger party
}

// TestPKITSRevocation is sections 4.4, 4.14 and 4.15: what package verify says of one certificate,
// given a list, and a delta where there is one. "unknown" is PKITS's "cannot be determined".
func TestPKITSRevocation(t *testing.T) {
	w := &pkits{house: newHouse(t, profile.P256)}
	w.stranger = party{newP256(t), nil}
	w.stranger.certificate = w.parse(profile.PhoneAuthority(warifu.Signature, "").SelfSign(w.stranger.key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0)))
	c := w.issue(7, false)
	own, address := c.SerialNumber, c.CRLDistributionPoints[0]
	other := new(big.Int).Xor(own, big.NewInt(1)) // of the same length: differs in the last bit
	unknownExtension := pkix.Extension{Id: oidUnknown, Critical: true, Value: []byte{5, 0}}
	some := []byte{0x83, 2, 5, 0x60} // onlySomeReasons: keyCompromise, cACompromise
	for _, x := range []struct {
		name        string
		full, delta *listing
		want        string
	}{
		{"4.4.1 missing CRL", nil, nil, unknown},
		{"4.4.3 revoked", &listing{serials: []*big.Int{own}, reason: 1}, nil, revoked},
		{"4.4.4 bad CRL signature", &listing{falsified: true}, nil, unknown},
		{"4.4.4 signed by another key", &listing{other: true}, nil, unknown},
		{"4.4.5 bad CRL issuer name", &listing{name: true}, nil, unknown},
		{"4.4.8 unknown critical entry extension", &listing{serials: []*big.Int{other}, entry: []pkix.Extension{unknownExtension}}, nil, unknown},
		{"4.4.9 unknown critical CRL extension", &listing{list: []pkix.Extension{unknownExtension}}, nil, unknown},
		{"4.4.10 the same, and the certificate on it", &listing{serials: []*big.Int{own}, list: []pkix.Extension{unknownExtension}}, nil, unknown},
		{"4.4.11 old nextUpdate", &listing{next: now.Add(-time.Minute)}, nil, unknown},
		{"4.4.12 nextUpdate before 2000", &listing{next: time.Date(1999, 1, 1, 12, 1, 0, 0, time.UTC)}, nil, unknown},
		{"4.4.13 GeneralizedTime nextUpdate", &listing{next: time.Date(2050, 1, 1, 12, 1, 0, 0, time.UTC)}, nil, good},
		{"4.4.15 a negative number on the list", &listing{serials: []*big.Int{big.NewInt(-1)}}, nil, unknown},
		{"4.4.16 a long number, another's", &listing{serials: []*big.Int{other}, reason: 1}, nil, good},
		{"4.4.18 a long number, its own", &listing{serials: []*big.Int{other, own}, reason: 1}, nil, revoked},
		{"duplicate entries", &listing{serials: []*big.Int{own, own}, reason: 1}, nil, unknown},

		{"4.14.1 its own point", &listing{list: []pkix.Extension{point(address)}}, nil, good},
		{"4.14.2 its own point, revoked", &listing{serials: []*big.Int{own}, reason: 1, list: []pkix.Extension{point(address)}}, nil, revoked},
		{"4.14.3 another point", &listing{list: []pkix.Extension{point(w.base + "/crl/signature/99.crl")}}, nil, unknown},
		{"4.14.4 a point relative to the issuer", &listing{list: []pkix.Extension{{Id: oidPoint, Critical: true, Value: pointRelative}}}, nil, unknown},
		{"4.14.10 no point", &listing{}, nil, good},
		{"4.14.11 onlyContainsUserCerts", &listing{list: []pkix.Extension{point(address, 0x81, 1, 0xFF)}}, nil, good},
		{"4.14.12 onlyContainsCACerts", &listing{list: []pkix.Extension{point(address, 0x82, 1, 0xFF)}}, nil, unknown},
		{"4.14.14 onlyContainsAttributeCerts", &listing{list: []pkix.Extension{point(address, 0x85, 1, 0xFF)}}, nil, unknown},
		{"4.14.15 onlySomeReasons", &listing{serials: []*big.Int{own}, list: []pkix.Extension{point(address, some...)}}, nil, unknown},
		{"4.14.18 onlySomeReasons, and not revoked", &listing{list: []pkix.Extension{point(address, some...)}}, nil, unknown},
		{"4.14.22 indirectCRL", &listing{list: []pkix.Extension{point(address, 0x84, 1, 0xFF)}}, nil, unknown},
		{"4.14.27 an entry of another issuer", &listing{serials: []*big.Int{other}, entry: []pkix.Extension{{Id: oidIssuer, Critical: true, Value: []byte{0x30, 0}}}}, nil, unknown},

		{"4.15.1 a delta without its base", &listing{number: 5, list: []pkix.Extension{base(4)}}, nil, unknown},
		{"4.15.2 not revoked on either", &listing{number: 1}, &listing{number: 2, list: []pkix.Extension{base(1)}}, good},
		{"4.15.3 revoked on the base", &listing{number: 1, serials: []*big.Int{own}, reason: 1}, &listing{number: 2, list: []pkix.Extension{base(1)}}, revoked},
		{"4.15.4 revoked on the delta", &listing{number: 1}, &listing{number: 2, serials: []*big.Int{own}, reason: 1, list: []pkix.Extension{base(1)}}, revoked},
		{"4.15.5 held, and removed by the delta", &listing{number: 1, serials: []*big.Int{own}, reason: 6}, &listing{number: 2, serials: []*big.Int{own}, reason: 8, list: []pkix.Extension{base(1)}}, good},
		{"4.15.6 held, and revoked by the delta", &listing{number: 1, serials: []*big.Int{own}, reason: 6}, &listing{number: 2, serials: []*big.Int{own}, reason: 1, list: []pkix.Extension{base(1)}}, revoked},
		{"4.15.7 removed, though not on this full list", &listing{number: 1}, &listing{number: 2, serials: []*big.Int{own}, reason: 8, list: []pkix.Extension{base(1)}}, good},
		{"4.15.8 a full list newer than the base", &listing{number: 3}, &listing{number: 5, list: []pkix.Extension{base(1)}}, good},
		{"4.15.9 the same, revoked on the delta", &listing{number: 3}, &listing{number: 5, serials: []*big.Int{own}, reason: 1, list: []pkix.Extension{base(1)}}, revoked},
		{"4.15.10 a full list older than the base", &listing{number: 3}, &listing{number: 5, list: []pkix.Extension{base(4)}}, unknown},
		{"a full list in the delta's place", &listing{number: 1}, &listing{number: 2}, unknown},
		{"a stale delta", &listing{number: 1}, &listing{number: 2, next: now.Add(-time.Minute), list: []pkix.Extension{base(1)}}, unknown},
		{"a delta of another key", &listing{number: 1}, &listing{number: 2, other: true, list: []pkix.Extension{base(1)}}, unknown},
		{"a delta of another point", &listing{number: 1}, &listing{number: 2, list: []pkix.Extension{base(1), point(address)}}, unknown},
	} {
		w.t = t
		said := w.judge(t, c, verify.RawDelta{Full: w.make(x.full), Delta: w.make(x.delta)})
		if said != x.want {
			t.Errorf("%s: %s, want %s", x.name, said, x.want)
		}
	}
}

func (w *pkits) judge(t *testing.T, c *x509.Certificate, checker verify.StatusChecker) string {
	t.Helper()
	one := &town{house: w.house, certificates: map[string]*x509.Certificate{"it": c}}
	return one.ask(t, checker)["it"]
}

// TestPKITSChains goes through every path of PKITS, link by link. The signature check takes what the
// standard library takes, but for DSA; and nothing of PKITS is an authority or a
// certificate of ours.
func TestPKITSChains(t *testing.T) {
	dir := pkitest.PKITS(t)
	var paths []struct {
		Name     string
		CertPath []string
	}
	b, err := os.ReadFile(filepath.Join(dir, "vectors.json"))
	if err == nil {
		err = json.Unmarshal(b, &paths)
	}
	if err != nil {
		t.Fatal(err)
	}
	links, refused := 0, map[string]bool{}
	for _, path := range paths {
		var issuer *x509.Certificate
		for _, file := range path.CertPath {
			c, err := readPKITS(filepath.Join(dir, "certs", file))
			if err != nil {
				refused[path.Name] = true
				break
			}
			checkStranger(t, file, c)
			if issuer != nil {
				links++
				if !checkLink(t, path.Name, c, issuer) {
					refused[path.Name] = true
				}
			}
			issuer = c
		}
	}
	if links < 400 {
		t.Errorf("only %d links", links)
	}
	for _, name := range []string{"4.1.2 Invalid CA Signature Test2", "4.1.3 Invalid EE Signature Test3", "4.1.4 Valid DSA Signatures Test4", "4.1.6 Invalid DSA Signature Test6"} {
		if !refused[name] {
			t.Errorf("%s passes", name)
		}
	}
}

func readPKITS(file string) (*x509.Certificate, error) {
	der, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// checkStranger holds that neither trust nor profile take a certificate for ours.
func checkStranger(t *testing.T, file string, c *x509.Certificate) {
	t.Helper()
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		for _, class := range []profile.Class{profile.ClassCard, profile.ClassPhone} {
			if trust.Add(class, kind, c) == nil || profile.Of(class, kind).Check(c) == nil {
				t.Errorf("%s is taken for %s %s", file, class, kind)
			}
		}
	}
	if _, present, err := profile.ParseAttributes(c); present && err == nil {
		t.Errorf("%s: attributes of ours", file)
	}
}

func checkLink(t *testing.T, name string, c, issuer *x509.Certificate) bool {
	t.Helper()
	ours := signed.Certificate(c, issuer.PublicKey) == nil
	sha256 := c.SignatureAlgorithm == x509.SHA256WithRSA || c.SignatureAlgorithm == x509.ECDSAWithSHA256 // the standard library also takes SHA-1
	theirs := sha256 && issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
	if _, old := issuer.PublicKey.(*dsa.PublicKey); old && ours {
		t.Errorf("%s: a signature of DSA was taken", name)
	}
	if ours != theirs {
		t.Errorf("%s: %s under %s: we say %v", name, c.Subject, strings.TrimSpace(issuer.Subject.String()), ours)
	}
	return ours
}

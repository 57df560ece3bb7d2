package ca_test

import (
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/profile"
)

// specimen is a certificate in the making that keeps every lint until changed.
type specimen struct {
	profile *profile.Profile
	entity  profile.EndEntity
	issuer  x509.Certificate
}

// TestEachLintHasACertificateThatFailsItAlone also keeps the lints apart: none may look
// at what belongs to another.
func TestEachLintHasACertificateThatFailsItAlone(t *testing.T) {
	w := newWorld("badge")
	key, stranger := newKey(), newKey()
	limits := ca.Limits{
		Issuer: w.authority[sig].certificate, Serials: serials(sig), PublicKey: spki(key), Attributes: yamada,
		NotAfter: time.Date(2030, 2, 17, 23, 59, 59, 0, profile.Japan),
		Point:    func(serial []byte) string { return partitioned().Point(partitions(sig).Of(serial)) },
	}
	changes := map[string]func(s *specimen){
		"none": func(*specimen) {},
		"serial-of-this-authority": func(s *specimen) {
			s.entity.Serial = serials(auth).Serial(7)
			s.entity.Partition = partitions(sig).Of(s.entity.Serial)
		},
		"partition-of-the-serial": func(s *specimen) { s.entity.Partition = (s.entity.Partition + 1) % partitions(sig).Len() },
		"issuer-name":             func(s *specimen) { s.issuer.RawSubject = w.authority[auth].certificate.RawSubject },
		"issuer-key":              func(s *specimen) { s.issuer.SubjectKeyId = w.authority[auth].certificate.SubjectKeyId },
		"issuer-algorithm":        func(s *specimen) { s.issuer.PublicKey = rsaKey().Public() },
		"not-before-of-the-day":   func(s *specimen) { s.entity.NotBefore = s.entity.NotBefore.Add(time.Second) },
		"not-after-parent":        func(s *specimen) { s.entity.NotAfter = s.entity.NotAfter.Add(time.Second) },
		"attested-key":            func(s *specimen) { s.entity.PublicKey = spki(stranger) },
		"attributes-of-the-card":  func(s *specimen) { s.entity.Attributes.Address = "東京都千代田区霞が関一丁目１番１" },
		"opaque-common-name":      func(s *specimen) { s.entity.CommonName = "Yamada Taro" },
		"size":                    func(s *specimen) { s.profile.Endpoints.CPS = "http://127.0.0.1/" + strings.Repeat("x", 4<<10) },
	}
	document := string(must(os.ReadFile("../docs/profile.md")))
	for _, l := range ca.Lints() {
		if changes[l.Name] == nil {
			t.Errorf("lint %q has no certificate that fails it", l.Name)
		}
		if !strings.Contains(document, l.Name) {
			t.Errorf("docs/profile.md does not name the lint %q", l.Name)
		}
	}
	for name, do := range changes {
		s := &specimen{
			profile: profile.Phone(sig, profile.P256, partitioned()), issuer: *limits.Issuer,
			entity: profile.EndEntity{
				Serial: serials(sig).Serial(7), PublicKey: limits.PublicKey, CommonName: strings.Repeat("A2", 12), Attributes: yamada,
				NotBefore: time.Date(2026, 6, 10, 0, 0, 0, 0, profile.Japan), NotAfter: limits.NotAfter,
				Partition: partitions(sig).Of(serials(sig).Serial(7)),
			},
		}
		do(s)
		s.entity.Attributes = s.entity.Attributes.Complete()
		key := w.keys[sig].Signer
		if name == "issuer-algorithm" {
			key = rsaKey()
		}
		c := parse(must(profile.Sign(must(s.profile.TBS(s.entity, &s.issuer)), key)))
		var broken []string
		for _, l := range ca.Lints() {
			if !l.Holds(limits, c) {
				broken = append(broken, l.Name)
			}
		}
		if got := strings.Join(broken, " "); got != strings.TrimPrefix(name, "none") {
			t.Errorf("%s: fails %q", name, got)
		}
		if rules := profile.Of(profile.ClassPhone, sig).Broken(c); len(rules) != 0 {
			t.Errorf("%s: breaks the profile's rule %q too", name, rules[0].Name)
		}
	}
}

func TestZlintLooksAtEveryProfileAndFindsNothing(t *testing.T) {
	for _, name := range []string{"badge", "jp-mobile"} {
		w := newWorld(name)
		w.phoneKey = phoneKeys(name)
		r := w.newApplication().request()
		for _, kind := range warifu.Kinds {
			if err := ca.Zlint(w.issuers[kind], w.issue(t, kind, r)); err != nil {
				t.Error(err)
			}
		}
		if n := ca.ZlintRules(w.issuers[sig]); n < 120 {
			t.Errorf("only %d lints of zlint are asked", n)
		}
	}
}

// TestZlintRefusesAndIsHeard gives zlint a distribution point that is no absolute address.
func TestZlintRefusesAndIsHeard(t *testing.T) {
	w := newWorld("badge")
	p := profile.Phone(sig, profile.P256, phoneEndpoints)
	p.Endpoints.CRL = "crl/signature.crl"
	in := profile.EndEntity{
		Serial: serials(sig).Serial(7), PublicKey: spki(newKey()), CommonName: strings.Repeat("A2", 12), Attributes: yamada,
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
	}
	der := must(profile.Sign(must(p.TBS(in, w.authority[sig].certificate)), w.keys[sig]))
	if err := ca.Zlint(w.issuers[sig], der); err == nil {
		t.Error("a relative distribution point passed")
	}
}

package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func spki(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func problem(err error) string {
	var e *warifu.Error
	if errors.As(err, &e) {
		return e.Problem
	}
	return ""
}

var element = warifu.ElementID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

func sampleDocument(t testing.TB) attest.Document {
	t.Helper()
	return attest.Document{
		Challenge: bytes.Repeat([]byte{7}, attest.ChallengeLength), Element: element, Model: "sample-1", OSBuild: "AP1A.1", AppVersion: 54,
		Keys:        []attest.Key{{Kind: warifu.Signature, PublicKey: spki(t, newKey(t))}, {Kind: warifu.Authentication, PublicKey: spki(t, newKey(t))}},
		Attestation: warifu.DigestOf([]byte("a")), Consent: "2026-1", Scheme: "jp-mobile/1",
	}
}

func TestDocumentSurvivesTheWire(t *testing.T) {
	want := sampleDocument(t)
	der, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := attest.ParseDocument(der)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Marshal()
	if err != nil || !bytes.Equal(again, der) {
		t.Fatalf("not the same again: %v", err)
	}
	if len(got.Kinds()) != 2 || got.Model != want.Model || got.Element != want.Element {
		t.Fatalf("got %+v", got)
	}
}

func TestDocumentRefusesWhatIsNotOne(t *testing.T) {
	good := sampleDocument(t)
	for name, spoil := range map[string]func(*attest.Document){
		"no kind at all":       func(d *attest.Document) { d.Keys = nil },
		"kinds out of order":   func(d *attest.Document) { d.Keys[0], d.Keys[1] = d.Keys[1], d.Keys[0] },
		"one kind twice":       func(d *attest.Document) { d.Keys[1].Kind = warifu.Signature },
		"unknown kind":         func(d *attest.Document) { d.Keys[1].Kind = 3 },
		"short challenge":      func(d *attest.Document) { d.Challenge = d.Challenge[:31] },
		"empty key":            func(d *attest.Document) { d.Keys[0].PublicKey = nil },
		"oversized key":        func(d *attest.Document) { d.Keys[0].PublicKey = make([]byte, 1025) },
		"oversized model":      func(d *attest.Document) { d.Model = string(bytes.Repeat([]byte("m"), 129)) },
		"negative app version": func(d *attest.Document) { d.AppVersion = -1 },
	} {
		d := good
		d.Keys = append([]attest.Key(nil), good.Keys...)
		spoil(&d)
		der, err := d.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attest.ParseDocument(der); problem(err) != "paper-malformed" {
			t.Errorf("%s: got %v", name, err)
		}
	}
	der, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attest.ParseDocument(append(der, 0)); problem(err) != "paper-malformed" {
		t.Errorf("trailing octet: got %v", err)
	}
	if _, err := attest.ParseDocument(make([]byte, attest.MaxPaper+1)); problem(err) != "paper-too-large" {
		t.Errorf("too large: got %v", err)
	}
}

// papers seals one of each kind of paper with key, and says how to open it.
func papers(t testing.TB, key *ecdsa.PrivateKey) map[string]struct {
	der  []byte
	open func([]byte, *ecdsa.PublicKey) error
} {
	t.Helper()
	type paper = struct {
		der  []byte
		open func([]byte, *ecdsa.PublicKey) error
	}
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	d := sampleDocument(t)
	now := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	return map[string]paper{
		"attestation": {must(attest.Attestation{
			Element: element, Model: "sample-1", Challenge: d.Challenge, Keys: d.Keys, Counter: 3,
			Identifiers: []attest.Identifier{{Name: "imei", Salt: make([]byte, 16), Digest: make([]byte, 32)}},
		}.Seal(key)), func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenAttestation(b, p); return err }},
		"secrets set": {must(attest.SecretsSet{Element: element, Document: d.Attestation, Kinds: d.Kinds()}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenSecretsSet(b, p); return err }},
		"receipt": {must(attest.Receipt{Element: element, Application: d.Attestation, Parent: d.Attestation, Counter: 1,
			Slots: []attest.Slot{{Kind: warifu.Signature, PublicKey: d.Attestation, Certificate: d.Attestation}}}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenReceipt(b, p); return err }},
		"device request": {must(attest.DeviceRequest{Element: element, Purpose: "withdraw", Subject: "app", Nonce: d.Challenge}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenDeviceRequest(b, p); return err }},
		"kill ticket": {must(attest.KillTicket{Element: element, Kind: warifu.Signature, PublicKey: d.Attestation, Serial: []byte{1}, Status: warifu.CredentialRevoked, Number: 7, IssuedAt: now}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenKillTicket(b, p); return err }},
		"kill receipt": {must(attest.KillReceipt{Element: element, Kind: warifu.Signature, PublicKey: d.Attestation, Number: 7, Counter: 1}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenKillReceipt(b, p); return err }},
		"clean proof": {must(attest.CleanProof{Element: element, Marketplace: "m", Nonce: d.Challenge, Identifiers: []string{"imei:1"}, Counter: 1, Time: now,
			Slots: []attest.CleanSlot{{Kind: warifu.Signature}, {Kind: warifu.Authentication, Live: true}}}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenCleanProof(b, p); return err }},
		"card statement": {must(attest.CardStatement{Nonce: d.Attestation, Person: d.Attestation, ProducedAt: now,
			Certificates: []attest.CardCertificate{{Kind: warifu.Signature, Serial: []byte{1, 2}, State: warifu.StatusGood, NotAfter: now}}}.Seal(key)),
			func(b []byte, p *ecdsa.PublicKey) error { _, err := attest.OpenCardStatement(b, p); return err }},
	}
}

func TestEveryFlippedOctetOfAPaperIsRefused(t *testing.T) {
	key := newKey(t)
	for name, p := range papers(t, key) {
		if err := p.open(p.der, &key.PublicKey); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range p.der {
			spoiled := bytes.Clone(p.der)
			spoiled[i] ^= 0x01
			if p.open(spoiled, &key.PublicKey) == nil {
				t.Errorf("%s: octet %d flipped and still believed", name, i)
			}
		}
		if err := p.open(p.der, &newKey(t).PublicKey); problem(err) != "paper-signature-invalid" {
			t.Errorf("%s under another's key: %v", name, err)
		}
	}
}

func TestNoPaperServesForAnother(t *testing.T) {
	key := newKey(t)
	all := papers(t, key)
	for a, p := range all {
		for b, q := range all {
			if a != b && q.open(p.der, &key.PublicKey) == nil {
				t.Errorf("%s was taken for %s", a, b)
			}
		}
	}
}

func TestNoTicketForALivingKey(t *testing.T) {
	key := newKey(t)
	for _, s := range []warifu.CredentialState{warifu.CredentialHeld, warifu.CredentialActive, warifu.CredentialPending, ""} {
		der, err := attest.KillTicket{Element: element, Kind: warifu.Signature, Serial: []byte{1}, Status: s, Number: 1, IssuedAt: time.Unix(1, 0)}.Seal(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attest.OpenKillTicket(der, &key.PublicKey); problem(err) != "paper-malformed" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestCardOrderSurvivesTheWire(t *testing.T) {
	want := attest.CardOrder{Challenge: bytes.Repeat([]byte{7}, attest.ChallengeLength), Verb: warifu.VerbSuspend, Kinds: warifu.Kinds[:], Reason: "repair", Until: time.Unix(99, 0).UTC()}
	der, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := attest.ParseCardOrder(der)
	if err != nil || got.Verb != want.Verb || len(got.Kinds) != 2 || got.Reason != "repair" || !got.Until.Equal(want.Until) {
		t.Fatalf("%+v %v", got, err)
	}
	for name, spoil := range map[string]func(*attest.CardOrder){
		"no kind": func(o *attest.CardOrder) { o.Kinds = nil }, "another verb": func(o *attest.CardOrder) { o.Verb = warifu.VerbActivate },
		"short challenge": func(o *attest.CardOrder) { o.Challenge = nil },
	} {
		o := want
		spoil(&o)
		if der, err = o.Marshal(); err != nil {
			t.Fatal(err)
		}
		if _, err := attest.ParseCardOrder(der); problem(err) != "paper-malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChallengeIsBoundToElementAndTime(t *testing.T) {
	mac := func(m []byte) ([]byte, error) {
		h := hmac.New(sha256.New, []byte("k"))
		h.Write(m)
		return h.Sum(nil), nil
	}
	now := time.Date(2026, 11, 22, 1, 2, 3, 4000, time.UTC)
	c, err := attest.NewChallenge(mac, rand.Reader, element, now)
	if err != nil {
		t.Fatal(err)
	}
	at, err := attest.CheckChallenge(mac, c, element)
	if err != nil || !at.Equal(now) {
		t.Fatalf("%v %v", at, err)
	}
	for i := range c {
		spoiled := bytes.Clone(c)
		spoiled[i] ^= 0x80
		if _, err := attest.CheckChallenge(mac, spoiled, element); problem(err) != "challenge-invalid" {
			t.Errorf("octet %d: %v", i, err)
		}
	}
	other := element
	other[0]++
	if _, err := attest.CheckChallenge(mac, c, other); problem(err) != "challenge-invalid" {
		t.Errorf("another element: %v", err)
	}
}

func TestPresenceFieldsDoNotRunTogether(t *testing.T) {
	a := attest.Presence{Purpose: "login", ClientID: "ab", Origin: "c", Nonce: []byte("n"), Time: time.Unix(1, 0)}
	b := a
	b.ClientID, b.Origin = "a", "bc"
	if a.Digest() == b.Digest() {
		t.Fatal("two audiences, one digest")
	}
}

func chain(t testing.TB, spoil func(leaf *x509.Certificate)) ([][]byte, *x509.CertPool, time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	rootKey, leafKey := newKey(t), newKey(t)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "maker"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{SerialNumber: element.String()}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature}
	if spoil != nil {
		spoil(leaf)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &leafKey.PublicKey, rootKey)
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(anchor)
	return [][]byte{leafDER, rootDER}, pool, now
}

func TestChainNamesTheElement(t *testing.T) {
	der, anchors, now := chain(t, nil)
	_, id, err := attest.VerifyChain(der, anchors, now)
	if err != nil || id != element {
		t.Fatalf("%v %v", id, err)
	}
	_, strangers, _ := chain(t, nil)
	for name, refuse := range map[string]func() error{
		"no chain":      func() error { _, _, err := attest.VerifyChain(nil, anchors, now); return err },
		"another maker": func() error { _, _, err := attest.VerifyChain(der, strangers, now); return err },
		"expired":       func() error { _, _, err := attest.VerifyChain(der, anchors, now.Add(2*time.Hour)); return err },
		"five of them": func() error {
			_, _, err := attest.VerifyChain(append(der, der[1], der[1], der[1]), anchors, now)
			return err
		},
		"no certificate": func() error { _, _, err := attest.VerifyChain([][]byte{{1, 2}}, anchors, now); return err },
		"no usage": func() error {
			d, a, n := chain(t, func(l *x509.Certificate) { l.KeyUsage = x509.KeyUsageKeyAgreement })
			_, _, err := attest.VerifyChain(d, a, n)
			return err
		},
		"no identifier": func() error {
			d, a, n := chain(t, func(l *x509.Certificate) { l.Subject.SerialNumber = "zz" })
			_, _, err := attest.VerifyChain(d, a, n)
			return err
		},
	} {
		if err := refuse(); problem(err) != "attestation-chain-invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzPapers(f *testing.F) {
	key := newKey(f)
	for _, p := range papers(f, key) {
		f.Add(p.der)
	}
	d := sampleDocument(f)
	der, err := d.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := attest.ParseDocument(b); err == nil {
			again, err := d.Marshal()
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("a document with two encodings: %x", b)
			}
		}
		for _, c := range []attest.Context{attest.ContextAttestation, attest.ContextSecretsSet, attest.ContextReceipt, attest.ContextDeviceRequest, attest.ContextCardStatement} {
			_, _ = attest.Peek(c, b)
		}
		_, _ = attest.OpenAttestation(b, &key.PublicKey)
		_, _ = attest.OpenSecretsSet(b, &key.PublicKey)
		_, _ = attest.OpenReceipt(b, &key.PublicKey)
		_, _ = attest.OpenDeviceRequest(b, &key.PublicKey)
		_, _ = attest.OpenCardStatement(b, &key.PublicKey)
		_, _ = attest.OpenKillTicket(b, &key.PublicKey)
		_, _ = attest.OpenKillReceipt(b, &key.PublicKey)
		_, _ = attest.OpenCleanProof(b, &key.PublicKey)
		_, _ = attest.ParseCardOrder(b)
	})
}

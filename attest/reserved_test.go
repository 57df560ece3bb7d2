package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/jpki"
)

func selfSigned(t testing.TB) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// reserved are the disguises under which a signature could be had that means something here.
func reserved(t testing.TB) map[string][]byte {
	t.Helper()
	certificate, key := selfSigned(t)
	document, err := sampleDocument(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	order, err := attest.CardOrder{Challenge: make([]byte, attest.ChallengeLength), Verb: warifu.VerbRevoke, Kinds: []warifu.Kind{warifu.Signature}}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{
		"an application document":      document,
		"a card order":                 order,
		"a reset message":              jpki.ResetMessage(element, warifu.Signature, make([]byte, jpki.ResetChallengeLength)),
		"an answer to a question":      attest.Presence{Purpose: attest.PurposeLogin, Nonce: make([]byte, 32)}.Bytes(),
		"what an envelope signs":       attest.SignedOctets(attest.ContextReceipt, []byte("body")),
		"an attribute of another form": nil,
	}
	for name, oid := range map[string]asn1.ObjectIdentifier{"application": attest.OIDApplicationDocument, "order": attest.OIDCardOrder} {
		p, err := cms.Prepare(oid, document, certificate, nil, time.Time{}, true)
		if err != nil {
			t.Fatal(err)
		}
		out["the signed attributes of an "+name] = p.SignedAttributes()
		digest := p.Digest()
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		message, err := p.Finish(signature)
		if err != nil {
			t.Fatal(err)
		}
		out["an "+name+" as CMS"] = message
		out["an "+name+" as CMS within a file"] = append([]byte("--boundary\r\n\r\n"), message...)
	}
	// The same attributes with lengths that only lenient readers take.
	oid, err := asn1.Marshal(attest.OIDApplicationDocument)
	if err != nil {
		t.Fatal(err)
	}
	out["an attribute of another form"] = append([]byte{0x31, 0x80, 0x06, 0x81, byte(len(oid) - 2)}, oid[2:]...)
	return out
}

func TestWhatMeansSomethingHereIsNobodysDocument(t *testing.T) {
	for name, octets := range reserved(t) {
		if !attest.Reserved(octets) {
			t.Errorf("%s passes for a document", name)
		}
	}
}

func TestOtherPeoplesDocumentsAreTheirs(t *testing.T) {
	certificate, _ := selfSigned(t)
	attributes, err := cms.Prepare(cms.OIDData, []byte("a contract"), certificate, nil, time.Time{}, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, octets := range map[string][]byte{
		"a contract": []byte("a contract"), "nothing": nil, "a certificate": certificate.Raw,
		"signed attributes of a contract": attributes.SignedAttributes(),
		"our name further on":             []byte("the warifu-auth-v1 message"),
		"zeros":                           make([]byte, 1<<20),
	} {
		if attest.Reserved(octets) {
			t.Errorf("%s is refused", name)
		}
	}
}

// Whatever stands before or behind it, a content type of ours is found.
func FuzzReserved(f *testing.F) {
	for _, octets := range reserved(f) {
		f.Add(octets, []byte(nil))
	}
	oid, err := asn1.Marshal(attest.OIDCardOrder)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, before, behind []byte) {
		if !attest.Reserved(bytes.Join([][]byte{before, oid, behind}, nil)) {
			t.Fatal("not found")
		}
		attest.Reserved(before)
	})
}

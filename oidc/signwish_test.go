package oidc_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/jpki"
	"warifu/oidc"
)

// ours are the octets that nobody may have signed as a document of theirs: each would be
// something here.
func ours(t testing.TB) map[string][]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holds(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "somebody"}, NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	holds(t, err)
	certificate, err := x509.ParseCertificate(der)
	holds(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	holds(t, err)
	document, err := attest.Document{
		Challenge: make([]byte, attest.ChallengeLength), Model: "m", OSBuild: "o", AppVersion: 60, Keys: []attest.Key{{Kind: warifu.Signature, PublicKey: spki}}, Consent: "c", Scheme: "s/1",
	}.Marshal()
	holds(t, err)
	order, err := attest.CardOrder{Challenge: make([]byte, attest.ChallengeLength), Verb: warifu.VerbRevoke, Kinds: []warifu.Kind{warifu.Signature}}.Marshal()
	holds(t, err)
	out := map[string][]byte{
		"an application document": document, "a card order": order,
		"a reset message":        jpki.ResetMessage(warifu.ElementID{1}, warifu.Signature, make([]byte, jpki.ResetChallengeLength)),
		"an answer to a login":   attest.Presence{Purpose: attest.PurposeLogin, Nonce: make([]byte, 32)}.Bytes(),
		"what an envelope signs": attest.SignedOctets(attest.ContextDeviceRequest, document),
	}
	for name, oid := range map[string]asn1.ObjectIdentifier{"an application": attest.OIDApplicationDocument, "an order": attest.OIDCardOrder} {
		for _, detached := range []bool{true, false} {
			p, err := cms.Prepare(oid, document, certificate, nil, time.Time{}, detached)
			holds(t, err)
			out["the signed attributes of "+name] = p.SignedAttributes()
			// As they stand inside a message: [0] in the place of SET OF.
			implicit := bytes.Clone(p.SignedAttributes())
			implicit[0] = 0xA0
			out["the same out of a message, of "+name] = implicit
			digest := p.Digest()
			signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
			holds(t, err)
			message, err := p.Finish(signature)
			holds(t, err)
			out[name+" as CMS"] = message
		}
	}
	return out
}

// Design §5: our own eContentTypes are refused as something to sign for others, in each
// disguise and in each mode that signs octets as they are.
func TestWhatOnlyWeHaveSignedIsRefused(t *testing.T) {
	for what, octets := range ours(t) {
		for _, mode := range []string{oidc.ModeDigest, oidc.ModeDigestInfo, oidc.ModeCMS, oidc.ModeCMSAttached} {
			refusedAs(t, what+" as "+mode, "sign-document-reserved", handed(mode, octets).Check())
		}
	}
}

func TestWhatMayNotBeHandedInIsNamed(t *testing.T) {
	pdf, err := os.ReadFile("../document/testdata/contract.pdf")
	holds(t, err)
	text := []byte("a contract")
	sha1 := []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" + strings.Repeat("x", 20))
	for what, c := range map[string]struct {
		mode     string
		document []byte
		change   func(*oidc.SignWish)
		slug     string
	}{
		"no mode":                     {"", text, nil, "sign-mode-unknown"},
		"another mode":                {"jades", text, nil, "sign-mode-unknown"},
		"no name":                     {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = "" }, "sign-name-malformed"},
		"a name of two lines":         {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = "a\nb" }, "sign-name-malformed"},
		"a name that turns text":      {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = "a\u202egpj.exe" }, "sign-name-malformed"},
		"a name that hides":           {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = "a\u200bb" }, "sign-name-malformed"},
		"a name of blanks":            {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = " \u3000" }, "sign-name-malformed"},
		"a long name":                 {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = strings.Repeat("x", 201) }, "sign-name-malformed"},
		"a name of no encoding":       {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Name = "\xff" }, "sign-name-malformed"},
		"no digest":                   {oidc.ModeCMS, text, func(w *oidc.SignWish) { w.Digest = nil }, "sign-digest-malformed"},
		"SHA-1":                       {oidc.ModeDigest, text, func(w *oidc.SignWish) { w.Digest = w.Digest[:20] }, "sign-digest-malformed"},
		"SHA-512":                     {oidc.ModeDigest, text, func(w *oidc.SignWish) { w.Digest = append(w.Digest, w.Digest...) }, "sign-digest-malformed"},
		"another's digest":            {oidc.ModeDigest, text, func(w *oidc.SignWish) { w.Document = []byte("b") }, "sign-digest-mismatch"},
		"a digest alone":              {oidc.ModeDigest, text, func(w *oidc.SignWish) { w.Document = nil }, "sign-document-absent"},
		"both":                        {oidc.ModeDigest, text, func(w *oidc.SignWish) { w.DigestInfo = []byte{1} }, "sign-digest-malformed"},
		"both as digestinfo":          {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.Digest = make([]byte, 32) }, "sign-digest-malformed"},
		"DigestInfo of SHA-1":         {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo = sha1 }, "sign-algorithm-unsupported"},
		"DigestInfo without NULL":     {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo = withoutNULL(w.DigestInfo) }, "sign-digest-malformed"},
		"octets behind DigestInfo":    {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo = append(w.DigestInfo, 0) }, "sign-digest-malformed"},
		"DigestInfo cut short":        {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo = w.DigestInfo[:50] }, "sign-digest-malformed"},
		"DigestInfo of another":       {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo[50] ^= 1 }, "sign-digest-mismatch"},
		"no DigestInfo":               {oidc.ModeDigestInfo, text, func(w *oidc.SignWish) { w.DigestInfo = nil }, "sign-digest-malformed"},
		"far too large":               {oidc.ModeDigest, make([]byte, oidc.MaxSignDocument+1), nil, "sign-document-too-large"},
		"text as PDF":                 {oidc.ModePDF, text, nil, "pdf-malformed"},
		"an encrypted PDF":            {oidc.ModePDF, bytes.Replace(pdf, []byte("/Root"), []byte("/Encrypt 9 0 R /Root"), 1), nil, "pdf-malformed"},
		"octets behind a PDF":         {oidc.ModePDF, append(bytes.Clone(pdf), "more"...), nil, "pdf-malformed"},
		"text as XML":                 {oidc.ModeXML, text, nil, "xml-malformed"},
		"XML with a document type":    {oidc.ModeXML, []byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`), nil, "xml-malformed"},
		"XML that is signed":          {oidc.ModeXML, []byte(`<a><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></a>`), nil, "xml-signed-already"},
		"nothing at all":              {oidc.ModeCMS, nil, nil, "sign-document-absent"},
		"nothing, in the name of XML": {oidc.ModeXML, nil, nil, "sign-document-absent"},
	} {
		w := handed(c.mode, c.document)
		if c.change != nil {
			c.change(&w)
		}
		refusedAs(t, what, c.slug, w.Check())
	}
	for mode, document := range documents(t) {
		if err := handed(mode, document).Check(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// withoutNULL is the other way to write DigestInfo, which the chip does not sign.
func withoutNULL(der []byte) []byte {
	out := append([]byte{0x30, der[1] - 2, 0x30, der[3] - 2}, der[4:15]...)
	return append(out, der[17:]...)
}

var longKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// Another implementation of the same algorithms opens what was sealed, and nothing is sealed
// to a key that does not protect it.
func TestResultsAreSealedToTheClientsKey(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holds(t, err)
	wrong, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	holds(t, err)
	short := rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(3), 1022), E: 65537}
	plain := []byte(`{"signature":"…"}`)
	for what, c := range map[string]struct {
		key       jose.JSONWebKey
		private   any
		algorithm jose.KeyAlgorithm
		refused   bool
	}{
		"P-256":              {jose.JSONWebKey{Key: ec.Public(), Use: "enc", KeyID: "k"}, ec, jose.ECDH_ES_A256KW, false},
		"P-256, named":       {jose.JSONWebKey{Key: ec.Public(), Use: "enc", Algorithm: "ECDH-ES+A256KW"}, ec, jose.ECDH_ES_A256KW, false},
		"RSA":                {jose.JSONWebKey{Key: longKey().Public(), Use: "enc"}, longKey(), jose.RSA_OAEP_256, false},
		"P-256, of another":  {jose.JSONWebKey{Key: ec.Public(), Use: "enc", Algorithm: "RSA-OAEP"}, nil, "", true},
		"RSA with PKCS #1":   {jose.JSONWebKey{Key: longKey().Public(), Use: "enc", Algorithm: "RSA1_5"}, nil, "", true},
		"RSA of 1024 bits":   {jose.JSONWebKey{Key: &short, Use: "enc"}, nil, "", true},
		"P-384":              {jose.JSONWebKey{Key: wrong.Public(), Use: "enc"}, nil, "", true},
		"a shared secret":    {jose.JSONWebKey{Key: []byte("0123456789abcdef"), Use: "enc"}, nil, "", true},
		"a key that signs":   {jose.JSONWebKey{Key: ec.Public(), Use: "sig"}, nil, "", true},
		"a key of no use":    {jose.JSONWebKey{Key: ec.Public()}, nil, "", true},
		"a private one":      {jose.JSONWebKey{Key: ec, Use: "enc"}, nil, "", true},
		"no key of any sort": {jose.JSONWebKey{Use: "enc"}, nil, "", true},
	} {
		sealed, err := oidc.SealTo(plain, c.key)
		if c.refused {
			refusedAs(t, what, "sign-key-absent", err)
			continue
		}
		holds(t, err)
		jwe, err := jose.ParseEncryptedCompact(string(sealed), []jose.KeyAlgorithm{c.algorithm}, []jose.ContentEncryption{jose.A256GCM})
		holds(t, err)
		got, err := jwe.Decrypt(c.private)
		holds(t, err)
		if !bytes.Equal(got, plain) || jwe.Header.KeyID != c.key.KeyID || bytes.Contains(sealed, []byte("signature")) {
			t.Errorf("%s: %q in %s", what, got, sealed)
		}
	}
	_, err = oidc.SealTo(plain)
	refusedAs(t, "no key", "sign-key-absent", err)
	if _, err = oidc.SealTo(plain, jose.JSONWebKey{Key: wrong.Public(), Use: "enc"}, jose.JSONWebKey{Key: ec.Public(), Use: "enc"}); err != nil {
		t.Errorf("a good key behind one that will not do: %v", err)
	}
}

// FuzzDigestInfo: what is taken is the one encoding that the chip signs, of the digest that
// is in it.
func FuzzDigestInfo(f *testing.F) {
	sum := sha256.Sum256([]byte("a"))
	good := jpki.DigestInfoSHA256(sum)
	f.Add(good)
	f.Add(withoutNULL(good))
	f.Add([]byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" + strings.Repeat("x", 20)))
	f.Fuzz(func(t *testing.T, der []byte) {
		digest, err := oidc.ParseDigestInfo(der)
		if err == nil && !bytes.Equal(jpki.DigestInfoSHA256(digest), der) {
			t.Errorf("%x is taken for %x", der, digest)
		}
	})
}

// FuzzSignWish: nothing is let in whose digest is not the document's, nor anything of ours.
func FuzzSignWish(f *testing.F) {
	for mode, document := range documents(f) {
		w := handed(mode, document)
		f.Add(w.Name, mode, w.Digest, w.DigestInfo, document)
	}
	for _, octets := range ours(f) {
		w := handed(oidc.ModeDigest, octets)
		f.Add(w.Name, w.Mode, w.Digest, w.DigestInfo, octets)
	}
	f.Fuzz(func(t *testing.T, name, mode string, digest, info, document []byte) {
		w := oidc.SignWish{Name: name, Mode: mode, Digest: digest, DigestInfo: info, Document: document}
		if w.Check() != nil {
			return
		}
		sum := sha256.Sum256(document)
		if !bytes.Equal(digest, sum[:]) && !bytes.Equal(info, jpki.DigestInfoSHA256(sum)) {
			t.Error("another digest is taken")
		}
		if mode != oidc.ModePDF && mode != oidc.ModeXML && attest.Reserved(document) {
			t.Error("a paper of ours is taken")
		}
	})
}

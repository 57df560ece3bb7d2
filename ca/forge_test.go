package ca_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
	"warifu/attest"
	"warifu/ca"
	"warifu/profile"
)

var background = context.Background()

func flip(b *[]byte, at int) {
	c := bytes.Clone(*b)
	c[at] ^= 1
	*b = c
}

// challenge puts another challenge into document and attestation alike.
func (a *application) challenge(c []byte) { a.document.Challenge, a.attestation.Challenge = c, c }

// setKey puts another key into document and attestation alike.
func (a *application) setKey(n int, publicKey []byte) {
	keys := append([]attest.Key(nil), a.document.Keys...)
	keys[n].PublicKey = publicKey
	a.document.Keys, a.attestation.Keys = keys, keys
}

// rechip moves the application to another secure element.
func (a *application) rechip(e *element) {
	a.element, a.document.Element, a.attestation.Element = e, e.id, e.id
	a.challenge(must(attest.NewChallenge(a.w.mac, rand.Reader, e.id, a.w.clock)))
}

// reissue makes a phone certificate like c for another key: as if its key were ours.
func (w *world) reissue(kind warifu.Kind, c *x509.Certificate, key crypto.Signer) *x509.Certificate {
	a, _, err := profile.ParseAttributes(c)
	in := profile.EndEntity{Serial: c.SerialNumber.Bytes(), PublicKey: spki(key), CommonName: c.Subject.CommonName, Attributes: must(a, err), NotBefore: c.NotBefore, NotAfter: c.NotAfter}
	return w.authority[kind].issue(profile.Phone(kind, profile.P256, phoneEndpoints).TBS(in, w.authority[kind].certificate))
}

// liar is a ledger that changes what it was told.
type liar struct {
	*memory
	change func(*warifu.Intent)
}

func (l *liar) Intend(ctx context.Context, intents []warifu.Intent) ([]warifu.IntentResult, error) {
	out, err := l.memory.Intend(ctx, intents)
	for n := range out {
		l.change(&out[n].Intent)
	}
	return out, err
}

func withLedger(c ca.Config, l ca.Ledger) ca.Config {
	c.Ledger = l
	return c
}

// forgery is CMS that our own writer refuses to make.
type forgery struct {
	sha1    bool // SHA-1 everywhere, signature included
	bare    bool // no signed attributes
	signers int  // of the same card; 0 is 1
}

// forge signs the application's document with the card's true key.
func forge(a *application, f forgery) []byte {
	content := must(a.document.Marshal())
	oidSHA, oidSignature := []byte("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"), []byte("\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")
	hash, digest := crypto.SHA256, func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }
	if f.sha1 {
		oidSHA, oidSignature = []byte("\x06\x05\x2b\x0e\x03\x02\x1a"), []byte("\x06\x07\x2a\x86\x48\xce\x3d\x04\x01")
		hash, digest = crypto.SHA1, func(b []byte) []byte { d := sha1.Sum(b); return d[:] }
	}
	tag := asn1.Tag(0).ContextSpecific().Constructed()
	seq := func(b *cryptobyte.Builder, fill func(*cryptobyte.Builder)) { b.AddASN1(asn1.SEQUENCE, fill) }
	algorithm := func(b *cryptobyte.Builder, oid []byte) { seq(b, func(b *cryptobyte.Builder) { b.AddBytes(oid) }) }
	attributes := signedAttributes(digest(content))
	signed := content
	if !f.bare {
		signed = append([]byte{0x31}, attributes[1:]...)
	}
	signature := must(a.card.keys[warifu.Signature].Sign(rand.Reader, digest(signed), hash))
	certificate := a.card.certs[warifu.Signature]
	signer := func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			seq(b, func(b *cryptobyte.Builder) {
				b.AddBytes(certificate.RawIssuer)
				b.AddASN1BigInt(certificate.SerialNumber)
			})
			algorithm(b, oidSHA)
			if !f.bare {
				b.AddBytes(attributes)
			}
			algorithm(b, oidSignature)
			b.AddASN1OctetString(signature)
		})
	}
	var b cryptobyte.Builder
	seq(&b, func(b *cryptobyte.Builder) {
		b.AddBytes([]byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"))
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(3)
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { algorithm(b, oidSHA) })
				seq(b, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(attest.OIDApplicationDocument)
					b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
				})
				b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(certificate.Raw) })
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
					for range max(1, f.signers) {
						signer(b)
					}
				})
			})
		})
	})
	return b.BytesOrPanic()
}

// signedAttributes encodes [0] { contentType, messageDigest }.
func signedAttributes(digest []byte) []byte {
	var b cryptobyte.Builder
	attribute := func(b *cryptobyte.Builder, oid string, value func(*cryptobyte.Builder)) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes([]byte(oid))
			b.AddASN1(asn1.SET, value)
		})
	}
	b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		attribute(b, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(attest.OIDApplicationDocument) })
		attribute(b, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) })
	})
	return b.BytesOrPanic()
}

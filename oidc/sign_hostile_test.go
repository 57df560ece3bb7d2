package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/document"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/oidc"
	"warifu/phone"
	"warifu/store"
)

// forger is a phone whose app does as it likes: it has the holder's secrets and asks the chip
// for whatever it wants.
type forger struct {
	*housetest.Phone
	s *signing
}

func (f forger) open(kind warifu.Kind) (*jpki.Token, *x509.Certificate) {
	f.s.t.Helper()
	typed := housetest.Secrets.Signature
	if kind == warifu.Authentication {
		typed = housetest.Secrets.Authentication
	}
	secret, err := f.s.Scheme.ActivationSecret(kind, typed)
	holds(f.s.t, err)
	token, err := jpki.Select(f.s.t.Context(), f.App.Element)
	holds(f.s.t, err)
	holds(f.s.t, token.VerifyPhone(f.s.t.Context(), kind, secret))
	der, err := token.Certificate(f.s.t.Context(), kind)
	holds(f.s.t, err)
	c, err := x509.ParseCertificate(der)
	holds(f.s.t, err)
	return token, c
}

// bare signs a digest with the key of a kind.
func (f forger) bare(kind warifu.Kind, digest [32]byte) oidc.Signed {
	f.s.t.Helper()
	token, c := f.open(kind)
	signature, err := token.Sign(f.s.t.Context(), kind, jpki.DigestInfoSHA256(digest))
	holds(f.s.t, err)
	return oidc.Signed{Certificate: c.Raw, Signature: signature}
}

// message signs a CMS message of a content type at a time of its choice.
func (f forger) message(kind warifu.Kind, contentType asn1.ObjectIdentifier, content []byte, at time.Time, detached bool) oidc.Signed {
	f.s.t.Helper()
	token, c := f.open(kind)
	p, err := cms.Prepare(contentType, content, c, nil, at, detached)
	holds(f.s.t, err)
	signature, err := token.Sign(f.s.t.Context(), kind, jpki.DigestInfoSHA256(p.Digest()))
	holds(f.s.t, err)
	out, err := p.Finish(signature)
	holds(f.s.t, err)
	return oidc.Signed{Certificate: c.Raw, Signature: out}
}

// pdf signs a file, whatever it is.
func (f forger) pdf(in []byte) oidc.Signed {
	f.s.t.Helper()
	token, c := f.open(warifu.Signature)
	p, err := document.PreparePDF(in, document.PDFOptions{Certificate: c, At: f.s.Clock.Now()})
	holds(f.s.t, err)
	signature, err := token.Sign(f.s.t.Context(), warifu.Signature, jpki.DigestInfoSHA256(p.Digest()))
	holds(f.s.t, err)
	out, err := p.Finish(signature, nil)
	holds(f.s.t, err)
	return oidc.Signed{Certificate: c.Raw, Document: out}
}

// word has the chip say what it is asked to, with the secret of a kind given for it.
func (f forger) word(kind warifu.Kind, purpose, subject string, nonce []byte) []byte {
	f.s.t.Helper()
	typed := housetest.Secrets.Signature
	if kind == warifu.Authentication {
		typed = housetest.Secrets.Authentication
	}
	secret, err := f.s.Scheme.ActivationSecret(kind, typed)
	holds(f.s.t, err)
	token, err := jpki.Select(f.s.t.Context(), f.App.Element)
	holds(f.s.t, err)
	holds(f.s.t, token.VerifyPhone(f.s.t.Context(), kind, secret))
	out, err := token.Element().DeviceRequest(f.s.t.Context(), purpose, subject, nonce)
	holds(f.s.t, err)
	return out
}

// A hostile phone gets nothing accepted that is not the document, in its mode, by a signature
// credential.
func TestAHostilePhoneGetsNothingElseAccepted(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	f := forger{s.phoneOf("taro"), s}
	docs := documents(t)
	text := docs[oidc.ModeCMS]
	sum, now := sha256.Sum256(text), s.Clock.Now()
	other := sha256.Sum256([]byte("another"))
	for what, c := range map[string]struct {
		mode string
		make func() oidc.Signed
		slug string
	}{
		"of another document":             {oidc.ModeDigest, func() oidc.Signed { return f.bare(warifu.Signature, other) }, "signature-invalid"},
		"by the authentication key":       {oidc.ModeDigest, func() oidc.Signed { return f.bare(warifu.Authentication, sum) }, "certificate-purpose"},
		"a message by that key":           {oidc.ModeCMS, func() oidc.Signed { return f.message(warifu.Authentication, cms.OIDData, text, now, true) }, "certificate-purpose"},
		"a message of another document":   {oidc.ModeCMS, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, []byte("another"), now, true) }, "signature-content-mismatch"},
		"one with the document":           {oidc.ModeCMS, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, text, now, false) }, "signed-malformed"},
		"one without":                     {oidc.ModeCMSAttached, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, text, now, true) }, "signed-malformed"},
		"one with another document in it": {oidc.ModeCMSAttached, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, []byte("another"), now, false) }, "signature-content-mismatch"},
		"of our own content type":         {oidc.ModeCMS, func() oidc.Signed { return f.message(warifu.Signature, attest.OIDApplicationDocument, text, now, true) }, "signature-content-type"},
		"of another day": {oidc.ModeCMS, func() oidc.Signed {
			return f.message(warifu.Signature, cms.OIDData, text, now.Add(-24*time.Hour), true)
		}, "signed-at-another-time"},
		"of a day to come":         {oidc.ModeCMS, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, text, now.Add(24*time.Hour), true) }, "signed-at-another-time"},
		"a bare one for a message": {oidc.ModeCMS, func() oidc.Signed { return f.bare(warifu.Signature, sum) }, "signature-malformed"},
		"a file for a message":     {oidc.ModeCMS, func() oidc.Signed { return f.pdf(docs[oidc.ModePDF]) }, "signature-malformed"},
		"a message for a file":     {oidc.ModePDF, func() oidc.Signed { return f.message(warifu.Signature, cms.OIDData, text, now, true) }, "signed-document-other"},
		"the file as it was": {oidc.ModePDF, func() oidc.Signed {
			return oidc.Signed{Certificate: f.bare(warifu.Signature, sum).Certificate, Document: docs[oidc.ModePDF]}
		}, "signed-document-other"},
		"a file signed twice":             {oidc.ModePDF, func() oidc.Signed { return f.pdf(f.pdf(docs[oidc.ModePDF]).Document) }, "signed-document-other"},
		"both a signature and a document": {oidc.ModeDigest, func() oidc.Signed { x := f.bare(warifu.Signature, sum); x.Document = text; return x }, "signed-malformed"},
		"neither":                         {oidc.ModeCMS, func() oidc.Signed { return oidc.Signed{Certificate: f.bare(warifu.Signature, sum).Certificate} }, "signature-malformed"},
		"no certificate":                  {oidc.ModeDigest, func() oidc.Signed { x := f.bare(warifu.Signature, sum); x.Certificate = nil; return x }, "signed-malformed"},
		"another certificate beside it": {oidc.ModeCMS, func() oidc.Signed {
			x := f.message(warifu.Signature, cms.OIDData, text, now, true)
			x.Certificate = f.bare(warifu.Authentication, sum).Certificate
			return x
		}, "signed-certificate-other"},
		"an octet of it changed": {oidc.ModeCMS, func() oidc.Signed {
			x := f.message(warifu.Signature, cms.OIDData, text, now, true)
			x.Signature[len(x.Signature)-1] ^= 1
			return x
		}, "signature-invalid"},
		"XML for which nobody was asked": {oidc.ModeXML, func() oidc.Signed {
			return oidc.Signed{Certificate: f.bare(warifu.Signature, sum).Certificate, Document: []byte("<a/>")}
		}, "xml-unsigned"},
		"an octet of a bare one changed": {oidc.ModeDigest, func() oidc.Signed { x := f.bare(warifu.Signature, sum); x.Signature[9] ^= 1; return x }, "signature-invalid"},
		"a certificate of nobody's making": {oidc.ModeDigest, func() oidc.Signed {
			x := f.bare(warifu.Signature, sum)
			x.Certificate = s.House.Stamps.Signer.Certificate.Raw
			return x
		}, "signature-invalid"},
	} {
		id := s.begun(c.mode, docs[c.mode], "l"+what)
		_, err := s.desk.Accept(t.Context(), s.bank, id, "", c.make())
		refusedAs(t, what, c.slug, err)
	}
}

// Somebody else's signature does not become the signature of who logged in, nor does it serve
// twice, nor after its time.
func TestASignatureServesItsLoginAlone(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro, hanako := s.phoneOf("taro"), s.phoneOf("hanako")
	text := []byte("a contract")
	id := s.begun(oidc.ModeCMS, text, signLogin)
	byHanako, err := s.desk.Accept(t.Context(), s.bank, id, "phone", s.signs(hanako, id, signLogin))
	holds(t, err)
	refusedAs(t, "hanako signs, taro logged in", "signed-other-person", s.keep(byHanako, signLogin, s.Handle(t, "taro")))
	refusedAs(t, "at another login", "sign-transaction-over", s.keep(byHanako, anotherLogin, s.Handle(t, "hanako")))
	byCard := s.cardSigns("hanako", id, signLogin)
	_, err = s.desk.Accept(t.Context(), s.bank, id, "phone", byCard)
	refusedAs(t, "a card where a phone logged in", "signed-class", err)
	byTaro, err := s.desk.Accept(t.Context(), s.bank, id, "phone", s.signs(taro, id, signLogin))
	holds(t, err)
	holds(t, s.keep(byTaro, signLogin, s.Handle(t, "taro")))
	refusedAs(t, "twice", "sign-transaction-over", s.keep(byTaro, signLogin, s.Handle(t, "taro")))
	_, err = s.desk.Accept(t.Context(), s.bank, id, "phone", byCard)
	refusedAs(t, "signed already", "sign-transaction-over", err)

	late := s.begun(oidc.ModeCMS, text, anotherLogin)
	signed := s.signs(taro, late, anotherLogin)
	accepted, err := s.desk.Accept(t.Context(), s.bank, late, "", signed)
	holds(t, err)
	// Purged, or signed by another server, between consent and signature.
	s.Write(t, func(tx *store.Tx) error { return tx.EndSignTransaction(late) })
	refusedAs(t, "gone before it was kept", "sign-transaction-over", s.keep(accepted, anotherLogin, s.Handle(t, "taro")))
	slow := s.begun(oidc.ModeCMS, text, "l-slow")
	signed = s.signs(taro, slow, "l-slow")
	s.Clock.Forward(oidc.SignLife)
	_, err = s.desk.Accept(t.Context(), s.bank, slow, "", signed)
	refusedAs(t, "expired between consent and signature", "sign-transaction-over", err)
}

// ADR 0019: the chip's word is of one consent, one signature, one chip, and of the password.
func TestTheChipsWordIsOfThisConsentAlone(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro, hanako := forger{s.phoneOf("taro"), s}, forger{s.phoneOf("hanako"), s}
	text := []byte("a contract")
	id := s.begun(oidc.ModeCMS, text, signLogin)
	good := s.signs(taro.Phone, id, signLogin)
	nonce := s.nonce()
	_, err := s.desk.Vouch(t.Context(), s.bank, id, good, nonce)
	holds(t, err)
	agreed := s.question.Consent([]string{"name"}).Nonce(s.question.Salt)
	relayed := s.question.Consent(nil)
	relayed.Client = "shop"
	name := warifu.DigestOf(good.Signature).String()
	for what, c := range map[string]struct {
		nonce  []byte
		change func(*oidc.Signed)
		slug   string
	}{
		"agreed to more":          {agreed, nil, "device-request-other"},
		"another relying party's": {relayed.Nonce(s.question.Salt), nil, "device-request-other"},
		"another login's":         {s.question.Consent(nil).Nonce(make([]byte, 32)), nil, "device-request-other"},
		"of another signature": {nonce, func(x *oidc.Signed) {
			x.Signature = taro.message(warifu.Signature, cms.OIDData, text, s.Clock.Now().Add(time.Second), true).Signature
		}, "device-request-other"},
		"by another chip's name":       {nonce, func(x *oidc.Signed) { x.Element = hanako.App.Device.Element.String() }, "paper-signature-invalid"},
		"of a chip that never applied": {nonce, func(x *oidc.Signed) { x.Element = warifu.ElementID{1}.String() }, "element-unknown"},
		"of no chip":                   {nonce, func(x *oidc.Signed) { x.Element = "" }, "signed-malformed"},
		"of another purpose":           {nonce, func(x *oidc.Signed) { x.Request = taro.word(warifu.Signature, "revoke", name, nonce) }, "device-request-other"},
		"with the PIN":                 {nonce, func(x *oidc.Signed) { x.Request = taro.word(warifu.Authentication, oidc.SignPurpose, name, nonce) }, "secret-not-verified"},
		"of hanako for taro's signature": {nonce, func(x *oidc.Signed) {
			x.Element, x.Request = hanako.App.Device.Element.String(), hanako.word(warifu.Signature, oidc.SignPurpose, name, nonce)
		}, "signed-other-chip"},
		"no word at all":                  {nonce, func(x *oidc.Signed) { x.Request = []byte{0x30, 0} }, "paper-malformed"},
		"for a signature that is no good": {nonce, func(x *oidc.Signed) { *x = taro.vouchedFor(warifu.Authentication, text, nonce) }, "certificate-purpose"},
	} {
		x := good
		x.Signature = bytes.Clone(x.Signature)
		if c.change != nil {
			c.change(&x)
		}
		r, err := s.desk.Vouch(t.Context(), s.bank, id, x, c.nonce)
		if err == nil {
			err = r.Err()
		}
		refusedAs(t, what, c.slug, err)
	}
	card := s.cardSigns("taro", id, signLogin)
	card.Element, card.Request = taro.App.Device.Element.String(), taro.word(warifu.Signature, oidc.SignPurpose, warifu.DigestOf(card.Signature).String(), s.nonce())
	_, err = s.desk.Vouch(t.Context(), s.bank, id, card, s.nonce())
	refusedAs(t, "the phone's word for the card", "signed-other-chip", err)
}

// vouchedFor signs with the key of a kind and has the chip vouch for it.
func (f forger) vouchedFor(kind warifu.Kind, text, nonce []byte) oidc.Signed {
	f.s.t.Helper()
	x := f.message(kind, cms.OIDData, text, f.s.Clock.Now(), true)
	x.Element = f.App.Device.Element.String()
	x.Request = f.word(warifu.Signature, oidc.SignPurpose, warifu.DigestOf(x.Signature).String(), nonce)
	return x
}

// A credential that is on hold or revoked when the signature arrives signs nothing, whatever a
// time-stamp in the file says.
func TestAPhoneOnHoldSignsNothing(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro := s.phoneOf("taro")
	docs := documents(t)
	for _, mode := range []string{oidc.ModeDigest, oidc.ModePDF} {
		id := s.begun(mode, docs[mode], "l-"+mode)
		signed := s.signs(taro, id, "l-"+mode)
		taro.App.Server = s.Server
		_, err := taro.App.Suspend(t.Context(), []warifu.Kind{warifu.Signature}, time.Time{}, phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
		holds(t, err)
		_, err = s.desk.Accept(t.Context(), s.bank, id, "", signed)
		refusedAs(t, mode, "certificate-suspended", err)
		_, err = taro.App.Resume(t.Context(), []warifu.Kind{warifu.Signature}, "own-wish", phone.Secret{Kind: warifu.Signature, Typed: housetest.Secrets.Signature})
		holds(t, err)
		taro.App.Server = s.server()
	}
}

// Nobody but the client that asked reads of a document or fetches what came of it.
func TestADocumentIsItsClientsAlone(t *testing.T) {
	s := newSigning(t, housetest.Options{})
	taro := s.phoneOf("taro")
	shop := s.bank
	shop.ID = "shop"
	b, err := s.desk.Begin(t.Context(), s.bank, handed(oidc.ModeCMS, []byte("a contract")))
	holds(t, err)
	for what, do := range map[string]func() error{
		"view":     func() error { _, err := s.desk.View(t.Context(), shop, b.ID); return err },
		"document": func() error { _, err := s.desk.Document(t.Context(), shop, b.ID); return err },
		"bind": func() error {
			return s.Store.Write(t.Context(), func(tx *store.Tx) error { return s.desk.Bind(tx, shop, b.ID, signLogin) })
		},
		"accept": func() error { _, err := s.desk.Accept(t.Context(), shop, b.ID, "", oidc.Signed{}); return err },
		"no id":  func() error { _, err := s.desk.View(t.Context(), s.bank, ""); return err },
	} {
		refusedAs(t, what, "sign-transaction-unknown", do())
	}
	_, err = s.desk.Result(t.Context(), s.access(b.ID, signLogin), b.ID)
	refusedAs(t, "before it is signed", "sign-transaction-unsigned", err)
	s.bind(b.ID, signLogin)
	err = s.Store.Write(t.Context(), func(tx *store.Tx) error { return s.desk.Bind(tx, s.bank, b.ID, anotherLogin) })
	refusedAs(t, "at a second login", "sign-transaction-over", err)
	accepted, err := s.desk.Accept(t.Context(), s.bank, b.ID, "", s.signs(taro, b.ID, signLogin))
	holds(t, err)
	holds(t, s.keep(accepted, signLogin, s.Handle(t, "taro")))
	for what, change := range map[string]func(*oidc.Access){
		"a token of the client's own": func(a *oidc.Access) { a.Login, a.SignTransaction = "", "" },
		"of another login":            func(a *oidc.Access) { a.Login = anotherLogin },
		"of another transaction":      func(a *oidc.Access) { a.SignTransaction = "x" },
		"without the scope":           func(a *oidc.Access) { a.Scopes = []string{"openid", "name"} },
	} {
		a := s.access(b.ID, signLogin)
		change(&a)
		_, err := s.desk.Result(t.Context(), a, b.ID)
		refusedAs(t, what, "sign-result-other", err)
	}
	a := s.access(b.ID, signLogin)
	a.Client = shop
	_, err = s.desk.Result(t.Context(), a, b.ID)
	refusedAs(t, "another client's token", "sign-transaction-unknown", err)

	unable := s.bank
	unable.Scopes = []string{"name"}
	_, err = s.desk.Begin(t.Context(), unable, handed(oidc.ModeCMS, []byte("a")))
	refusedAs(t, "without the scope", "sign-not-allowed", err)
	unable = s.bank
	unable.JWKS.Keys = nil
	_, err = s.desk.Begin(t.Context(), unable, handed(oidc.ModeCMS, []byte("a")))
	refusedAs(t, "without a key", "sign-key-absent", err)
	_, err = s.desk.Begin(t.Context(), s.bank, oidc.SignWish{})
	refusedAs(t, "nothing", "sign-mode-unknown", err)
}

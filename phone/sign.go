package phone

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"path"
	"strings"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/document"
	"warifu/jpki"
)

// SignatureForm is how a signature is tied to its document.
type SignatureForm string

// The forms.
const (
	FormDetached SignatureForm = "detached" // CMS beside the document
	FormAttached SignatureForm = "attached" // CMS around it
	FormPDF      SignatureForm = "pades"    // inside a PDF file (PAdES baseline)
	FormXML      SignatureForm = "xades"    // inside an XML document (XAdES baseline)
)

// SignatureForms are the forms in the order in which a person is offered them.
var SignatureForms = []SignatureForm{FormDetached, FormAttached, FormPDF, FormXML}

// FileName is what a signed file is called: name.p7s, name.p7m; name-signed.pdf where the
// document itself is changed.
func (f SignatureForm) FileName(name string) string {
	switch f {
	case FormAttached:
		return name + ".p7m"
	case FormPDF, FormXML:
		extension := path.Ext(name)
		return strings.TrimSuffix(name, extension) + "-signed" + extension
	}
	return name + ".p7s"
}

// MediaType is that of the signed file.
func (f SignatureForm) MediaType() string {
	switch f {
	case FormAttached:
		return "application/pkcs7-mime" // RFC 8551 §3.2
	case FormPDF:
		return "application/pdf"
	case FormXML:
		return "application/xml"
	}
	return "application/pkcs7-signature"
}

// Signing says how a document is to be signed. The zero value is a detached CMS message.
type Signing struct {
	Form SignatureForm
	// Timestamp has the server's time-stamping authority stamp the signature (level B-T).
	Timestamp bool
	// LongTerm puts a fresh status answer and the chain into a PDF file (level B-LT): whoever
	// checks it later needs nobody. It implies Timestamp.
	LongTerm bool
	// Staple fetches a fresh status answer to hand over beside the signature.
	Staple bool
	// Reason and Location are shown by readers of a PDF file; both may be empty.
	Reason, Location string
}

// SignedDocument is what the phone hands over.
type SignedDocument struct {
	File []byte // the signature, or the document with it
	// Status is the OCSP answer about the signer's certificate (DER), where Signing.Staple
	// asked for it: of use to who is shown the signature and has no line.
	Status []byte
}

// check refuses what cannot be signed before a password is typed.
func (s Signing) check(content []byte) error {
	switch s.Form {
	case "", FormDetached, FormAttached:
		if len(content) > MaxDocument {
			return warifu.TooLarge("document-too-large")
		}
	case FormPDF:
		if _, err := document.ReadPDF(content); err != nil {
			return err
		}
	case FormXML:
		_, err := document.ReadXML(content)
		if err == nil {
			return warifu.Refused("xml-signed-already")
		}
		if !isProblem(err, "xml-unsigned") {
			return err
		}
	default:
		return warifu.Invalid("signature-form-unknown", "form", string(s.Form))
	}
	if s.LongTerm && s.Form != FormPDF {
		return warifu.Invalid("signature-form-unknown", "form", "long-term "+string(s.Form))
	}
	return nil
}

// SignDocument signs a document with the phone's signature key (R54: just type the
// password). What cannot be signed is refused before the chip is asked. Errors: "document-too-large",
// "signature-form-unknown", those of package document, those of the chip, those of the server where a
// time-stamp or a status is wanted; then nothing is handed over.
func (a *App) SignDocument(ctx context.Context, content []byte, s Signing, u Unlock) (SignedDocument, error) {
	if err := s.check(content); err != nil {
		return SignedDocument{}, err
	}
	token, certificate, err := a.openKey(ctx, warifu.Signature, u)
	if err != nil {
		return SignedDocument{}, err
	}
	by := signer{certificate: certificate, stamp: a.Server.Timestamp, sign: func(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
		signature, err := token.Sign(ctx, warifu.Signature, jpki.DigestInfoSHA256(digest))
		return signature, phoneError(err)
	}}
	var out SignedDocument
	if out.File, err = s.made(ctx, content, by, a.Clock.Now()); err != nil {
		return SignedDocument{}, err
	}
	return out, a.addStatus(ctx, &out, certificate, s)
}

// made signs a document, and has the signature stamped where that is asked for.
func (s Signing) made(ctx context.Context, content []byte, by signer, at time.Time) ([]byte, error) {
	draft, err := s.draft(content, by.certificate, at)
	if err != nil {
		return nil, err
	}
	signature, err := by.sign(ctx, draft.digest)
	if err != nil {
		return nil, err
	}
	var stamp []byte
	if s.Timestamp || s.LongTerm {
		imprint, err := draft.imprint(signature)
		if err != nil {
			return nil, err
		}
		if stamp, err = by.stamp(ctx, imprint); err != nil {
			return nil, err
		}
	}
	return draft.finish(signature, stamp)
}

// addStatus fetches what whoever checks the signature would ask for.
func (a *App) addStatus(ctx context.Context, out *SignedDocument, certificate *x509.Certificate, s Signing) error {
	if !s.LongTerm && !s.Staple {
		return nil
	}
	issuer, err := a.Server.Authority(ctx, warifu.Signature)
	if err != nil {
		return err
	}
	status, err := a.Server.Status(ctx, warifu.Signature, certificate, issuer, a.Clock.Now())
	if err != nil {
		return err
	}
	if s.Staple {
		out.Status = status
	}
	if !s.LongTerm {
		return nil
	}
	clock, err := a.Server.certificate(ctx, "timestamp")
	if err != nil {
		return err
	}
	out.File, err = document.ExtendPDF(out.File, document.DSS{Certificates: [][]byte{issuer.Raw, clock.Raw}, OCSP: [][]byte{status}})
	return err
}

// draft is a document that lacks its signature, whatever its form.
type draft struct {
	digest [sha256.Size]byte
	// imprint is what a time-stamp on the signature has to be over.
	imprint func(signature []byte) ([sha256.Size]byte, error)
	finish  func(signature, stamp []byte) ([]byte, error)
}

func plainImprint(signature []byte) ([sha256.Size]byte, error) {
	return sha256.Sum256(signature), nil
}

func (s Signing) draft(content []byte, certificate *x509.Certificate, at time.Time) (draft, error) {
	switch s.Form {
	case FormPDF:
		p, err := document.PreparePDF(content, document.PDFOptions{Certificate: certificate, At: at, Reason: s.Reason, Location: s.Location})
		if err != nil {
			return draft{}, err
		}
		return draft{p.Digest(), plainImprint, p.Finish}, nil
	case FormXML:
		p, err := document.PrepareXML(content, certificate, at)
		if err != nil {
			return draft{}, err
		}
		return draft{p.Digest(), p.Imprint, p.Finish}, nil
	}
	p, err := cms.Prepare(cms.OIDData, content, certificate, nil, at, s.Form != FormAttached)
	if err != nil {
		return draft{}, err
	}
	finish := func(signature, stamp []byte) ([]byte, error) {
		der, err := p.Finish(signature)
		if err == nil && stamp != nil {
			der, err = cms.AddTimestamp(der, stamp)
		}
		return der, err
	}
	return draft{p.Digest(), plainImprint, finish}, nil
}

package verification

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/profile"
	"warifu/verify"
)

// Form is what a relying party has in its hands.
type Form string

// The forms of questions. Those that verify.Form has too are written alike.
const (
	FormCMS         Form = "cms"         // a CMS message, with its document where that is detached
	FormPDF         Form = "pdf"         // a signed PDF file
	FormXML         Form = "xml"         // a signed XML document
	FormDigest      Form = "digest"      // a bare signature over a SHA-256 digest, and the certificate
	FormPresence    Form = "presence"    // an answer to a login
	FormCertificate Form = "certificate" // a certificate alone
)

// Question is what a relying party wants to know.
type Question struct {
	Form        Form
	Signature   []byte // CMS, digest, presence
	Document    []byte // the detached document; the PDF or XML file
	Field       string // of a PDF file with several signatures: which
	Digest      []byte // 32 octets
	Certificate []byte // DER: digest, presence, certificate
	Presence    attest.Presence

	Accept       []profile.Class // cards, phones; empty: both
	MaxStatusAge time.Duration
	Attributes   []verify.Attribute
	Purpose      string // what for, told to the holder
}

const (
	maxPurpose = 400 // octets
	// MaxDocument bounds what is signed, in octets.
	MaxDocument = 16 << 20
)

func (q Question) check() error {
	wanted := func(ok bool, what string) error {
		if ok {
			return nil
		}
		return warifu.Invalid("verification-incomplete", "what", what)
	}
	if q.Purpose == "" || len(q.Purpose) > maxPurpose {
		return wanted(false, "purpose")
	}
	if len(q.Document) > MaxDocument || len(q.Signature) > MaxDocument {
		return warifu.TooLarge("verification-too-large")
	}
	switch q.Form {
	case FormCMS:
		return wanted(len(q.Signature) > 0, "signature")
	case FormPDF, FormXML:
		return wanted(len(q.Document) > 0, "document")
	case FormDigest:
		return wanted(len(q.Digest) == sha256.Size && len(q.Signature) > 0 && len(q.Certificate) > 0, "digest, signature, certificate")
	case FormPresence:
		return wanted(len(q.Signature) > 0 && len(q.Certificate) > 0, "signature, certificate")
	case FormCertificate:
		return wanted(len(q.Certificate) > 0, "certificate")
	}
	return wanted(false, "form")
}

// judged is a result with what evidence can be made of.
type judged struct {
	*verify.Result
	subject  func() (verify.Subject, error) // nil: there is nothing to keep evidence of
	document warifu.Digest
	changes  []string // of a PDF file: what came after the signature
}

func (d *Desk) judge(ctx context.Context, q Question, told []verify.Attribute) (judged, error) {
	p := verify.Policy{Classes: q.Accept, MaxStatusAge: q.MaxStatusAge, Attributes: told, MaxMessage: MaxDocument}
	switch q.Form {
	case FormCMS:
		r, err := d.Verifier.Document(ctx, q.Signature, q.Document, p)
		j := judged{Result: r, document: warifu.DigestOf(q.Document)}
		if q.Document == nil && r != nil {
			j.document = warifu.DigestOf(r.Content)
		}
		j.subject = func() (verify.Subject, error) { return verify.CMSSubject(q.Signature, q.Document) }
		return j, err
	case FormPDF:
		return d.judgePDF(ctx, q, p)
	case FormXML:
		r, err := d.Verifier.XML(ctx, q.Document, p)
		return judged{Result: r, document: warifu.DigestOf(q.Document), subject: func() (verify.Subject, error) { return verify.XMLSubject(q.Document) }}, err
	}
	certificate, err := x509.ParseCertificate(q.Certificate)
	if err != nil {
		return judged{}, warifu.Invalid("verification-incomplete", "what", "certificate").With(err)
	}
	switch q.Form {
	case FormDigest:
		digest := [sha256.Size]byte(q.Digest)
		r, err := d.Verifier.Digest(ctx, digest, certificate, q.Signature, p)
		return judged{Result: r, document: digest, subject: func() (verify.Subject, error) {
			return verify.DigestSubject(digest, certificate, q.Signature), nil
		}}, err
	case FormPresence:
		r, err := d.Verifier.Presence(ctx, q.Presence, certificate, q.Signature, p)
		return judged{Result: r, document: warifu.Digest(q.Presence.Digest())}, err
	default:
		r, err := d.Verifier.Certificate(ctx, certificate, p)
		return judged{Result: r}, err
	}
}

// judgePDF judges one signature of the file: the one in the field, or the only one.
func (d *Desk) judgePDF(ctx context.Context, q Question, p verify.Policy) (judged, error) {
	all, err := d.Verifier.PDF(ctx, q.Document, p)
	if err != nil {
		return judged{}, err
	}
	if q.Field != "" {
		all = slices.DeleteFunc(all, func(r *verify.PDFResult) bool { return r.Field != q.Field })
	}
	if len(all) != 1 {
		return judged{}, warifu.Invalid("verification-field-wanted")
	}
	r := all[0]
	return judged{
		Result: r.Result, document: warifu.DigestOf(q.Document), changes: r.Changes,
		subject: func() (verify.Subject, error) { return verify.PDFSubject(q.Document, r.Field) },
	}, nil
}

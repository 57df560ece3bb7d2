package verify

import (
	"crypto/sha256"
	"crypto/x509"

	"warifu"
	"warifu/cms"
	"warifu/document"
)

// Form says how a signature is tied to its document.
type Form string

// The forms. The strings are in records that are kept for decades; they never change.
const (
	FormCMS    Form = "cms"    // a CMS message beside or around the document
	FormPDF    Form = "pdf"    // in a PDF file
	FormXML    Form = "xml"    // in an XML document
	FormDigest Form = "digest" // a bare signature over SHA-256 of the document
)

// Subject is a signature taken from its document: enough to check it again without the
// document, and to recognise the document by its digest.
type Subject struct {
	Form Form
	// Document is SHA-256 of the document: of a PDF or XML file as it is, signature included.
	Document [sha256.Size]byte
	// Covered is what the signature states to cover: the digest of the content (CMS), of the
	// two ranges (PDF). Zero for the other forms, where Document or Signed says it.
	Covered [sha256.Size]byte
	// Signed is the CMS message without its content (CMS, PDF) or the canonical SignedInfo (XML).
	Signed []byte
	// Signature and Certificate are those of XML and of a bare signature.
	Signature   []byte
	Certificate []byte
	// Timestamp is the time-stamp token on an XML signature, and Imprint what it is over.
	Timestamp []byte
	Imprint   [sha256.Size]byte
}

// CMSSubject takes the signature from a CMS message; detached is the document of a
// detached one. Errors: those of cms.Parse and Message.Verify.
func CMSSubject(der, detached []byte) (Subject, error) {
	m, err := cms.Parse(der)
	if err != nil {
		return Subject{}, err
	}
	if err := m.Verify(detached); err != nil {
		return Subject{}, err
	}
	bare, err := m.Detach()
	return Subject{Form: FormCMS, Document: m.Digest(), Covered: m.Digest(), Signed: bare}, err
}

// PDFSubject takes one signature from a PDF file, by its field's name; "" is the only one.
// Errors: those of document.ReadPDF, Invalid "pdf-unsigned", Refused "pdf-changed".
func PDFSubject(file []byte, field string) (Subject, error) {
	pdf, err := document.ReadPDF(file)
	if err != nil {
		return Subject{}, err
	}
	var found []document.PDFSignature
	for _, s := range pdf.Signatures {
		if !s.IsTimestamp() && (field == "" || s.Field == field) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return Subject{}, warifu.Invalid("pdf-unsigned")
	}
	if s := found[0]; len(s.Changes) > 0 {
		return Subject{}, warifu.Refused("pdf-changed", "changes", s.Changes[0])
	}
	return Subject{Form: FormPDF, Document: sha256.Sum256(file), Covered: found[0].Digest, Signed: found[0].CMS}, nil
}

// XMLSubject takes the signature from an XML document. Errors: those of document.ReadXML.
func XMLSubject(file []byte) (Subject, error) {
	x, err := document.ReadXML(file)
	if err != nil {
		return Subject{}, err
	}
	return Subject{
		Form: FormXML, Document: sha256.Sum256(file), Signed: x.SignedInfo(), Signature: x.Signature(), Certificate: x.Signer.Raw,
		Timestamp: x.Timestamp, Imprint: x.Imprint,
	}, nil
}

// DigestSubject is a bare signature over SHA-256 of a document.
func DigestSubject(digest [sha256.Size]byte, certificate *x509.Certificate, signature []byte) Subject {
	return Subject{Form: FormDigest, Document: digest, Signature: signature, Certificate: certificate.Raw}
}

// open checks the signature and returns the signer's certificate, the signer's claim of
// the time, and the time-stamp on the signature with what it has to be over.
func (s Subject) open(r *Result) (signer *x509.Certificate, token []byte, imprint [sha256.Size]byte, err error) {
	switch s.Form {
	case FormCMS, FormPDF:
		m, err := cms.Parse(s.Signed)
		if err != nil {
			return nil, nil, imprint, err
		}
		r.SigningTime = m.SigningTime
		if !m.Detached || !m.ContentType.Equal(cms.OIDData) {
			return nil, nil, imprint, warifu.Refused("signature-content-type", "contentType", m.ContentType.String())
		}
		return m.Signer, m.Timestamp, sha256.Sum256(m.Signature), m.VerifyDigest(s.Covered)
	case FormXML, FormDigest:
		c, err := x509.ParseCertificate(s.Certificate)
		if err != nil {
			return nil, nil, imprint, warifu.Invalid("signature-malformed", "what", "certificate").With(err)
		}
		digest := s.Document
		if s.Form == FormXML {
			digest = sha256.Sum256(s.Signed)
		}
		return c, s.Timestamp, s.Imprint, cms.CheckSignature(c.PublicKey, digest, s.Signature)
	}
	return nil, nil, imprint, warifu.Invalid("evidence-malformed", "what", "form")
}

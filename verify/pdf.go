package verify

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"warifu"
	"warifu/cms"
	"warifu/document"
)

// PDFResult is what was found of one signature of a PDF file.
type PDFResult struct {
	*Result
	Field string // the signature field's name
	// Whole says that the signature covers the file to its end. Where it does not, Additions
	// names what came later and touches nothing that people see, and Changes what does; with
	// changes the verdict is Bad.
	Whole              bool
	Changes, Additions []string
}

// PDF judges every signature of a PDF file, in the order of its form: PAdES, made by
// signature (署名用) credentials. A time-stamp on the signature, or one over the whole file that came
// later, tells the instant to judge; the status that the file carries (DSS) is believed
// before anybody is asked. A file that cannot be read, and one without a signature, is one result that is Bad.
// Error: the context's, and nothing else.
func (v *Verifier) PDF(ctx context.Context, file []byte, p Policy) ([]*PDFResult, error) {
	pdf, err := document.ReadPDF(file)
	if err == nil && !hasSignature(pdf) {
		err = warifu.Invalid("pdf-unsigned")
	}
	if err != nil {
		r := v.begin(p)
		r.bad(err)
		return []*PDFResult{{Result: r}}, ctx.Err()
	}
	stamps := v.fileStamps(pdf)
	var out []*PDFResult
	for i, s := range pdf.Signatures {
		if !s.IsTimestamp() {
			out = append(out, v.pdfSignature(ctx, s, pdf.DSS, stamps[i:], p))
		}
	}
	return out, ctx.Err()
}

func hasSignature(pdf *document.PDF) bool {
	for _, s := range pdf.Signatures {
		if !s.IsTimestamp() {
			return true
		}
	}
	return false
}

// fileStamps returns for each signature of the file the instant of the time-stamp it is,
// zero for one that is none or proves nothing.
func (v *Verifier) fileStamps(pdf *document.PDF) []time.Time {
	out := make([]time.Time, len(pdf.Signatures))
	for i, s := range pdf.Signatures {
		if s.IsTimestamp() && len(s.Changes) == 0 {
			if at, err := v.openStamp(s.CMS, s.Digest); err == nil {
				out[i] = at
			}
		}
	}
	return out
}

func (v *Verifier) pdfSignature(ctx context.Context, s document.PDFSignature, dss document.DSS, later []time.Time, p Policy) *PDFResult {
	r := &PDFResult{Result: v.begin(p), Field: s.Field, Whole: s.Whole, Changes: s.Changes, Additions: s.Additions}
	defer r.conclude()
	if s.Filter != "ETSI.CAdES.detached" && s.Filter != "adbe.pkcs7.detached" {
		r.bad(warifu.Refused("pdf-signature-kind", "kind", s.Filter))
		return r
	}
	m, err := cms.Parse(s.CMS)
	if err != nil {
		r.bad(err)
		return r
	}
	if !m.Detached || !m.ContentType.Equal(cms.OIDData) {
		r.bad(warifu.Refused("signature-content-type", "contentType", m.ContentType.String()))
	}
	if err := m.VerifyDigest(s.Digest); err != nil {
		r.bad(err)
	}
	if len(s.Changes) > 0 {
		r.bad(warifu.Refused("pdf-changed", "changes", strings.Join(s.Changes, ", ")))
	}
	r.SigningTime = m.SigningTime
	p = v.stamped(r.Result, p, m.Timestamp, sha256.Sum256(m.Signature))
	for _, at := range later { // a time-stamp behind it covers it
		if p.At.IsZero() && !at.IsZero() {
			r.At, r.Stamped, p.At = at, at, at
		}
	}
	v.judge(ctx, r.Result, m.Signer, warifu.Signature, v.withDSS(p, dss, r.At))
	r.checkSigningTime()
	return r
}

// withDSS has the status that the file carries asked first.
func (v *Verifier) withDSS(p Policy, dss document.DSS, at time.Time) Policy {
	var all FirstOf
	for _, der := range dss.OCSP {
		all = append(all, kept{RawOCSP(der), at})
	}
	for _, der := range dss.CRL {
		all = append(all, kept{RawCRL(der), at})
	}
	switch {
	case len(all) == 0:
	case p.Status != nil:
		p.Status = append(all, p.Status)
	case v.status != nil:
		p.Status = append(all, v.status)
	default:
		p.Status = all
	}
	return p
}

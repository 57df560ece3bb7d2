package verify

import (
	"context"
	"crypto/sha256"

	"warifu"
	"warifu/cms"
)

// Document judges a CMS signature by a signature (署名用) credential. detached is the
// document of a detached signature; nil for an attached one. The document is
// covered whole or the result is Bad. Error: the context's, and nothing else: what
// cannot be read is Bad, with the reason.
func (v *Verifier) Document(ctx context.Context, der, detached []byte, p Policy) (*Result, error) {
	r := v.begin(p)
	limit := p.MaxMessage
	if limit == 0 {
		limit = cms.MaxMessage
	}
	m, err := parse(der, limit)
	if err != nil {
		r.bad(err)
		return r, ctx.Err()
	}
	wanted := p.ContentType
	if wanted == nil {
		wanted = cms.OIDData
	}
	if !m.ContentType.Equal(wanted) {
		r.bad(warifu.Refused("signature-content-type", "contentType", m.ContentType.String()))
	}
	if err := m.Verify(detached); err != nil {
		r.bad(err)
	} else {
		r.Content = m.Content
	}
	r.SigningTime = m.SigningTime
	p = v.stamped(r, p, m.Timestamp, sha256.Sum256(m.Signature))
	v.judge(ctx, r, m.Signer, warifu.Signature, p)
	r.checkSigningTime()
	r.conclude()
	return r, ctx.Err()
}

// parse remembers what is small enough to be a paper.
func parse(der []byte, limit int) (*cms.Message, error) {
	if len(der) <= min(limit, cms.MaxPaper) {
		return cms.ParsePaper(der)
	}
	return cms.ParseWithin(der, limit)
}

// checkSigningTime warns of a claim that cannot be true; it proves nothing either way.
func (r *Result) checkSigningTime() {
	t := r.SigningTime
	if t.IsZero() || r.Certificate == nil {
		return
	}
	if t.After(r.At) || t.Before(r.Certificate.NotBefore) || t.After(r.Certificate.NotAfter) {
		r.warn(warifu.Invalid("signing-time-implausible"))
	}
}

package verify

import (
	"context"

	"warifu"
	"warifu/document"
)

// XML judges the signature of an XML document: XAdES over the whole of it, made by a
// signature (署名用) credential. A time-stamp on the signature tells the instant to judge. What
// cannot be read is Bad, with the reason. Error: the context's, and nothing else.
func (v *Verifier) XML(ctx context.Context, file []byte, p Policy) (*Result, error) {
	r := v.begin(p)
	x, err := document.ReadXML(file)
	if err != nil {
		r.bad(err)
		return r, ctx.Err()
	}
	if err := x.Verify(); err != nil {
		r.bad(err)
	}
	r.SigningTime = x.SigningTime
	p = v.stamped(r, p, x.Timestamp, x.Imprint)
	v.judge(ctx, r, x.Signer, warifu.Signature, p)
	r.checkSigningTime()
	r.conclude()
	return r, ctx.Err()
}

package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"

	"warifu"
	"warifu/cms"
)

// Digest judges a bare signature by a signature (署名用) credential over SHA-256 of a
// document: PKCS #1 v1.5 with RSA, ECDSA-Sig-Value with P-256. Where there is a choice use
// Document: a bare signature says neither when it was made nor by which certificate.
// Error: the context's, and nothing else.
func (v *Verifier) Digest(ctx context.Context, digest [sha256.Size]byte, certificate *x509.Certificate, signature []byte, p Policy) (*Result, error) {
	r := v.begin(p)
	if err := cms.CheckSignature(certificate.PublicKey, digest, signature); err != nil {
		r.bad(err)
	}
	v.judge(ctx, r, certificate, warifu.Signature, p)
	r.conclude()
	return r, ctx.Err()
}

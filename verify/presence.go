package verify

import (
	"context"
	"crypto/x509"
	"math"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/ocsp"
)

const (
	minNonce             = 16
	defaultMaxAnswerTime = 10 * time.Minute
)

// Presence judges an answer to a challenge: the signature, by an authentication
// (利用者証明用) credential, of question, which the caller rebuilds from its own
// values and takes none of from the claimant (design §3.8). An answer given to
// another client, origin, purpose, nonce, transaction or time is then Bad of
// itself. Error: the context's, and nothing else.
func (v *Verifier) Presence(ctx context.Context, question attest.Presence, c *x509.Certificate, signature []byte, p Policy) (*Result, error) {
	r := v.begin(p)
	if err := checkQuestion(question, r.At, p.MaxAnswerTime); err != nil {
		r.bad(err)
	}
	if err := cms.CheckSignature(c.PublicKey, question.Digest(), signature); err != nil {
		r.bad(err)
	}
	v.judge(ctx, r, c, warifu.Authentication, p)
	r.conclude()
	return r, ctx.Err()
}

// checkQuestion refuses a question that binds too little or was asked too long ago.
func checkQuestion(q attest.Presence, at time.Time, longest time.Duration) error {
	if longest == 0 {
		longest = defaultMaxAnswerTime
	}
	bound := len(q.Nonce) >= minNonce && q.Purpose != "" && q.ClientID != "" && q.Origin != ""
	for _, n := range []int{len(q.Purpose), len(q.ClientID), len(q.Origin), len(q.Nonce), len(q.Transaction)} {
		bound = bound && n <= math.MaxUint16 // what Bytes would cut off would not be signed
	}
	if !bound {
		return warifu.Invalid("presence-question-weak")
	}
	if q.Time.After(at.Add(ocsp.MaxSkew)) || at.Sub(q.Time) > longest {
		return warifu.Refused("presence-stale")
	}
	return nil
}

package ca_test

import (
	"crypto"
	"io"
	"testing"

	"warifu"
	"warifu/ca"
)

// crooked is a key whose every signature has one bit wrong.
type crooked struct{ crypto.Signer }

func (c crooked) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := c.Signer.Sign(random, digest, opts)
	if err == nil {
		signature[len(signature)-1] ^= 1
	}
	return signature, err
}

func TestAKeyThatSignsWronglyLeavesNothingRecorded(t *testing.T) {
	w := newWorld("badge")
	config := ca.ConfigOf(w.issuers[sig])
	straight := config.Key
	config.Key = crooked{straight}
	requests := []ca.Request{w.newApplication().request(), w.newApplication().request(), w.newApplication().request()}
	for _, o := range must(ca.New(config)).Issue(t.Context(), requests) {
		if e := warifu.ProblemOf(o.Err); e == nil || e.Problem != "signing-failed" || e.Code != warifu.CodeUnavailable || o.Certificate != nil {
			t.Errorf("%v", o.Err)
		}
	}
	for _, row := range rows(w) {
		if row.Certificate != nil {
			t.Error("recorded")
		}
	}
	config.Key = straight
	for n, o := range must(ca.New(config)).Issue(t.Context(), requests) {
		if o.Err != nil {
			t.Errorf("%d is not signed once the key is mended: %v", n, o.Err)
		}
	}
}

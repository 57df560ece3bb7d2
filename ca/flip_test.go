package ca_test

import (
	"bytes"
	"testing"

	"warifu"
	"warifu/ca"
)

// TestEveryFlippedOctetIsRefused flips a bit in octet after octet of every part of a
// good request: nothing in it may be changed by anybody on the way.
func TestEveryFlippedOctetIsRefused(t *testing.T) {
	w := newWorld("badge")
	good := w.newApplication().request()
	parts := map[string]struct {
		octets []byte
		put    func(r *ca.Request, octets []byte)
	}{
		"document":    {good.Document, func(r *ca.Request, b []byte) { r.Document = b }},
		"attestation": {good.Attestation, func(r *ca.Request, b []byte) { r.Attestation = b }},
		"chain":       {good.Chain[0], func(r *ca.Request, b []byte) { r.Chain = [][]byte{b} }},
		"secrets set": {good.SecretsSet, func(r *ca.Request, b []byte) { r.SecretsSet = b }},
		"statement":   {good.Statement, func(r *ca.Request, b []byte) { r.Statement = b }},
		"signature status": {good.CardStatus[sig], func(r *ca.Request, b []byte) {
			r.CardStatus = map[warifu.Kind][]byte{sig: b, auth: good.CardStatus[auth]}
		}},
		"card authentication": {good.CardAuthentication, func(r *ca.Request, b []byte) { r.CardAuthentication = b }},
	}
	const stride = 2
	for name, p := range parts {
		var requests []ca.Request
		for at := 0; at < len(p.octets); at += stride {
			octets := bytes.Clone(p.octets)
			octets[at] ^= 1 << (at / stride % 8)
			r := good
			p.put(&r, octets)
			requests = append(requests, r)
		}
		for n, o := range w.issuers[auth].Issue(t.Context(), requests) {
			if o.Err == nil {
				t.Errorf("%s: octet %d of %d may be flipped", name, n*stride, len(p.octets))
			}
		}
	}
	if w.signatures() != 0 || w.intents() != 0 {
		t.Errorf("%d signatures, %d intents", w.signatures(), w.intents())
	}
}

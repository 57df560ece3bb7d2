package server

import (
	"context"

	"warifu"
	"warifu/ca"
	"warifu/registration"
	"warifu/store"
)

// issuer lets the registration authority see a certification authority as it
// declares it. In one process it is this call; as a process of its own the
// authority would pull the same requests.
type issuer struct {
	kind      warifu.Kind
	authority *ca.Issuer
	ledger    *store.Ledger
}

// Issue implements registration.Issuer.
func (i issuer) Issue(ctx context.Context, evidence []registration.Evidence) []registration.Outcome {
	requests := make([]ca.Request, len(evidence))
	for n, e := range evidence {
		requests[n] = ca.Request(e)
	}
	out := make([]registration.Outcome, len(evidence))
	for n, o := range i.authority.Issue(ctx, requests) {
		out[n] = registration.Outcome(o)
	}
	return out
}

// Intended implements registration.Issuer.
func (i issuer) Intended(ctx context.Context, document warifu.Digest) (warifu.Intent, bool, error) {
	return i.ledger.Find(ctx, document, i.kind)
}

// Unfinished implements registration.Issuer.
func (i issuer) Unfinished(ctx context.Context, behind warifu.Intent) ([]warifu.Intent, error) {
	return i.authority.Unfinished(ctx, behind)
}

// source lets the responder and the publisher see the status of certificates.
type source struct{ store *store.Store }

// Status returns what may be said of a serial number.
func (s source) Status(ctx context.Context, kind warifu.Kind, serial []byte) (record warifu.StatusRecord, found bool, err error) {
	err = s.store.Read(ctx, func(tx *store.Tx) (err error) {
		record, found, err = tx.StatusOf(kind, serial)
		return err
	})
	return record, found, err
}

// pusher counts and hands on.
type pusher func(ctx context.Context, element warifu.ElementID, application string) error

// Push implements registration.Pusher.
func (p pusher) Push(ctx context.Context, element warifu.ElementID, application string) error {
	return p(ctx, element, application)
}

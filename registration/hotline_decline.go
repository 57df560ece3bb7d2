package registration

import (
	"context"

	"warifu"
	"warifu/store"
)

// verbDecline stands in the audit line of a proposal that was turned down or taken back; its
// subject is the receipt number.
const verbDecline warifu.Verb = "decline"

// HotlineDecline ends an open proposal without doing anything: a second operator is not
// convinced, or who made it takes it back. Whoever may confirm such a proposal may, and the line in the
// audit trail says who did. It returns the receipt number. Errors: those of an operator, NotFound
// "proposal-unknown", Conflict "proposal-closed" and "proposal-expired".
func (a *Authority) HotlineDecline(ctx context.Context, token, id string) (string, error) {
	o, err := a.operator(ctx, token, rightResume)
	if err != nil {
		return "", err
	}
	var p store.Proposal
	err = a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if p, err = tx.Proposal(id); err != nil {
			return err
		}
		what, _, err := rightFor(p.Verb)
		now := a.Clock.Now()
		switch {
		case err != nil:
			return err
		case !o.Role.may(what):
			return warifu.NotFound("proposal-unknown") // as the queue, which does not show it
		case p.Confirmer != "":
			return warifu.Conflict("proposal-closed")
		case !now.Before(p.Expires):
			return warifu.Conflict("proposal-expired")
		}
		if err := tx.DeclineProposal(id, now); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: now, Actor: o.actor(), Verb: verbDecline, Subject: p.Receipt, Detail: map[string]string{"verb": string(p.Verb), "cause": p.Cause}})
	})
	return p.Receipt, err
}

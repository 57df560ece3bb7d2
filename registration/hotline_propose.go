package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// proposalLife is how long a proposal waits for the second operator.
const proposalLife = time.Hour

// CausesOfResuming and CausesOfRevoking are why operators may resume and revoke.
var (
	CausesOfResuming = []string{"found", "mistaken"}
	CausesOfRevoking = []string{causeOfHolder, "misissued", "key-compromise", "court-order"}
)

// causeOfHolder is the one cause of revoking that is the holder's and not the authority's.
const causeOfHolder = "holder-request"

// revocationReasons are what the world is told; the rest is cessation of operation.
var revocationReasons = map[string]warifu.Reason{"misissued": warifu.ReasonPrivilegeWithdrawn, "key-compromise": warifu.ReasonKeyCompromise}

// HotlineProposal is what one operator proposed: nothing has happened yet.
type HotlineProposal struct {
	ID      string
	Receipt string
	Expires time.Time
}

// verbPropose and verbConfirm stand in audit lines whose subject is a receipt number.
const (
	verbPropose warifu.Verb = "propose"
	verbConfirm warifu.Verb = "confirm"
)

func rightFor(verb warifu.Verb) (right, []string, error) {
	switch verb {
	case warifu.VerbResume:
		return rightResume, CausesOfResuming, nil
	case warifu.VerbRevoke:
		return rightRevoke, CausesOfRevoking, nil
	}
	return "", nil, warifu.Invalid("order-malformed")
}

// HotlinePropose writes down that an operator wants the person of a match resumed or
// revoked (the verb), and why. Nothing happens until HotlineConfirm by another. Errors:
// those of an operator and of a match, Invalid "cause-unknown", Conflict "call-back-missing"
// where the holder's wish was not confirmed at the registered number (HotlineCallBack).
func (a *Authority) HotlinePropose(ctx context.Context, token string, verb warifu.Verb, match, cause string) (HotlineProposal, error) {
	what, causes, err := rightFor(verb)
	if err != nil {
		return HotlineProposal{}, err
	}
	o, err := a.operator(ctx, token, what)
	if err != nil {
		return HotlineProposal{}, err
	}
	if !slices.Contains(causes, cause) {
		return HotlineProposal{}, warifu.Invalid("cause-unknown")
	}
	id, err := a.newID("p")
	if err != nil {
		return HotlineProposal{}, err
	}
	now := a.Clock.Now()
	out := HotlineProposal{ID: id, Expires: now.Add(proposalLife)}
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		call, err := a.matched(tx, o, match)
		if err != nil {
			return err
		}
		if err := calledBack(tx, call.Receipt, verb, cause); err != nil {
			return err
		}
		if _, err := aimOfPerson(tx, call.Person, warifu.Kinds[:]); err != nil {
			return err
		}
		out.Receipt = call.Receipt
		p := store.Proposal{ID: id, Receipt: call.Receipt, Verb: verb, Cause: cause, Person: call.Person, Proposer: o.Name, Token: o.Token, At: now, Expires: out.Expires}
		if err := tx.InsertProposal(p); err != nil {
			return err
		}
		return tx.Audit(store.Line{At: now, Actor: o.actor(), Verb: verbPropose, Subject: call.Receipt, Detail: map[string]string{"verb": string(verb), "cause": cause}})
	})
	if err != nil {
		return HotlineProposal{}, err
	}
	return out, nil
}

// HotlineConfirm has a second operator, with another token and the same right, confirm a
// proposal for the verb: the hold for loss is lifted, or everything is revoked for good,
// and the phone and the registered contact are told (K15). It returns the receipt
// number. Errors: those of an operator, NotFound "proposal-unknown", Conflict
// "proposal-closed", "proposal-expired" and "call-back-missing", Refused "four-eyes".
func (a *Authority) HotlineConfirm(ctx context.Context, token string, verb warifu.Verb, id string) (string, error) {
	what, _, err := rightFor(verb)
	if err != nil {
		return "", err
	}
	second, err := a.operator(ctx, token, what)
	if err != nil {
		return "", err
	}
	var p store.Proposal
	err = a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if p, err = tx.Proposal(id); err != nil {
			return err
		}
		if err := a.mayConfirm(tx, p, second, verb, what); err != nil {
			return err
		}
		if err := calledBack(tx, p.Receipt, verb, p.Cause); err != nil { // it may have been denied since
			return err
		}
		now := a.Clock.Now()
		if err := tx.ConfirmProposal(id, second.Name, now); err != nil {
			return err
		}
		line := store.Line{ID: tx.NewID(), At: now, Actor: second.actor(), Verb: verbConfirm, Subject: p.Receipt, Detail: map[string]string{"verb": string(verb), "cause": p.Cause}}
		if err := tx.Audit(line); err != nil {
			return err
		}
		do := order{verb: verb, kinds: warifu.Kinds[:], party: warifu.PartyOperators, actor: "operators:" + p.Proposer + "+" + second.Name, cause: line.ID, reason: revocationReasons[p.Cause]}
		occasion := occasionRevoked
		if verb == warifu.VerbResume {
			do.hold.reason, occasion = warifu.HoldLost, occasionResumed
		}
		return a.operate(tx, p.Person, do, occasion)
	})
	return p.Receipt, err
}

// mayConfirm checks a second operator against the proposal: four eyes, by name and by
// token; in time; and the first still has the right today, and the token it was made with.
func (a *Authority) mayConfirm(tx *store.Tx, p store.Proposal, second Operator, verb warifu.Verb, what right) error {
	first, there, err := a.proposed(tx, p)
	switch {
	case err != nil:
		return err
	case p.Verb != verb:
		return warifu.NotFound("proposal-unknown")
	case p.Confirmer != "":
		return warifu.Conflict("proposal-closed")
	case p.Proposer == second.Name, p.Token == second.Token:
		return warifu.Refused("four-eyes")
	case !a.Clock.Now().Before(p.Expires), !there, !first.Role.may(what):
		return warifu.Conflict("proposal-expired")
	}
	return nil
}

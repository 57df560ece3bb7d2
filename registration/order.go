package registration

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"slices"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// Standing is where one credential stands after an order, and what its chip is to be
// handed: a kill ticket once it has ended and its key may still lie there.
type Standing struct {
	Credential string
	Kind       warifu.Kind
	State      warifu.CredentialState
	Holds      []warifu.HoldReason
	Until      time.Time // of a hold for a repair, which ends by itself then; else zero
	NotAfter   time.Time
	Ticket     []byte // attest.KillTicket; nil: none
}

// order is what a holder wants done, however it was proven.
type order struct {
	verb     warifu.Verb // suspend, resume or revoke
	kinds    []warifu.Kind
	hold     hold // to put or to lift
	party    warifu.Party
	actor    string
	evidence []byte        // the signed paper itself
	cause    string        // the audit line it follows from; "": the holder's own wish
	reason   warifu.Reason // of a revocation; zero: as a holder's own
}

// verbOrder stands in the audit line that the moves of an order follow from; its
// subject is the application whose credentials are meant, its detail the digest of
// the signed order in the sealed table.
const verbOrder warifu.Verb = "order"

// longestRepair bounds how far away the end of a repair may be.
const longestRepair = 366 * 24 * time.Hour

// allowed checks an order against the rules of holds and the clock.
func (a *Authority) allowed(o order) error {
	if o.verb == warifu.VerbRevoke {
		return nil
	}
	rule, known := o.hold.reason.Rule()
	if !known {
		return warifu.Invalid("hold-reason-unknown", "reason", string(o.hold.reason))
	}
	may := rule.Put
	if o.verb == warifu.VerbResume {
		may = rule.Lift
	}
	if !slices.Contains(may, o.party) {
		return warifu.Refused("hold-not-yours", "reason", string(o.hold.reason))
	}
	now := a.Clock.Now()
	switch {
	case rule.Dated && o.verb == warifu.VerbSuspend && !o.hold.until.After(now):
		return warifu.Invalid("hold-until-past")
	case o.hold.until.Sub(now) > longestRepair:
		return warifu.Invalid("hold-until-too-far", "last", now.Add(longestRepair).UTC().Format(time.DateOnly))
	}
	return nil
}

// aim is what an order reaches: credentials that are or were live, and the open
// application of the same phone, which a hold makes wait (K14).
type aim struct {
	credentials []store.Credential
	application *store.Application
}

// aimAt finds what an order for the kinds means among all of a phone's or a person's
// credentials, oldest first: the live one of each kind, or else the last that was live, so
// that what has ended is answered and not denied.
func aimAt(all []store.Credential, kinds []warifu.Kind) []store.Credential {
	var out []store.Credential
	for _, kind := range kinds {
		best := -1
		for i, c := range all {
			if c.Kind == kind && !c.ActivatedAt.IsZero() && (best < 0 || !live(all[best])) {
				best = i
			}
		}
		if best >= 0 {
			out = append(out, all[best])
		}
	}
	return out
}

// narrowed leaves out what has ended from what is to be held or resumed, unless nothing
// else is there: a lost phone is held although a move has ended one of its credentials.
func (at aim) narrowed(o order) aim {
	if o.verb != warifu.VerbRevoke && slices.ContainsFunc(at.credentials, live) {
		at.credentials = slices.DeleteFunc(at.credentials, func(c store.Credential) bool { return !live(c) })
	}
	return at
}

func live(c store.Credential) bool {
	return c.State == warifu.CredentialActive || c.State == warifu.CredentialHeld
}

// openOf returns the open application of a phone among all made from it.
func openOf(rows []store.Application) *store.Application {
	for i := range rows {
		if !warifu.ApplicationLife.Final(rows[i].State) {
			return &rows[i]
		}
	}
	return nil
}

// met reports whether everything an order wants is so already: asking twice changes
// nothing and is no error.
func (a *Authority) met(tx *store.Tx, at aim, o order) (bool, error) {
	for _, c := range at.credentials {
		if o.verb == warifu.VerbRevoke {
			if live(c) {
				return false, nil
			}
			continue
		}
		if warifu.CredentialLife.Final(c.State) {
			return false, nil // what has ended can be neither held nor resumed: let it be said
		}
		so, err := holdMet(tx, c.ID, o)
		if err != nil || !so {
			return false, err
		}
	}
	if at.application == nil {
		return true, nil
	}
	if o.verb == warifu.VerbRevoke {
		return false, nil
	}
	return holdMet(tx, at.application.ID, o)
}

func holdMet(tx *store.Tx, subject string, o order) (bool, error) {
	standing, err := tx.Holds(subject)
	for _, h := range standing {
		if h.Reason == string(o.hold.reason) {
			return o.verb == warifu.VerbSuspend && h.Until.Equal(o.hold.until), err
		}
	}
	return o.verb == warifu.VerbResume, err
}

// carryOut does what an order says to everything it reaches, after one audit line that
// names its evidence. The credentials come back as they are then.
func (a *Authority) carryOut(tx *store.Tx, at aim, o order) ([]store.Credential, error) {
	cause, err := a.orderLine(tx, at, o)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(at.credentials)
	for i, c := range at.credentials {
		switch o.verb {
		case warifu.VerbSuspend:
			out[i], _, err = a.putHold(tx, c, o.hold, o.actor, cause)
		case warifu.VerbResume:
			out[i], _, err = a.liftHold(tx, c, o.hold.reason, o.actor, cause)
		default: // by whom the law names, not because a key is known to be lost: RFC 5280's cessation
			out[i], _, err = a.revokeCredential(tx, c, cmp.Or(o.reason, warifu.ReasonCessationOfOperation), o.actor, cause)
		}
		if err != nil {
			return nil, err
		}
	}
	if row := at.application; row != nil {
		switch o.verb {
		case warifu.VerbSuspend:
			_, err = a.holdApplication(tx, *row, o.hold, o.actor, cause)
		case warifu.VerbResume:
			_, err = a.liftApplication(tx, *row, o.hold.reason, o.actor, cause)
		default:
			err = a.endOpen(tx, *row, warifu.VerbWithdraw, "", o.actor, cause)
		}
	}
	return out, err
}

// orderLine seals the signed order and writes the line that everything done follows from.
func (a *Authority) orderLine(tx *store.Tx, at aim, o order) (string, error) {
	person, subject := personOf(at)
	line := store.Line{ID: tx.NewID(), At: a.Clock.Now(), Actor: o.actor, Verb: verbOrder, Subject: subject, Cause: o.cause, Detail: map[string]string{"verb": string(o.verb)}}
	if o.verb != warifu.VerbRevoke {
		line.Detail["reason"] = string(o.hold.reason)
	}
	if o.evidence != nil {
		digest, err := tx.SealBlob(person, o.evidence)
		if err != nil {
			return "", err
		}
		line.Detail["order"] = digest.String()
	}
	return line.ID, tx.Audit(line)
}

func personOf(at aim) (person warifu.Digest, application string) {
	if len(at.credentials) > 0 {
		return at.credentials[0].Person, at.credentials[0].Application
	}
	return at.application.Person, at.application.ID
}

// standings tells where credentials stand.
func (a *Authority) standings(ctx context.Context, credentials []store.Credential) (out []Standing, err error) {
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		out, err = standing(tx, credentials)
		return err
	})
	return out, err
}

// standing is standings within a transaction: what an order answers is read in the order's
// own, so that nothing which fails after its commit makes it look undone.
func standing(tx *store.Tx, credentials []store.Credential) ([]Standing, error) {
	out := make([]Standing, len(credentials))
	for i, c := range credentials {
		out[i] = Standing{Credential: c.ID, Kind: c.Kind, State: c.State, NotAfter: c.NotAfter}
		holds, err := tx.Holds(c.ID)
		if err != nil {
			return nil, err
		}
		for _, h := range holds {
			out[i].Holds = append(out[i].Holds, warifu.HoldReason(h.Reason))
			if !h.Until.IsZero() {
				out[i].Until = h.Until
			}
		}
	}
	return out, nil
}

// OrderChallenge makes a challenge for an order: one of a device's own, bound to its
// element, or one made with the card, bound to none (the zero identifier). No model is
// asked about: nobody is kept from revoking because the phone has become too old.
func (a *Authority) OrderChallenge(_ context.Context, element warifu.ElementID) (Challenge, error) {
	now := a.Clock.Now()
	octets, err := attest.NewChallenge(a.ChallengeMAC, a.Random, element, now)
	if err != nil {
		return Challenge{}, err
	}
	return Challenge{Octets: octets, ExpiresAt: now.Add(a.Scheme.ChallengeLife)}, nil
}

// elementKey is the attestation key of an element that has applied here, by the maker's
// chain it last applied with (chainHeld). NotFound "element-unknown" for one that never has.
func (a *Authority) elementKey(ctx context.Context, element warifu.ElementID) (*ecdsa.PublicKey, error) {
	var chain [][]byte
	var last store.Application
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.ApplicationsOfElement(element)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return warifu.NotFound("element-unknown")
		}
		last = rows[len(rows)-1]
		chain, err = unsealAll(tx, last.Chain)
		return err
	})
	if err != nil {
		return nil, err
	}
	pub, id, err := a.chainHeld(chain, last)
	if err == nil && id != element {
		err = warifu.Refused("attestation-chain-invalid")
	}
	return pub, err
}

// chainHeld checks the maker's chain that an application was accepted with, as of then: it
// was valid when its element vouched for the keys, and whether the maker's certificate for
// the element has expired since says nothing about who holds the key. Asked as of now, a
// phone would lose the way to suspend and revoke, and to give the receipt of a key it
// destroyed, on the day its maker's certificate ends, while its credentials live on. A
// maker that is trusted no more is taken from the anchors, and that counts at once.
func (a *Authority) chainHeld(chain [][]byte, row store.Application) (*ecdsa.PublicKey, warifu.ElementID, error) {
	return attest.VerifyChain(chain, a.MakerAnchors, row.SubmittedAt)
}

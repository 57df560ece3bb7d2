package registration

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/store"
)

// PurposeReissueCode is the purpose of a device request for a new suspension code. The
// purposes of orders are "revoke", "suspend:own-wish", "suspend:repair:<seconds since
// 1970>", "resume:own-wish" and "resume:repair"; the subject names the kinds, joined by
// commas in their order.
const PurposeReissueCode = "reissue-code"

// ByDevice carries out what a phone's secure element asks in its own name (R75, K5,
// K10): final and immediate when it returns. The chip says in the request which secrets it
// had verified. Ending and resuming take the signing password, or the PIN where only
// the authentication credential is left; suspending takes either. Asking for what is so
// already changes nothing and succeeds, also with a request that was used before; any other
// replay is Conflict "challenge-used". Kill tickets for what has ended go with the answer
// where they could be made; where not, the order stands and Tickets has them. Errors: "element-unknown", "device-request-other",
// "order-malformed", "secret-not-verified", "hold-not-yours", "hold-until-past",
// "hold-until-too-far", "credential-absent", "credential-ended", those of challenges and papers.
func (a *Authority) ByDevice(ctx context.Context, element warifu.ElementID, envelope []byte) ([]Standing, error) {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return nil, err
	}
	o, err := orderOf(request)
	if err != nil {
		return nil, err
	}
	o.evidence = envelope
	var done []Standing
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		all, err := tx.CredentialsOfElement(element)
		if err != nil {
			return err
		}
		at := aim{credentials: aimAt(all, o.kinds)}
		if len(at.credentials) != len(o.kinds) {
			return warifu.NotFound("credential-absent")
		}
		if at = at.narrowed(o); o.verb != warifu.VerbRevoke {
			if at.application, err = openOfPhone(tx, at.credentials[0]); err != nil {
				return err
			}
		}
		if met, err := a.met(tx, at, o); err != nil || met {
			done, err = standing(tx, at.credentials)
			return err
		}
		if err := a.mayOrder(tx, request, o.verb == warifu.VerbSuspend, all); err != nil {
			return err
		}
		if err := a.allowed(o); err != nil {
			return err
		}
		moved, err := a.carryOut(tx, at, o)
		if err != nil {
			return err
		}
		done, err = standing(tx, moved)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.addTickets(ctx, element, done)
	return done, nil
}

// mayOrder checks the secret that the chip had verified and spends the challenge.
func (a *Authority) mayOrder(tx *store.Tx, request attest.DeviceRequest, anySecret bool, all []store.Credential) error {
	if err := secretVerified(request.Verified, anySecret, all); err != nil {
		return err
	}
	expires, err := a.freshChallenge(request.Nonce, request.Element)
	if err != nil {
		return err
	}
	return tx.UseChallenge(warifu.DigestOf(request.Nonce), expires)
}

// secretVerified applies K10: the signing password counts for everything on the phone
// while a signing credential is there; the PIN where there is none. Where any secret
// will do, that of either live credential is enough.
func secretVerified(verified []warifu.Kind, anySecret bool, all []store.Credential) error {
	var right []warifu.Kind
	for _, kind := range warifu.Kinds {
		if slices.ContainsFunc(all, func(c store.Credential) bool { return c.Kind == kind && live(c) }) {
			right = append(right, kind)
		}
	}
	if len(right) == 0 {
		return nil // nothing is live: whatever is said will change nothing
	}
	if !anySecret {
		right = right[:1] // the signing one stands first
	}
	if !slices.ContainsFunc(right, func(k warifu.Kind) bool { return slices.Contains(verified, k) }) {
		return warifu.Unauthenticated("secret-not-verified", "kind", right[0].String())
	}
	return nil
}

// deviceRequest checks that the element itself signed the request. Whether its challenge
// is fresh is asked when it is spent.
func (a *Authority) deviceRequest(ctx context.Context, element warifu.ElementID, envelope []byte) (attest.DeviceRequest, error) {
	pub, err := a.elementKey(ctx, element)
	if err != nil {
		return attest.DeviceRequest{}, err
	}
	request, err := attest.OpenDeviceRequest(envelope, pub)
	if err == nil && request.Element != element {
		err = warifu.Refused("device-request-other")
	}
	return request, err
}

// orderOf reads purpose and subject of a device request.
func orderOf(r attest.DeviceRequest) (order, error) {
	o := order{party: warifu.PartyDevice, actor: actorElement(r.Element)}
	malformed := warifu.Invalid("order-malformed")
	verb, rest, _ := strings.Cut(r.Purpose, ":")
	reason, date, dated := strings.Cut(rest, ":")
	o.verb, o.hold.reason = warifu.Verb(verb), warifu.HoldReason(reason)
	switch o.verb {
	case warifu.VerbRevoke:
		if r.Purpose != string(warifu.VerbRevoke) {
			return o, malformed
		}
	case warifu.VerbSuspend, warifu.VerbResume:
		rule, known := o.hold.reason.Rule()
		if !known || dated != (rule.Dated && o.verb == warifu.VerbSuspend) {
			return o, malformed
		}
	default:
		return o, warifu.Refused("device-request-other") // of another purpose
	}
	if dated {
		seconds, err := strconv.ParseInt(date, 10, 64)
		if err != nil || seconds <= 0 || strconv.FormatInt(seconds, 10) != date {
			return o, malformed
		}
		o.hold.until = time.Unix(seconds, 0).UTC()
	}
	var ok bool
	if o.kinds, ok = kindsOf(r.Subject); !ok {
		return o, malformed
	}
	return o, nil
}

// kindsOf reads kinds joined by commas, each once and in order.
func kindsOf(subject string) ([]warifu.Kind, bool) {
	var out []warifu.Kind
	for name := range strings.SplitSeq(subject, ",") {
		kind, err := warifu.ParseKind(name)
		if err != nil || len(out) > 0 && kind <= out[len(out)-1] {
			return nil, false
		}
		out = append(out, kind)
	}
	return out, true
}

// openOfPhone returns the open application that the holder of a credential made from the
// same phone. Another person's is not theirs to stop: the phone may have been sold.
func openOfPhone(tx *store.Tx, of store.Credential) (*store.Application, error) {
	rows, err := tx.ApplicationsOfElement(of.Element)
	others := func(row store.Application) bool { return row.Person != of.Person }
	return openOf(slices.DeleteFunc(rows, others)), err
}

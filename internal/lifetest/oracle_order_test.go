package lifetest_test

import (
	"slices"
	"time"

	"warifu"
)

// hand is by what somebody acts.
type hand string

const (
	byDevice    hand = "device"    // the phone, its secret verified by its chip
	byCard      hand = "card"      // the card, on any device (K9)
	byCode      hand = "code"      // the suspension code
	byOperator  hand = "operator"  // one operator
	byOperators hand = "operators" // two (K15, B.5)
)

// Who may put and lift a hold, in plain words. Staff of shops and carriers are no hand at
// all (R73); the card's own hold is the bureau's alone (K14).
var (
	puts = map[warifu.HoldReason][]hand{
		warifu.HoldLost:    {byCard, byCode, byOperator}, // R76, K9
		warifu.HoldRepair:  {byDevice, byCard},           // K5
		warifu.HoldOwnWish: {byDevice, byCard},           // R78
		warifu.HoldCard:    {},                           // K14
	}
	lifts = map[warifu.HoldReason][]hand{
		warifu.HoldLost:    {byCard, byOperators},           // B.5
		warifu.HoldRepair:  {byDevice, byCard, byOperators}, // K5
		warifu.HoldOwnWish: {byDevice, byCard, byOperators}, // R78
		warifu.HoldCard:    {},
	}
)

// longestRepair bounds the end of a repair (K5: a date, and not for ever).
const longestRepair = 366 * 24 * time.Hour

// order is what somebody wants done.
type order struct {
	verb   warifu.Verb // suspend, resume, revoke
	reason warifu.HoldReason
	until  time.Time
	by     hand
	kinds  []warifu.Kind
	secret warifu.Kind // which of the phone's the chip had verified
}

// reach is what an order means: credentials, and the open application that waits or ends
// with them (K14).
type reach struct {
	creds []*credential
	open  *application
}

// newest finds the credential of each kind that an order means: the one that lives, else
// the last that did, so that what has ended is answered and not denied.
func newest(all []*credential, kinds []warifu.Kind) (out []*credential) {
	for _, kind := range kinds {
		var best *credential
		for _, c := range all {
			if c.kind == kind && !c.activated.IsZero() && (best == nil || !best.live()) {
				best = c
			}
		}
		if best != nil {
			out = append(out, best)
		}
	}
	return out
}

func anyLive(all []*credential) bool { return slices.ContainsFunc(all, (*credential).live) }

// credsWhere lists every credential of the applications that fit, oldest first.
func (m *machine) credsWhere(fits func(*application) bool) (out []*credential) {
	for _, a := range m.apps {
		if fits(a) {
			out = append(out, a.all()...)
		}
	}
	return out
}

// reachOfPhone is what an order means that comes from the phone: what lies on it, and its
// holder's open application from the same phone.
func (m *machine) reachOfPhone(on *handset, o order) (reach, string) {
	all := m.credsWhere(func(a *application) bool { return a.on == on })
	r := reach{creds: newest(all, o.kinds)}
	if len(r.creds) != len(o.kinds) {
		return r, "credential-absent"
	}
	r = r.narrow(o)
	if o.verb != "revoke" {
		r.open = m.openFrom(on, r.creds[0].of.who)
	}
	return r, ""
}

// openFrom is the open application a person made from a phone.
func (m *machine) openFrom(on *handset, who *person) *application {
	if a := m.openOf(who); a != nil && a.on == on {
		return a
	}
	return nil
}

// reachOfPerson is what an order means that comes from the card or two operators: what the
// person has, and their open application unless another phone of theirs lives.
func (m *machine) reachOfPerson(who *person, o order) (reach, string) {
	all := m.credsWhere(func(a *application) bool { return a.who == who })
	r := reach{creds: newest(all, o.kinds)}
	if a := m.openOf(who); a != nil {
		elsewhere := func(c *credential) bool { return c.live() && c.of.on != a.on }
		if !slices.ContainsFunc(all, elsewhere) {
			r.open = a
		}
	}
	if r.open != nil && !anyLive(r.creds) {
		r.creds = nil
	}
	if len(r.creds) == 0 && r.open == nil {
		return r, "credential-absent"
	}
	return r.narrow(o), ""
}

// narrow: a lost phone is held although a move has ended one of its credentials.
func (r reach) narrow(o order) reach {
	if o.verb != "revoke" && anyLive(r.creds) {
		r.creds = slices.DeleteFunc(slices.Clone(r.creds), func(c *credential) bool { return !c.live() })
	}
	return r
}

// so reports whether everything an order wants is so already: then it succeeds and changes
// nothing, whoever asks.
func (r reach) so(o order) bool {
	for _, c := range r.creds {
		switch {
		case o.verb == "revoke" && c.live():
			return false
		case o.verb != "revoke" && (c.ended() || !c.holds.so(o)):
			return false
		}
	}
	return r.open == nil || o.verb != "revoke" && r.open.holds.so(o)
}

func (h holds) so(o order) bool {
	until, there := h[o.reason]
	if o.verb == "resume" {
		return !there
	}
	return there && until.Equal(o.until)
}

// allowed judges the hand and the date.
func (m *machine) allowed(o order) string {
	if o.verb == "revoke" {
		return ""
	}
	who := puts
	if o.verb == "resume" {
		who = lifts
	}
	now := m.h.Clock.Now()
	switch {
	case !slices.Contains(who[o.reason], o.by):
		return "hold-not-yours"
	case o.reason == warifu.HoldRepair && o.verb == "suspend" && !o.until.After(now):
		return "hold-until-past"
	case o.until.Sub(now) > longestRepair:
		return "hold-until-too-far"
	}
	return ""
}

// secretFits is K10: on the phone the signing password ends and resumes everything, the PIN
// where no signing credential is left; either suspends.
func (m *machine) secretFits(on *handset, o order) string {
	var right []warifu.Kind
	for _, kind := range warifu.Kinds {
		if slices.ContainsFunc(m.credsWhere(func(a *application) bool { return a.on == on }), func(c *credential) bool { return c.kind == kind && c.live() }) {
			right = append(right, kind)
		}
	}
	switch {
	case len(right) == 0, o.secret == right[0], o.verb == "suspend" && slices.Contains(right, o.secret):
		return ""
	}
	return "secret-not-verified"
}

// judge says how an order must end: "" or a problem. so tells that it changes nothing.
func (m *machine) judge(r reach, o order, on *handset) (problem string, so bool) {
	if r.so(o) {
		return "", true
	}
	if o.by == byDevice {
		if p := m.secretFits(on, o); p != "" {
			return p, false
		}
	}
	if p := m.allowed(o); p != "" {
		return p, false
	}
	if o.verb != "revoke" && slices.ContainsFunc(r.creds, (*credential).ended) {
		return "credential-ended", false
	}
	return "", false
}

// carryOut does it.
func (m *machine) carryOut(r reach, o order) {
	m.saw("order " + string(o.by) + " " + string(o.verb))
	for _, c := range r.creds {
		switch o.verb {
		case "suspend":
			m.put(c, o.reason, o.until)
		case "resume":
			m.lift(c, o.reason)
		default:
			m.end(c, warifu.CredentialRevoked)
		}
	}
	if r.open == nil {
		return
	}
	switch o.verb {
	case "suspend":
		m.saw("application held")
		r.open.holds[o.reason] = o.until
	case "resume":
		delete(r.open.holds, o.reason)
	default:
		m.close(r.open, warifu.ApplicationWithdrawn, "")
	}
}

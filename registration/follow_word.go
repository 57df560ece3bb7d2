package registration

import (
	"slices"
	"strconv"
	"time"

	"warifu"
	"warifu/events"
	"warifu/store"
)

// action is what a word of the card bureau wants done to what derives from one
// certificate of a card.
type action uint8

// The actions, the stronger the later: where an application stands on both certificates
// of a card, the stronger one is done.
const (
	leave action = iota
	lift
	suspend
	end
)

// fate is an action with what goes with it.
type fate struct {
	action action
	reason warifu.Reason // of an end
	// problem tells the applicant why an open application ended.
	problem string
	past    bool // it ends because its day has come: expired, where that is so
}

// word is something the card bureau has signed about one person's card.
type word struct {
	person warifu.Digest
	at     time.Time  // when it was spoken, by the bureau's clock, to the second
	line   store.Line // what is written when it changed anything: the root of the tree of causes
	paper  []byte     // the signed octets
	// fresh is whether it may put or lift a hold after a word of that instant was followed:
	// an older word no longer says how things are. An end is an end, however late it is heard.
	fresh func(newest time.Time) bool
	// of is what becomes of what derives, through an application, from the card's
	// certificate of the kind.
	of func(row store.Application, kind warifu.Kind) fate
}

// The problems that tell an applicant what became of the card.
const (
	problemRenewed  = "application-card-renewed"
	problemEnded    = "application-card-ended"
	problemRegister = "application-register-changed"
)

// fates is K14: what each event does to what derives from the certificates it names.
var fates = map[events.Type]fate{
	events.Renewed:     {action: end, reason: warifu.ReasonCessationOfOperation, problem: problemRenewed},
	events.Revoked:     {action: end, reason: warifu.ReasonPrivilegeWithdrawn, problem: problemEnded},
	events.Expired:     {action: end, reason: warifu.ReasonCessationOfOperation, problem: problemEnded, past: true},
	events.Moved:       {action: end, reason: warifu.ReasonAffiliationChanged, problem: problemRegister}, // names the signing certificate alone
	events.NameChanged: {action: end, reason: warifu.ReasonAffiliationChanged, problem: problemRegister},
	events.Died:        {action: end, reason: warifu.ReasonCessationOfOperation, problem: problemEnded},
	events.Suspended:   {action: suspend},
	events.Resumed:     {action: lift},
}

// eventWord is an event as a word. A credential follows the very certificate it derives
// from, so that an event heard late does not touch what was made with a later one; only
// a death ends whatever there is.
func eventWord(e events.Event, envelope []byte) word {
	detail := map[string]string{"event": string(e.Type)}
	if e.Reason != 0 {
		detail["reason"] = e.Reason.String()
	}
	return word{
		person: e.Person, at: e.At, paper: envelope,
		line:  store.Line{Actor: actorBureau, Verb: verbFollow, Subject: "card-event-" + strconv.FormatInt(e.Sequence, 10), Detail: detail},
		fresh: func(newest time.Time) bool { return !e.At.Before(newest) },
		of: func(row store.Application, kind warifu.Kind) fate {
			if e.Type == events.Died || e.Concerns(kind, parentSerial(row.Parent, kind)) {
				return fates[e.Type]
			}
			return fate{}
		},
	}
}

func parentSerial(p store.Parent, kind warifu.Kind) []byte {
	if kind == warifu.Signature {
		return p.SignatureSerial
	}
	return p.AuthenticationSerial
}

// ofApplication is what becomes of an open application: it stands on the signing
// certificate that signed it, and on the authentication certificate if one derives from it.
func (w word) ofApplication(row store.Application) fate {
	worst := w.of(row, warifu.Signature)
	if !slices.Contains(row.Kinds, warifu.Authentication) {
		return worst
	}
	if other := w.of(row, warifu.Authentication); other.action > worst.action {
		return other
	}
	return worst
}

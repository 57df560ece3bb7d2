package registration

import (
	"context"
	"slices"
	"strconv"
	"time"

	"warifu"
	"warifu/store"
)

// CallRecord is what is kept of a call that suspends. It has no free text: nothing
// personal can be written into it.
type CallRecord struct {
	Match               string // of HotlineSearch
	CallBackNumberGiven bool   // the caller left a number to be called back; the number is not kept here
	Caller              string // "holder", "household", "police"
	Phone               string // "lost", "stolen", "broken"
	Card                string // "kept", "lost", "stolen", "unknown"; lost or stolen: its bureau is told
}

// The words of a call record.
var (
	CallersOfRecord = []string{"holder", "household", "police"}
	PhonesOfRecord  = []string{"lost", "stolen", "broken"}
	CardsOfRecord   = []string{"kept", "lost", "stolen", "unknown"}
)

func (r CallRecord) check() error {
	for _, word := range []struct {
		field, value string
		of           []string
	}{{"caller", r.Caller, CallersOfRecord}, {"phone", r.Phone, PhonesOfRecord}, {"card", r.Card, CardsOfRecord}} {
		if !slices.Contains(word.of, word.value) {
			return warifu.Invalid("call-record-malformed", "field", word.field)
		}
	}
	return nil
}

// Suspended is what an operator is told when a suspension is done.
type Suspended struct {
	Receipt    string
	CardBureau CardTold
	CardToldAt time.Time // when the bureau was told; zero: not yet, or no card was reported
}

// verbCall stands in the audit line of a call's record; its subject is the receipt number.
const verbCall warifu.Verb = "call"

// HotlineSuspend holds, as lost, the credentials of whom a search found, and the open
// application of the same phone (or, with no live phone, of the person), in one call: it
// takes nobody else, and asking twice changes nothing. Where the card is gone as well its
// bureau is told, after the hold stands; if it cannot be reached now the report stays
// and RetryCardReports tells it. Only two operators or the card lift the hold. Errors:
// those of an operator, Invalid "call-record-malformed", NotFound "match-unknown", Conflict
// "match-expired", NotFound "credential-absent", Conflict "credential-ended".
func (a *Authority) HotlineSuspend(ctx context.Context, token string, r CallRecord) (Suspended, error) {
	o, err := a.operator(ctx, token, rightSuspend)
	if err != nil {
		return Suspended{}, err
	}
	if err := r.check(); err != nil {
		return Suspended{}, err
	}
	var call store.Call
	err = a.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if call, err = a.matched(tx, o, r.Match); err != nil {
			return err
		}
		cause, err := a.recordCall(tx, o, call, r)
		if err != nil {
			return err
		}
		do := order{verb: warifu.VerbSuspend, kinds: warifu.Kinds[:], hold: hold{reason: warifu.HoldLost}, party: warifu.PartyOperator, actor: o.actor(), cause: cause}
		return a.operate(tx, call.Person, do, occasionSuspended)
	})
	if err != nil {
		return Suspended{}, err
	}
	out := Suspended{Receipt: call.Receipt}
	if cardGone(r) {
		out.CardBureau, out.CardToldAt, err = a.cardReported(ctx, call.Receipt)
	}
	return out, err
}

// recordCall writes the call's record into the audit trail, and the report of a card that is gone.
func (a *Authority) recordCall(tx *store.Tx, o Operator, call store.Call, r CallRecord) (string, error) {
	now := a.Clock.Now()
	line := store.Line{ID: tx.NewID(), At: now, Actor: o.actor(), Verb: verbCall, Subject: call.Receipt, Detail: map[string]string{
		"caller": r.Caller, "phone": r.Phone, "card": r.Card, "callBack": strconv.FormatBool(r.CallBackNumberGiven)}}
	if err := tx.Audit(line); err != nil || !cardGone(r) {
		return line.ID, err
	}
	return line.ID, tx.PutCardReport(store.CardReport{Receipt: call.Receipt, Person: call.Person, At: now})
}

// operate carries out what operators decided about a person, with the notices of K15: to
// the phone and to the registered contact. What is so already is left as it is.
func (a *Authority) operate(tx *store.Tx, person warifu.Digest, o order, occasion string) error {
	if err := a.allowed(o); err != nil {
		return err
	}
	at, err := aimOfPerson(tx, person, o.kinds)
	if err != nil {
		return err
	}
	at = at.narrowed(o)
	if met, err := a.met(tx, at, o); err != nil || met {
		return err
	}
	if _, err := a.carryOut(tx, at, o); err != nil {
		return err
	}
	_, application := personOf(at)
	if err := a.tell(tx, application); err != nil {
		return err
	}
	return a.tellContact(tx, person, application, occasion)
}

package registration

import (
	"context"
	"slices"
	"time"

	"warifu"
	"warifu/store"
)

// HotlineCall is the record of one call, for operators who have its receipt number and for
// auditors. Nobody who called or was looked for is in it.
type HotlineCall struct {
	Receipt    string
	Operator   string // who looked up
	Matched    int
	At         time.Time
	Done       []HotlineDeed // oldest first
	CallBack   string        // what became of the last call-back: one of CallBackOutcomes; "" for none
	CardBureau CardTold
	CardToldAt time.Time // zero: not told
}

// HotlineDeed is one thing done in a call.
type HotlineDeed struct {
	What   string // "look-up", "call", "call-back", "propose", "confirm", "report-card"
	By     string // "operator:aoi", "registration"
	At     time.Time
	Detail map[string]string // words of the call record; nil for none
}

// CallBackOutcomes are what may become of calling the registered number back.
var CallBackOutcomes = []string{CallBackAnswered, CallBackUnanswered, CallBackDenied}

// The outcomes of a call-back.
const (
	CallBackAnswered   = "answered"   // whoever answered there is the holder and wants it
	CallBackUnanswered = "unanswered" // nobody, or somebody else
	CallBackDenied     = "denied"     // the holder knows nothing of the call
)

// verbCallBack stands in the audit line of a call-back; its subject is the receipt number.
const verbCallBack warifu.Verb = "call-back"

// maxCalls bounds one page of the list of calls.
const maxCalls = 200

// HotlineCallBack records that an operator rang the registered number, which is the one the
// call was looked up by, and what came of it. The newest record counts: without one that
// says "answered", operators cannot resume, nor revoke at the holder's request. Errors: those
// of an operator, Invalid "call-record-malformed", NotFound "receipt-unknown", Conflict
// "call-of-nobody" where the look-up found nobody or several.
func (a *Authority) HotlineCallBack(ctx context.Context, token, receipt, outcome string) (HotlineCall, error) {
	o, err := a.operator(ctx, token, rightSuspend)
	if err != nil {
		return HotlineCall{}, err
	}
	if !slices.Contains(CallBackOutcomes, outcome) {
		return HotlineCall{}, warifu.Invalid("call-record-malformed", "field", "outcome")
	}
	var out HotlineCall
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		call, err := tx.CallOfReceipt(receipt)
		if err != nil {
			return err
		}
		if call.Person.IsZero() {
			return warifu.Conflict("call-of-nobody")
		}
		line := store.Line{At: a.Clock.Now(), Actor: o.actor(), Verb: verbCallBack, Subject: receipt, Detail: map[string]string{"outcome": outcome}}
		if err := tx.Audit(line); err != nil {
			return err
		}
		out, err = callRecord(tx, call)
		return err
	})
	return out, err
}

// HotlineCall finds a call by its receipt number: every operator may, so that whoever
// answers next can take the call up. Errors: those of an operator, NotFound "receipt-unknown".
func (a *Authority) HotlineCall(ctx context.Context, token, receipt string) (HotlineCall, error) {
	if _, err := a.operator(ctx, token, rightFind); err != nil {
		return HotlineCall{}, err
	}
	var out HotlineCall
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		call, err := tx.CallOfReceipt(receipt)
		if err != nil {
			return err
		}
		out, err = callRecord(tx, call)
		return err
	})
	return out, err
}

// HotlineCalls lists the calls from an instant on, oldest first, for auditors.
func (a *Authority) HotlineCalls(ctx context.Context, token string, from time.Time) ([]HotlineCall, error) {
	if _, err := a.operator(ctx, token, rightCalls); err != nil {
		return nil, err
	}
	var out []HotlineCall
	err := a.Store.Read(ctx, func(tx *store.Tx) error {
		out = nil
		calls, err := tx.CallsAfter(from, maxCalls)
		if err != nil {
			return err
		}
		for _, c := range calls {
			one, err := callRecord(tx, c)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func callRecord(tx *store.Tx, c store.Call) (HotlineCall, error) {
	out := HotlineCall{Receipt: c.Receipt, Operator: c.Operator, Matched: int(c.Matched), At: c.At}
	lines, err := tx.AuditOf(c.Receipt)
	if err != nil {
		return out, err
	}
	for _, l := range lines {
		out.Done = append(out.Done, HotlineDeed{What: string(l.Verb), By: l.Actor, At: l.At, Detail: l.Detail})
		if l.Verb == verbCallBack {
			out.CallBack = l.Detail["outcome"]
		}
	}
	r, found, err := tx.CardReport(c.Receipt)
	out.CardBureau, out.CardToldAt = toldOf(r, found)
	return out, err
}

// calledBack refuses what only who answers at the registered number may ask for: Conflict
// "call-back-missing" unless the newest call-back was answered.
func calledBack(tx *store.Tx, receipt string, verb warifu.Verb, cause string) error {
	if verb == warifu.VerbRevoke && cause != causeOfHolder {
		return nil // the authority's own decision
	}
	lines, err := tx.AuditOf(receipt)
	if err != nil {
		return err
	}
	outcome := ""
	for _, l := range lines {
		if l.Verb == verbCallBack {
			outcome = l.Detail["outcome"]
		}
	}
	if outcome != CallBackAnswered {
		return warifu.Conflict("call-back-missing", "receipt", receipt)
	}
	return nil
}

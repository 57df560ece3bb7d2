package registration

import (
	"context"
	"io"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"warifu"
	"warifu/store"
)

// Limits of looking persons up. An operator in a call needs one or two; who types through
// a list of names is stopped.
const (
	lookUpsPerMinute         = 60 // of everybody at one server
	lookUpsBurst             = 60
	operatorLookUpsPerMinute = 6
	operatorLookUpsBurst     = 10
	operatorLookUpsPerHour   = 30 // over all servers and restarts: beyond it somebody is searching, not helping
)

// matchLife is how long a match may be used by the operator who found it: one call.
const matchLife = 10 * time.Minute

// hotlineGuard counts look-ups.
type hotlineGuard struct {
	mu  sync.Mutex
	all *rate.Limiter
	by  map[string]*rate.Limiter // by operator: as many as the file names
}

// allow counts one look-up. An operator who may not look up costs the others nothing.
func (g *hotlineGuard) allow(operator string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all, g.by = rate.NewLimiter(lookUpsPerMinute/60.0, lookUpsBurst), map[string]*rate.Limiter{}
	}
	one, known := g.by[operator]
	if !known {
		one = rate.NewLimiter(operatorLookUpsPerMinute/60.0, operatorLookUpsBurst)
		g.by[operator] = one
	}
	return one.AllowN(now, 1) && g.all.AllowN(now, 1)
}

// Found is what an operator is told of a look-up, and all of it.
type Found struct {
	Receipt string    // 受付番号, to be read out to the caller
	Matched int       // how many persons it fits, ten at the most
	Match   string    // stands for the person while the call lasts; "" unless exactly one fits
	Expires time.Time // of the match
}

// verbLookUp stands in the audit line of a look-up; its subject is the receipt number.
const verbLookUp warifu.Verb = "look-up"

// verbLookUpRefused stands in the audit line of a look-up that an operator was not given;
// its subject is the operator.
const verbLookUpRefused warifu.Verb = "look-up-refused"

// HotlineSearch looks for who registered this reading, birth date and telephone number.
// Found or not, the answer has the same shape and a receipt number, and the look-up is in
// the audit trail: by whom and how many it fitted, nothing that was asked. Errors: those
// of an operator, TooMany "look-ups-too-many", TooMany "look-ups-hour" once an operator
// has had an hour's look-ups (which is in the audit trail too), Invalid "contact-malformed".
func (a *Authority) HotlineSearch(ctx context.Context, token string, asked Contact) (Found, error) {
	o, err := a.operator(ctx, token, rightSearch)
	if err != nil {
		return Found{}, err
	}
	now := a.Clock.Now()
	if !a.hotline.allow(o.Name, now) {
		a.Log.WarnContext(ctx, "hotline: too many look-ups", "operator", o.Name)
		return Found{}, warifu.TooMany("look-ups-too-many")
	}
	folded, err := asked.folded(now)
	if err != nil {
		return Found{}, err
	}
	handle, err := a.newID("m")
	if err != nil {
		return Found{}, err
	}
	receipt, err := a.newReceipt()
	if err != nil {
		return Found{}, err
	}
	var out Found
	tooMany := false
	err = a.Store.Write(ctx, func(tx *store.Tx) error {
		out = Found{Receipt: receipt}
		had, err := tx.CallsBy(o.Name, now.Add(-time.Hour), operatorLookUpsPerHour)
		if err != nil {
			return err
		}
		if tooMany = had >= operatorLookUpsPerHour; tooMany {
			return tx.Audit(store.Line{At: now, Actor: o.actor(), Verb: verbLookUpRefused, Subject: o.actor()})
		}
		persons, err := tx.PersonsOfContact(folded)
		if err != nil {
			return err
		}
		call := store.Call{Receipt: receipt, Operator: o.Name, Matched: int64(len(persons)), At: now}
		if out.Matched = len(persons); out.Matched == 1 {
			out.Match, out.Expires = handle, now.Add(matchLife)
			call.Person, call.Handle, call.Expires = persons[0], warifu.DigestOf([]byte(handle)), out.Expires
		}
		if err := tx.InsertCall(call); err != nil {
			return err
		}
		detail := map[string]string{"matched": "none"}
		if out.Matched > 0 {
			detail["matched"] = "some"
		}
		return tx.Audit(store.Line{At: now, Actor: o.actor(), Verb: verbLookUp, Subject: receipt, Detail: detail})
	})
	if err == nil && tooMany {
		a.Log.WarnContext(ctx, "hotline: an hour's look-ups are used up", "operator", o.Name)
		err = warifu.TooMany("look-ups-hour", "most", strconv.Itoa(operatorLookUpsPerHour))
	}
	if err != nil {
		return Found{}, err
	}
	return out, nil
}

// newReceipt draws a receipt number: twelve digits in groups of four. It opens nothing, and
// tells nobody how many calls there were.
func (a *Authority) newReceipt() (string, error) {
	out := make([]byte, 0, 14)
	var one [1]byte
	for n := 0; n < 12; {
		if _, err := io.ReadFull(a.Random, one[:]); err != nil {
			return "", err
		}
		if one[0] >= 250 { // so that every digit is as likely
			continue
		}
		if n > 0 && n%4 == 0 {
			out = append(out, '-')
		}
		out = append(out, '0'+one[0]%10)
		n++
	}
	return string(out), nil
}

// matched returns the call that a match stands for: this operator's own, and not over.
func (a *Authority) matched(tx *store.Tx, o Operator, match string) (store.Call, error) {
	call, err := tx.CallOfHandle(warifu.DigestOf([]byte(match)))
	if err != nil {
		return call, err
	}
	if call.Operator != o.Name {
		return call, warifu.NotFound("match-unknown")
	}
	if a.Clock.Now().After(call.Expires) {
		return call, warifu.Conflict("match-expired")
	}
	return call, nil
}

package registration

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"warifu"
	"warifu/store"
)

// Limits of asking for suspension codes at one server. There is no identifier and so no
// tries to count for a person; ten to the twentieth codes and these rates are what keeps a
// guess from hitting: with a hundred million codes out, fifty tries a second find one in
// six hundred years.
const (
	codesPerSecond  = 50  // of everybody
	codesBurst      = 100 // of everybody
	sourcePerMinute = 10  // of one address
	sourceBurst     = 10
	maxCodeSources  = 100_000
)

// codeGuard counts who asks for suspension codes, in bounded memory.
type codeGuard struct {
	mu  sync.Mutex
	all *rate.Limiter
	by  map[string]*rate.Limiter
}

// actorCode is whoever knows a suspension code.
const actorCode = "suspension-code"

// allow counts one try. A source that may not ask costs the others nothing.
func (g *codeGuard) allow(source string, clock warifu.Clock) bool {
	now := clock.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil || len(g.by) >= maxCodeSources {
		if g.all == nil {
			g.all = rate.NewLimiter(codesPerSecond, codesBurst)
		}
		g.by = map[string]*rate.Limiter{} // forget all rather than grow: the limit of everybody stands
	}
	if source != "" {
		one, known := g.by[source]
		if !known {
			one = rate.NewLimiter(sourcePerMinute/60.0, sourceBurst)
			g.by[source] = one
		}
		if !one.AllowN(now, 1) {
			return false
		}
	}
	return g.all.AllowN(now, 1)
}

// sourceName makes one source of all addresses that one line has: an IPv6 network of 64 bits.
func sourceName(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	network, _ := ip.WithZone("").Prefix(64)
	return network.String()
}

// ByCode suspends the credentials whose suspension code this is: knowing it is the proof,
// and holding is all it can do (B.5). source is the address of who asks, "" where all
// come through one door. A mistyped code is told by its check digits before anything is
// counted or looked up. Holding twice is no error. Errors: "suspension-code-format",
// "suspension-code-mistyped", TooMany "suspension-codes-too-many", NotFound
// "suspension-code-unknown", Conflict "credential-ended".
func (a *Authority) ByCode(ctx context.Context, typed, source string) error {
	code, err := ParseSuspensionCode(typed)
	if err != nil {
		return err
	}
	if !a.codes.allow(sourceName(source), a.Clock) {
		return warifu.TooMany("suspension-codes-too-many")
	}
	var id string
	err = a.Store.Read(ctx, func(tx *store.Tx) (err error) {
		id, err = tx.ApplicationOfSuspensionCode(code.digits)
		return err
	})
	if err != nil {
		return err
	}
	o := order{verb: warifu.VerbSuspend, kinds: warifu.Kinds[:], hold: hold{reason: warifu.HoldLost}, party: warifu.PartyCode, actor: actorCode}
	if err := a.allowed(o); err != nil {
		return err
	}
	return a.Store.Write(ctx, func(tx *store.Tx) error { return a.holdByCode(tx, id, o) })
}

func (a *Authority) holdByCode(tx *store.Tx, id string, o order) error {
	issued, err := tx.CredentialsOfApplication(id)
	if err != nil {
		return err
	}
	at := aim{credentials: aimAt(issued, o.kinds)}.narrowed(o)
	if len(at.credentials) == 0 {
		return warifu.NotFound("suspension-code-unknown")
	}
	if at.application, err = openOfPhone(tx, at.credentials[0]); err != nil {
		return err
	}
	if met, err := a.met(tx, at, o); err != nil || met {
		return err
	}
	if _, err = a.carryOut(tx, at, o); err != nil {
		return err
	}
	person, application := personOf(at)
	if err := a.tell(tx, application); err != nil {
		return err
	}
	return a.tellContact(tx, person, application, occasionCode)
}

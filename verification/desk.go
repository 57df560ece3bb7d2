package verification

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"warifu"
	"warifu/ledger"
	"warifu/scheme"
	"warifu/store"
	"warifu/verify"
)

// Store is what a Desk asks of the registration side's database (store.Store).
type Store interface {
	Read(ctx context.Context, fn func(*store.Tx) error) error
	Write(ctx context.Context, fn func(*store.Tx) error) error
	NewID() string
	Pairwise(person warifu.Digest, party string) ([]byte, error)
}

// Config is what a Desk is made of. Fields are required unless it says otherwise.
type Config struct {
	Store    Store
	Ledger   *ledger.Ledger
	Scheme   *scheme.Scheme
	Clock    warifu.Clock
	Verifier *verify.Verifier // believes cards and phones, asks for status in this process, believes the stamper
	// Sources is where evidence is gathered from. Without a Stamper none is kept, and
	// answers say so.
	Sources verify.Sources
	Parties Parties      // who may ask until SetParties
	Origin  string       // of this server: who signs tokens to subscribers
	Hooks   Hooks        // how subscribers are told; the zero value: nobody may subscribe
	Spool   Spool        // for entries while the database is away; nil: no answer is given then
	Log     *slog.Logger // may be nil
}

// Desk answers relying parties.
type Desk struct {
	Config
	changed atomic.Pointer[Parties]

	mu     sync.Mutex
	limits map[string]*rate.Limiter // by party
}

// New makes a desk.
func New(c Config) *Desk {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{Config: c, limits: map[string]*rate.Limiter{}}
}

// SetParties puts another list in the place of the one that stands; whoever left it is let
// in no more.
func (d *Desk) SetParties(p Parties) { d.changed.Store(&p) }

func (d *Desk) parties() Parties {
	if p := d.changed.Load(); p != nil {
		return *p
	}
	return d.Config.Parties
}

// Known reports whether it is a relying party's key. It does not count as a question.
func (d *Desk) Known(key string) bool {
	_, known := d.parties().find(key)
	return known
}

// enter lets a relying party in: Unauthenticated "relying-party-unknown".
func (d *Desk) enter(key string) (Party, error) {
	p, known := d.parties().find(key)
	if !known {
		return Party{}, warifu.Unauthenticated("relying-party-unknown")
	}
	return p, nil
}

const day = 24 * time.Hour

// admit is enter for a question, which counts: TooMany "party-questions-too-many".
func (d *Desk) admit(ctx context.Context, key string) (Party, error) {
	p, err := d.enter(key)
	if err != nil {
		return p, err
	}
	tooMany := warifu.TooMany("party-questions-too-many")
	now := d.Clock.Now()
	if !d.limiter(p).AllowN(now, 1) {
		return p, tooMany
	}
	var today int64
	err = d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		today, err = tx.VerificationsBy(p.ID, now.Add(-day))
		return err
	})
	if err == nil && today >= int64(p.PerDay) {
		err = tooMany
	}
	if away(err) && d.Spool != nil {
		err = nil
	}
	return p, err
}

func (d *Desk) limiter(p Party) *rate.Limiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, ok := d.limits[p.ID]
	if !ok || l.Burst() != p.PerMinute {
		l = rate.NewLimiter(rate.Limit(float64(p.PerMinute)/60), p.PerMinute)
		d.limits[p.ID] = l
	}
	return l
}

// away reports whether the database could not be reached.
func away(err error) bool {
	return errors.Is(err, &warifu.Error{Problem: "store-unavailable"})
}

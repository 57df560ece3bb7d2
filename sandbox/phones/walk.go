package phones

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"warifu"
	"warifu/phone"
)

// walkIdle is for how long an application that nobody goes on with is kept, in the world's time.
const walkIdle = 30 * time.Minute

// stage is a screen of the eleven of R32; ① and ② are the banner and マイページ.
type stage string

// The steps, by their names in addresses.
const (
	stepPassword  stage = "password"  // ③ the card's signing password
	stepChoose    stage = "choose"    // ④ which certificates (R34)
	stepNotes     stage = "notes"     // ⑤ notes and consent (R35)
	stepPrepare   stage = "prepare"   // ⑥ keys are made
	stepCard      stage = "card"      // ⑦ the tap
	stepLift      stage = "lift"      // ⑧ lift the phone off
	stepSignature stage = "signature" // ⑨ the phone's signing password
	stepPIN       stage = "pin"       // ⑩ the phone's PIN
	stepDone      stage = "done"      // ⑪ complete

	// stepSend is where an application stands that could not be handed in: nothing need be
	// typed again. It is no step of its own.
	stepSend stage = "send"
)

// The two orders of the screens (K2); the protocol is the same in both.
var (
	orderPasswordFirst = []stage{stepPassword, stepChoose, stepNotes, stepPrepare, stepCard, stepLift, stepSignature, stepPIN, stepDone}
	orderCardFirst     = []stage{stepChoose, stepNotes, stepCard, stepPassword, stepPrepare, stepLift, stepSignature, stepPIN, stepDone}
)

// stepsBefore are the banner and マイページ, which come before the first of an order.
const stepsBefore = 2

// stages is the scheme's order of the screens.
func (p *Phones) stages() []stage {
	if p.config.Scheme.CardFirst {
		return orderCardFirst
	}
	return orderPasswordFirst
}

// walk is an application that is being filled in at a phone's screens. Nothing of it is at the
// server before the last step; given up or left lying it is cleared from the chip, too.
type walk struct {
	token    string // every screen of this walk carries it: one of an older walk is out of date
	at       stage
	touched  time.Time
	password string // the card's, folded; emptied once the draft has it
	kinds    []warifu.Kind
	consent  string
	contact  *phone.Contact
	discard  bool // the application that is open on this phone goes first
	draft    *phone.Draft
	prepared bool
	card     string // that lies on the phone, where the card comes first
	tries    int    // left on the card's password, once the card was asked; -1
	secrets  phone.Secrets
	final    bool // it was refused where it was handed in

	run     func() // work that the form just taken asks for; the walk goes on when it has ended
	problem error  // of the work behind the last screen; shown once
	said    string // key of a sentence about the last form; shown once
}

// count is the step's number, and how many there are.
func count(order []stage, s stage) (at, all int) {
	if s == stepSend {
		s = stepPIN
	}
	return stepsBefore + 1 + slices.Index(order, s), stepsBefore + len(order)
}

// has reports whether the walk is for certificates of the kind.
func (w *walk) has(kind warifu.Kind) bool { return slices.Contains(w.kinds, kind) }

// after is the step that follows s in the order for this walk.
func (w *walk) after(order []stage, s stage) stage {
	if s == stepSend {
		return stepDone
	}
	for _, next := range order[slices.Index(order, s)+1:] {
		switch {
		case next == stepSignature && !w.has(warifu.Signature), next == stepPIN && !w.has(warifu.Authentication):
		case w.prepared && (next == stepChoose || next == stepNotes || next == stepPrepare):
		default:
			return next
		}
	}
	return stepDone
}

// open reports whether the step may be shown and filled in now: the one that the walk is at,
// and those before it as long as no chip was touched.
func (w *walk) open(order []stage, s stage) bool {
	if s == w.at {
		return true
	}
	here, now := slices.Index(order, s), slices.Index(order, w.at)
	return here >= 0 && here < now && w.draft == nil && (s == stepPassword || s == stepChoose || s == stepNotes)
}

// takeWalk returns the phone's walk, held by the caller until put is called; nil for none. One
// that was left lying is given up.
func (p *Phones) takeWalk(ctx context.Context, o *owned) (w *walk, lapsed bool, put func()) {
	o.hand.mu.Lock()
	w = o.hand.walk
	if w != nil && o.hand.work == nil && p.config.Clock.Now().Sub(w.touched) > walkIdle {
		lapsed = w.at != stepDone
		o.hand.walk, w = nil, nil
		if lapsed {
			o.hand.mu.Unlock()
			_ = p.abandon(ctx, o) // the keys are disabled, and the next application clears them
			o.hand.mu.Lock()
		}
	}
	if w != nil {
		w.touched = p.config.Clock.Now()
	}
	return w, lapsed, o.hand.mu.Unlock
}

// abandon clears what the chip made for an application that is given up, unless it holds what
// waits for an application that was handed in.
func (p *Phones) abandon(ctx context.Context, o *owned) error {
	return p.with(ctx, o.handset.ID, func(o *owned) error {
		if a, err := o.app.Status(ctx); err == nil && !warifu.ApplicationLife.Final(a.State) {
			return nil
		}
		return o.app.Abandon(ctx)
	})
}

// sweep forgets what was left lying on any phone, so that no password is kept for long.
func (p *Phones) sweep() {
	p.mu.Lock()
	all := make([]*owned, 0, len(p.all))
	for _, o := range p.all {
		all = append(all, o)
	}
	p.mu.Unlock()
	now := p.config.Clock.Now()
	for _, o := range all {
		o.hand.mu.Lock()
		if w := o.hand.walk; w != nil && now.Sub(w.touched) > walkIdle {
			w.password, w.secrets = "", phone.Secrets{}
		}
		if u := o.hand.unlocking; u != nil && now.Sub(u.touched) > walkIdle {
			o.hand.unlocking = nil
		}
		o.hand.mu.Unlock()
	}
}

// walking is the step at which an application is under way on the phone; "" for none.
func (o *owned) walking() string {
	o.hand.mu.Lock()
	defer o.hand.mu.Unlock()
	if o.hand.walk == nil || o.hand.walk.at == stepDone {
		return ""
	}
	return string(o.hand.walk.at)
}

// newWalk begins an application on the phone, whose hand is held, in the place of whatever was
// begun before.
func (p *Phones) newWalk(o *owned, discard bool) {
	o.hand.walk = &walk{token: rand.Text(), at: p.stages()[0], touched: p.config.Clock.Now(), kinds: warifu.Kinds[:], discard: discard, tries: -1}
}

// stepOf is the step at which a problem is mended; s where it is none of them.
func stepOf(err error, s stage) stage {
	switch warifu.ProblemOf(err).Problem {
	case "kinds-none", "kind-unknown":
		return stepChoose
	case "consent-missing", "consent-outdated", "contact-malformed":
		return stepNotes
	case "card-pin-format", "card-pin-wrong", "card-pin-blocked":
		return stepPassword
	case "challenge-expired":
		return stepPrepare
	}
	return s
}

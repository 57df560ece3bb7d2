package terminal

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/profile"
	"warifu/sandbox/reader"
	"warifu/scheme"
)

// Bounds of visits: how long nobody may touch a terminal before it forgets the person, and how
// many there may be.
const (
	idle      = 2 * time.Minute
	maxVisits = 1000
)

// Step is where a visit stands. A terminal has steps of its own between these.
type Step string

// The first step, at which card or phone is to be touched and its PIN typed, and the last.
const (
	StepTouch Step = "touch"
	StepDone  Step = "done"
)

// Visit is what every terminal tells of a visit.
type Visit struct {
	ID      string    `json:"id"`
	Step    Step      `json:"step"`
	Medium  string    `json:"medium"`            // "phone" or "card"
	LastTry bool      `json:"lastTry,omitempty"` // one try is left for the PIN, and the person has to say that they are sure
	Expires time.Time `json:"expires"`           // when the visit is over if nobody does anything
}

// Told is what may be told of any visit, for Part.
func (v *Visit) Told() *Visit { return v }

// Standing is what nobody is shown of a visit. Its lock is held while a step is under way.
type Standing struct {
	sync.Mutex
	class   profile.Class
	hand    Hand
	touched string // what was touched last, in the demo
}

// Held is what nobody is told, for Part.
func (s *Standing) Held() *Standing { return s }

// Ended takes note of a refusal behind the tap, as if the tap had ended with it.
func (s *Standing) Ended(err error) { s.hand.After(err) }

// Part is a visit as a terminal keeps it: a Visit and a Standing, both embedded, and what is
// the terminal's own.
type Part[S any] interface {
	Told() *Visit
	Held() *Standing
	Shown() S // a copy of what may be shown of it
}

// Chip is one that can be touched to the reader of the demo.
type Chip struct {
	ID    string
	Class profile.Class
}

// Touch is a card or phone held to the reader, with the PIN that was typed. Chip names it in
// the demo; a real reader has its own.
type Touch struct {
	Chip    string `json:"chip"`
	PIN     string `json:"pin"`
	LastTry bool   `json:"lastTry"`
}

// Place is what surrounds a terminal.
type Place struct {
	Clock  warifu.Clock
	Scheme *scheme.Scheme
	// Chips lists what can be touched, and Touched is the reader with one of them on it;
	// Reader, where not nil, is a real one in place of both.
	Chips   func() ([]Chip, error)
	Touched func(id string) reader.Source
	Reader  reader.Source
}

// source is the reader with what the person touches to it.
func (p Place) source(chip string) (reader.Source, error) {
	if p.Reader != nil {
		return p.Reader, nil
	}
	if chip == "" {
		return nil, warifu.Unavailable("reader-no-card")
	}
	return p.Touched(chip), nil
}

// Refusals are a terminal's own words for what every terminal refuses.
type Refusals struct {
	Malformed error // a medium that is none
	InUse     error // a second tab, a second press of a button, somebody else at the reader
	Full      error // too many visits
	Other     error // the visit stands at another step
	Over      error // there is no such visit any more
}

// Terminal keeps the visits of one: V as it keeps them, S as it shows them.
type Terminal[V Part[S], S any] struct {
	place    Place
	refusals Refusals
	own      Own[V]
	show     Show[S]
	using    sync.Mutex // of the real reader
	works    Works[S]

	mu     sync.Mutex
	visits map[string]V
}

// New makes a terminal without visits.
func New[V Part[S], S any](p Place, r Refusals, own Own[V], show Show[S]) *Terminal[V, S] {
	return &Terminal[V, S]{place: p, refusals: r, own: own, show: show, visits: map[string]V{}}
}

// Begin begins the visit v with "phone" or "card".
func (t *Terminal[V, S]) Begin(medium string, v V) (none S, err error) {
	class := profile.ClassCard
	switch medium {
	case profile.ClassPhone.String():
		class = profile.ClassPhone
	case profile.ClassCard.String():
	default:
		return none, t.refusals.Malformed
	}
	if err := t.own.Open(class); err != nil {
		return none, err
	}
	var octets [20]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return none, err
	}
	id := strings.ToLower(base32.StdEncoding.EncodeToString(octets[:]))
	*v.Told() = Visit{ID: id, Step: StepTouch, Medium: medium, Expires: t.place.Clock.Now().Add(idle)}
	v.Held().class = class
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep()
	if len(t.visits) >= maxVisits {
		return none, t.refusals.Full
	}
	t.visits[id] = v
	return v.Shown(), nil
}

// sweep forgets whoever went away.
func (t *Terminal[V, S]) sweep() {
	now := t.place.Clock.Now()
	for id, v := range t.visits {
		if v.Held().TryLock() { // not in the middle of a step
			if now.After(v.Told().Expires) {
				delete(t.visits, id)
				t.works.Forget(id)
			}
			v.Held().Unlock()
		}
	}
}

// find takes a visit without touching it: the time that is left goes on. The caller unlocks it.
func (t *Terminal[V, S]) find(id string) (v V, err error) {
	t.mu.Lock()
	t.sweep()
	v, ok := t.visits[id]
	t.mu.Unlock()
	if !ok {
		return v, t.refusals.Over
	}
	if !v.Held().TryLock() {
		return v, t.refusals.InUse
	}
	return v, nil
}

// At takes a visit that stands at one of the steps, at any where none is named; the caller
// unlocks it.
func (t *Terminal[V, S]) At(id string, steps ...Step) (none V, err error) {
	v, err := t.find(id)
	if err != nil {
		return none, err
	}
	if len(steps) > 0 && !slices.Contains(steps, v.Told().Step) {
		v.Held().Unlock()
		return none, t.refusals.Other
	}
	t.Stay(v)
	return v, nil
}

// Stay gives a visit its time anew, after a step that took a while.
func (t *Terminal[V, S]) Stay(v V) { v.Told().Expires = t.place.Clock.Now().Add(idle) }

// Visit tells where a visit stands.
func (t *Terminal[V, S]) Visit(id string) (none S, err error) {
	v, err := t.At(id)
	if err != nil {
		return none, err
	}
	defer v.Held().Unlock()
	return v.Shown(), nil
}

// Prove has the chip that is touched answer a question. Errors: those of reader.Prove.
type Prove func(attest.Presence) (reader.Proof, error)

// Touch has judge ask the chip that is touched, and takes note of how that ended.
func (t *Terminal[V, S]) Touch(ctx context.Context, id string, touch Touch, judge func(V, Prove) error) (none S, err error) {
	v, err := t.At(id, StepTouch)
	if err != nil {
		return none, err
	}
	defer v.Held().Unlock()
	err = t.touch(ctx, v, touch, judge)
	v.Held().hand.After(err)
	return v.Shown(), err
}

func (t *Terminal[V, S]) touch(ctx context.Context, v V, touch Touch, judge func(V, Prove) error) error {
	source, err := t.place.source(touch.Chip)
	if err != nil {
		return err
	}
	if t.place.Reader != nil {
		if !t.using.TryLock() {
			return t.refusals.InUse
		}
		defer t.using.Unlock()
	}
	return judge(v, func(q attest.Presence) (reader.Proof, error) {
		proof, err := reader.Prove(ctx, source, reader.Touch{Class: v.Held().class, PIN: touch.PIN, LastTry: touch.LastTry, Question: q, Scheme: t.place.Scheme})
		t.Stay(v)
		v.Told().LastTry = err != nil && strings.HasPrefix(warifu.ProblemOf(err).Problem, "reader-last-try")
		return proof, err
	})
}

// Leave ends a visit, and nothing of it is kept. What it was is for the caller alone.
func (t *Terminal[V, S]) Leave(id string) (none V, err error) {
	v, err := t.At(id)
	if err != nil {
		return none, err
	}
	defer v.Held().Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.visits, id)
	t.works.Forget(id)
	return v, nil
}

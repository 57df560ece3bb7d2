package tour

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

// Stage is what a tour is given: the app on a new phone, a card to tap, and where the
// places are.
type Stage struct {
	App    *phone.App
	Card   iso7816.Transmitter
	Holder desk.Card // whose card it is, PINs and all
	Places desk.Places
	Trust  verify.Trust
	// PowerOff takes the power of both chips, as between two taps.
	PowerOff func()
	// Second is the app on another phone, with the number on its box and a factory reset
	// of it. Where there is none the tour ends with the walk.
	Second     *phone.App
	SecondIMEI string
	Reset      func() error
}

// Step is one stop as it is reported: a line of `warifu tour --json`.
type Step struct {
	Step   int     `json:"step"`
	Name   string  `json:"name"`
	OK     bool    `json:"ok"`
	MS     float64 `json:"ms"`
	Detail string  `json:"detail"`
}

// stop is one of the nine.
type stop struct {
	name string
	walk func(*walker, context.Context) (detail string, err error)
}

var stops = []stop{
	{"card, keys and secrets", (*walker).applyOnPhone},
	{"submit", (*walker).submit},
	{"registration authority", (*walker).checks},
	{"queue", (*walker).queue},
	{"two authorities", (*walker).issue},
	{"notice", (*walker).notice},
	{"personalize", (*walker).personalize},
	{"sign and log in", (*walker).use},
	{"relying party", (*walker).believe},
}

// walker is who walks: what one stop leaves for the next.
type walker struct {
	Stage
	real          warifu.Clock
	choice        phone.Choice
	draft         *phone.Draft
	notices       chan string
	stopListening context.CancelFunc
	document      []byte
	signature     []byte
	code          string // the suspension code of whatever was registered last
	bank          doorway.Client
}

// patience is how long the tour waits for what happens by itself.
const patience = 60 * time.Second

// Run walks all stops in order, and the life after them where there is a second phone, and reports each. It ends at the first failure, with
// its error; real measures how long each stop takes.
func Run(ctx context.Context, s Stage, real warifu.Clock, report func(Step)) error {
	w := &walker{Stage: s, real: real, notices: make(chan string, 8), bank: doorway.NewClient(s.Places.Bank)}
	defer func() {
		if w.stopListening != nil {
			w.stopListening()
		}
	}()
	walked := slices.Clone(stops)
	if s.Second != nil {
		walked = append(walked, lifeStops...)
	}
	for i, stop := range walked {
		began := real.Now()
		detail, err := stop.walk(w, ctx)
		step := Step{Step: i + 1, Name: stop.name, OK: err == nil, Detail: detail}
		step.MS = float64(real.Now().Sub(began).Microseconds()/100) / 10
		if err != nil {
			step.Detail = err.Error()
		}
		report(step)
		if err != nil {
			return fmt.Errorf("stop %d, %s: %w", i+1, stop.name, err)
		}
		s.PowerOff()
	}
	return nil
}

// expect wants err to be the problem, and says what happened otherwise.
func expect(what, problem string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s was accepted, want %s", what, problem)
	case warifu.ProblemOf(err).Problem != problem:
		return fmt.Errorf("%s: got %w, want %s", what, err, problem)
	}
	return nil
}

// refused wants err to be a refusal of whatever kind, and no failure of ours.
func refused(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%s was accepted", what)
	}
	switch warifu.ProblemOf(err).Code {
	case warifu.CodeInternal, warifu.CodeUnavailable:
		return fmt.Errorf("%s failed instead of being refused: %w", what, err)
	}
	return nil
}

// flipped returns a copy of b with one bit of the middle octet turned.
func flipped(b []byte) []byte {
	out := append([]byte(nil), b...)
	out[len(out)/2] ^= 1
	return out
}

var errLate = errors.New("did not happen within a minute")

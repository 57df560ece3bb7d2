package tour

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/phone"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/text"
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
	Operator   string // an operator's token for the hotline
	// Minor is somebody about to turn fifteen, with their card.
	Minor     desk.Card
	MinorCard iso7816.Transmitter
}

// Step is one stop as it is reported: a line of `warifu tour --json`.
type Step struct {
	Step   int     `json:"step"`
	Name   string  `json:"name"`
	OK     bool    `json:"ok"`
	MS     float64 `json:"ms"`
	Detail string  `json:"detail"`
	// NameJa and DetailJa say the same in Japanese; what failed is said in Detail alone.
	NameJa   string `json:"nameJa"`
	DetailJa string `json:"detailJa,omitempty"`
}

// stop is one of the stops. Its name is a promise to scripts; what it says of itself stands
// in the catalogue under "tour.<slug>", with the parameters that walk returns.
type stop struct {
	name, slug string
	walk       func(*walker, context.Context) (said, error)
}

// said is what a stop found, for the sentence that tells of it.
type said map[string]string

var stops = []stop{
	{"card, keys and secrets", "keys", (*walker).applyOnPhone},
	{"submit", "submit", (*walker).submit},
	{"registration authority", "checks", (*walker).checks},
	{"queue", "queue", (*walker).queue},
	{"two authorities", "issue", (*walker).issue},
	{"notice", "notice", (*walker).notice},
	{"personalize", "personalize", (*walker).personalize},
	{"sign and log in", "use", (*walker).use},
	{"relying party", "believe", (*walker).believe},
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
	witness       *witness
	first         *phone.App // the phone of the nine stops
	code          string     // the suspension code of whatever was registered last
	bank          doorway.Client
	certificates  map[warifu.Kind]*x509.Certificate // on the phone, as last seen by who was shown them
}

// patience is how long the tour waits for what happens by itself.
const patience = 60 * time.Second

// Stops is how many stops a tour of the stage has.
func Stops(s Stage) int {
	if s.Second == nil {
		return len(stops)
	}
	return len(stops) + len(lifeStops)
}

// Run walks all stops in order, and the life after them where there is a second phone, and reports each. It ends at the first failure, with
// its error; real measures how long each stop takes.
func Run(ctx context.Context, s Stage, real warifu.Clock, report func(Step)) error {
	witness := &witness{Transmitter: s.Card}
	s.Card = witness
	w := &walker{Stage: s, witness: witness, first: s.App, real: real, certificates: map[warifu.Kind]*x509.Certificate{}, notices: make(chan string, 8), bank: doorway.NewClient(s.Places.Bank)}
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
		found, err := stop.walk(w, ctx)
		if err == nil {
			err = w.witness.innocent()
		}
		step := Step{Step: i + 1, Name: stop.name, NameJa: text.Sentence("tour.name-"+stop.slug, text.Japanese, nil), OK: err == nil}
		step.MS = float64(real.Now().Sub(began).Microseconds()/100) / 10
		if err != nil {
			step.Detail = err.Error()
		} else {
			step.Detail = text.Sentence("tour."+stop.slug, text.English, found)
			step.DetailJa = text.Sentence("tour."+stop.slug, text.Japanese, found)
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

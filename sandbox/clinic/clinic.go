package clinic

import (
	"context"
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
	"warifu/sandbox/person"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/scheme"
	"warifu/verify"
)

// ClientID is the reader's own name, as the audience of questions that it asks without a line.
const ClientID = "warifu-sandbox-clinic"

// MaxAge is how old a status may be that the reader goes by without a line.
const MaxAge = 24 * time.Hour

// Chip is one that can be touched to the reader of the demo.
type Chip = terminal.Chip

// Config is what a clinic needs.
type Config struct {
	Origin   string // scheme://host[:port], with ClientID the audience of its own questions
	Insurers Insurers
	Clock    warifu.Clock
	Scheme   *scheme.Scheme
	// Trust and Kept are for the time without a line: whom to believe, and what was fetched
	// beforehand. Refresh, where not nil, fetches it; it is called while there is a line.
	Trust   verify.Trust
	Kept    verify.StatusChecker
	Refresh func(context.Context) error
	// Chips lists what can be touched, and Touched is the reader with one of them on it;
	// Reader, where not nil, is a real one in place of both.
	Chips   func() ([]Chip, error)
	Touched func(id string) reader.Source
	Reader  reader.Source
}

// Clinic answers at port 8405.
type Clinic struct {
	config    Config
	own       *verify.Verifier // without a line
	terminals *terminal.Terminal[*visit, View]

	mu    sync.Mutex
	desk  []received // what the staff have not taken over yet, the newest last
	count int
	cut   bool // the line is cut, by the switch on the page
}

// New makes a clinic.
func New(c Config) *Clinic {
	out := &Clinic{config: c, own: verify.New(c.Trust, c.Kept, c.Clock)}
	out.terminals = terminal.New(terminal.Place{Clock: c.Clock, Scheme: c.Scheme, Chips: c.Chips, Touched: c.Touched, Reader: c.Reader}, terminal.Refusals{
		Malformed: warifu.Invalid("clinic-request-malformed"), InUse: warifu.Conflict("clinic-in-use"), Full: warifu.TooMany("clinic-in-use"),
		Other: warifu.Conflict("clinic-step-other"), Over: warifu.NotFound("clinic-visit-over"),
	}, terminal.Own[*visit]{
		Name: "clinic", Open: out.open, Stand: (*visit).stand, Back: (*visit).back,
		Begin: func(medium string) (string, error) { v, err := out.Begin(medium); return v.ID, err },
		Touch: func(ctx context.Context, id string, t Touch) error { _, err := out.Touch(ctx, id, t); return err },
		Left:  func(*visit) string { return "" },
	}, out.show)
	return out
}

// Cut cuts the clinic's line, or mends it.
func (c *Clinic) Cut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
}

// line reports whether there is one, as far as the clinic knows.
func (c *Clinic) line() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.cut
}

// open refuses phones before the scheme's day (K6): "clinic-phones-later". Cards were taken
// before.
func (c *Clinic) open(class profile.Class) error {
	if class == profile.ClassPhone && !c.config.Scheme.ServiceOpen("clinic", c.config.Clock.Now()) {
		return warifu.Refused("clinic-phones-later", "date", c.config.Scheme.Services["clinic"].In(person.Tokyo).Format(time.DateOnly))
	}
	return nil
}

// Insurers is the way to the insurers' server.
type Insurers struct{ door doorway.Client }

// insurersTimeout bounds one call: somebody stands before the reader.
const insurersTimeout = 10 * time.Second

// NewInsurers calls the server at address ("http://127.0.0.1:8401/insurers") with the
// clinic's key.
func NewInsurers(address, key string) Insurers {
	return Insurers{doorway.NewKeyClient(address, key, insurersTimeout)}
}

func (i Insurers) ask(ctx context.Context) (insurer.Question, error) {
	var q insurer.Question
	err := i.door.Post(ctx, "/questions", struct{}{}, &q)
	return q, away(err)
}

func (i Insurers) eligibility(ctx context.Context, a insurer.Asking) (*insurer.Answer, error) {
	var out insurer.Answer
	err := i.door.Post(ctx, "/eligibility", a, &out)
	return &out, away(err)
}

// away says in the clinic's words that there is no line.
func away(err error) error {
	if doorway.Away(err) {
		return warifu.Unavailable("clinic-line-down").With(err)
	}
	return err
}

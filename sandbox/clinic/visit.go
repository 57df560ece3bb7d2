package clinic

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/insurer"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/verify"
)

// Bounds of visits: how long nobody may touch the reader before it forgets the person.
const (
	idle      = 2 * time.Minute
	maxVisits = 1000
	// refreshLimit is how long a visit waits for what is kept for the time without a line.
	refreshLimit = 2 * time.Second
)

// Step is where a visit stands.
type Step string

// The steps.
const (
	StepTouch   Step = "touch"
	StepConsent Step = "consent"
	StepDone    Step = "done"
)

// Provisional is the state of who was recognised without a line.
const Provisional insurer.State = "provisional"

// View is a visit as the reader and the clinic's staff see it.
type View struct {
	ID      string          `json:"id"`
	Step    Step            `json:"step"`
	Medium  string          `json:"medium"` // "phone" or "card"
	LastTry bool            `json:"lastTry,omitempty"`
	State   insurer.State   `json:"state,omitempty"` // the insurer's, or "provisional"
	Answer  *insurer.Answer `json:"answer,omitempty"`
	// Without a line: by what the certificate's status is known, as of when, and how old that is.
	StatusFrom string        `json:"statusFrom,omitempty"`
	StatusTime time.Time     `json:"statusTime,omitzero"`
	StatusAge  time.Duration `json:"statusAge,omitempty"` // nanoseconds
	Expires    time.Time     `json:"expires"`
}

type visit struct {
	sync.Mutex
	View
	class   profile.Class
	hand    terminal.Hand
	touched string          // what was touched last, in the demo
	said    map[string]bool // yes or no, by kind of data
	asking  insurer.Asking
}

// Begin begins a visit with "phone" or "card".
func (c *Clinic) Begin(medium string) (View, error) {
	class := profile.ClassCard
	switch medium {
	case profile.ClassPhone.String():
		class = profile.ClassPhone
	case profile.ClassCard.String():
	case "iphone":
		return View{}, warifu.Refused("reader-iphone") // K4
	default:
		return View{}, warifu.Invalid("clinic-request-malformed")
	}
	if err := c.open(class); err != nil {
		return View{}, err
	}
	var octets [20]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return View{}, err
	}
	v := &visit{View: View{ID: strings.ToLower(base32.StdEncoding.EncodeToString(octets[:])), Step: StepTouch, Medium: medium, Expires: c.config.Clock.Now().Add(idle)}, class: class}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep()
	if len(c.visits) >= maxVisits {
		return View{}, warifu.TooMany("clinic-in-use")
	}
	c.visits[v.ID] = v
	return v.View, nil
}

// sweep forgets whoever went away.
func (c *Clinic) sweep() {
	now := c.config.Clock.Now()
	for id, v := range c.visits {
		if v.TryLock() { // not in the middle of a step
			if now.After(v.Expires) {
				delete(c.visits, id)
				c.works.Forget(id)
			}
			v.Unlock()
		}
	}
}

// at takes a visit that stands at one of the steps; the caller unlocks it.
func (c *Clinic) at(id string, steps ...Step) (*visit, error) {
	c.mu.Lock()
	c.sweep()
	v, ok := c.visits[id]
	c.mu.Unlock()
	if !ok {
		return nil, warifu.NotFound("clinic-visit-over")
	}
	if !v.TryLock() {
		return nil, warifu.Conflict("clinic-in-use")
	}
	if len(steps) > 0 && !slices.Contains(steps, v.Step) {
		v.Unlock()
		return nil, warifu.Conflict("clinic-step-other")
	}
	v.Expires = c.config.Clock.Now().Add(idle)
	return v, nil
}

// Visit tells where a visit stands.
func (c *Clinic) Visit(id string) (View, error) {
	v, err := c.at(id)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	return v.View, nil
}

// Touch is a card or phone held to the reader, with the PIN that was typed on it.
type Touch struct {
	Chip    string `json:"chip"`
	PIN     string `json:"pin"`
	LastTry bool   `json:"lastTry"`
}

// Touch has the chip answer the insurers' question, or without a line the reader's own.
func (c *Clinic) Touch(ctx context.Context, id string, t Touch) (View, error) {
	v, err := c.at(id, StepTouch)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	view, err := c.touch(ctx, v, t)
	v.hand.After(err)
	return view, err
}

func (c *Clinic) touch(ctx context.Context, v *visit, t Touch) (View, error) {
	source, err := c.source(t.Chip)
	if err != nil {
		return v.View, err
	}
	if c.config.Reader != nil {
		if !c.using.TryLock() {
			return v.View, warifu.Conflict("clinic-in-use")
		}
		defer c.using.Unlock()
	}
	question, online, err := c.question(ctx)
	if err != nil {
		return v.View, err
	}
	proof, err := reader.Prove(ctx, source, reader.Touch{Class: v.class, PIN: t.PIN, LastTry: t.LastTry, Question: question.Presence(), Scheme: c.config.Scheme})
	v.Expires = c.config.Clock.Now().Add(idle)
	if err != nil {
		v.LastTry = strings.HasPrefix(warifu.ProblemOf(err).Problem, "reader-last-try")
		return v.View, err
	}
	v.LastTry = false
	if !online {
		err := c.alone(ctx, v, question, proof)
		return v.View, err
	}
	v.asking = insurer.Asking{Transaction: question.Transaction, Certificate: proof.Certificate.Raw, Signature: proof.Signature}
	v.Step = StepConsent
	return v.View, nil
}

// question is the insurers', and where they cannot be reached the reader's own.
func (c *Clinic) question(ctx context.Context) (q insurer.Question, online bool, err error) {
	if c.line() {
		if q, err = c.config.Insurers.ask(ctx); err == nil {
			c.refresh(ctx)
			return q, true, nil
		}
		if warifu.ProblemOf(err).Problem != "clinic-line-down" {
			return q, false, err
		}
	}
	if c.config.Kept == nil {
		return q, false, warifu.Unavailable("clinic-line-down").With(err)
	}
	var octets [48]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return q, false, err
	}
	return insurer.Question{Purpose: insurer.Purpose, ClientID: ClientID, Origin: c.config.Origin, Nonce: octets[:32],
		Transaction: hex.EncodeToString(octets[32:]), Time: c.config.Clock.Now().UTC().Truncate(time.Second)}, false, nil
}

// refresh fetches what is kept for the time without a line.
func (c *Clinic) refresh(ctx context.Context) {
	if c.config.Refresh != nil && c.line() {
		ctx, cancel := context.WithTimeout(ctx, refreshLimit) // somebody stands before the reader
		defer cancel()
		_ = c.config.Refresh(ctx) // where it fails, what is kept serves as long as it may
	}
}

// alone judges an answer without a line: who was recognised is provisionally insured, and
// says the rest on paper. Where the status is not known, or too old, nothing is assumed.
func (c *Clinic) alone(ctx context.Context, v *visit, q insurer.Question, p reader.Proof) error {
	result, err := c.own.Presence(ctx, q.Presence(), p.Certificate, p.Signature, verify.Policy{MaxStatusAge: MaxAge})
	if err != nil {
		return err
	}
	if result.Verdict == verify.Unknown {
		return warifu.Unavailable("clinic-status-unknown").With(result.Err())
	}
	if err := result.Err(); err != nil {
		return err
	}
	v.Step, v.State = StepDone, Provisional
	v.StatusFrom, v.StatusTime, v.StatusAge = result.StatusSource, result.StatusTime, result.StatusAge()
	c.receive(v.View)
	return nil
}

// Consent asks the insurers, with the person's yes or no to each kind of data.
func (c *Clinic) Consent(ctx context.Context, id string, consents insurer.Consents) (View, error) {
	v, err := c.at(id, StepConsent)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	v.asking.Consents = consents
	if !c.line() {
		return v.View, warifu.Unavailable("clinic-line-down")
	}
	answer, err := c.config.Insurers.eligibility(ctx, v.asking)
	v.Expires = c.config.Clock.Now().Add(idle)
	if err != nil {
		return v.View, err
	}
	v.Step, v.Answer, v.State = StepDone, answer, answer.State
	v.asking = insurer.Asking{}
	c.receive(v.View)
	return v.View, nil
}

// Leave ends a visit; the reader keeps nothing of it.
func (c *Clinic) Leave(id string) error {
	v, err := c.at(id)
	if err != nil {
		return err
	}
	defer v.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.visits, id)
	c.works.Forget(id)
	return nil
}

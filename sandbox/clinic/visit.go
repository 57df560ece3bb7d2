package clinic

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"warifu"
	"warifu/sandbox/insurer"
	"warifu/sandbox/reader"
	"warifu/sandbox/terminal"
	"warifu/verify"
)

// refreshLimit is how long a visit waits for what is kept for the time without a line.
const refreshLimit = 2 * time.Second

// The steps.
const (
	StepTouch                 = terminal.StepTouch
	StepConsent terminal.Step = "consent"
	StepDone                  = terminal.StepDone
)

// Provisional is the state of who was recognised without a line.
const Provisional insurer.State = "provisional"

// View is a visit as the reader and the clinic's staff see it.
type View struct {
	terminal.Visit
	State  insurer.State   `json:"state,omitempty"` // the insurer's, or "provisional"
	Answer *insurer.Answer `json:"answer,omitempty"`
	// Without a line: by what the certificate's status is known, as of when, and how old that is.
	StatusFrom string        `json:"statusFrom,omitempty"`
	StatusTime time.Time     `json:"statusTime,omitzero"`
	StatusAge  time.Duration `json:"statusAge,omitempty"` // nanoseconds
	Asked      string        `json:"-"`                   // the kind of data that the screen asks about
}

type visit struct {
	terminal.Standing
	View
	said   map[string]bool // yes or no, by kind of data
	asking insurer.Asking
}

// Shown implements terminal.Part.
func (v *visit) Shown() View {
	shown := v.View
	shown.Asked = v.asks()
	return shown
}

// Begin begins a visit with "phone" or "card".
func (c *Clinic) Begin(medium string) (View, error) {
	if medium == "iphone" {
		return View{}, warifu.Refused("clinic-iphone") // K4
	}
	return c.terminals.Begin(medium, &visit{})
}

// Visit tells where a visit stands.
func (c *Clinic) Visit(id string) (View, error) { return c.terminals.Visit(id) }

// Leave ends a visit; the reader keeps nothing of it.
func (c *Clinic) Leave(id string) error {
	_, err := c.terminals.Leave(id)
	return err
}

// Touch is a card or phone held to the reader, with the PIN that was typed on it.
type Touch = terminal.Touch

// Touch has the chip answer the insurers' question, or without a line the reader's own.
func (c *Clinic) Touch(ctx context.Context, id string, t Touch) (View, error) {
	return c.terminals.Touch(ctx, id, t, func(v *visit, prove terminal.Prove) error {
		question, online, err := c.question(ctx)
		if err != nil {
			return err
		}
		proof, err := prove(question.Presence())
		if err != nil {
			return err
		}
		if !online {
			return c.alone(ctx, v, question, proof)
		}
		v.asking = insurer.Asking{Transaction: question.Transaction, Certificate: proof.Certificate.Raw, Signature: proof.Signature}
		v.Step = StepConsent
		return nil
	})
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
	v, err := c.terminals.At(id, StepConsent)
	if err != nil {
		return View{}, err
	}
	defer v.Unlock()
	v.asking.Consents = consents
	if !c.line() {
		return v.View, warifu.Unavailable("clinic-line-down")
	}
	answer, err := c.config.Insurers.eligibility(ctx, v.asking)
	c.terminals.Stay(v)
	if err != nil {
		if e := warifu.ProblemOf(err); e.Code == warifu.CodeRefused && e.Problem != "insurer-busy" { // asking again mends nothing
			v.Step, v.said, v.asking = StepTouch, nil, insurer.Asking{}
			v.Ended(err)
		}
		return v.View, err
	}
	v.Step, v.Answer, v.State = StepDone, answer, answer.State
	v.asking = insurer.Asking{}
	c.receive(v.View)
	return v.View, nil
}

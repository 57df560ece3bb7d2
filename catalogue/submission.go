package catalogue

import (
	"context"
	"encoding/json"
	"time"

	"warifu"
)

// State is where a submission stands.
type State string

// The states of a submission (R17).
const (
	Open     State = "open"
	Accepted State = "accepted" // the model passed
	Refused  State = "refused"  // the model failed, or there was nothing to check
)

// Role is what the submitting organisation is to the model.
type Role string

// The roles.
const (
	Maker   Role = "maker"
	Carrier Role = "carrier"
)

// Submission asks for a model to be verified (R17). It names organisations, no persons.
type Submission struct {
	ID           string    `json:"id"`
	Role         Role      `json:"role"`
	Organisation string    `json:"organisation"`
	Model        Model     `json:"model"` // its verification is pending
	State        State     `json:"state"`
	Reason       string    `json:"reason,omitempty"` // of the decision
	SubmittedAt  time.Time `json:"submittedAt"`
	DecidedAt    time.Time `json:"decidedAt,omitzero"`
}

// Decision answers a submission.
type Decision struct {
	By     string // the organisation that checked, or refused to
	Actor  string // who says so, for the audit trail; empty: the organisation
	Result Result // Passed, Failed, or Pending for one that is dismissed without a check
	Reason string // for whoever submitted
	// MinOSBuild and MinAppVersion replace what was submitted where the check found them.
	MinOSBuild    string
	MinAppVersion int
	OSBuild       string // of the phone that was checked; may be empty
}

// maxOpen bounds the submissions that wait.
var maxOpen = 1000

type submissionData struct {
	Role         Role   `json:"role"`
	Organisation string `json:"organisation"`
	Model        Model  `json:"model"`
}

func (b *Submission) data() ([]byte, error) {
	return json.Marshal(submissionData{b.Role, b.Organisation, b.Model})
}

func (b *Submission) read(data []byte) error {
	var d submissionData
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	b.Role, b.Organisation, b.Model = d.Role, d.Organisation, d.Model
	return nil
}

func (b *Submission) validate() error {
	switch {
	case b.Role != Maker && b.Role != Carrier:
		return warifu.Invalid("submission-invalid", "field", "role")
	case !plain(b.Organisation):
		return warifu.Invalid("submission-invalid", "field", "organisation")
	}
	return b.Model.Validate()
}

// Submit takes a model for verification. Until it is decided the model is refused as
// not yet verified. Errors: Invalid "submission-invalid" or "model-invalid", Conflict
// "submission-open" (one is waiting for this model) or "model-listed" (it has passed),
// TooMany "submissions-full".
func (c *Catalogue) Submit(ctx context.Context, id string, role Role, organisation string, m Model) (Submission, error) {
	m.Verification, m.Revised, m.Sample = Verification{Result: Pending}, nil, false
	b := Submission{ID: id, Role: role, Organisation: organisation, Model: m, State: Open, SubmittedAt: c.clock.Now()}
	if err := b.validate(); err != nil {
		return Submission{}, err
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	x := c.index.Load()
	switch listed, known := x.find(m.ID); {
	case x.pending[key(m.ID)]:
		return Submission{}, warifu.Conflict("submission-open", "model", m.ID)
	case known && listed.Verification.Result == Passed:
		return Submission{}, warifu.Conflict("model-listed", "model", m.ID)
	case len(x.pending) >= maxOpen:
		return Submission{}, warifu.TooMany("submissions-full")
	}
	why := Change{b.SubmittedAt, string(role) + ":" + organisation, "submit", map[string]string{"model": m.ID}}
	if err := c.storage.Settle(ctx, b, nil, why); err != nil {
		return Submission{}, err
	}
	return b, c.reload(ctx)
}

// Submissions returns those in a state, oldest first.
func (c *Catalogue) Submissions(ctx context.Context, state State) ([]Submission, error) {
	return c.storage.Submissions(ctx, state)
}

// Decide settles an open submission. A model that passed is listed from today, one that
// failed is listed with that reason for refusal, one dismissed leaves no trace in the
// catalogue. Errors: NotFound "submission-unknown", Invalid "submission-invalid".
func (c *Catalogue) Decide(ctx context.Context, id string, d Decision) (Submission, error) {
	if !plain(d.By) || (d.Reason != "" && !plain(d.Reason)) || (d.Result != Passed && d.Reason == "") {
		return Submission{}, warifu.Invalid("submission-invalid", "field", "decision")
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	b, err := c.open(ctx, id)
	if err != nil {
		return Submission{}, err
	}
	b.State, b.Reason, b.DecidedAt = Refused, d.Reason, c.clock.Now()
	if d.Result == Passed {
		b.State = Accepted
	}
	rows, err := c.consequence(&b, d)
	if err != nil {
		return Submission{}, err
	}
	actor := d.Actor
	if actor == "" {
		actor = "operator:" + d.By
	}
	why := Change{b.DecidedAt, actor, "decide", map[string]string{"model": b.Model.ID, "result": string(d.Result)}}
	if err := c.storage.Settle(ctx, b, rows, why); err != nil {
		return Submission{}, err
	}
	return b, c.reload(ctx)
}

func (c *Catalogue) open(ctx context.Context, id string) (Submission, error) {
	waiting, err := c.storage.Submissions(ctx, Open)
	if err != nil {
		return Submission{}, err
	}
	for _, b := range waiting {
		if b.ID == id {
			return b, nil
		}
	}
	return Submission{}, warifu.NotFound("submission-unknown", "submission", id)
}

// consequence writes the check into the submission's model and returns the rows that follow.
func (c *Catalogue) consequence(b *Submission, d Decision) ([]Row, error) {
	if d.Result == Pending {
		return nil, nil
	}
	today := DateOf(b.DecidedAt)
	m := b.Model
	m.Verification = Verification{By: d.By, On: today, Result: d.Result, OSBuild: d.OSBuild}
	m.Revised = []Date{today}
	m.Since = max(m.Since, today)
	if d.MinOSBuild != "" {
		m.MinOSBuild = d.MinOSBuild
	}
	m.MinAppVersion = max(m.MinAppVersion, d.MinAppVersion)
	if earlier, ok := c.index.Load().find(m.ID); ok {
		m.Earlier = earlier.recordsWith(m.Verification)
		m.ID, m.Revised = earlier.ID, append(earlier.Revised[max(0, len(earlier.Revised)-maxRevised+1):len(earlier.Revised):len(earlier.Revised)], today)
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	b.Model = m
	row, err := rowOf(m, b.DecidedAt)
	return []Row{row}, err
}

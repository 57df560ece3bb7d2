package store

import (
	"time"

	"warifu"
)

// Model is a device model of the catalogue; its Data is the catalogue's own JSON.
type Model struct {
	ID       string
	Data     []byte
	Revision time.Time // when this text of it was written
}

// Submission is a maker's or carrier's request to verify a model (R17).
type Submission struct {
	ID                     string
	Data                   []byte // the catalogue's own JSON
	State                  string // SubmissionOpen, SubmissionAccepted or SubmissionRefused
	Reason                 string
	SubmittedAt, DecidedAt time.Time
}

// The states of a submission.
const (
	SubmissionOpen     = "open"
	SubmissionAccepted = "accepted"
	SubmissionRefused  = "refused"
)

func scanModel(s scanner) (Model, error) {
	var m Model
	err := s.Scan(&m.ID, &m.Data, instant{&m.Revision})
	return m, err
}

// ReplaceModels makes the catalogue exactly these models.
func (tx *Tx) ReplaceModels(models []Model) error {
	if _, err := tx.exec(`DELETE FROM device_models`); err != nil {
		return err
	}
	for _, m := range models {
		if err := tx.PutModel(m); err != nil {
			return err
		}
	}
	return nil
}

// PutModel writes one model over the one with its ID, if any.
func (tx *Tx) PutModel(m Model) error {
	_, err := tx.exec(`INSERT INTO device_models (id, data, revision) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET data = excluded.data, revision = excluded.revision`, m.ID, m.Data, micros(m.Revision))
	return err
}

// Models returns every model in order of ID.
func (tx *Tx) Models() ([]Model, error) {
	return list(tx.work, scanModel, `SELECT id, data, revision FROM device_models ORDER BY id`)
}

// Model returns one, or NotFound "model-unknown".
func (tx *Tx) Model(id string) (Model, error) {
	return only(tx.work, warifu.NotFound("model-unknown"), scanModel, `SELECT id, data, revision FROM device_models WHERE id = $1`, id)
}

const submissionColumns = `id, data, state, reason, submitted_at, decided_at`

func scanSubmission(s scanner) (Submission, error) {
	var b Submission
	err := s.Scan(&b.ID, &b.Data, &b.State, &b.Reason, instant{&b.SubmittedAt}, instant{&b.DecidedAt})
	return b, err
}

// InsertSubmission writes a new, open submission.
func (tx *Tx) InsertSubmission(b Submission) error {
	_, err := tx.exec(`INSERT INTO submissions (`+submissionColumns+`) VALUES ($1, $2, 'open', '', $3, 0)`,
		b.ID, b.Data, micros(b.SubmittedAt))
	return err
}

// Submission returns one, or NotFound "submission-unknown".
func (tx *Tx) Submission(id string) (Submission, error) {
	return only(tx.work, warifu.NotFound("submission-unknown"), scanSubmission,
		`SELECT `+submissionColumns+` FROM submissions WHERE id = $1`, id)
}

// Submissions returns those in a state, oldest first.
func (tx *Tx) Submissions(state string) ([]Submission, error) {
	return list(tx.work, scanSubmission, `SELECT `+submissionColumns+` FROM submissions WHERE state = $1 ORDER BY id`, state)
}

// DecideSubmission accepts or refuses an open submission, with its reason; Conflict
// "submission-decided" when it is not open.
func (tx *Tx) DecideSubmission(id, state, reason string, at time.Time) error {
	n, err := tx.exec(`UPDATE submissions SET state = $1, reason = $2, decided_at = $3 WHERE id = $4 AND state = 'open'`,
		state, reason, micros(at), id)
	if err == nil && n == 0 {
		err = warifu.Conflict("submission-decided")
	}
	return err
}

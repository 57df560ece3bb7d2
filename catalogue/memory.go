package catalogue

import (
	"context"
	"slices"
	"sync"

	"warifu"
)

// InMemory keeps the catalogue for as long as the process lives: for tools that look
// into a CSV file and for tests.
func InMemory() Storage { return &memory{} }

type memory struct {
	mu          sync.Mutex
	rows        []Row
	submissions []Submission
}

func (m *memory) Models(context.Context) ([]Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rows), nil
}

func (m *memory) Replace(_ context.Context, rows []Row, _ Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = slices.Clone(rows)
	return nil
}

func (m *memory) Put(_ context.Context, row Row, _ Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := slices.IndexFunc(m.rows, func(o Row) bool { return o.ID == row.ID }); at >= 0 {
		m.rows[at] = row
	} else {
		m.rows = append(m.rows, row)
	}
	return nil
}

func (m *memory) Submissions(_ context.Context, state State) ([]Submission, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Submission
	for _, b := range m.submissions {
		if b.State == state {
			out = append(out, b)
		}
	}
	return out, nil
}

func (m *memory) Settle(_ context.Context, b Submission, models []Row, _ Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.submissions, func(o Submission) bool { return o.ID == b.ID })
	switch {
	case b.State == Open && i < 0:
		m.submissions = append(m.submissions, b)
	case b.State == Open || i < 0 || m.submissions[i].State != Open:
		return warifu.Conflict("submission-decided")
	default:
		m.submissions[i] = b
	}
	for _, r := range models {
		if at := slices.IndexFunc(m.rows, func(o Row) bool { return o.ID == r.ID }); at >= 0 {
			m.rows[at] = r
		} else {
			m.rows = append(m.rows, r)
		}
	}
	return nil
}

package ca_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"warifu"
)

var errPower = errors.New("the power went out")

// memory is a Ledger without a disk. before and after let a test pull the plug on
// either side of a commit.
type memory struct {
	mu            sync.Mutex
	rows          []warifu.Intent
	before, after map[string]error // by method, used once
	commits       int
}

func (m *memory) plug(where map[string]error, method string) error {
	err := where[method]
	delete(where, method)
	return err
}

func (m *memory) Intend(_ context.Context, intents []warifu.Intent) ([]warifu.IntentResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.plug(m.before, "Intend"); err != nil {
		return nil, err
	}
	out := make([]warifu.IntentResult, len(intents))
	for n, in := range intents {
		out[n] = m.intend(in)
	}
	m.commits++
	return out, m.plug(m.after, "Intend")
}

func (m *memory) intend(in warifu.Intent) warifu.IntentResult {
	for _, row := range m.rows {
		document, key := row.Document == in.Document && row.Kind == in.Kind, row.PublicKey == in.PublicKey
		switch {
		case document && key:
			return warifu.IntentResult{Intent: row}
		case document:
			return warifu.IntentResult{Err: warifu.Conflict("document-seen")}
		case key:
			return warifu.IntentResult{Err: warifu.Conflict("key-seen")}
		case bytes.Equal(row.Serial, in.Serial):
			return warifu.IntentResult{Err: warifu.Conflict("serial-seen")}
		}
	}
	m.rows = append(m.rows, in)
	return warifu.IntentResult{Intent: in}
}

func (m *memory) Record(_ context.Context, certificates []warifu.IssuedCertificate) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.plug(m.before, "Record"); err != nil {
		return err
	}
	for _, c := range certificates {
		for n := range m.rows {
			if !bytes.Equal(m.rows[n].Serial, c.Serial) {
				continue
			}
			if m.rows[n].Certificate != nil && !bytes.Equal(m.rows[n].Certificate, c.Certificate) {
				return warifu.Conflict("certificate-seen")
			}
			m.rows[n].Certificate = c.Certificate
		}
	}
	m.commits++
	return m.plug(m.after, "Record")
}

func (m *memory) Size(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return 2 * int64(len(m.rows)), nil
}

func (m *memory) Unfinished(_ context.Context, before time.Time, _ warifu.Intent) ([]warifu.Intent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []warifu.Intent
	for _, row := range m.rows {
		if row.Certificate == nil && row.CreatedAt.Before(before) {
			out = append(out, row)
		}
	}
	return out, nil
}

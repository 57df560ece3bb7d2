package oidc

import (
	"sync"

	"warifu/store"
)

// recentRows is how many logins' rows this server remembers: those of some seconds of full
// load, at about a kilobyte each.
const recentRows = 8192

// recent remembers the rows of logins that this server itself wrote last, so that the next step
// need not read what it knows. Another server may have gone on meanwhile: every step is a
// compare-and-set in the database, and what fails there is read anew (errStale).
type recent struct {
	mu   sync.Mutex
	rows map[store.LoginID]remembered
	ring []store.LoginID // in order of entering; the oldest gives way
	next int
}

type remembered struct {
	row store.Login
	request
}

func newRecent() *recent {
	return &recent{rows: make(map[store.LoginID]remembered), ring: make([]store.LoginID, recentRows)}
}

// put remembers a row as it is now.
func (r *recent) put(row store.Login, q request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.rows[row.ID]; !known {
		delete(r.rows, r.ring[r.next])
		r.ring[r.next] = row.ID
		r.next = (r.next + 1) % len(r.ring)
	}
	r.rows[row.ID] = remembered{row, q}
}

// in returns a row that is remembered in that state.
func (r *recent) in(id store.LoginID, state string) (remembered, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, known := r.rows[id]
	return m, known && m.row.State == state
}

// drop forgets a row.
func (r *recent) drop(id store.LoginID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.rows, id)
}

package oidc

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"warifu"
	"warifu/store"
)

// Directory is every client there is: those of the operator's file, and those that developers
// registered. It implements Clients and answers from memory; what another server changed is
// known here within a Reload, and a client that another server has just taken up at once.
type Directory struct {
	store   Store
	clock   warifu.Clock
	open    bool
	sources registrationSources

	mu         sync.RWMutex
	given      map[string]Client
	registered map[string]listed
	changed    func()
}

// listed is a registered client with the digest of its key for the verification service.
type listed struct {
	client Client
	key    warifu.Digest
}

// NewDirectory makes an empty one; open says whether strangers may register.
func NewDirectory(s Store, c warifu.Clock, open bool) *Directory {
	return &Directory{store: s, clock: c, open: open, given: map[string]Client{}, registered: map[string]listed{}, changed: func() {}}
}

// OnChange has told be called whenever a registered client came, changed or went.
func (d *Directory) OnChange(told func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed = told
}

// SetGiven puts the operator's clients in the place of those it had.
func (d *Directory) SetGiven(all map[string]Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.given = maps.Clone(all)
}

// Reload reads the registered clients anew.
func (d *Directory) Reload(ctx context.Context) error {
	var rows []store.Client
	err := d.store.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Clients(0, maxRegistered)
		return err
	})
	if err != nil {
		return err
	}
	fresh := map[string]listed{}
	for _, row := range rows {
		k, err := listedOf(row)
		if err != nil {
			return err
		}
		fresh[row.ID] = k
	}
	d.mu.Lock()
	d.registered = fresh
	told := d.changed
	d.mu.Unlock()
	told()
	return nil
}

func listedOf(row store.Client) (listed, error) {
	var e Entry
	if err := json.Unmarshal(row.Entry, &e); err != nil {
		return listed{}, err
	}
	c, err := e.client(row.ID)
	return listed{c, row.Key}, err
}

// take puts one row's client in its place.
func (d *Directory) take(row store.Client) error {
	k, err := listedOf(row)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.registered[row.ID] = k
	told := d.changed
	d.mu.Unlock()
	told()
	return nil
}

func (d *Directory) drop(id string) {
	d.mu.Lock()
	delete(d.registered, id)
	told := d.changed
	d.mu.Unlock()
	told()
}

// Client implements Clients. One that looks registered and is not listed is looked for in the
// database: another server may have taken it up a moment ago.
func (d *Directory) Client(ctx context.Context, id string) (Client, error) {
	d.mu.RLock()
	c, there := d.given[id]
	if !there {
		var k listed
		k, there = d.registered[id]
		c = k.client
	}
	d.mu.RUnlock()
	if there {
		return c, nil
	}
	if !strings.HasPrefix(id, "RP") || !clientID.MatchString(id) {
		return Client{}, warifu.NotFound("client-unknown")
	}
	var row store.Client
	err := d.store.Read(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.Client(id)
		return err
	})
	if err != nil {
		return Client{}, err
	}
	if err := d.take(row); err != nil {
		return Client{}, err
	}
	return d.Client(ctx, id)
}

// Asking is a registered client as the verification service is to know it.
type Asking struct {
	Client
	Key warifu.Digest // SHA-256 of its key
}

// Asking returns the registered clients in the order of their identifiers.
func (d *Directory) Asking() []Asking {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]Asking, 0, len(d.registered))
	for _, id := range slices.Sorted(maps.Keys(d.registered)) {
		out = append(out, Asking{d.registered[id].client, d.registered[id].key})
	}
	return out
}

// registeredWithin is the time in which one source may register maxRegisteredBy clients.
const registeredWithin = time.Hour

// registrationSources counts registrations by who asked, in bounded memory.
type registrationSources struct {
	mu    sync.Mutex
	since time.Time
	by    map[string]int
}

// allow counts one more, and says whether it may be.
func (s *registrationSources) allow(source string, now time.Time) bool {
	if source == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil || now.Sub(s.since) >= registeredWithin || len(s.by) > maxRegistered {
		s.by, s.since = map[string]int{}, now
	}
	s.by[source]++
	return s.by[source] <= maxRegisteredBy
}

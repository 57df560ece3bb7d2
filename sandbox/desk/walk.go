package desk

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"warifu/ledger"
	"warifu/sandbox/bank"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
	"warifu/sandbox/portal"
	"warifu/sandbox/trace"
)

// walksName is the file in which the guided walks are kept.
const walksName = "walks.json"

// kept is how far a person has come on the guided walk.
type kept struct {
	Begun time.Time             `json:"begun"`
	Done  [len(stops)]time.Time `json:"done"` // zero: not yet
	Left  bool                  `json:"left,omitempty"`
	Seen  bool                  `json:"seen,omitempty"` // that it is over
}

// Walks keeps the guided walks of a world, one a person, and what was seen on the way. What
// is done is told by what has truly happened, never by a click.
type Walks struct {
	folder folder.Folder
	mu     sync.Mutex
	all    map[string]kept
	// What only the traffic tells: the last instant at which a card answered at a reader, a
	// phone's app spoke to its chip, and the server refused a login.
	cards          map[string]time.Time
	phone, refused time.Time
}

// OpenWalks opens the walks that a folder keeps, and has them watch the trace.
func OpenWalks(f folder.Folder, ring *trace.Ring) (*Walks, error) {
	w := &Walks{folder: f, all: map[string]kept{}, cards: map[string]time.Time{}}
	if _, err := f.ReadJSON(walksName, &w.all); err != nil {
		return nil, err
	}
	ring.Watch(w.see)
	return w, nil
}

// see notes what passed.
func (w *Walks) see(e trace.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case e.Kind == trace.APDU && e.Door == trace.DoorApp:
		w.phone = e.At
	case e.Kind == trace.APDU:
		w.cards[e.Chip] = e.At
	case e.Means == "trace.door.login-answer" && e.Method == http.MethodPost && !e.Good():
		w.refused = e.At
	}
}

// sawRefusal notes that somebody was shown that the phone approves nothing now.
func (w *Walks) sawRefusal(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = at
}

// seen is what of a walk the registers say.
type seen struct {
	Standing
	since                time.Time
	card, phone, refused bool
}

// stops of the walk, in order: what one is called and when it is done.
var stops = [...]struct {
	key  string
	done func(seen) bool
}{
	{"card", func(s seen) bool { return s.card }},
	{"phone", func(s seen) bool { return s.phone || len(s.Applications) > 0 }},
	{"apply", func(s seen) bool { return len(s.Applications) > 0 }},
	{"issue", func(s seen) bool {
		return slices.ContainsFunc(s.Applications, func(a Applied) bool { return a.State == "issued" || a.State == "personalized" })
	}},
	{"register", func(s seen) bool { return s.any("active") || s.any("held") }},
	{"portal", func(s seen) bool { return s.was(portal.ClientID, ledger.LoggedIn, s.since) }},
	{"bank", func(s seen) bool { return s.was(bank.ClientID, ledger.Signed, s.since) }},
	{"lose", func(s seen) bool { return s.any("held") && s.refused }},
	{"back", func(s seen) bool { return !s.any("held") }},
}

// Stop is a stop of the walk as the page shows it.
type Stop struct {
	Number    int    `json:"number"`
	Key       string `json:"key"`
	Done, Now bool
	Address   string    `json:"address"`      // where to go
	Due       time.Time `json:"due,omitzero"` // stop "issue": when it will be
	Held      bool      // stop "lose": the certificates are on hold, and a login is left to try
}

// Walk is the walk of one person.
type Walk struct {
	Begun   bool           `json:"begun"`
	Left    bool           `json:"left"`
	Over    bool           `json:"over"`
	Seen    bool           `json:"-"`    // the person has seen that it is over
	Done    int            `json:"done"` // stops
	All     int            `json:"all"`
	Stops   []Stop         `json:"stops"`
	Phone   string         `json:"-"` // the phone of the walk; "" where there is none to take
	Checked []ledger.Entry `json:"-"` // who asked about the person on the way
}

// At is the number of the stop where the person is.
func (w Walk) At() int { return min(w.Done+1, w.All) }

// Here is the stop where the person is; the last one when all are done.
func (w Walk) Here() Stop {
	for _, s := range w.Stops {
		if s.Now {
			return s
		}
	}
	return w.Stops[len(w.Stops)-1]
}

// walk looks how far the person has come, and remembers it.
func (d *Desk) walk(ctx context.Context, id string) (Walk, error) {
	standing, err := d.config.Standing(ctx, id)
	if err != nil {
		return Walk{}, err
	}
	k, err := d.config.Walks.look(id, standing)
	if err != nil {
		return Walk{}, err
	}
	return d.told(id, k, standing), nil
}

// look brings a walk up to date: every stop from the first that is not done, as far as they
// are done.
func (w *Walks) look(id string, standing Standing) (kept, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.all[id]
	if k.Begun.IsZero() || k.Left {
		return k, nil
	}
	changed := false
	for i, s := range stops {
		if !k.Done[i].IsZero() {
			continue
		}
		after := func(t time.Time) bool { return !t.Before(k.Begun) && !t.IsZero() }
		if !s.done(seen{standing, k.Begun, after(w.cards[id]), after(w.phone), after(w.refused)}) {
			break
		}
		k.Done[i], changed = k.Begun, true
	}
	if !changed {
		return k, nil
	}
	w.all[id] = k
	return k, w.folder.WriteJSON(walksName, w.all)
}

// set changes a walk.
func (w *Walks) set(id string, change func(*kept)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.all[id]
	change(&k)
	w.all[id] = k
	return w.folder.WriteJSON(walksName, w.all)
}

// told is a walk as pages show it.
func (d *Desk) told(id string, k kept, standing Standing) Walk {
	out := Walk{Begun: !k.Begun.IsZero(), Left: k.Left, Seen: k.Seen, All: len(stops), Phone: standing.phone()}
	if out.Phone == "" {
		out.Phone = standing.Free
	}
	for i, s := range stops {
		stop := Stop{Number: i + 1, Key: s.key, Done: !k.Done[i].IsZero(), Address: d.stopAddress(s.key, id, out.Phone, standing)}
		if stop.Done {
			out.Done++
		}
		stop.Now = !stop.Done && out.Done == i
		switch {
		case s.key == "issue" && len(standing.Applications) > 0 && standing.Applications[0].State == "submitted":
			if due := standing.Applications[0].Due; due.After(d.now()) {
				stop.Due = due
			}
		case s.key == "lose":
			stop.Held = standing.any("held")
		}
		out.Stops = append(out.Stops, stop)
	}
	out.Over = out.Done == out.All
	for _, e := range standing.Checked {
		if !e.At.Before(k.Begun) {
			out.Checked = append(out.Checked, e)
		}
	}
	return out
}

// stopAddress is where a stop is done; on is the phone of the walk.
func (d *Desk) stopAddress(key, id, on string, standing Standing) string {
	p := d.config.Places
	switch key {
	case "card":
		return p.Desk + "/persons/" + id
	case "phone", "apply", "register":
		if on == "" {
			return p.Phones + "/"
		}
		return p.Phones + "/phones/" + on
	case "issue":
		return p.Desk + "/"
	case "portal":
		return p.Portal + "/"
	case "bank":
		return p.Bank + "/accounts"
	case "lose":
		if standing.any("held") {
			return p.Portal + "/visit" // a login from the beginning, whoever is still logged in
		}
	}
	return p.Desk + "/persons/" + id + "#lost"
}

// walkByForm begins, leaves, goes on with or begins the walk again.
func (d *Desk) walkByForm(w http.ResponseWriter, r *http.Request) {
	id := d.me(r)
	if wish := r.FormValue("person"); wish != "" {
		id = wish
	}
	d.form(w, r, "/", func(err error) { d.draw(w, r, err) }, func() error {
		if _, err := d.config.Cards.Show(id); err != nil {
			return err
		}
		doorway.Become(w, id)
		return d.config.Walks.set(id, func(k *kept) {
			switch r.FormValue("do") {
			case "leave":
				k.Left = true
			case "resume":
				k.Left = false
			default:
				*k = kept{Begun: d.now()}
			}
		})
	})
}

// beMe has the browser stand for a person.
func (d *Desk) beMe(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("person")
	next := "/"
	if r.FormValue("stay") != "" {
		next = "/persons/" + id
	}
	d.form(w, r, next, func(err error) { d.draw(w, r, err) }, func() error {
		_, err := d.config.Cards.Show(id)
		if err == nil {
			doorway.Become(w, id)
		}
		return err
	})
}

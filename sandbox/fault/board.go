package fault

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/folder"
)

// Board is the world's switches. It implements server.Faults.
type Board struct {
	folder   folder.Folder
	stranger *stranger

	mu  sync.Mutex
	on  map[Name]Setting
	off chan struct{} // closed when something is switched off, and made anew
}

// turnedOff is closed when a fault is switched off next.
func (b *Board) turnedOff() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.off
}

// released tells who waits because of a fault that one is off; the board is held.
func (b *Board) released() {
	close(b.off)
	b.off = make(chan struct{})
}

// boardName is the file in which the switches are kept, so that a restart or a snapshot
// keeps them.
const boardName = "faults.json"

// Open opens the board kept in the folder. Error: "world-damaged".
func Open(f folder.Folder, clock warifu.Clock) (*Board, error) {
	var kept []Setting
	if _, err := f.ReadJSON(boardName, &kept); err != nil {
		return nil, err
	}
	b := &Board{folder: f, stranger: &stranger{clock: clock}, on: map[Name]Setting{}, off: make(chan struct{})}
	for _, s := range kept {
		b.on[s.Name] = s
	}
	return b, nil
}

// Routes adds the board's doors to the desk's.
func (b *Board) Routes(mux *http.ServeMux) {
	mux.Handle("GET /api/faults", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return b.List(), nil }))
	mux.Handle("PUT /api/faults/{name}", doorway.JSON(b.put))
	mux.Handle("DELETE /api/faults/{name}", doorway.JSON(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return b.listed(b.Off(Name(r.PathValue("name"))))
	}))
	mux.Handle("DELETE /api/faults", doorway.JSON(func(http.ResponseWriter, *http.Request) (any, error) { return b.listed(b.Clear()) }))
}

// Switch is how a fault is switched on through the API.
type Switch struct {
	Length string `json:"length,omitempty"` // "3s"; empty: as long as it usually is
	Times  int    `json:"times,omitempty"`
}

func (b *Board) put(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Switch
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	word := r.PathValue("name")
	if in.Length != "" {
		word += "=" + in.Length
	}
	s, err := Parse(word)
	if err == nil && (in.Times < 0 || in.Times > maxTimes) {
		err = unknown()
	}
	if err != nil {
		return nil, err
	}
	s.Times = in.Times
	return b.listed(b.On(s))
}

func (b *Board) listed(err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return b.List(), nil
}

// List returns what is switched on, in the order of All.
func (b *Board) List() []Setting {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Setting{}
	for _, s := range b.on {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y Setting) int { return cmp.Compare(slices.Index(All, x.Name), slices.Index(All, y.Name)) })
	return out
}

// On switches a fault on.
func (b *Board) On(s Setting) error {
	b.mu.Lock()
	b.on[s.Name] = s
	b.mu.Unlock()
	return b.keep()
}

// Off switches a fault off; one that is not on is off already. Error: Invalid "fault-unknown".
func (b *Board) Off(name Name) error {
	if _, known := kinds[name]; !known {
		return unknown()
	}
	b.mu.Lock()
	delete(b.on, name)
	b.released()
	b.mu.Unlock()
	return b.keep()
}

// Clear switches every fault off.
func (b *Board) Clear() error {
	b.mu.Lock()
	clear(b.on)
	b.released()
	b.mu.Unlock()
	return b.keep()
}

func (b *Board) keep() error { return b.folder.WriteJSON(boardName, b.List()) }

// strike says whether a fault strikes now, by the request's own wish or the world's switch,
// and counts.
func (b *Board) strike(asked []Setting, name Name) (Setting, bool) {
	if i := slices.IndexFunc(asked, func(s Setting) bool { return s.Name == name }); i >= 0 {
		return asked[i], true
	}
	b.mu.Lock()
	s, on := b.on[name]
	if on && s.Times > 0 {
		if s.Times--; s.Times == 0 {
			delete(b.on, name)
		} else {
			b.on[name] = s
		}
	}
	b.mu.Unlock()
	return s, on
}

// askedKey is under which a request's own faults travel.
type askedKey struct{}

func askedOf(ctx context.Context) []Setting {
	asked, _ := ctx.Value(askedKey{}).([]Setting)
	return asked
}

// Skew implements server.Faults: how far the provider's clock is ahead.
func (b *Board) Skew() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on[ClockSkew].Length
}

// Lost implements server.Faults: whether a notice that is about to go out gets lost.
func (b *Board) Lost() bool {
	_, on := b.strike(nil, NoticeLost)
	return on
}

// Issue implements server.Faults: it returns when certificates may be issued.
func (b *Board) Issue(ctx context.Context) {
	if s, on := b.strike(nil, IssuerSlow); on {
		wait(ctx, s.Length)
	}
}

// Status implements server.Faults: an error where the status service is out of reach for
// what this request asks.
func (b *Board) Status(ctx context.Context) error {
	for _, name := range []Name{OCSPSilent, OCSPLater} {
		if _, on := b.strike(askedOf(ctx), name); on {
			return warifu.Unavailable("status-unavailable")
		}
	}
	return nil
}

// wait waits by real time: what is slow is slow whatever the world's clock says.
func wait(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

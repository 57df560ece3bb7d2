package trace

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"warifu"
)

// Bounds of a ring: the oldest step goes first.
const (
	MaxSteps   = 200
	MaxEntries = 1200 // of one step; what comes beyond is counted
)

// Kinds of entries.
const (
	APDU = "apdu"
	HTTP = "http"
)

// Entry is one thing that passed.
type Entry struct {
	Number int64     `json:"number"` // grows from 1 for every entry of the world
	At     time.Time `json:"at"`     // by the world's clock
	Kind   string    `json:"kind"`   // APDU, HTTP
	// Of an APDU: whose chip, over which of its doors, and the exchange as a log may hold it.
	Chip string `json:"chip,omitempty"`
	Door string `json:"door,omitempty"` // "reader" or "app"
	Line string `json:"line,omitempty"` // iso7816.Redact
	// Of a request: where it went, what was answered.
	Place  string `json:"place,omitempty"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`
	Slug   string `json:"slug,omitempty"` // of a refusal
	// Means is the key of a sentence that says what this is, Params what it names.
	Means  string            `json:"means"`
	Params map[string]string `json:"params,omitempty"`
	// Micros is how long the answer took, by real time.
	Micros int64 `json:"micros"`
}

// Good reports whether the entry ended well: a status word that is no refusal, a status
// below 400.
func (e Entry) Good() bool {
	if e.Kind == HTTP {
		return e.Status < 400
	}
	word := e.Line[max(0, len(e.Line)-4):]
	return word == "9000" || word[:min(2, len(word))] == "61"
}

// Step is what somebody did, and all that passed because of it.
type Step struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	Place   string    `json:"place"`  // "phones"; "server" for what came to the server by itself
	Method  string    `json:"method"` // of the request that began it
	Path    string    `json:"path"`
	Means   string    `json:"means"`
	Subject string    `json:"subject,omitempty"` // which phone, which card
	Times   int       `json:"times"`             // how often in a row; the entries are those of the last time
	Left    int       `json:"left,omitempty"`    // entries beyond MaxEntries
	Entries []Entry   `json:"entries"`
}

// Acts reports whether the step is more than a look at a page.
func (s Step) Acts() bool { return s.Method != "GET" }

// Ring is a world's trace. Its methods may be called at any time from anywhere.
type Ring struct {
	clock warifu.Clock

	mu       sync.Mutex
	steps    []*Step // oldest first
	flight   []*step // begun and not ended, oldest first
	numbers  int64   // of steps
	entries  int64
	watchers map[int]func(Entry)
	news     chan struct{} // closed when something came
}

// step is one that has begun; it enters the ring with its first entry.
type step struct {
	Step
	in     *Step
	number int64
}

// New makes an empty ring.
func New(clock warifu.Clock) *Ring {
	return &Ring{clock: clock, watchers: map[int]func(Entry){}, news: make(chan struct{})}
}

type stepKey struct{}

// begin begins a step; the context carries it, end ends it.
func (r *Ring) begin(ctx context.Context, s Step) (_ context.Context, end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numbers++
	begun := &step{Step: s, number: r.numbers}
	r.flight = append(r.flight, begun)
	return context.WithValue(ctx, stepKey{}, begun), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.flight = slices.DeleteFunc(r.flight, func(o *step) bool { return o == begun })
	}
}

// named is the header by which a phone's app says which step it is about. It never leaves
// the world.
const named = "Warifu-Step"

// stepOf is the step a context carries, as a header says it; "" for none.
func stepOf(ctx context.Context) string {
	if s, ok := ctx.Value(stepKey{}).(*step); ok {
		return strconv.FormatInt(s.number, 10)
	}
	return ""
}

// find returns the step of a context, else the one that a header names, else what is under
// way: the newest act, or the newest look.
func (r *Ring) find(ctx context.Context, header string) *step {
	if s, ok := ctx.Value(stepKey{}).(*step); ok {
		return s
	}
	var newest *step
	for _, s := range r.flight {
		if strconv.FormatInt(s.number, 10) == header {
			return s
		}
		if newest == nil || s.Acts() || !newest.Acts() {
			newest = s
		}
	}
	return newest
}

// add notes an entry; without a step it stands for itself as alone says.
func (r *Ring) add(ctx context.Context, header string, alone *Step, e Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries++
	e.Number, e.At = r.entries, r.clock.Now()
	s := (*step)(nil)
	if alone == nil {
		s = r.find(ctx, header)
	}
	if s == nil {
		if alone == nil {
			alone = &Step{Place: e.Place, Method: e.Method, Path: e.Path, Means: e.Means}
		}
		r.numbers++
		s = &step{Step: *alone, number: r.numbers}
	}
	if s.in == nil {
		s.in = r.open(s)
	}
	if len(s.in.Entries) < MaxEntries {
		s.in.Entries = append(s.in.Entries, e)
	} else {
		s.in.Left++
	}
	for _, f := range r.watchers {
		f(e)
	}
	close(r.news)
	r.news = make(chan struct{})
}

// open puts a step into the ring; one that is the same look as the last, or one more APDU
// over the same reader, takes the last one's place.
func (r *Ring) open(s *step) *Step {
	if n := len(r.steps); n > 0 {
		last := r.steps[n-1]
		if last.Place == s.Place && last.Method == s.Method && last.Path == s.Path {
			switch {
			case !s.Acts():
				last.At, last.Number, last.Entries, last.Left = r.clock.Now(), s.number, nil, 0
				last.Times++
				return last
			case s.Means == "trace.step.reader":
				last.Times++
				return last
			}
		}
	}
	opened := s.Step
	opened.Number, opened.At, opened.Times = s.number, r.clock.Now(), 1
	r.steps = append(r.steps, &opened)
	r.steps = r.steps[max(0, len(r.steps)-MaxSteps):]
	return &opened
}

// Watch has f hear of every entry; it must return at once and ask the ring nothing.
func (r *Ring) Watch(f func(Entry)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers[len(r.watchers)] = f
}

// Steps returns what there is, newest first, with the entries whose number is greater than
// after; steps without any are left out.
func (r *Ring) Steps(after int64) []Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := []Step{}
	for _, s := range slices.Backward(r.steps) {
		c := *s
		c.Entries = slices.DeleteFunc(slices.Clone(s.Entries), func(e Entry) bool { return e.Number <= after })
		if len(c.Entries) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// News is closed when the next entry comes.
func (r *Ring) News() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.news
}

// Clear forgets everything.
func (r *Ring) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = nil
}

package progress

import (
	"sync"
	"time"

	"warifu"
)

// quiet is how long work lasts before anybody is told of it by a log.
const quiet = 5 * time.Second

// Step is how far work has come. Left is what it will about still take; negative: nobody knows.
type Step struct {
	What         string
	Done, All    int // All is nought where nobody knows how many there are
	Passed, Left time.Duration
}

// Percent is the part that is done, in hundredths.
func (s Step) Percent() int {
	if s.All <= 0 {
		return 0
	}
	return min(s.Done, s.All) * 100 / s.All
}

// Tenths tells a log how far work inside a server has come: at each tenth of it, or where nobody
// knows how much there is every ten seconds, and nothing of what is done in five seconds. Now
// tells it to whoever asks. It may be used by any number of goroutines; works are told apart by
// name. The clock is a machine's: what is measured is work.
type Tenths struct {
	tell  func(Step)
	clock warifu.Clock

	mu    sync.Mutex
	works map[string]*work
}

type work struct {
	began, told time.Time
	tenth       int
	done, all   int
}

// NewTenths has steps told to tell.
func NewTenths(clock warifu.Clock, tell func(Step)) *Tenths {
	return &Tenths{tell: tell, clock: clock, works: map[string]*work{}}
}

// Begin begins work, anew where it was under way.
func (t *Tenths) Begin(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	t.works[what] = &work{began: now, told: now}
}

// Done says how many parts of how many are done by now. Of work that was not begun it says nothing.
func (t *Tenths) Done(what string, done, all int) {
	t.mu.Lock()
	w, now := t.works[what], t.clock.Now()
	if w == nil {
		t.mu.Unlock()
		return
	}
	w.done, w.all = done, all
	s := w.step(what, now)
	tenth := s.Percent() / 10
	due := now.Sub(w.began) >= quiet && (all > 0 && tenth > w.tenth || all <= 0 && now.Sub(w.told) >= plainly)
	if due {
		w.tenth, w.told = tenth, now
	}
	t.mu.Unlock()
	if due {
		t.tell(s)
	}
}

// End ends work: it is done, or was given up.
func (t *Tenths) End(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.works, what)
}

// Now is how far work has come; false of what is not under way.
func (t *Tenths) Now(what string) (Step, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.works[what]
	if w == nil {
		return Step{}, false
	}
	return w.step(what, t.clock.Now()), true
}

func (w *work) step(what string, now time.Time) Step {
	return Step{What: what, Done: w.done, All: w.all, Passed: now.Sub(w.began), Left: left(now.Sub(w.began), w.done, w.all)}
}

// left is what work will about still take as fast as it has been; negative: nobody knows.
func left(passed time.Duration, done, all int) time.Duration {
	if done <= 0 || all <= 0 || passed < sure {
		return -1
	}
	return time.Duration(float64(passed) / float64(done) * float64(max(0, all-done)))
}

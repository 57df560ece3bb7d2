package desk

import (
	"sync"
	"time"

	"warifu/registration"
	"warifu/sandbox/moment"
)

// lately remembers what the page's last acts brought about, to be shown after the browser
// went on from the form: so that loading a page again does nothing twice.
type lately struct {
	mu     sync.Mutex
	events map[string]happening // by person
	jump   *jumped
}

// jumped is what a jump of the clock passed.
type jumped struct {
	From, To time.Time
	Passed   []moment.Due
	Cascade  []registration.Cause
}

func (l *lately) put(id string, h happening) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[string]happening{}
	}
	l.events[id] = h
}

func (l *lately) of(id string) (happening, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.events[id]
	return h, ok
}

func (l *lately) jumped(j jumped) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jump = &j
}

func (l *lately) lastJump() *jumped {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jump
}

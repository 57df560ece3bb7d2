package visitor

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"warifu"
)

// Bounds. A session ends when nothing was heard of it for sessionIdle.
const (
	sessionIdle = 30 * time.Minute
	maxSessions = 10_000
	maxPending  = 8 // ways under way in one browser: the oldest is forgotten
)

// pending is a way to the provider that has not come back.
type pending struct{ state, purpose, reference string }

// session is one browser's.
type session struct {
	visitor *Visitor
	pending []pending
	heard   time.Time
}

// sessions are in memory alone: a restart logs everybody out.
type sessions struct {
	clock warifu.Clock
	mu    *sync.Mutex
	named map[string]*session
}

func newSessions(clock warifu.Clock) sessions {
	return sessions{clock: clock, mu: &sync.Mutex{}, named: map[string]*session{}}
}

// find returns a copy of a session; an unknown or idle one is empty.
func (s sessions) find(id string) session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.live(id); found != nil {
		found.heard = s.clock.Now()
		return session{found.visitor, slices.Clone(found.pending), found.heard}
	}
	return session{}
}

func (s sessions) live(id string) *session {
	found := s.named[id]
	if found == nil || s.clock.Now().Sub(found.heard) > sessionIdle {
		return nil
	}
	return found
}

// pend notes a way under way and returns the session's name, a new one where there is none.
func (s sessions) pend(id string, p pending) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.live(id)
	if found == nil {
		var err error
		if id, found, err = s.fresh(); err != nil {
			return "", err
		}
	}
	found.pending = append(found.pending, p)
	if extra := len(found.pending) - maxPending; extra > 0 {
		found.pending = found.pending[extra:]
	}
	found.heard = s.clock.Now()
	return id, nil
}

// fresh makes an empty session.
func (s sessions) fresh() (string, *session, error) {
	now := s.clock.Now()
	for id, old := range s.named {
		if now.Sub(old.heard) > sessionIdle {
			delete(s.named, id)
		}
	}
	if len(s.named) >= maxSessions {
		return "", nil, warifu.TooMany("visitors-too-many")
	}
	id, made := rand.Text(), &session{heard: now}
	s.named[id] = made
	return id, made, nil
}

// took forgets a way that came back.
func (s sessions) took(id, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.named[id]; found != nil {
		found.pending = slices.DeleteFunc(found.pending, func(p pending) bool { return p.state == state })
	}
}

// enter logs a visitor in under a new name; the old one opens nothing any more, and what was
// under way in other tabs goes on.
func (s sessions) enter(id string, who Visitor) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var under []pending
	if old := s.live(id); old != nil {
		under = old.pending
	}
	delete(s.named, id)
	id, made, err := s.fresh()
	if err != nil {
		return "", err
	}
	made.visitor, made.pending = &who, under
	return id, nil
}

func (s sessions) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.named, id)
}

package registration

import "strconv"

// FillSessions opens n sessions of nobody, so that a test need not open ten thousand.
func (a *Authority) FillSessions(n int) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	for i := range n {
		a.sessions.open["s-filled-"+strconv.Itoa(i)] = &session{application: "filled-" + strconv.Itoa(i), opened: a.Clock.Now()}
	}
}

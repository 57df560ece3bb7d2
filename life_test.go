package warifu_test

import (
	"errors"
	"testing"

	"warifu"
)

func TestApplicationLife(t *testing.T) {
	checkLife(t, warifu.ApplicationLife)
	for _, s := range []warifu.ApplicationState{warifu.ApplicationRejected, warifu.ApplicationWithdrawn, warifu.ApplicationPersonalized, warifu.ApplicationLapsed} {
		if !warifu.ApplicationLife.Final(s) {
			t.Errorf("%s is not final", s)
		}
	}
}

func TestNothingRevokedIsEverGoodAgain(t *testing.T) {
	checkLife(t, warifu.CredentialLife)
	for _, s := range []warifu.CredentialState{warifu.CredentialRevoked, warifu.CredentialSuperseded, warifu.CredentialExpired} {
		if !warifu.CredentialLife.Final(s) {
			t.Errorf("%s is not final", s)
		}
	}
}

// checkLife: every state is reached from the beginning, no two arrows of one verb
// leave a state, and what is no arrow is refused.
func checkLife[S ~string](t *testing.T, l warifu.Life[S]) {
	t.Helper()
	reached, arrows := map[S]bool{l.Initial: true}, map[string]bool{}
	for range l.Arrows {
		for _, a := range l.Arrows {
			if reached[a.From] {
				reached[a.To] = true
			}
		}
	}
	for _, a := range l.Arrows {
		key := string(a.From) + " " + string(a.Verb)
		if arrows[key] || a.Rule == "" {
			t.Errorf("arrow %q stands twice or follows no rule", key)
		}
		arrows[key] = true
		if to, err := l.Next(a.From, a.Verb); err != nil || to != a.To {
			t.Errorf("%q: %v %v", key, to, err)
		}
	}
	for _, s := range l.States() {
		if !reached[s] {
			t.Errorf("%s is never reached", s)
		}
		if _, err := l.Next(s, "dance"); !errors.Is(err, &warifu.Error{Problem: "transition-illegal"}) {
			t.Errorf("%s dances: %v", s, err)
		}
	}
}

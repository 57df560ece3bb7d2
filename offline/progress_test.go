package offline_test

import (
	"slices"
	"testing"
	"time"

	"warifu"
)

// Whoever waits for a pack is told how far it has come, and the second time how far that is of all;
// what is interrupted on the way leaves what was there.
func TestHowFarAPackHasComeIsTold(t *testing.T) {
	r := &plainRegister{house: newHouse(t), now: at(12, 9, 0)}
	const many = 9000
	for range many {
		r.issue(100).set(warifu.Status{Cert: warifu.StatusGood})
	}
	r.lives[0].set(warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise, RevokedAt: r.now})
	p := r.publisher()
	p.DeltaEvery, p.Every = time.Minute, time.Minute
	var done, all []int
	p.Progress = func(d, a int) { done, all = append(done, d), append(all, a) }
	rounds := [][]int{{0, 0, 2 * many, 2 * many}, {2 * many, 2 * many, 2 * many, 2 * many}}
	for _, want := range rounds {
		done, all = nil, nil
		if _, err := p.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(done, []int{4096, 8192, 12288, 16384}) || !slices.Equal(all, want) {
			t.Errorf("told of %v of %v", done, all)
		}
		r.now = r.now.Add(time.Hour)
	}
	stands := p.Current()
	r.away = true
	if _, err := p.Round(t.Context()); err == nil || p.Current() != stands {
		t.Errorf("%v, and what stands changed", err)
	}
}

// Package facetest looks at every place of the sandbox as a person would, in chromium
// (package browsertest), in both languages and at the sizes of a phone and a desk.
//
// All its tests share one world of the scheme badge (small keys, always open), since a world
// takes seconds to stand up: each test takes persons of its own (Person) and leaves the clock
// alone. What needs the national service's hours or its days to pass stands a world of its own
// up (worldtest.Stand with a Config).
package facetest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/sandbox/persona"
	"warifu/sandbox/world"
)

// shared is the test binary's world.
var shared struct {
	sync.Mutex
	world *world.World
	end   func()
	taken int // persons generated
}

// World returns the shared world, which stands from the first wish for it until Close.
func World(t testing.TB) *world.World {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.world != nil {
		return shared.world
	}
	dir, err := os.MkdirTemp("", "warifu-face-")
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.Open(context.Background(), world.Config{Dir: dir, AnyPort: true, Scheme: "badge", Begin: morning(warifu.SystemClock{}.Now())})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-ended:
		stop()
		t.Fatal(err)
	}
	shared.world = w
	shared.end = func() { stop(); <-ended; os.RemoveAll(dir) }
	return w
}

// morning is the next ten o'clock of a day that is none of the year's last or first: kiosks and
// counters are open then, whenever the tests run, and what a browser has been told by the real
// clock has not ended.
func morning(now time.Time) time.Time {
	now = now.In(profile.Japan)
	ten := time.Date(now.Year(), now.Month(), now.Day(), 10, 0, 0, 0, profile.Japan)
	for ten.Before(now) || ten.Month() == time.December && ten.Day() >= 29 || ten.Month() == time.January && ten.Day() <= 3 {
		ten = ten.AddDate(0, 0, 1)
	}
	return ten
}

// Close ends the shared world; TestMain calls it.
func Close() {
	shared.Lock()
	defer shared.Unlock()
	if shared.end != nil {
		shared.end()
	}
}

// Person makes a person whom no other test has, grown up, with a card and without a phone, and
// returns their identifier and secrets.
func Person(t testing.TB) person.Record {
	t.Helper()
	w := World(t)
	shared.Lock()
	defer shared.Unlock()
	generator := person.Generator{Seed: 6, Start: w.Bureau.Start()}
	for {
		shared.taken++
		p := generator.Person(shared.taken)
		if person.Age(p.Birth, w.Clock.Now()) < 20 {
			continue
		}
		if _, err := w.Bureau.New(p.Record()); err != nil {
			t.Fatal(err)
		}
		return p.Record()
	}
}

// Persona brings a person into the state that words say (docs/personas.md). Persona(t, "") is
// somebody new with both certificates on a phone, Persona(t, "+hold@signature") the same with
// one suspended; "taro+hold" takes the person of the sandbox's own with that name, whom tests
// must not share.
func Persona(t testing.TB, words string) persona.Made {
	t.Helper()
	w := World(t)
	if words == "" || strings.HasPrefix(words, "+") {
		if words == "" {
			words = "+phone"
		}
		words = Person(t).ID + words
	}
	var made persona.Made
	if err := doorway.NewClient(w.Places.Desk).Post(context.Background(), "/api/personas", persona.Wish{Name: words}, &made); err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	return made
}

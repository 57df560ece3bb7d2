package lifetest_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// floor is what walks must have met, and how often at least, before they have shown
// anything: turns of life, and faults by kind.
var floor = map[string]int{
	"applied": 150, "activated": 50, "ended superseded": 10, "taken over": 5, "rejected": 5, "withdrawn": 20,
	"held own-wish": 5, "held lost": 5, "held card": 10, "resumed own-wish": 1, "resumed card": 1,
	"application held": 2, "cascade": 3, "sweep spoke": 5, "gap told": 1, "key destroyed": 10,
	"order device suspend": 5, "order device resume": 1, "order device revoke": 1, "order card suspend": 3, "order card resume": 1, "order card revoke": 1,
	"order code suspend": 2, "order operator suspend": 1, "new code": 2,
	"secret locked": 5, "unlocked": 2, "screen lock used": 1, "factory reset": 5, "jump of years": 2,
	"event moved": 1, "event renewed": 1, "event expired": 1, "event turned-15": 1,
	"proof clean": 2, "proof not-clean": 2, "proof unknown": 1, "delta combined": 20, "removeFromCRL": 1,
	"message request lost": 5, "message answer lost": 5, "message doubled": 5, "message echoed": 5, "message crash before": 5, "message crash after": 5,
	"transaction cut at a statement": 10, "crash between two steps": 20, "torn away between two commands": 2,
	"event lost": 5, "event doubled": 5, "events out of order": 5, "event forged": 5, "bureau away": 2,
	"authority away": 2, "authority refuses": 2,
	"ticket replayed": 2, "submission replayed": 10, "receipt forged": 3, "card locked": 3, "card unlocked": 3,
	"events over HTTP": 5, "gap pulled": 1, "history with a hold": 20,
	"proof replayed": 5, "proof at another marketplace": 3, "identifiers of another phone": 5, "code guessed": 1,
	"operator without the right": 3, "another card to unlock": 1,
}

// rare is what a soak must have met besides.
var rare = map[string]int{
	"repair over": 5, "order operators resume": 5, "order operators revoke": 5, "resumed lost": 5, "screen lock lost": 2, "held repair": 5,
	"ticket for another chip": 5, "ticket forged for a live key": 5, "event died": 5, "two eyes for four": 5, "authority's answer lost": 5,
}

// TestTheWholeLifeAgainstAPlainModel takes houses through thousands of steps of everything
// that happens to credentials; after each the model's prediction and every invariant of
// design §3 must hold. WARIFU_SOAK=1 takes a hundred thousand.
func TestTheWholeLifeAgainstAPlainModel(t *testing.T) {
	// The same walks each time, so that a red run means a change; a soak goes where nobody was.
	steps, seed := 3000, uint64(20261122)
	if os.Getenv("WARIFU_SOAK") != "" {
		steps, seed = 100_000, rand.Uint64N(1<<40)
		t.Logf("the walks begin at -rapid.seed %d", seed)
		maps.Copy(floor, rare)
	}
	set(t, "rapid.steps", "120")
	set(t, "rapid.shrinktime", "3s")
	tally := newTally()
	walk := func(t *rapid.T) {
		tally.walks++
		name := "badge"
		if one(t, 12, "scheme") {
			name = "jp-mobile"
		}
		m := newMachine(t, tally, name)
		t.Repeat(m.actions())
		m.chains(t)
		m.causes(t)
	}
	defer func() { fmt.Println(tally.summary()) }()
	// How often chance brings a walk past a rare turn differs from seed to seed: walk on
	// until all of them were met often enough, and the steps are many enough.
	set(t, "rapid.checks", "10")
	if given("rapid.seed") || given("rapid.failfile") {
		rapid.Check(t, walk) // a failing walk again, and nothing else
		return
	}
	for rounds := 0; len(tally.missing(steps)) > 0 && !t.Failed(); rounds++ {
		if rounds > 40+steps/100 {
			t.Fatalf("the walks never came across enough of: %v", tally.missing(steps))
		}
		set(t, "rapid.seed", strconv.FormatUint(seed+uint64(rounds), 10))
		rapid.Check(t, walk)
		if testing.Verbose() {
			fmt.Fprintf(os.Stderr, "lifetest: %d steps, %d faults so far; wanting: %v\n", tally.steps, tally.injected(), tally.missing(steps))
		}
	}
}

// set sets a flag of rapid's unless the command line did.
func set(t *testing.T, name, value string) {
	t.Helper()
	if given(name) {
		return
	}
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	ours[name] = true
}

// ours are the flags that set has set.
var ours = map[string]bool{}

// given reports whether the command line set a flag.
func given(name string) bool {
	on := false
	flag.Visit(func(f *flag.Flag) { on = on || f.Name == name })
	return on && !ours[name]
}

// actions are the steps, each a few seconds after the one before. What stands there more
// than once happens more often.
func (m *machine) actions() map[string]func(*rapid.T) {
	all := map[string]func(*rapid.T){
		"apply": m.apply, "own": m.own, "own again": m.own, "own once more": m.own, "drain": m.drain, "personalize": m.personalize, "personalize again": m.personalize,
		"withdraw": m.withdraw, "submit again": m.again, "device": m.device, "device again": m.device, "at a reader": m.atReader,
		"code": m.code, "new code": m.newCode, "hotline": m.hotline, "hotline again": m.hotline, "confirm": m.confirm, "confirm again": m.confirm, "report": m.report,
		"card": m.card, "card again": m.card, "catch up": m.catchUp, "push": m.push, "push again": m.push, "ask": m.ask, "timers": m.timers, "jump": m.jump,
		"wipe": m.wipe, "ticket": m.ticket, "reset": m.reset, "mistype": m.mistype, "unlock": m.unlock, "change": m.change,
		"screen lock": m.screenLock, "gesture": m.gesture, "prove": m.prove, "prove again": m.reprove,
		"repair ends": m.repairEnds, "two operators": m.twoOperators, "two operators again": m.twoOperators, "locked card": m.lockedCard, "forged receipt": m.forgedReceipt,
		"authority fails": m.authorityFails, "card back": m.cardBack, "sold": m.sold, "wish over": m.wishOver, "wish over again": m.wishOver,
		"gesture again": m.gesture, "screen lock again": m.screenLock, "authority": m.modesChange, "bureau": m.bureauTurns, "crash": m.crash,
	}
	for name, step := range all {
		all[name] = func(t *rapid.T) {
			m.h.Clock.Forward(3e9)
			step(t)
		}
	}
	all[""] = m.compare
	return all
}

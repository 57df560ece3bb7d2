package registration_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/registration"
)

// mode is how a certification authority behaves.
type mode int

const (
	healthy  mode = iota
	away          // it is not reached
	deaf          // it signs, and its answer is lost
	refusing      // it refuses for good
)

// modelApp is an application as the plain model has it.
type modelApp struct {
	id               string
	person, phone    int
	kinds            []warifu.Kind
	state            warifu.ApplicationState
	problem          string
	held             bool
	submitted, ended time.Time
	issued           time.Time
	credentials      warifu.CredentialState // of all its kinds once issued
	signed           map[warifu.Kind]bool   // by the authorities, for an application that was not issued
	draft            *phone.Draft
}

func (a *modelApp) open() bool {
	return a.state == warifu.ApplicationSubmitted || a.state == warifu.ApplicationIssued
}

func (a *modelApp) live() bool { return a.credentials == warifu.CredentialActive }

// machine is a house and the plain model beside it.
type machine struct {
	h          *housetest.House
	people     []string
	suspended  []bool
	phones     []*housetest.Phone
	shadow     []*modelApp // whose keys wait in the chip; nil: nobody's that was accepted
	live       []*modelApp // whose keys live in the chip
	latest     []*modelApp // what the app remembers
	apps       []*modelApp
	drained    time.Time      // the last time everything due was run
	seen       map[string]int // what the walks came across, over all machines
	bureauDown bool
	modes      map[warifu.Kind]mode
}

func newMachine(t *rapid.T, seen map[string]int) *machine {
	m := &machine{seen: seen, h: housetest.New(t, housetest.Options{}), people: []string{"taro", "hanako", "kaoru"}, modes: map[warifu.Kind]mode{}}
	m.suspended = make([]bool, len(m.people))
	for range 3 {
		m.phones = append(m.phones, m.h.Phone(t))
	}
	m.shadow, m.live, m.latest = make([]*modelApp, len(m.phones)), make([]*modelApp, len(m.phones)), make([]*modelApp, len(m.phones))
	m.h.Cards.Fault = func(string) error {
		if m.bureauDown {
			return housetest.Down("")
		}
		return nil
	}
	for _, kind := range warifu.Kinds {
		m.h.Issuers[kind].Before = func(registration.Evidence) error {
			switch m.modes[kind] {
			case away:
				return warifu.Unavailable("signing-failed")
			case refusing:
				return warifu.Refused("key-not-new")
			}
			return nil
		}
		m.h.Issuers[kind].After = func(_ registration.Evidence, o registration.Outcome) registration.Outcome {
			if m.modes[kind] == deaf && o.Err == nil {
				return registration.Outcome{Err: warifu.Unavailable("ledger-unavailable")}
			}
			return o
		}
	}
	return m
}

// TestAgainstAPlainModel takes houses through thousands of steps; after each the
// model's prediction and every invariant of design §3 must hold.
func TestAgainstAPlainModel(t *testing.T) {
	soak := os.Getenv("WARIFU_SOAK") != ""
	if soak {
		must(t, flag.Set("rapid.checks", "5000"))
	}
	seen := map[string]int{}
	walk := func(t *rapid.T) {
		m := newMachine(t, seen)
		t.Repeat(map[string]func(*rapid.T){
			"apply": m.apply, "own": m.own, "own again": m.own, "drain": m.drain, "drain again": m.drain,
			"personalize": m.personalize, "personalize again": m.personalize, "withdraw": m.withdraw, "hold": m.hold, "lift": m.lift,
			"replay": m.replay, "card": m.card, "bureau": m.bureau, "authority": m.authority, "time": m.time,
			"": func(t *rapid.T) { seen["step"]++; m.compare(t); m.h.Check(t) },
		})
	}
	// How often chance brings a walk past a rare ending differs from run to run:
	// walk on until every ending was met often enough to have shown something.
	for round := range 10 {
		if !soak && (round > 0 || flag.Lookup("rapid.seed").Value.String() == "0") { // the same walks each time
			must(t, flag.Set("rapid.seed", strconv.Itoa(7+round)))
		}
		rapid.Check(t, walk)
		if t.Failed() || len(rare(seen)) == 0 {
			break
		}
	}
	t.Logf("%v", seen)
	for _, what := range rare(seen) {
		t.Errorf("the walks came across %q %d times: they show too little", what, seen[what])
	}
}

// rare names what the walks have not yet met often enough.
func rare(seen map[string]int) (names []string) {
	for what, least := range map[string]int{"step": 2000, "activated": 50, "superseded": 10, "taken over": 8, "rejected": 5, "withdrawn": 10, "lapsed": 2} {
		if seen[what] < least {
			names = append(names, what)
		}
	}
	return names
}

func expect(t *rapid.T, what string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = warifu.ProblemOf(err).Problem
	}
	if got != want {
		t.Fatalf("%s: got %v, want %q", what, err, want)
	}
}

func (m *machine) person(t *rapid.T) int { return rapid.IntRange(0, len(m.people)-1).Draw(t, "person") }

func (m *machine) phone(t *rapid.T) int { return rapid.IntRange(0, len(m.phones)-1).Draw(t, "phone") }

func (m *machine) apply(t *rapid.T) { m.applyOn(t, m.person(t), m.phone(t)) }

func (m *machine) applyOn(t *rapid.T, who, on int) {
	kinds := rapid.SampledFrom([][]warifu.Kind{warifu.Kinds[:], warifu.Kinds[:], {warifu.Signature}, {warifu.Authentication}}).Draw(t, "kinds")
	d := m.phones[on].Draft(t, m.people[who], kinds...)
	m.shadow[on] = nil
	got, err := m.phones[on].Submit(t, d)
	switch {
	case m.bureauDown:
		expect(t, "apply", err, "bureau-unreachable")
		return
	case m.suspended[who]:
		expect(t, "apply", err, "card-held")
		return
	}
	expect(t, "apply", err, "")
	for _, a := range m.apps {
		if a.person == who && a.open() {
			m.end(a, warifu.ApplicationWithdrawn, "")
		}
	}
	a := &modelApp{id: got.ID, person: who, phone: on, kinds: kinds, state: warifu.ApplicationSubmitted, submitted: m.h.Clock.Now(), signed: map[warifu.Kind]bool{}, draft: d}
	m.apps = append(m.apps, a)
	m.shadow[on], m.latest[on] = a, a
}

// own goes the whole way without a fault on it.
func (m *machine) own(t *rapid.T) {
	who, on := m.person(t), m.phone(t)
	m.bureauDown = false
	clear(m.modes)
	if m.suspended[who] {
		m.turn(t, who)
	}
	m.applyOn(t, who, on)
	m.drain(t)
	m.personalizeOn(t, on)
}

func (m *machine) end(a *modelApp, state warifu.ApplicationState, problem string) {
	m.seen[string(state)]++
	if a.state == warifu.ApplicationIssued {
		a.credentials = warifu.CredentialRevoked
	}
	a.state, a.problem, a.ended, a.held = state, problem, m.h.Clock.Now(), false // what has ended is held by nothing
}

// drain lets everything that was put off come due, and runs it.
func (m *machine) drain(t *rapid.T) {
	m.h.Clock.Forward(6 * time.Minute)
	m.h.Drain(t)
	m.drained = m.h.Clock.Now()
	for _, a := range m.apps {
		if a.state == warifu.ApplicationSubmitted {
			m.issue(a)
		}
	}
}

func (m *machine) issue(a *modelApp) {
	if m.bureauDown {
		return
	}
	if m.suspended[a.person] {
		return // put off until the lift (K14)
	}
	for _, kind := range a.kinds {
		switch m.modes[kind] {
		case away:
			return
		case refusing:
			m.end(a, warifu.ApplicationRejected, "key-not-new")
			return
		}
		if m.h.Clock.Now().Sub(a.submitted) > m.h.Scheme.ChallengeMaxWait {
			m.end(a, warifu.ApplicationRejected, "challenge-outworn")
			return
		}
		a.signed[kind] = true
		if m.modes[kind] == deaf {
			return
		}
	}
	a.state, a.issued, a.credentials = warifu.ApplicationIssued, m.h.Clock.Now(), warifu.CredentialPending
}

func (m *machine) personalize(t *rapid.T) { m.personalizeOn(t, m.phone(t)) }

func (m *machine) personalizeOn(t *rapid.T, on int) {
	cut := rapid.IntRange(-3, 14).Draw(t, "cut after")
	p, a := m.phones[on], m.latest[on]
	if a == nil {
		expect(t, "personalize", p.Personalize(), "application-none")
		return
	}
	want := m.mayPersonalize(a)
	whole := p.App.Element
	if cut >= 0 {
		p.App.Element = &torn{whole, cut}
	}
	err := p.PersonalizeWith(t, m.people[a.person])
	p.App.Element = whole
	p.Element.PowerOff()
	if err != nil && warifu.ProblemOf(err).Problem == "element-interrupted" {
		if want == "" && m.h.Application(t, a.id).State == warifu.ApplicationPersonalized {
			m.activate(a) // cut off after the commit: only the chip does not know yet
		}
		return
	}
	expect(t, "personalize", err, want)
	if want == "" {
		m.activate(a)
		m.live[on] = a
		if m.shadow[on] == a {
			m.shadow[on] = nil
		}
	}
}

// mayPersonalize is the problem that personalizing a must end with, or "".
func (m *machine) mayPersonalize(a *modelApp) string {
	switch {
	case a.held && a.open(): // what has ended is not waited for
		return "application-held"
	case a.state == warifu.ApplicationPersonalized && !a.live(), !slices.Contains([]warifu.ApplicationState{warifu.ApplicationIssued, warifu.ApplicationPersonalized}, a.state):
		return "application-not-issued"
	case a.state == warifu.ApplicationPersonalized && m.live[a.phone] == a:
		return "" // done already
	case a.state == warifu.ApplicationPersonalized && m.shadow[a.phone] == a:
		return "" // only ACTIVATE is left
	case a.state == warifu.ApplicationPersonalized:
		return "element-keys-gone" // given up for another application before ACTIVATE came
	case m.h.Clock.Now().Sub(a.issued) > m.h.Scheme.ApplicationLapse:
		return "application-lapsed"
	case m.shadow[a.phone] != a:
		return "element-keys-gone"
	case m.bureauDown:
		return "bureau-unreachable"
	case m.suspended[a.person]:
		return "card-held"
	}
	return ""
}

// activate is what the commit of a personalization does to everybody.
func (m *machine) activate(a *modelApp) {
	if a.state == warifu.ApplicationPersonalized {
		return
	}
	for _, other := range m.apps {
		switch {
		case !other.live():
		case other.person == a.person:
			m.seen["superseded"]++
			other.credentials = warifu.CredentialSuperseded
		case other.phone == a.phone:
			m.seen["taken over"]++
			other.credentials = warifu.CredentialRevoked
		}
	}
	m.seen["activated"]++
	a.state, a.credentials, a.ended = warifu.ApplicationPersonalized, warifu.CredentialActive, m.h.Clock.Now()
}

func (m *machine) withdraw(t *rapid.T) {
	on := m.phone(t)
	a, err := m.latest[on], m.phones[on].App.Withdraw(context.Background())
	switch {
	case a == nil:
		expect(t, "withdraw", err, "application-none")
	case a.state == warifu.ApplicationWithdrawn:
		expect(t, "withdraw", err, "")
	case a.open():
		expect(t, "withdraw", err, "")
		m.end(a, warifu.ApplicationWithdrawn, "")
	default:
		expect(t, "withdraw", err, "application-ended")
	}
}

func (m *machine) some(t *rapid.T) *modelApp {
	if len(m.apps) == 0 {
		t.Skip("nobody has applied")
	}
	return rapid.SampledFrom(m.apps).Draw(t, "application")
}

func (m *machine) hold(t *rapid.T) {
	a := m.some(t)
	changed, err := m.h.Registrar.HoldApplication(context.Background(), a.id, warifu.HoldCard)
	if !a.open() {
		expect(t, "hold", err, "application-ended")
		return
	}
	expect(t, "hold", err, "")
	if changed == a.held {
		t.Fatalf("held %v, and the hold changed something: %v", a.held, changed)
	}
	a.held = true
}

func (m *machine) lift(t *rapid.T) {
	a := m.some(t)
	changed, err := m.h.Registrar.LiftApplication(context.Background(), a.id, warifu.HoldCard)
	if !a.open() {
		expect(t, "lift", err, "application-ended")
		return
	}
	expect(t, "lift", err, "")
	if changed != a.held {
		t.Fatalf("held %v, and the lift changed something: %v", a.held, changed)
	}
	a.held = false
}

func (m *machine) replay(t *rapid.T) {
	a := m.some(t)
	got, err := apply(m.h, housetest.Submission(a.draft))
	expect(t, "replay", err, "")
	if got.ID != a.id || got.State != a.state {
		t.Fatalf("replayed, %s became %s in state %s", a.id, got.ID, got.State)
	}
}

func (m *machine) card(t *rapid.T) {
	who := m.person(t)
	if m.suspended[who] || rapid.IntRange(0, 2).Draw(t, "suspend") == 0 {
		m.turn(t, who) // most cards are good most of the time
	}
}

// turn suspends a card or lifts its suspension.
func (m *machine) turn(t *rapid.T, who int) {
	change := m.h.Bureau.Suspend
	if m.suspended[who] {
		change = m.h.Bureau.Resume
	}
	expect(t, "card", change(m.people[who]), "")
	m.suspended[who] = !m.suspended[who]
}

func (m *machine) bureau(t *rapid.T) { m.bureauDown = rapid.IntRange(0, 2).Draw(t, "down") == 0 }

func (m *machine) authority(t *rapid.T) {
	kind := rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "kind")
	m.modes[kind] = rapid.SampledFrom([]mode{healthy, healthy, away, deaf, refusing}).Draw(t, "mode")
}

// time jumps, and the sweep that goes with it runs.
func (m *machine) time(t *rapid.T) {
	m.h.Clock.Forward(rapid.SampledFrom([]time.Duration{time.Second, time.Hour, 25 * time.Hour, 9 * 24 * time.Hour, 31 * 24 * time.Hour}).Draw(t, "jump"))
	if _, err := m.h.Registrar.Lapse(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.h.Registrar.Reconcile(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, a := range m.apps {
		if a.state == warifu.ApplicationIssued && m.h.Clock.Now().Sub(a.issued) > m.h.Scheme.ApplicationLapse {
			m.end(a, warifu.ApplicationLapsed, "")
		}
	}
}

// compare holds the house against the model.
func (m *machine) compare(t *rapid.T) {
	for _, a := range m.apps {
		got := m.h.Application(t, a.id)
		if got.State != a.state || got.Problem != a.problem || got.Held != a.held {
			t.Fatalf("%s is %s (%s, held %t), want %s (%s, held %t)", a.id, got.State, got.Problem, got.Held, a.state, a.problem, a.held)
		}
		var have []string
		for _, c := range credentials(t, m.h, a.id) {
			have = append(have, fmt.Sprint(c.Kind, " ", c.State))
		}
		if want, settled := a.want(m.drained); settled && !slices.Equal(have, want) {
			t.Fatalf("%s has %v, want %v", a.id, have, want)
		}
	}
	for on, a := range m.live {
		if a != nil && a.live() && a.kinds[0] == warifu.Signature {
			signs(t, m.h, m.phones[on], a.kinds) // chip and server agree
		}
	}
}

// want lists the credentials there must be, and whether that was settled when everything
// due was run last.
func (a *modelApp) want(drained time.Time) (list []string, settled bool) {
	if a.credentials != "" {
		for _, k := range a.kinds {
			list = append(list, fmt.Sprint(k, " ", a.credentials))
		}
		return list, true
	}
	if a.state == warifu.ApplicationSubmitted {
		return nil, true
	}
	for _, k := range a.kinds {
		if a.signed[k] {
			list = append(list, fmt.Sprint(k, " ", warifu.CredentialRevoked))
		}
	}
	return list, drained.Sub(a.ended) >= 5*time.Minute
}

package lifetest_test

import (
	"slices"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/registration"
)

// holds is a set of holds by reason; the value is when a dated one ends by itself.
type holds map[warifu.HoldReason]time.Time

// parent is one certificate of the card that an application stands on.
type parent struct {
	serial      []byte
	certificate warifu.Digest
	key         warifu.Digest
	notAfter    time.Time
}

// credential is one certificate on a phone as the model has it.
type credential struct {
	of        *application
	kind      warifu.Kind
	state     warifu.CredentialState
	holds     holds
	activated time.Time
	everHeld  bool
	stays     []stay // on hold, oldest first

	// What it is called: learnt from the product when it is issued, never predicted.
	id               string
	serial           []byte
	key, certificate warifu.Digest
	notAfter         time.Time
}

// stay is a time on hold; to is zero while it lasts.
type stay struct{ from, to time.Time }

// leave ends the stay that lasts.
func (c *credential) leave(now time.Time) {
	if n := len(c.stays); n > 0 && c.stays[n-1].to.IsZero() {
		c.stays[n-1].to = now
	}
}

func (c *credential) live() bool {
	return c.state == warifu.CredentialActive || c.state == warifu.CredentialHeld
}

// ended is for good: R57, K14 and design §3 know no way back from here.
func (c *credential) ended() bool {
	return c.state == warifu.CredentialRevoked || c.state == warifu.CredentialSuperseded || c.state == warifu.CredentialExpired
}

// parent is the card's certificate that c derives from (R5, R6).
func (c *credential) parent() parent { return c.of.parents[c.kind] }

// application is an application as the model has it.
type application struct {
	id                             string
	who                            *person
	on                             *handset
	kinds                          []warifu.Kind
	state                          warifu.ApplicationState
	problem                        string
	holds                          holds
	submitted, due, issued, closed time.Time
	parents                        map[warifu.Kind]parent
	creds                          map[warifu.Kind]*credential // once issued
	signed                         map[warifu.Kind]bool        // by the authorities
	draft                          *phone.Draft
	word                           time.Time // when the bureau spoke last of what it stands on, as far as that was heard here
	code                           string    // suspension code that is known; "" for none
	counter                        int       // of the chip when it was heard to have made the keys live; 0: never heard
}

func (a *application) open() bool {
	return a.state == warifu.ApplicationSubmitted || a.state == warifu.ApplicationIssued
}

func (a *application) asked(kind warifu.Kind) bool { return slices.Contains(a.kinds, kind) }

// all lists the credentials of an application in order of kind.
func (a *application) all() (out []*credential) {
	for _, kind := range warifu.Kinds {
		if c := a.creds[kind]; c != nil {
			out = append(out, c)
		}
	}
	return out
}

// person is somebody with a card.
type person struct {
	id      string
	handle  warifu.Digest
	contact *registration.Contact
	listed  bool // the hotline can find them
}

// slot is a key in a chip.
type slot struct {
	c      *credential
	secret string
	tries  int
}

// handset is a phone and what lies in its chip.
type handset struct {
	p       *housetest.Phone
	live    map[warifu.Kind]*slot
	shadow  map[warifu.Kind]bool
	draft   *application // whose keys lie in the shadow half; nil: nobody's that was accepted
	latest  *application // what the app remembers
	lock    *slot        // what the screen lock stands in for; nil: it is off
	renewed bool         // a finger was enrolled anew since
	counter int
}

// triesOf is how many wrong entries a secret takes (K14, B.3).
func triesOf(kind warifu.Kind) int {
	if kind == warifu.Signature {
		return 5
	}
	return 3
}

// end takes a credential to an end: final, at once, and nothing holds it any more (R75).
func (m *machine) end(c *credential, state warifu.CredentialState) {
	if c.ended() {
		return
	}
	m.saw("ended " + string(state))
	if state != warifu.CredentialExpired {
		c.leave(m.h.Clock.Now())
	}
	c.state, c.holds = state, holds{}
}

// close takes an open application to an end. What was issued for it and never became active
// is revoked (design §3.5).
func (m *machine) close(a *application, state warifu.ApplicationState, problem string) {
	m.saw(string(state))
	a.state, a.problem, a.closed, a.holds = state, problem, m.h.Clock.Now(), holds{}
	for _, c := range a.all() {
		m.end(c, warifu.CredentialRevoked)
	}
}

// put and lift change the set of holds of a live credential; it is held while the set is
// not empty, and each hold lifts only itself (design §3).
func (m *machine) put(c *credential, reason warifu.HoldReason, until time.Time) {
	m.saw("held " + string(reason))
	if len(c.holds) == 0 {
		c.stays = append(c.stays, stay{from: m.h.Clock.Now()})
	}
	c.holds[reason], c.state, c.everHeld = until, warifu.CredentialHeld, true
}

func (m *machine) lift(c *credential, reason warifu.HoldReason) {
	if _, there := c.holds[reason]; !there {
		return
	}
	delete(c.holds, reason)
	if len(c.holds) == 0 {
		m.saw("resumed " + string(reason))
		c.leave(m.h.Clock.Now())
		c.state = warifu.CredentialActive
	}
}

// personalized is what the one commit of a personalization does to everybody (R55, B.1): the
// newest pair replaces whatever the person had, and what another person left on this phone
// is revoked, since its keys are gone.
func (m *machine) personalized(a *application) {
	now := m.h.Clock.Now()
	for _, other := range m.apps {
		for _, c := range other.all() {
			switch {
			case !c.live():
			case other.who == a.who:
				m.end(c, warifu.CredentialSuperseded)
			case other.on == a.on:
				m.saw("taken over")
				m.end(c, warifu.CredentialRevoked)
			}
		}
	}
	m.saw("activated")
	a.state, a.closed = warifu.ApplicationPersonalized, now
	for _, c := range a.all() {
		c.state, c.activated = warifu.CredentialActive, now
	}
}

// written is what ACTIVATE does in the chip: the newest personalization is all there is.
func (m *machine) written(a *application) {
	on := a.on
	on.live = map[warifu.Kind]*slot{}
	for _, c := range a.all() {
		on.live[c.kind] = &slot{c: c, secret: secretOf(c.kind), tries: triesOf(c.kind)}
	}
	on.shadow, on.draft = map[warifu.Kind]bool{}, nil
	on.counter++
}

// liveOf lists the live credentials of a person, and openOf their open application.
func (m *machine) liveOf(who *person) (out []*credential) {
	for _, a := range m.apps {
		for _, c := range a.all() {
			if a.who == who && c.live() {
				out = append(out, c)
			}
		}
	}
	return out
}

func (m *machine) openOf(who *person) *application {
	for _, a := range m.apps {
		if a.who == who && a.open() {
			return a
		}
	}
	return nil
}

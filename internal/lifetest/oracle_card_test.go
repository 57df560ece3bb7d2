package lifetest_test

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"warifu"
	"warifu/events"
)

// fate is what becomes of what derives from one certificate of a card, the stronger the
// later: an open application that stands on two has the stronger one.
type fate int

const (
	nothing fate = iota
	lifted
	suspended
	over
)

// consequence is a fate with the reason an applicant reads.
type consequence struct {
	fate    fate
	problem string
	day     bool // it ends because its day has come
}

// follows is K14 for events: renewed, revoked or expired certificates take the phone's with
// them; a change of name or address takes the signing one alone, which is the only one the
// bureau names; death takes both; suspension holds, and its end lifts that hold.
var follows = map[events.Type]consequence{
	events.Renewed:     {over, "application-card-renewed", false},
	events.Revoked:     {over, "application-card-ended", false},
	events.Expired:     {over, "application-card-ended", true},
	events.Moved:       {over, "application-register-changed", false},
	events.NameChanged: {over, "application-register-changed", false},
	events.Died:        {over, "application-card-ended", false},
	events.Suspended:   {suspended, "", false},
	events.Resumed:     {lifted, "", false},
}

// word is something that the bureau said of a person at an instant, to the second.
type word struct {
	who   *person
	at    time.Time
	fresh func(last time.Time) bool // it may put and lift where that was the last word heard
	of    func(*application, warifu.Kind) consequence
}

// hearing is one word on its way: what may be put and lifted of which application.
type hearing struct {
	word
	may map[*application]bool
}

// current reports whether nothing later was heard about an application, and notes that this
// was: about each by itself, since a person's two may stand on different cards.
func (h hearing) current(a *application) bool {
	may, asked := h.may[a]
	if !asked {
		may = h.fresh(a.word)
		h.may[a] = may
		if h.at.After(a.word) {
			a.word = h.at
		}
	}
	return may
}

// hear does what a word asks of everything the person has here. An end is an end however
// late it is heard; a hold is put or lifted only by a word that is not older than the last.
func (m *machine) hear(w word) {
	live, open := m.liveOf(w.who), m.openOf(w.who)
	h := hearing{w, map[*application]bool{}}
	for _, c := range live {
		k := w.of(c.of, c.kind)
		fresh := k.fate != nothing && h.current(c.of)
		switch {
		case k.fate == over && k.day && c.notAfter.Before(m.h.Clock.Now()):
			m.end(c, warifu.CredentialExpired)
		case k.fate == over:
			m.saw("cascade")
			m.end(c, warifu.CredentialRevoked)
		case k.fate == suspended && fresh:
			m.put(c, warifu.HoldCard, time.Time{})
		case k.fate == lifted && fresh:
			m.lift(c, warifu.HoldCard)
		}
	}
	if open != nil {
		m.hearOpen(open, h)
	}
}

// hearOpen does it to an open application: it stands on the signing certificate that signed
// it, and on the other where one derives from it.
func (m *machine) hearOpen(a *application, w hearing) {
	k := w.of(a, warifu.Signature)
	if a.asked(warifu.Authentication) {
		if other := w.of(a, warifu.Authentication); other.fate > k.fate {
			k = other
		}
	}
	fresh := k.fate != nothing && w.current(a)
	switch {
	case k.fate == over && a.state == warifu.ApplicationSubmitted:
		m.close(a, warifu.ApplicationRejected, k.problem)
	case k.fate == over:
		m.close(a, warifu.ApplicationWithdrawn, k.problem)
	case k.fate == suspended && fresh:
		a.holds[warifu.HoldCard] = time.Time{}
	case k.fate == lifted && fresh:
		delete(a.holds, warifu.HoldCard)
	}
}

// hearEvent follows one event. A credential follows the very certificate it derives from;
// only a death ends whatever there is.
func (m *machine) hearEvent(e events.Event) {
	m.saw("event " + string(e.Type))
	m.followed = e.Sequence
	at := slices.IndexFunc(m.people, func(p *person) bool { return p.handle == e.Person })
	if at < 0 {
		return
	}
	who := m.people[at]
	m.hear(word{who: who, at: e.At, fresh: func(last time.Time) bool { return !e.At.Before(last) }, of: func(a *application, kind warifu.Kind) consequence {
		named := func(c events.Certificate) bool {
			return c.Kind == kind && bytes.Equal(c.Serial, a.parents[kind].serial)
		}
		if e.Type == events.Died || slices.ContainsFunc(e.Certificates, named) {
			return follows[e.Type]
		}
		return consequence{}
	}})
}

// stated is what the bureau says when it is asked about the card behind an application: the
// certificate that signed it, and the card's present one of the other kind.
func (m *machine) stated(about *application) func(*application, warifu.Kind) consequence {
	now := m.h.Clock.Now()
	present := m.onCard(about.who)
	judge := func(kind warifu.Kind, p parent) consequence {
		status, end := m.truth(kind, p)
		switch {
		case status.Cert == warifu.StatusRevoked && status.Reason == warifu.ReasonCertificateHold:
			return consequence{fate: suspended}
		case status.Cert == warifu.StatusRevoked:
			return consequence{over, "application-card-ended", false}
		case end.Before(now):
			return consequence{over, "application-card-ended", true}
		}
		return consequence{fate: lifted}
	}
	return func(a *application, kind warifu.Kind) consequence {
		own := a.parents[kind]
		switch {
		case a.parents[warifu.Signature].certificate != about.parents[warifu.Signature].certificate:
			return consequence{} // made with another certificate: it is asked about by itself
		case kind == warifu.Authentication && present[kind].certificate != own.certificate:
			return consequence{over, "application-card-renewed", false}
		}
		return judge(kind, own)
	}
}

// sweep asks about every application that is open or has something live (K14: what a lost
// message missed). Where nothing stands against it, nothing is written down.
func (m *machine) sweep() {
	type asked struct {
		a     *application
		of    func(*application, warifu.Kind) consequence
		quiet bool
	}
	var all []asked
	for _, a := range m.apps {
		if a.open() || anyLive(a.all()) {
			q := asked{a: a, of: m.stated(a)}
			q.quiet = m.nothingAgainst(a, q.of)
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(x, y asked) int { return strings.Compare(x.a.id, y.a.id) })
	at := m.h.Clock.Now().Truncate(time.Second)
	for _, q := range all {
		if !q.quiet {
			m.saw("sweep spoke")
			m.hear(word{who: q.a.who, at: at, fresh: at.After, of: q.of})
		}
	}
}

func (m *machine) nothingAgainst(a *application, of func(*application, warifu.Kind) consequence) bool {
	_, held := a.holds[warifu.HoldCard]
	var kinds []warifu.Kind
	for _, c := range a.all() {
		if c.live() {
			_, too := c.holds[warifu.HoldCard]
			held, kinds = held || too, append(kinds, c.kind)
		}
	}
	if a.open() {
		kinds = append(append(kinds, warifu.Signature), a.kinds...)
	}
	return !slices.ContainsFunc(kinds, func(k warifu.Kind) bool { f := of(a, k).fate; return f > lifted || f == lifted && held })
}

// cardProblem is why a card cannot be a parent now (K14): the signing certificate always,
// since it signs; the other where one is to derive from it.
func (m *machine) cardProblem(who *person, parents map[warifu.Kind]parent, kinds []warifu.Kind) string {
	now := m.h.Clock.Now()
	for _, kind := range warifu.Kinds {
		if kind == warifu.Authentication {
			if !slices.Contains(kinds, kind) {
				break
			}
			if m.onCard(who)[kind].certificate != parents[kind].certificate {
				return "card-statement-other-card"
			}
		}
		status, end := m.truth(kind, parents[kind])
		switch {
		case status.Cert == warifu.StatusRevoked && status.Reason == warifu.ReasonCertificateHold:
			return "card-held"
		case status.Cert == warifu.StatusRevoked:
			return "card-revoked"
		case !end.After(now):
			return "card-expired"
		}
	}
	return ""
}

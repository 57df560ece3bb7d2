package lifetest_test

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/internal/housetest"
	"warifu/iso7816"
	"warifu/keystore"
	"warifu/phone"
	"warifu/store"
)

// mostRSA is how many applications with RSA keys one walk makes.
const mostRSA = 10

func (m *machine) apply(t *rapid.T) { m.applyOn(t, m.who(t), m.which(t), m.kindsOf(t)) }

// applyOn drafts and hands in (R32). The phone may belong to anybody: it may have been sold.
func (m *machine) applyOn(t *rapid.T, who *person, on *handset, kinds []warifu.Kind) {
	if m.drafts++; m.drafts > mostRSA && m.h.Scheme.Algorithm != keystore.P256 {
		t.Skip("RSA keys enough: each takes a tenth of a second to make")
	}
	card := m.onCard(who)
	d, err := on.p.TryDraft(t, who.id, kinds...)
	if _, signs := card[warifu.Signature]; !signs {
		expect(t, "draft", err, "card-pin-format") // a child's card has no signing password (K14)
		m.saw("child refused")
		return
	}
	on.shadow, on.draft = shadowOf(kinds), nil
	if m.past(card) {
		expect(t, "draft", err, "card-certificate-expired") // the app says so at the tap
		m.saw("expired refused")
		return
	}
	must(t, err)
	want := m.mayApply(who, card, kinds)
	a := m.submit(t, who, on, d)
	if !a.took(t, "apply", "/applications", want) {
		return
	}
	m.accepted(t, who, on, d, card)
}

func shadowOf(kinds []warifu.Kind) map[warifu.Kind]bool {
	out := map[warifu.Kind]bool{}
	for _, k := range kinds {
		out[k] = true
	}
	return out
}

// past reports whether a card's signing certificate is past its day.
func (m *machine) past(card map[warifu.Kind]parent) bool {
	return m.h.Clock.Now().After(card[warifu.Signature].notAfter)
}

// mayApply is the problem an application must end with.
func (m *machine) mayApply(who *person, card map[warifu.Kind]parent, kinds []warifu.Kind) string {
	if m.down {
		return "bureau-unreachable"
	}
	return m.cardProblem(who, card, kinds)
}

// submit hands the draft in: over the wire, or, where the person is to be found by the
// hotline, with a contact straight to the authority.
func (m *machine) submit(t *rapid.T, who *person, on *handset, d *phone.Draft) attempt {
	if who.listed || one(t, 3, "no contact") {
		return m.try(t, 1, func(ctx context.Context) error { return on.p.App.Submit(ctx, d) })
	}
	s := housetest.Submission(d)
	s.Contact = who.contact
	return m.direct(t, "/applications", func(ctx context.Context) error {
		got, err := m.h.Registrar.Apply(ctx, s)
		if err != nil {
			return err
		}
		state, err := on.p.App.State()
		must(t, err)
		state.Application, state.Kinds, state.Personalized = got.ID, d.Kinds, false
		kept, err := json.Marshal(state)
		must(t, err)
		must(t, on.p.App.Storage.Save(kept))
		who.listed = true
		return nil
	})
}

// direct runs an operation that goes straight to the registration authority; now and then
// its transaction is cut.
func (m *machine) direct(t *rapid.T, path string, op func(ctx context.Context) error) attempt {
	lit := one(t, 8, "cut")
	if lit {
		m.fuse.light(t, rapid.IntRange(0, 24).Draw(t, "statement"))
	}
	a := attempt{err: op(context.Background()), lit: lit}
	if lit {
		a.fused = m.fuse.out(t)
		if a.hurt = a.fused || problem(a.err) == "internal"; a.hurt {
			m.tally.fault("transaction cut at a statement")
		}
	}
	status := 200
	if a.err != nil {
		status = 500
	}
	a.said = []housetest.Exchanged{{Path: path, Handled: true, Status: status}}
	return a
}

// accepted is what an accepted application does (design §3.3): one open application a
// person, the newer withdraws the older.
func (m *machine) accepted(t *rapid.T, who *person, on *handset, d *phone.Draft, card map[warifu.Kind]parent) {
	if older := m.openOf(who); older != nil {
		m.close(older, warifu.ApplicationWithdrawn, "")
	}
	now := m.h.Clock.Now()
	a := &application{
		who: who, on: on, kinds: d.Kinds, state: warifu.ApplicationSubmitted, holds: holds{}, submitted: now, due: m.dueAt(now),
		parents: card, creds: map[warifu.Kind]*credential{}, signed: map[warifu.Kind]bool{}, draft: d,
	}
	m.h.Read(t, func(tx *store.Tx) error {
		row, err := tx.ApplicationByDocument(d.Identity)
		a.id = row.ID
		return err
	})
	m.h.Accepted(a.id)
	m.saw("applied")
	m.apps = append(m.apps, a)
	on.draft = a
	state, err := on.p.App.State()
	must(t, err)
	if state.Application == a.id {
		on.latest = a
	}
}

// dueAt is K1: complete before the cut-off is the same day, at or after it the next morning.
func (m *machine) dueAt(now time.Time) time.Time {
	if m.h.Scheme.Name == "badge" {
		return now
	}
	local := now.In(housetest.Tokyo)
	at := func(day, hour, minute int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+day, hour, minute, 0, 0, housetest.Tokyo)
	}
	switch {
	case local.Before(at(0, 7, 30)):
		return at(0, 7, 30)
	case local.Before(at(0, 19, 30)):
		return now
	}
	return at(1, 7, 30)
}

// again hands in a draft that was handed in before: the same document is the same application.
func (m *machine) again(t *rapid.T) {
	a := m.some(t)
	got, err := m.h.Registrar.Apply(context.Background(), housetest.Submission(a.draft))
	must(t, err)
	m.tally.fault("submission replayed")
	if got.ID != a.id || got.State != a.state {
		t.Fatalf("replayed, %s became %s in state %s", a.id, got.ID, got.State)
	}
}

// drain lets everything that was put off come due, and runs it.
func (m *machine) drain(t *rapid.T) {
	m.h.Clock.Forward(6 * time.Minute)
	m.h.Drain(t)
	m.drained = m.h.Clock.Now()
	for _, a := range m.apps {
		if a.state == warifu.ApplicationSubmitted && !a.due.After(m.drained) {
			m.issue(t, a)
		}
	}
}

// issue is the job that issues (design §3.5). A bureau that is away and a card on hold put
// it off; anything else that the card is not good for ends it.
func (m *machine) issue(t *rapid.T, a *application) {
	if m.down {
		m.tally.fault("bureau away")
		return
	}
	switch p := m.cardProblem(a.who, a.parents, a.kinds); p {
	case "":
	case "card-held":
		return
	default:
		m.close(a, warifu.ApplicationRejected, p)
		return
	}
	for _, kind := range a.kinds {
		switch m.modes[kind] {
		case away:
			return
		case refusing:
			m.close(a, warifu.ApplicationRejected, "key-not-new")
			return
		}
		if m.h.Clock.Now().Sub(a.submitted) > m.h.Scheme.ChallengeMaxWait {
			m.close(a, warifu.ApplicationRejected, "challenge-outworn")
			return
		}
		a.signed[kind] = true
		if m.modes[kind] == deaf {
			return
		}
	}
	a.state, a.issued = warifu.ApplicationIssued, m.h.Clock.Now()
	m.learn(t, a)
}

// learn takes down what the new credentials are called.
func (m *machine) learn(t *rapid.T, a *application) {
	m.h.Read(t, func(tx *store.Tx) error {
		rows, err := tx.CredentialsOfApplication(a.id)
		for _, c := range rows {
			a.creds[c.Kind] = &credential{of: a, kind: c.Kind, state: warifu.CredentialPending, holds: holds{},
				id: c.ID, serial: c.Serial, key: c.PublicKey, certificate: c.Certificate, notAfter: c.NotAfter}
		}
		return err
	})
	for _, kind := range a.kinds {
		if a.creds[kind] == nil {
			t.Fatalf("%s is issued without its %s credential", a.id, kind)
		}
	}
}

// own goes the whole way without a fault on it.
func (m *machine) own(t *rapid.T) {
	who, on := m.who(t), m.which(t)
	m.down = false
	clear(m.modes)
	m.applyOn(t, who, on, m.kindsOf(t))
	m.drain(t)
	if on.latest != nil {
		m.personalizeOn(t, on, false)
	}
}

// withdraw takes the latest application back.
func (m *machine) withdraw(t *rapid.T) {
	on := m.which(t)
	a := on.latest
	want := ""
	switch {
	case a == nil:
		want = "application-none"
	case a.state == warifu.ApplicationWithdrawn:
	case !a.open():
		want = "application-ended"
	}
	r := m.try(t, 2, on.p.App.Withdraw)
	if a == nil {
		expect(t, "withdraw", r.err, want)
		return
	}
	if r.took(t, "withdraw", "/withdrawal", want) && a.open() {
		m.close(a, warifu.ApplicationWithdrawn, "")
	}
}

// torn is a chip that is torn away after some commands.
type torn struct {
	iso7816.Transmitter
	left int
}

// Transmit implements iso7816.Transmitter.
func (c *torn) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if c.left--; c.left < 0 {
		return nil, iso7816.ErrRemoved
	}
	return c.Transmitter.Transmit(ctx, command)
}

// personalize mostly takes a phone on which something waits to be fetched.
func (m *machine) personalize(t *rapid.T) {
	on := m.which(t)
	waiting := slices.DeleteFunc(slices.Clone(m.phones), func(on *handset) bool {
		return on.latest == nil || on.latest.state != warifu.ApplicationIssued
	})
	if len(waiting) > 0 && !one(t, 4, "any phone") {
		on = pick(t, waiting, "waiting phone")
	}
	m.personalizeOn(t, on, true)
}

// personalizeOn writes the latest application to the chip (R44).
func (m *machine) personalizeOn(t *rapid.T, on *handset, trouble bool) {
	a := on.latest
	run := func(ctx context.Context) error { return m.postman(t, ctx, on, a) }
	if a == nil {
		expect(t, "personalize", on.p.Personalize(), "application-none")
		return
	}
	want := m.mayPersonalize(a)
	var r attempt
	whole := on.p.App.Element
	switch {
	case !trouble:
		r = m.quietly(t, run)
	case one(t, 3, "torn"):
		on.p.App.Element = &torn{whole, rapid.IntRange(0, 14).Draw(t, "cut after")}
		r = m.quietly(t, run)
		on.p.App.Element = whole
		if problem(r.err) == "element-interrupted" {
			r.hurt = true
			m.tally.fault("torn away between two commands")
		}
	default:
		r = m.try(t, 6, run)
	}
	on.p.Element.PowerOff()
	m.afterPersonalizing(t, a, r, want)
}

func (m *machine) postman(t *rapid.T, ctx context.Context, on *handset, a *application) error {
	card := m.h.Card(t, a.who.id)
	defer card.PowerOff()
	pin := string(m.h.PINs(t, a.who.id).Authentication.Reveal())
	return on.p.App.Personalize(ctx, phone.Personalization{Card: card, CardPIN: pin, Code: func(code string) { a.code = code }})
}

// afterPersonalizing looks how far it came: the commit at the server comes first, ACTIVATE
// in the chip after it, and each only where it may (design §3.7).
func (m *machine) afterPersonalizing(t *rapid.T, a *application, r attempt, want string) {
	was := a.state
	committed := m.h.Application(t, a.id).State == warifu.ApplicationPersonalized
	if !r.hurt {
		expect(t, "personalize", r.err, want)
		if committed != (want == "" || was == warifu.ApplicationPersonalized) {
			t.Fatalf("personalizing %s ended with %q and it is committed: %t", a.id, want, committed)
		}
	}
	if want != "" && committed && was != warifu.ApplicationPersonalized {
		t.Fatalf("%s was personalized, want %q", a.id, want)
	}
	if committed && was != warifu.ApplicationPersonalized {
		m.personalized(a)
	}
	if m.carries(t, a) && !a.on.holds(a) {
		if !committed {
			t.Fatalf("the chip made %s live before the server knew", a.id)
		}
		m.written(a)
	}
	if want == "" && !r.hurt && !a.on.holds(a) {
		t.Fatalf("%s is personalized and not in the chip", a.id)
	}
	if r.err == nil {
		a.on.lock = nil
	}
	m.h.Read(t, func(tx *store.Tx) error { // whether the last word of the chip was heard is the wire's doing
		heard, err := tx.WrittenChip(a.on.p.Record.Element)
		if heard == a.id && a.on.holds(a) {
			a.counter = a.on.counter
		}
		return err
	})
	if r.hurt && committed {
		a.code = "" // a code may have been made that nobody saw
	}
}

// holds reports whether the chip has every key of an application live.
func (on *handset) holds(a *application) bool {
	for _, c := range a.all() {
		if s := on.live[c.kind]; s == nil || s.c != c {
			return false
		}
	}
	return len(a.creds) > 0
}

// mayPersonalize is the problem that personalizing must end with.
func (m *machine) mayPersonalize(a *application) string {
	now := m.h.Clock.Now()
	switch {
	case a.open() && len(a.holds) > 0:
		return "application-held"
	case a.state != warifu.ApplicationIssued && a.state != warifu.ApplicationPersonalized:
		return "application-not-issued"
	case a.state == warifu.ApplicationPersonalized && slices.ContainsFunc(a.all(), (*credential).ended):
		return "application-not-issued"
	case a.state == warifu.ApplicationPersonalized && a.on.holds(a), a.state == warifu.ApplicationPersonalized && a.on.waits(a):
		return ""
	case a.state == warifu.ApplicationPersonalized:
		return "element-keys-gone"
	case now.Sub(a.issued) > m.h.Scheme.ApplicationLapse:
		return "application-lapsed"
	}
	if p := m.cardAgain(a); p != "" {
		return p
	}
	switch {
	case !a.on.waits(a):
		return "element-keys-gone"
	case m.down:
		return "bureau-unreachable"
	}
	return m.cardProblem(a.who, a.parents, a.kinds)
}

// waits reports whether every key of an application lies in the shadow half.
func (on *handset) waits(a *application) bool { return on.draft == a && len(on.shadow) == len(a.kinds) }

// cardAgain is R45: after a day the card that applied is to be shown once more.
func (m *machine) cardAgain(a *application) string {
	now := m.h.Clock.Now()
	if m.h.Scheme.CardAgain <= 0 || now.Sub(a.submitted) <= m.h.Scheme.CardAgain {
		return ""
	}
	p := m.onCard(a.who)[warifu.Authentication]
	switch {
	case p.certificate != a.parents[warifu.Authentication].certificate:
		return "card-other"
	case now.After(p.notAfter):
		return "certificate-expired"
	}
	m.saw("card shown again")
	return ""
}

// modesChange silences, deafens or heals an authority; bureauTurns does it to the bureau.
func (m *machine) modesChange(t *rapid.T) {
	kind := rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "kind")
	m.modes[kind] = rapid.SampledFrom([]mode{healthy, healthy, away, deaf, refusing}).Draw(t, "mode")
}

func (m *machine) bureauTurns(t *rapid.T) { m.down = one(t, 3, "down") }

// crash throws the server away between two steps and makes it anew from its database.
func (m *machine) crash(t *rapid.T) {
	m.tally.fault("crash between two steps")
	m.h.Restart(t)
	clear(m.full) // deltas stand on a new base
}

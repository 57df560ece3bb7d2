package lifetest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/attest"
	"warifu/internal/housetest"
	"warifu/jpki"
	"warifu/phone"
	"warifu/sandbox/counter"
	"warifu/sandbox/field"
)

// Turns that chance alone would bring about too seldom are walked towards here.

// repairEnds lets the clock go to the end of the repair that ends first (K5).
func (m *machine) repairEnds(t *rapid.T) {
	var first time.Time
	for _, c := range m.credsWhere(func(*application) bool { return true }) {
		if until, there := c.holds[warifu.HoldRepair]; there && c.live() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	now := m.h.Clock.Now()
	if first.IsZero() || first.Sub(now) > 100*day {
		t.Skip("nothing is being repaired")
	}
	if first.After(now) {
		m.h.Clock.Forward(first.Sub(now))
		m.listen(t)
	}
	m.timers(t)
}

// authorityFails has an authority not answer, or refuse, just when it is wanted.
func (m *machine) authorityFails(t *rapid.T) {
	kind := rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "kind")
	m.down = false
	m.modes[kind] = rapid.SampledFrom([]mode{away, deaf, refusing}).Draw(t, "mode")
	m.applyOn(t, m.who(t), m.which(t), []warifu.Kind{kind})
	m.drain(t)
}

// cardBack suspends the card of somebody who has something live, and lifts that again (K14).
func (m *machine) cardBack(t *rapid.T) {
	with := slices.DeleteFunc(slices.Clone(m.people), func(p *person) bool { return len(m.liveOf(p)) == 0 })
	if len(with) == 0 {
		t.Skip("nobody has anything live")
	}
	who := pick(t, with, "person")
	m.down = false
	for _, does := range []func(string) error{m.h.Bureau.Suspend, m.h.Bureau.Resume} {
		if p := problem(does(who.id)); p != "" && p != "card-state" {
			t.Fatalf("card: %s", p)
		}
		m.catchUp(t)
	}
}

// sold has somebody own a phone that still carries another's keys (R74).
func (m *machine) sold(t *rapid.T) {
	on := m.busy(t)
	others := slices.DeleteFunc(slices.Clone(m.people), func(p *person) bool {
		return slices.ContainsFunc(m.liveOf(p), func(c *credential) bool { return c.of.on == on })
	})
	if len(others) == 0 {
		t.Skip("nobody else")
	}
	m.down = false
	clear(m.modes)
	m.applyOn(t, pick(t, others, "person"), on, m.kindsOf(t))
	m.drain(t)
	if on.latest != nil {
		m.personalizeOn(t, on, false)
	}
}

// wishOver lifts a hold at the holder's own wish where it was put, on the phone (R78).
func (m *machine) wishOver(t *rapid.T) {
	for _, on := range m.phones {
		for _, kind := range warifu.Kinds {
			s := on.live[kind]
			if s == nil {
				continue
			}
			if _, there := s.c.holds[warifu.HoldOwnWish]; there {
				m.carryOn(t, on, order{by: byDevice, verb: "resume", reason: warifu.HoldOwnWish, kinds: []warifu.Kind{kind}, secret: kind})
				return
			}
		}
	}
	t.Skip("nothing is on hold at anybody's own wish")
}

// twoOperators is a call in which the holder is rung back, and two operators do what is asked
// (B.5, K15).
func (m *machine) twoOperators(t *rapid.T) {
	with := slices.DeleteFunc(slices.Clone(m.people), func(p *person) bool { return !p.listed })
	if len(with) == 0 {
		t.Skip("the hotline finds nobody")
	}
	who := pick(t, with, "person")
	m.h.Clock.Forward(time.Hour) // an hour's look-ups may be used up
	m.listen(t)
	found, err := m.h.Registrar.HotlineSearch(context.Background(), housetest.Token("rin"), *who.contact)
	must(t, err)
	if found.Matched != 1 {
		t.Fatalf("the hotline found %d of %s", found.Matched, who.id)
	}
	m.propose(t, who, "rin", found)
	if m.proposal.who == who && m.proposal.by == "rin" {
		m.confirm(t)
	}
}

// lockedCard is a card whose signing password was typed wrong five times: nothing is to be
// had with it, here or on a phone, until the town hall's counter unlocks it (K14, K16).
func (m *machine) lockedCard(t *rapid.T) {
	ctx := context.Background()
	who := m.who(t)
	own, signs := m.onCard(who)[warifu.Signature]
	if status, end := m.truth(warifu.Signature, own); !signs || status.Cert == warifu.StatusRevoked || !end.After(m.h.Clock.Now()) {
		t.Skip("the counter unlocks no such card")
	}
	elsewhere := phone.Elsewhere{Server: m.h.Server, Scheme: m.h.Scheme, Clock: m.h.Clock}
	order := func(password string) error {
		reader := m.h.Card(t, who.id)
		defer reader.PowerOff()
		_, err := elsewhere.Order(ctx, phone.CardOrder{Verb: warifu.VerbRevoke, Kinds: warifu.Kinds[:], Card: reader, CardPassword: password})
		return err
	}
	right := string(m.h.PINs(t, who.id).Signature.Reveal())
	for left := 4; left >= 0; left-- {
		want := "card-pin-wrong"
		if left == 0 {
			want = "card-pin-blocked"
		}
		expect(t, "mistyped at a reader", order("WRONG2026"), want)
	}
	m.tally.fault("card locked")
	expect(t, "the right password, too late", order(right), "card-pin-blocked")
	m.lockedOnPhone(t, who, right)
	chips := field.New(func(id string) (field.Chip, error) { return m.h.Bureau.Card(id) })
	hall := counter.New(m.h.Bureau, chips, m.h.Clock)
	next := "NEU2027"
	if right == next {
		next = "NEU2028"
	}
	must(t, hall.Unlock(ctx, who.id, warifu.Signature, warifu.NewCardPIN([]byte(next))))
	if got := string(m.h.PINs(t, who.id).Signature.Reveal()); got != next {
		t.Fatalf("the counter set another password than %s was told", who.id)
	}
	expect(t, "the older password", order(right), "card-pin-wrong")
	reader := m.h.Card(t, who.id)
	defer reader.PowerOff()
	token, err := jpki.Select(ctx, reader)
	must(t, err)
	must(t, token.VerifyCard(ctx, warifu.Signature, warifu.NewCardPIN([]byte(next)))) // and all its tries are there again
	m.saw("card unlocked")
}

// lockedOnPhone: a locked card unlocks no phone.
func (m *machine) lockedOnPhone(t *rapid.T, who *person, password string) {
	for _, on := range m.phones {
		s := on.live[warifu.Signature]
		if s == nil || s.c.of.who != who {
			continue
		}
		reader := m.h.Card(t, who.id)
		err := on.p.App.ResetSecret(context.Background(), phone.Reset{Kind: warifu.Signature, Card: reader, CardPassword: password, Next: otherSecret(warifu.Signature, s.secret)})
		reader.PowerOff()
		expect(t, "a phone's secret by a locked card", err, "card-pin-blocked")
		return
	}
}

// forgedReceipt hands in receipts of keys that are still there: made by whoever holds keys of
// the secure channel, but not the chip's own, and by another chip (K18).
func (m *machine) forgedReceipt(t *rapid.T) {
	ctx := context.Background()
	on := m.which(t)
	m.collect(t, on)
	at := slices.IndexFunc(m.tickets, func(k keptTicket) bool { return k.on == on })
	if at < 0 {
		t.Skip("the phone has no ticket")
	}
	said := m.tickets[at].said
	before, err := m.h.Registrar.Tickets(ctx, on.p.Record.Element)
	must(t, err)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	receipt := attest.KillReceipt{Element: on.p.Record.Element, Kind: said.Kind, PublicKey: said.PublicKey, Number: said.Number, Counter: on.counter}
	paper, err := receipt.Seal(stranger)
	must(t, err)
	m.tally.fault("receipt forged")
	expect(t, "a receipt by another key", m.h.Registrar.KillReceipt(ctx, on.p.Record.Element, paper), "paper-signature-invalid")
	for _, other := range m.phones {
		if other == on || !slices.ContainsFunc(m.apps, func(a *application) bool { return a.on == other }) {
			continue
		}
		receipt.Element = other.p.Record.Element
		paper, err := receipt.Seal(stranger)
		must(t, err)
		expect(t, "a receipt in another chip's name", m.h.Registrar.KillReceipt(ctx, other.p.Record.Element, paper), "paper-signature-invalid")
		break
	}
	after, err := m.h.Registrar.Tickets(ctx, on.p.Record.Element)
	must(t, err)
	if len(after) != len(before) {
		t.Fatalf("%d tickets became %d by a forged receipt", len(before), len(after))
	}
}

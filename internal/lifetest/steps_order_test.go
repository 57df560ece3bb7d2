package lifetest_test

import (
	"context"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/registration"
)

const day = 24 * time.Hour

// wish draws what a holder wants done, with the reasons that can be asked for by hand.
func (m *machine) wish(t *rapid.T, by hand, standing []*credential) order {
	o := order{by: by, verb: rapid.SampledFrom([]warifu.Verb{"suspend", "suspend", "resume", "resume", "revoke"}).Draw(t, "verb")}
	if o.verb == "revoke" {
		return o
	}
	o.reason = rapid.SampledFrom([]warifu.HoldReason{warifu.HoldOwnWish, warifu.HoldRepair, warifu.HoldLost}).Draw(t, "reason")
	for _, c := range standing { // mostly what there is to be lifted
		for _, reason := range slices.Sorted(maps.Keys(c.holds)) {
			if o.verb == "resume" && reason != warifu.HoldCard && !one(t, 3, "another reason") {
				o.reason = reason
			}
		}
	}
	if o.verb == "suspend" && by == byDevice && o.reason == warifu.HoldLost {
		o.reason = warifu.HoldOwnWish // the app has no such button: nobody reports the phone in hand as lost
	}
	if o.verb == "suspend" && o.reason == warifu.HoldRepair {
		o.until = m.h.Clock.Now().Add(rapid.SampledFrom([]time.Duration{-day, time.Hour, day, 9 * day, 60 * day, 400 * day}).Draw(t, "until")).Truncate(time.Second)
	}
	return o
}

// device orders on the phone itself (R75, K5, K10).
func (m *machine) device(t *rapid.T) {
	on := m.busy(t)
	o := m.wish(t, byDevice, m.credsWhere(func(a *application) bool { return a.on == on }))
	o.kinds = onPhone(t, on)
	o.secret = rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "secret")
	m.carryOn(t, on, o)
}

// carryOn gives an order on a phone and holds what becomes of it against the model.
func (m *machine) carryOn(t *rapid.T, on *handset, o order) {
	want, so, r := m.judgeDevice(on, o)
	s := phone.Secret{Kind: o.secret, Typed: on.typed(o.secret)}
	did := m.try(t, 3, func(ctx context.Context) (err error) {
		switch {
		case o.verb == "revoke":
			_, err = on.p.App.Revoke(ctx, o.kinds, s)
		case o.verb == "resume":
			_, err = on.p.App.Resume(ctx, o.kinds, o.reason, s)
		default:
			_, err = on.p.App.Suspend(ctx, o.kinds, o.until, s)
		}
		return err
	})
	m.opened(t, on, o.secret, did)
	if !did.took(t, "device "+string(o.verb), "/orders", want) {
		return
	}
	if !so {
		m.carryOut(r, o)
	}
	m.obeyed(t, on)
	if did.err == nil && o.verb == "revoke" {
		for _, c := range r.creds {
			if s := on.live[c.kind]; s != nil && s.c == c {
				t.Fatalf("%s was revoked on the phone and its key is still there (R75)", c.id)
			}
		}
	}
}

// judgeDevice says how an order on the phone must end: the chip has its say first.
func (m *machine) judgeDevice(on *handset, o order) (want string, so bool, r reach) {
	switch s := on.live[o.secret]; {
	case s == nil:
		return "credential-none", false, r
	case s.tries == 0:
		return "secret-blocked", false, r
	}
	if r, want = m.reachOfPhone(on, o); want != "" {
		return want, false, r
	}
	want, so = m.judge(r, o, on)
	return want, so, r
}

// typed is the right secret of a kind, or something of its form where there is none.
func (on *handset) typed(kind warifu.Kind) string {
	if s := on.live[kind]; s != nil {
		return s.secret
	}
	return secretOf(kind)
}

// opened is what the right secret does to its tries; where a mishap came first, the chip is
// asked whether it was shown at all.
func (m *machine) opened(t *rapid.T, on *handset, kind warifu.Kind, did attempt) {
	s := on.live[kind]
	if s == nil || s.tries == 0 {
		return
	}
	left, err := on.p.App.TriesLeft(context.Background(), kind)
	if err != nil || left != s.tries && left != triesOf(kind) {
		if slot := m.slots(t, on); slot != nil {
			if _, there := slot.Live.Of(kind); !there {
				return // destroyed by the same order
			}
		}
		t.Fatalf("tries left %d (%v), want %d or all", left, err, s.tries)
	}
	if !did.hurt && left != triesOf(kind) {
		t.Fatalf("the right secret left %d tries", left)
	}
	s.tries = left
}

// atReader orders with the card on another device (K9, K10).
func (m *machine) atReader(t *rapid.T) {
	who := m.who(t)
	o := m.wish(t, byCard, m.liveOf(who))
	o.kinds = m.kindsOf(t)
	card := m.onCard(who)
	elsewhere := phone.Elsewhere{Server: m.h.Server, Scheme: m.h.Scheme, Clock: m.h.Clock}
	if _, signs := card[warifu.Signature]; !signs {
		return // a child's card signs nothing
	}
	want, so, r := m.judgeCard(who, card, o)
	did := m.try(t, 2, func(ctx context.Context) error {
		reader := m.h.Card(t, who.id)
		defer reader.PowerOff()
		_, err := elsewhere.Order(ctx, phone.CardOrder{
			Verb: o.verb, Kinds: o.kinds, Reason: o.reason, Until: o.until, Card: reader, CardPassword: string(m.h.PINs(t, who.id).Signature.Reveal()),
		})
		return err
	})
	if did.took(t, "card "+string(o.verb)+" "+string(o.reason), "/orders", want) && !so {
		m.carryOut(r, o)
	}
}

// judgeCard says how an order with the card must end: the card has to be good itself.
func (m *machine) judgeCard(who *person, card map[warifu.Kind]parent, o order) (want string, so bool, r reach) {
	switch {
	case m.past(card):
		return "certificate-expired", false, r
	case m.down:
		return "bureau-unreachable", false, r
	}
	if want = m.cardProblem(who, card, []warifu.Kind{warifu.Signature}); want != "" {
		return want, false, r
	}
	if r, want = m.reachOfPerson(who, o); want != "" {
		return want, false, r
	}
	want, so = m.judge(r, o, nil)
	return want, so, r
}

// code suspends with a suspension code (B.5), sometimes with one that is nobody's.
func (m *machine) code(t *rapid.T) {
	with := slices.DeleteFunc(slices.Clone(m.apps), func(a *application) bool { return a.code == "" })
	if len(with) == 0 {
		t.Skip("nobody has a code")
	}
	a := pick(t, with, "code of")
	if one(t, 5, "guess") {
		m.guess(t)
		return
	}
	o := order{verb: "suspend", reason: warifu.HoldLost, by: byCode, kinds: warifu.Kinds[:]}
	r := reach{creds: newest(a.all(), o.kinds)}.narrow(o)
	r.open = m.openFrom(a.on, a.who)
	want, so := m.judge(r, o, nil)
	did := m.try(t, 1, func(ctx context.Context) error { return m.h.Server.SuspendByCode(ctx, a.code) })
	if did.took(t, "code", "/suspensions", want) && !so {
		m.carryOut(r, o)
	}
}

// guess types codes that are nobody's: a mistyped one and a well-formed one.
func (m *machine) guess(t *rapid.T) {
	m.tally.fault("code guessed")
	ctx := context.Background()
	expect(t, "mistyped", m.h.Registrar.ByCode(ctx, "0000 0000 0000 0000 0000 00", ""), "suspension-code-mistyped")
	expect(t, "guessed", m.h.Registrar.ByCode(ctx, "0000 0000 0000 0000 0000 98", ""), "suspension-code-unknown")
}

// newCode has a new suspension code made on the phone; the older one is worth nothing then.
func (m *machine) newCode(t *rapid.T) {
	on := m.busy(t)
	kind := rapid.SampledFrom(warifu.Kinds[:]).Draw(t, "secret")
	var standing *credential
	for _, c := range newest(m.credsWhere(func(a *application) bool { return a.on == on }), warifu.Kinds[:]) {
		if standing == nil || c.live() {
			standing = c
		}
	}
	want := ""
	switch s := on.live[kind]; {
	case s == nil:
		want = "credential-none"
	case s.tries == 0:
		want = "secret-blocked"
	case standing == nil:
		want = "credential-absent"
	case !standing.live():
		want = "credential-ended"
	default:
		want = m.secretFits(on, order{verb: "revoke", secret: kind})
	}
	var old, code string
	if standing != nil {
		old = standing.of.code
	}
	did := m.try(t, 2, func(ctx context.Context) (err error) {
		code, err = on.p.App.NewCode(ctx, phone.Secret{Kind: kind, Typed: on.typed(kind)})
		return err
	})
	m.opened(t, on, kind, did)
	if !did.took(t, "new code", "/suspension-code", want) {
		return
	}
	m.saw("new code")
	if standing.of.code = code; old != "" {
		expect(t, "the older code", m.h.Registrar.ByCode(context.Background(), old, ""), "suspension-code-unknown")
	}
}

// proposal is what one operator proposed.
type proposal struct {
	id, by string
	verb   warifu.Verb
	who    *person
	until  time.Time
}

// hotline is a call: look up, suspend, propose (R76, B.5, K15).
func (m *machine) hotline(t *rapid.T) {
	who := m.who(t)
	ctx := context.Background()
	name := rapid.SampledFrom([]string{"aoi", "ken", "rin", "mio", "nobody"}).Draw(t, "operator")
	found, err := m.h.Registrar.HotlineSearch(ctx, housetest.Token(name), *who.contact)
	switch name {
	case "mio":
		m.tally.fault("operator without the right")
		expect(t, "look-up", err, "operator-may-not")
		return
	case "nobody":
		m.tally.fault("operator's token forged")
		expect(t, "look-up", err, "operator-unknown")
		return
	}
	if p := problem(err); p == "look-ups-too-many" || p == "look-ups-hour" {
		m.saw("look-ups stopped")
		return
	}
	must(t, err)
	if (found.Matched == 1) != who.listed {
		t.Fatalf("the hotline found %d of %s, listed: %t", found.Matched, who.id, who.listed)
	}
	if !who.listed {
		return
	}
	if one(t, 2, "propose") {
		m.propose(t, who, name, found)
		return
	}
	m.suspendByCall(t, who, name, found)
}

func (m *machine) suspendByCall(t *rapid.T, who *person, name string, found registration.Found) {
	o := order{verb: "suspend", reason: warifu.HoldLost, by: byOperator, kinds: warifu.Kinds[:]}
	r, want := m.reachOfPerson(who, o)
	so := false
	if want == "" {
		want, so = m.judge(r, o, nil)
	}
	record := registration.CallRecord{Match: found.Match, Caller: "holder", Phone: "stolen", Card: rapid.SampledFrom([]string{"kept", "stolen"}).Draw(t, "card")}
	var got registration.Suspended
	did := m.direct(t, "/hotline", func(ctx context.Context) (err error) {
		got, err = m.h.Registrar.HotlineSuspend(ctx, housetest.Token(name), record)
		return err
	})
	if !did.took(t, "hotline", "/hotline", want) {
		return
	}
	if !so {
		m.carryOut(r, o)
	}
	if record.Card == "stolen" {
		m.saw("card reported stolen")
		if told := got.CardBureau == registration.CardTellNow; told == m.down && !did.lit {
			t.Fatalf("the bureau was told: %t, away: %t", told, m.down)
		}
	}
	m.listen(t)
}

func (m *machine) propose(t *rapid.T, who *person, name string, found registration.Found) {
	verb := rapid.SampledFrom([]warifu.Verb{"resume", "resume", "revoke"}).Draw(t, "verb")
	cause := map[warifu.Verb]string{"resume": "found", "revoke": "holder-request"}[verb]
	want := ""
	if verb == "revoke" && name != "rin" {
		m.tally.fault("operator without the right")
		want = "operator-may-not"
	} else if !m.callBack(t, name, found.Receipt) {
		want = "call-back-missing"
	} else {
		_, want = m.reachOfPerson(who, order{verb: verb, kinds: warifu.Kinds[:]})
	}
	got, err := m.h.Registrar.HotlinePropose(context.Background(), housetest.Token(name), verb, found.Match, cause)
	expect(t, "propose", err, want)
	if want == "" {
		m.saw("proposed")
		m.proposal = proposal{got.ID, name, verb, who, got.Expires}
	}
}

// callBack rings the registered number, where anybody thinks of it, and reports whether the
// holder answered: without that operators can neither resume nor revoke at a holder's wish.
func (m *machine) callBack(t *rapid.T, name, receipt string) bool {
	outcome := rapid.SampledFrom([]string{"", registration.CallBackUnanswered, registration.CallBackDenied, registration.CallBackAnswered, registration.CallBackAnswered, registration.CallBackAnswered}).Draw(t, "call back")
	if outcome == "" {
		return false
	}
	_, err := m.h.Registrar.HotlineCallBack(context.Background(), housetest.Token(name), receipt, outcome)
	must(t, err)
	return outcome == registration.CallBackAnswered
}

// confirm is the second operator (four eyes), or the same one trying alone.
func (m *machine) confirm(t *rapid.T) {
	p := m.proposal
	if p.id == "" {
		t.Skip("nothing is proposed")
	}
	name := rapid.SampledFrom([]string{"ken", "sei", "sei", p.by}).Draw(t, "operator")
	o := order{verb: p.verb, by: byOperators, kinds: warifu.Kinds[:]}
	if p.verb == "resume" {
		o.reason = warifu.HoldLost
	}
	var r reach
	want, so := "", false
	switch {
	case p.verb == "revoke" && name == "ken":
		want = "operator-may-not"
	case name == p.by:
		m.tally.fault("two eyes for four")
		want = "four-eyes"
	case m.h.Clock.Now().After(p.until):
		want = "proposal-expired"
	default:
		if r, want = m.reachOfPerson(p.who, o); want == "" {
			want, so = m.judge(r, o, nil)
		}
	}
	did := m.direct(t, "/confirm", func(ctx context.Context) error {
		_, err := m.h.Registrar.HotlineConfirm(ctx, housetest.Token(name), p.verb, p.id)
		return err
	})
	if !did.took(t, "confirm", "/confirm", want) {
		return
	}
	m.proposal = proposal{}
	if !so {
		m.carryOut(r, o)
	}
	_, err := m.h.Registrar.HotlineConfirm(context.Background(), housetest.Token("sei"), p.verb, p.id)
	expect(t, "confirmed twice", err, "proposal-closed")
}

// report tells the bureau of stolen cards it could not be told of at once.
func (m *machine) report(t *rapid.T) {
	_, err := m.h.Registrar.RetryCardReports(context.Background())
	must(t, err)
	m.listen(t)
}

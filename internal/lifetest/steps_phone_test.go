package lifetest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/attest"
	"warifu/jpki"
	"warifu/phone"
	"warifu/registration"
)

func (m *machine) slots(t *rapid.T, on *handset) *jpki.Slots {
	t.Helper()
	e, err := jpki.SelectElement(context.Background(), on.p.App.Element)
	must(t, err)
	slots, err := e.Slots(context.Background())
	must(t, err)
	return &slots
}

// carries reports whether the chip has every key of an application live.
func (m *machine) carries(t *rapid.T, a *application) bool {
	slots := m.slots(t, a.on)
	for _, c := range a.all() {
		if s, there := slots.Live.Of(c.kind); !there || s.Certificate != c.certificate {
			return false
		}
	}
	return len(a.creds) > 0
}

// obeyed looks which keys the chip has destroyed: only what is finally dead (K18).
func (m *machine) obeyed(t *rapid.T, on *handset) {
	slots := m.slots(t, on)
	for kind, s := range on.live {
		if _, there := slots.Live.Of(kind); there {
			continue
		}
		if !s.c.ended() {
			t.Fatalf("the chip destroyed the key of %s, which is %s", s.c.id, s.c.state)
		}
		m.saw("key destroyed")
		delete(on.live, kind)
	}
	for kind := range on.shadow {
		if _, there := slots.Shadow.Of(kind); there {
			continue
		}
		if !on.draft.dead(kind) {
			t.Fatalf("the chip destroyed a shadow key that is not dead: %+v", on.draft)
		}
		m.saw("key destroyed")
		delete(on.shadow, kind)
	}
}

// dead reports whether a certificate of the kind was signed for an application and has ended:
// also one of which nobody heard, where the application was over before it was issued.
func (a *application) dead(kind warifu.Kind) bool {
	if a == nil {
		return false
	}
	if c := a.creds[kind]; c != nil {
		return c.ended()
	}
	return a.signed[kind] && !a.open()
}

// wipe hands the chip its kill tickets, whoever holds the phone (K18). Heard to the end,
// nothing dead is left.
func (m *machine) wipe(t *rapid.T) {
	on := m.which(t)
	r := m.try(t, 3, func(ctx context.Context) error { _, err := on.p.App.Wipe(ctx); return err })
	if !r.hurt {
		must(t, r.err)
	}
	m.obeyed(t, on)
	if r.hurt {
		return
	}
	for _, s := range on.live {
		if s.c.ended() {
			t.Fatalf("%s is %s, and its key outlived a wipe", s.c.id, s.c.state)
		}
	}
	for kind := range on.shadow {
		if a := on.draft; a != nil && a.creds[kind] != nil && !a.creds[kind].activated.IsZero() && a.creds[kind].ended() {
			t.Fatalf("the shadow key of %s outlived a wipe", a.creds[kind].id)
		}
	}
}

// keptTicket is a kill ticket that somebody kept.
type keptTicket struct {
	paper []byte
	said  attest.KillTicket
	on    *handset
}

// ticket hands tickets to chips that must not obey: replayed, for another chip, for a live
// key by somebody else's hand.
func (m *machine) ticket(t *rapid.T) {
	ctx := context.Background()
	on := m.which(t)
	m.collect(t, on)
	e, err := jpki.SelectElement(ctx, on.p.App.Element)
	must(t, err)
	if len(on.live) > 0 && one(t, 3, "forge") {
		m.forgedTicket(t, on, e)
		return
	}
	if len(m.tickets) == 0 {
		return
	}
	k := pick(t, m.tickets, "ticket")
	s := on.live[k.said.Kind]
	carried := s != nil && s.c.key == k.said.PublicKey
	_, err = e.Kill(ctx, k.paper)
	if k.on != on {
		m.tally.fault("ticket for another chip")
		if p := problem(err); p != "kill-ticket-other" && p != "kill-ticket-invalid" { // the latter: a chip with no key pinned yet
			t.Fatalf("a ticket for another chip: %v", err)
		}
	} else {
		m.tally.fault("ticket replayed")
		if p := problem(err); carried && p != "" || p != "" && p != "kill-ticket-old" && p != "kill-ticket-other" { // in any order: a dead key is never saved
			t.Fatalf("a ticket replayed, its key there: %t: %v", carried, err)
		}
	}
	m.obeyed(t, on)
}

// collect keeps the tickets that a chip may be handed now: none of them is for anything that
// may come back.
func (m *machine) collect(t *rapid.T, on *handset) {
	papers, err := m.h.Registrar.Tickets(context.Background(), on.p.Record.Element)
	must(t, err)
	keys := m.h.Config(t).TicketKeys
	for _, paper := range papers {
		var said attest.KillTicket
		for _, kind := range warifu.Kinds {
			if k, err := attest.OpenKillTicket(paper, keys[kind].Public().(*ecdsa.PublicKey)); err == nil {
				said = k
			}
		}
		for _, c := range m.credsWhere(func(a *application) bool { return true }) {
			if bytes.Equal(c.serial, said.Serial) && c.kind == said.Kind && (!c.ended() || c.of.on != on) {
				t.Fatalf("a kill ticket for %s, which is %s", c.id, c.state)
			}
		}
		m.tickets = append(m.tickets, keptTicket{paper, said, on})
	}
}

func (m *machine) forgedTicket(t *rapid.T, on *handset, e *jpki.Element) {
	m.tally.fault("ticket forged for a live key")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	for kind, s := range on.live {
		paper, err := attest.KillTicket{
			Element: on.p.Record.Element, Kind: kind, PublicKey: s.c.key, Serial: s.c.serial, Status: warifu.CredentialRevoked, Number: 1 << 40, IssuedAt: m.h.Clock.Now(),
		}.Seal(key)
		must(t, err)
		_, err = e.Kill(context.Background(), paper)
		expect(t, "forged ticket", err, "kill-ticket-invalid")
	}
}

// reset is a factory reset: the app forgets, the chip does not (R74, K12).
func (m *machine) reset(t *rapid.T) {
	on := m.which(t)
	must(t, on.p.FactoryReset())
	on.latest, on.lock = nil, nil
	m.saw("factory reset")
}

// mistype spends tries of the phone's secrets (K14: five and three).
func (m *machine) mistype(t *rapid.T) {
	on := m.busy(t)
	kind := rapid.SampledFrom(onPhone(t, on)).Draw(t, "kind")
	s := on.live[kind]
	wrong := map[warifu.Kind]string{warifu.Signature: "WRONG2026", warifu.Authentication: "9753"}[kind]
	for range rapid.IntRange(1, 5).Draw(t, "times") {
		want := "secret-wrong"
		if s.tries <= 1 {
			want = "secret-blocked"
		}
		expect(t, "mistyped", m.use(t, on, kind, phone.Unlock{Typed: wrong}), want)
		if s.tries = max(0, s.tries-1); s.tries == 0 {
			m.saw("secret locked")
		}
	}
}

// use signs or answers with a key of the phone.
func (m *machine) use(t *rapid.T, on *handset, kind warifu.Kind, u phone.Unlock) error {
	ctx := context.Background()
	if kind == warifu.Signature {
		_, err := on.p.App.Sign(ctx, []byte("a document"), true, u)
		return err
	}
	q := phone.Question{Purpose: "login", ClientID: "bank", Origin: "https://bank.example", Nonce: make([]byte, 16), Time: m.h.Clock.Now()}
	_, err := on.p.App.Login(ctx, q, q.Origin, u)
	return err
}

// unlock sets a secret anew with the parent card, verified inside the chip (K14).
func (m *machine) unlock(t *rapid.T) {
	on := m.busy(t)
	kind := rapid.SampledFrom(onPhone(t, on)).Draw(t, "kind")
	s, who := on.live[kind], m.who(t)
	if one(t, 2, "the holder") {
		who = s.c.of.who
	}
	card := m.onCard(who)
	if _, signs := card[warifu.Signature]; !signs {
		return
	}
	next := otherSecret(kind, s.secret)
	reader := m.h.Card(t, who.id)
	defer reader.PowerOff()
	err := on.p.App.ResetSecret(context.Background(), phone.Reset{Kind: kind, Card: reader, CardPassword: string(m.h.PINs(t, who.id).Signature.Reveal()), Next: next})
	if card[warifu.Signature].key != s.c.of.parents[warifu.Signature].key {
		m.tally.fault("another card to unlock")
		if kind == warifu.Authentication {
			on.lock = nil // it is turned off first, so that no cut leaves an old PIN wrapped
		}
		expect(t, "unlock with another card", err, "reset-proof-invalid")
		return
	}
	must(t, err)
	m.saw("unlocked")
	s.secret, s.tries = next, triesOf(kind)
	if kind == warifu.Authentication {
		on.lock = nil
	}
}

func otherSecret(kind warifu.Kind, now string) string {
	other := map[warifu.Kind]string{warifu.Signature: "OTHER2027", warifu.Authentication: "1357"}[kind]
	if now == other {
		return secretOf(kind)
	}
	return other
}

// change changes a secret on the phone (R30).
func (m *machine) change(t *rapid.T) {
	on := m.busy(t)
	kind := rapid.SampledFrom(onPhone(t, on)).Draw(t, "kind")
	s := on.live[kind]
	next, want := otherSecret(kind, s.secret), ""
	if s.tries == 0 {
		want = "secret-blocked"
	}
	expect(t, "change", on.p.App.ChangeSecret(context.Background(), kind, s.secret, next), want)
	if want != "" {
		return
	}
	s.secret, s.tries = next, triesOf(kind)
	if kind == warifu.Authentication {
		on.lock = nil
	}
}

var (
	thumb = phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}
	weak  = phone.Gesture{Method: phone.MethodSimpleFace, Shown: "owner"}
)

// screenLock sets it up, takes it away, enrols anew (R50, R51, R49, K3).
func (m *machine) screenLock(t *rapid.T) {
	on := m.busy(t)
	s := on.live[warifu.Authentication]
	ctx := context.Background()
	switch rapid.SampledFrom([]string{"on", "on", "off", "weak", "enrol"}).Draw(t, "lock") {
	case "on":
		want := ""
		switch {
		case s == nil:
			want = "credential-none"
		case s.tries == 0:
			want = "secret-blocked"
		}
		expect(t, "screen lock", on.p.App.EnableScreenLock(ctx, on.typed(warifu.Authentication), thumb), want)
		if want == "" {
			m.saw("screen lock on")
			s.tries, on.lock, on.renewed = triesOf(warifu.Authentication), s, false
		}
	case "off":
		must(t, on.p.App.DisableScreenLock())
		on.lock = nil
	case "weak":
		m.tally.fault("front camera")
		expect(t, "front camera", on.p.App.EnableScreenLock(ctx, on.typed(warifu.Authentication), weak), "screen-lock-weak")
	case "enrol":
		must(t, on.p.ScreenLock().Enrol(phone.Gesture{Method: phone.MethodFingerprint, Shown: "index"}))
		on.renewed = true
	}
}

// gesture logs in by the screen lock (R46, R52): the PIN of the very key it was set up for,
// and nothing after a re-enrolment.
func (m *machine) gesture(t *rapid.T) {
	on := m.busy(t)
	if locked := slices.DeleteFunc(slices.Clone(m.phones), func(on *handset) bool { return on.lock == nil || len(on.live) == 0 }); len(locked) > 0 && !one(t, 4, "any phone") {
		on = pick(t, locked, "phone with a lock")
	}
	s := on.live[warifu.Authentication]
	err := m.use(t, on, warifu.Authentication, phone.Unlock{Gesture: &thumb})
	switch {
	case s == nil:
		if p := problem(err); p != "screen-lock-off" && p != "credential-none" {
			t.Fatalf("by the screen lock, without a key: %v", err)
		}
	case on.lock == nil:
		expect(t, "by the screen lock", err, "screen-lock-off")
	case on.lock != s || on.renewed:
		m.saw("screen lock lost")
		expect(t, "by the screen lock", err, "screen-lock-key-lost")
		on.lock = nil
	case s.tries == 0:
		expect(t, "by the screen lock", err, "secret-blocked")
	default:
		must(t, err)
		m.saw("screen lock used")
		s.tries = triesOf(warifu.Authentication)
	}
}

// keptProof is a clean-phone proof that somebody kept.
type keptProof struct {
	on       *handset
	question phone.CleanQuestion
	proof    phone.CleanProof
	clean    bool // what the chip said
	counter  int
}

// prove has a marketplace ask a phone, and the server about its answer (R81–R84).
func (m *machine) prove(t *rapid.T) {
	on := m.which(t)
	q := phone.CleanQuestion{Marketplace: "market", Nonce: make([]byte, 16), Identifiers: []string{"imei:" + on.p.Record.IMEI}, Time: m.h.Clock.Now().Truncate(time.Second)}
	_, err := rand.Read(q.Nonce)
	must(t, err)
	if one(t, 4, "other identifiers") {
		m.tally.fault("identifiers of another phone")
		q.Identifiers = []string{"imei:490154203237518"}
		_, err := on.p.App.CleanProof(context.Background(), q)
		expect(t, "another phone's identifier", err, "identifier-other")
		return
	}
	if one(t, 6, "no identifiers") {
		q.Identifiers = []string{}
	}
	proof, err := on.p.App.CleanProof(context.Background(), q)
	must(t, err)
	k := keptProof{on, q, proof, len(on.live) == 0, on.counter}
	m.proofs = append(m.proofs, k)
	m.askClean(t, k)
}

// reprove shows an older proof again, or one to another marketplace.
func (m *machine) reprove(t *rapid.T) {
	if len(m.proofs) == 0 {
		t.Skip("nothing was proven")
	}
	k := pick(t, m.proofs, "proof")
	if one(t, 3, "elsewhere") {
		m.tally.fault("proof at another marketplace")
		q := k.question
		q.Marketplace = "another"
		_, err := m.h.Server.Clean(context.Background(), k.proof, q)
		expect(t, "elsewhere", err, "clean-proof-other")
		return
	}
	m.tally.fault("proof replayed")
	m.askClean(t, k)
}

func (m *machine) askClean(t *rapid.T, k keptProof) {
	got, err := m.h.Server.Clean(context.Background(), k.proof, k.question)
	must(t, err)
	want, reasons := m.cleanness(k)
	slices.Sort(got.Reasons)
	slices.Sort(reasons)
	if got.Answer != want || !slices.Equal(got.Reasons, reasons) {
		t.Fatalf("the phone is %s for %v, want %s for %v", got.Answer, got.Reasons, want, reasons)
	}
	m.saw("proof " + want)
}

// cleanness is what a proof is worth: the chip's word, and what the chip cannot know.
func (m *machine) cleanness(k keptProof) (string, []string) {
	var no, unknown []string
	if anyLive(m.credsWhere(func(a *application) bool { return a.on == k.on })) {
		no = append(no, registration.CleanCredentialLive)
	}
	if slices.ContainsFunc(m.apps, func(a *application) bool { return a.on == k.on && a.open() }) {
		no = append(no, registration.CleanApplicationOpen)
	}
	switch {
	case m.writtenSince(k):
		unknown = append(unknown, registration.CleanProofOld)
	case !k.clean:
		no = append(no, registration.CleanKeyLeft)
	}
	if len(k.question.Identifiers) == 0 {
		unknown = append(unknown, registration.CleanUnnamed)
	}
	switch {
	case len(no) > 0:
		return "not-clean", append(no, unknown...)
	case len(unknown) > 0:
		return "unknown", unknown
	}
	return "clean", nil
}

// writtenSince reports whether the phone was personalized after the proof: by the clock, or
// by the chip's counter where it was heard to have made the keys live.
func (m *machine) writtenSince(k keptProof) bool {
	var last *application
	for _, a := range m.apps {
		if a.on == k.on && a.state == warifu.ApplicationPersonalized && (last == nil || !a.closed.Before(last.closed)) {
			last = a
		}
	}
	if last == nil {
		return false
	}
	return !k.question.Time.After(last.closed.Truncate(time.Second)) || last.counter > 0 && k.counter < last.counter
}

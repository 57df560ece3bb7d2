package lifetest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
	"warifu/phone"
	"warifu/store"
)

// The intervals, in steps, at which what costs more is looked at.
const (
	everyList   = 9  // revocation lists, full and delta
	everyAudit  = 11 // the trees of causes
	everyLedger = 40 // the hash chains
)

// compare holds the house against the model, and both against the invariants of design §3.
func (m *machine) compare(t *rapid.T) {
	m.steps++
	m.tally.steps++
	for _, a := range m.apps {
		m.compareApplication(t, a)
	}
	m.compareAPI(t)
	for _, on := range m.phones {
		m.compareChip(t, on)
	}
	m.compareUse(t)
	m.compareHistory(t)
	m.h.Check(t)
	m.oneDevice(t)
	m.parentsAreGood(t)
	if m.steps%everyList == 0 {
		m.compareLists(t)
	}
	if m.steps%everyAudit == 0 {
		m.causes(t)
	}
	if m.steps%everyLedger == 0 {
		m.chains(t)
	}
}

func (m *machine) compareApplication(t *rapid.T, a *application) {
	got := m.h.Application(t, a.id)
	held := len(a.holds) > 0
	if got.State != a.state || got.Problem != a.problem || a.open() && got.Held != held {
		t.Fatalf("%s is %s (%q, held %t), want %s (%q, held %t)", a.id, got.State, got.Problem, got.Held, a.state, a.problem, held)
	}
	if len(a.creds) == 0 {
		m.compareUnissued(t, a)
		return
	}
	for _, c := range a.all() {
		m.compareStatus(t, c)
	}
}

// compareUnissued: what an authority signed for an application that never was issued is
// listed as revoked, once that is settled (design §3.5).
func (m *machine) compareUnissued(t *rapid.T, a *application) {
	if !a.open() && m.drained.Sub(a.closed) < 5*time.Minute {
		return
	}
	var have, want []string
	m.h.Read(t, func(tx *store.Tx) error {
		rows, err := tx.CredentialsOfApplication(a.id)
		for _, c := range rows {
			have = append(have, fmt.Sprint(c.Kind, " ", c.State))
		}
		return err
	})
	for _, kind := range a.kinds {
		if a.signed[kind] && !a.open() {
			want = append(want, fmt.Sprint(kind, " ", warifu.CredentialRevoked))
		}
	}
	if !slices.Equal(have, want) {
		t.Fatalf("%s is %s with %v, want %v", a.id, a.state, have, want)
	}
}

// compareStatus asks the responder. What has ended and was heard to have is asked about
// again now and then only.
func (m *machine) compareStatus(t *rapid.T, c *credential) {
	if c.ended() && (m.steps+int(c.key[0]))%6 != 0 {
		return
	}
	got := m.h.OCSP(t, c.kind, c.serial)
	if fits, want := c.says(got); !fits {
		t.Fatalf("%s is %s, and OCSP says %s (%s), want %s", c.id, c.state, got.Cert, got.Reason, want)
	}
}

// compareHistory asks for the past of one certificate that was active: since when, each time
// on hold, and its end (design §5). Nothing that was lifted is forgotten. Times are to the second.
func (m *machine) compareHistory(t *rapid.T) {
	all := slices.DeleteFunc(m.credsWhere(func(*application) bool { return true }), func(c *credential) bool { return c.activated.IsZero() })
	if len(all) == 0 {
		return
	}
	c := all[m.steps%len(all)]
	got := m.h.History(t, c.kind, c.serial)
	near := func(x, y time.Time) bool { return x.IsZero() == y.IsZero() && x.Sub(y).Abs() <= time.Second }
	// Two holds of one second may be told as one: each that was is inside one that is told, and
	// each that is told was.
	holds := len(got.Holds) <= len(c.stays)
	for _, was := range c.stays {
		holds = holds && slices.ContainsFunc(got.Holds, func(told ocsp.Interval) bool {
			return !told.From.After(was.from) && (told.To.IsZero() || !was.to.IsZero() && !told.To.Before(was.to))
		})
	}
	for _, told := range got.Holds {
		holds = holds && slices.ContainsFunc(c.stays, func(was stay) bool { return near(told.From, was.from) && near(told.To, was.to) })
	}
	gone := got.Revoked.Cert == warifu.StatusRevoked
	if !holds || !near(got.Active, c.activated) || gone != (c.ended() && c.state != warifu.CredentialExpired) {
		t.Fatalf("%s is %s, active since %s, on hold %v, and its history says %s, %v, ended %t", c.id, c.state, c.activated, c.stays, got.Active, got.Holds, gone)
	}
	if len(c.stays) > 0 {
		m.saw("history with a hold")
	}
}

// says is what may be said of a credential: unknown before it is active, certificateHold
// while it is held, revoked for good afterwards; expiry changes nothing.
func (c *credential) says(got warifu.Status) (fits bool, want string) {
	onHold := got.Cert == warifu.StatusRevoked && got.Reason == warifu.ReasonCertificateHold
	gone := got.Cert == warifu.StatusRevoked && !onHold
	switch c.state {
	case warifu.CredentialPending:
		return got.Cert == warifu.StatusUnknown, "unknown"
	case warifu.CredentialActive:
		return got.Cert == warifu.StatusGood, "good"
	case warifu.CredentialHeld:
		return onHold, "certificateHold"
	case warifu.CredentialSuperseded:
		return gone && got.Reason == warifu.ReasonSuperseded, "superseded"
	case warifu.CredentialExpired:
		return got.Cert == warifu.StatusGood || onHold, "what it was"
	}
	return gone, "revoked"
}

// compareAPI asks the site as a phone does: about everything that lives, and one that does not.
func (m *machine) compareAPI(t *rapid.T) {
	for i, a := range m.apps {
		if !a.open() && !anyLive(a.all()) && (m.steps+i)%8 != 0 || len(a.creds) == 0 {
			continue
		}
		got, err := m.h.Server.Credentials(context.Background(), a.id)
		must(t, err)
		var have, want []string
		for _, s := range got {
			slices.Sort(s.Holds)
			have = append(have, fmt.Sprint(s.Kind, " ", s.State, " ", s.Holds))
		}
		for _, c := range a.all() {
			want = append(want, fmt.Sprint(c.kind, " ", c.state, " ", slices.Sorted(maps.Keys(c.holds))))
		}
		if !slices.Equal(have, want) {
			t.Fatalf("%s has %v, want %v", a.id, have, want)
		}
	}
}

// compareChip looks into the chip: which keys it carries, live and waiting.
func (m *machine) compareChip(t *rapid.T, on *handset) {
	slots := m.slots(t, on)
	if len(slots.Live.Slots) != len(on.live) || len(slots.Shadow.Slots) != len(on.shadow) || slots.Live.Counter != on.counter {
		t.Fatalf("%s carries %d live and %d shadow keys after %d personalizations, want %d, %d and %d", on.p.Record.ID,
			len(slots.Live.Slots), len(slots.Shadow.Slots), slots.Live.Counter, len(on.live), len(on.shadow), on.counter)
	}
	for kind, s := range on.live {
		if got, there := slots.Live.Of(kind); !there || got.Certificate != s.c.certificate || got.PublicKey != s.c.key {
			t.Fatalf("%s does not carry %s", on.p.Record.ID, s.c.id)
		}
	}
}

// compareUse has one phone sign and answer: a live key does, at the right secret, unless it
// is locked; the chip knows nothing of holds, and the world asks the responder (design §5).
func (m *machine) compareUse(t *rapid.T) {
	on := m.phones[m.steps%len(m.phones)]
	for _, kind := range warifu.Kinds {
		err := m.use(t, on, kind, phone.Unlock{Typed: on.typed(kind)})
		switch s := on.live[kind]; {
		case s == nil:
			expect(t, "without a key", err, "credential-none")
		case s.tries == 0:
			expect(t, "with a locked key", err, "secret-blocked")
		default:
			must(t, err)
			s.tries = triesOf(kind)
		}
	}
}

// oneDevice: never two phones with good credentials for one person, nor two of a kind (R55).
func (m *machine) oneDevice(t *rapid.T) {
	for _, who := range m.people {
		good := map[warifu.Kind]*handset{}
		for _, c := range m.liveOf(who) {
			for kind, on := range good {
				if on != c.of.on || kind == c.kind {
					t.Fatalf("%s has live credentials twice", who.id)
				}
			}
			good[c.kind] = c.of.on
		}
	}
}

// parentsAreGood: once everything the bureau said was heard, nothing is good whose parent is
// not (K14).
func (m *machine) parentsAreGood(t *rapid.T) {
	m.listen(t)
	if int(m.followed) < len(m.log) {
		return
	}
	for _, who := range m.people {
		for _, c := range m.liveOf(who) {
			status, _ := m.truth(c.kind, c.parent())
			if c.state == warifu.CredentialActive && status.Cert == warifu.StatusRevoked {
				t.Fatalf("%s is good and its parent is %s (%s)", c.id, status.Cert, status.Reason)
			}
			if c.notAfter.After(c.parent().notAfter) {
				t.Fatalf("%s outlives its parent", c.id)
			}
		}
	}
}

// compareLists makes new lists; the full one, and an older full one with the delta, must
// both say what the model says (R76, RFC 5280 §5.2.4).
func (m *machine) compareLists(t *rapid.T) {
	for _, kind := range warifu.Kinds {
		full, delta := m.h.Lists(t, kind)
		m.compareList(t, kind, full.Lookup)
		if older := m.full[kind]; older != nil && delta.Base.Cmp(older.Number) <= 0 && older.Number.Cmp(delta.Number) < 0 {
			combined, err := crl.Combine(older, delta)
			must(t, err)
			m.compareList(t, kind, combined.Lookup)
			m.saw("delta combined")
			delta.Each(func(r warifu.StatusRecord) bool {
				if r.Status.Cert == warifu.StatusGood {
					m.saw("removeFromCRL")
				}
				return true
			})
		}
		if m.full[kind] == nil || m.steps%(3*everyList) == 0 {
			m.full[kind] = full
		}
	}
}

func (m *machine) compareList(t *rapid.T, kind warifu.Kind, lookup func([]byte) (warifu.Status, bool)) {
	now := m.h.Clock.Now()
	for _, a := range m.apps {
		c := a.creds[kind]
		if c == nil || !c.notAfter.After(now) {
			continue // an expired one need not stay listed
		}
		got, listed := lookup(c.serial)
		listed = listed && got.Cert == warifu.StatusRevoked
		onHold := listed && got.Reason == warifu.ReasonCertificateHold
		should := c.state == warifu.CredentialHeld || c.ended() && c.state != warifu.CredentialExpired
		if c.state == warifu.CredentialExpired {
			continue
		}
		if listed != should || onHold != (c.state == warifu.CredentialHeld) {
			t.Fatalf("%s is %s, and the list says listed %t, on hold %t", c.id, c.state, listed, onHold)
		}
	}
}

// causes: every change of a credential's state but its activation's own names the line it
// follows from, and that line is there; so each cascade is one tree.
func (m *machine) causes(t *rapid.T) {
	m.h.Read(t, func(tx *store.Tx) error {
		there := map[string]bool{}
		var all []store.Line
		for last := ""; ; last = all[len(all)-1].ID {
			page, err := tx.AuditAfter(last, 1000)
			if err != nil {
				return err
			}
			all = append(all, page...)
			for _, l := range page {
				there[l.ID] = true
			}
			if len(page) < 1000 {
				break
			}
		}
		for _, l := range all {
			switch {
			case l.Actor == "":
				t.Fatalf("nobody did %s to %s", l.Verb, l.Subject)
			case l.Subject[0] == 'c' && l.Cause == "" && (l.Verb == "suspend" || l.Verb == "resume" || l.Verb == "revoke" || l.Verb == "supersede" || l.Verb == "expire"):
				t.Fatalf("%s of %s has no cause", l.Verb, l.Subject)
			case len(l.Cause) == 32 && !there[l.Cause]:
				t.Fatalf("%s of %s follows from a line that is not there", l.Verb, l.Subject)
			}
		}
		return nil
	})
}

// chains walks the hash chains of both authorities' ledgers.
func (m *machine) chains(t *rapid.T) {
	for _, kind := range warifu.Kinds {
		_, err := m.h.Issuers[kind].Ledger.VerifyChain(context.Background())
		must(t, err)
	}
	m.saw("chains verified")
}

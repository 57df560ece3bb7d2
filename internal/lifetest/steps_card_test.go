package lifetest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/events"
	"warifu/internal/housetest"
	"warifu/sandbox/bureau"
)

// card is something that happens to a card or its holder.
func (m *machine) card(t *rapid.T) {
	who := m.who(t)
	b := m.h.Bureau
	var err error
	switch what := rapid.SampledFrom([]string{"suspend", "suspend", "resume", "resume", "resume", "move", "marry", "renew", "renew", "revoke", "die"}).Draw(t, "event"); what {
	case "suspend":
		err = b.Suspend(who.id)
	case "resume":
		err = b.Resume(who.id)
	case "move":
		view, shown := b.Show(who.id)
		must(t, shown)
		err = b.Move(who.id, view.Person.Elsewhere())
	case "marry":
		view, shown := b.Show(who.id)
		must(t, shown)
		err = b.ChangeName(who.id, view.Person.Married())
	case "renew":
		err = b.Renew(who.id, bureau.Renewal{Signature: warifu.NewCardPIN([]byte("REN2026"))})
	case "revoke":
		if !one(t, 3, "really") {
			return
		}
		err = b.Revoke(who.id, warifu.ReasonCessationOfOperation)
	case "die":
		if !one(t, 8, "really") {
			return
		}
		err = b.Die(who.id)
	}
	if p := problem(err); p != "" && p != "card-state" && p != "renewal-too-early" {
		t.Fatalf("card: %v", err)
	}
	m.listen(t)
}

// catchUp pulls everything there is.
func (m *machine) catchUp(t *rapid.T) {
	m.listen(t)
	_, err := m.h.Registrar.CatchUp(context.Background(), m.h.Pull)
	if m.down {
		expect(t, "catch up", err, "bureau-unreachable")
		return
	}
	must(t, err)
	m.listen(t)
	for _, e := range m.log[m.followed:] {
		m.hearEvent(e)
	}
}

// push delivers some of what the bureau said: with losses, twice, in any order, and now and
// then with something among it that the bureau never said.
func (m *machine) push(t *rapid.T) {
	m.listen(t)
	first := max(0, int(m.followed)-3)
	if len(m.papers) == first {
		t.Skip("nothing was said")
	}
	var numbers []int
	for i := first; i < min(len(m.papers), first+12); i++ {
		switch rapid.IntRange(0, 9).Draw(t, "delivered") {
		case 0:
			m.tally.fault("event lost")
		case 1:
			m.tally.fault("event doubled")
			numbers = append(numbers, i, i)
		default:
			numbers = append(numbers, i)
		}
	}
	if len(numbers) == 0 {
		return
	}
	if one(t, 2, "shuffled") {
		numbers = rapid.Permutation(numbers).Draw(t, "order")
		m.tally.fault("events out of order")
	}
	batch := make([][]byte, len(numbers))
	for i, n := range numbers {
		batch[i] = m.papers[n]
	}
	if one(t, 6, "forged") {
		m.forged(t, batch)
		return
	}
	m.pushed(t, batch, numbers)
}

// pushed hands a batch in, with a crash of its transaction now and then, and holds what
// follows against what must: what is due in order, and no more.
func (m *machine) pushed(t *rapid.T, batch [][]byte, numbers []int) {
	reached := m.followed
	for slices.Contains(numbers, int(reached)) {
		reached++
	}
	gap := slices.ContainsFunc(numbers, func(n int) bool { return int64(n) > reached })
	follow := func(ctx context.Context) error {
		_, err := m.h.Registrar.FollowCard(ctx, batch)
		return err
	}
	byHTTP := one(t, 2, "over HTTP")
	if byHTTP {
		m.saw("events over HTTP")
		follow = func(ctx context.Context) error {
			return m.post(t, ctx, "/api/v1/card-events", map[string]any{"events": batch})
		}
	}
	r := m.direct(t, "/card-events", follow)
	if r.hurt && r.err != nil {
		return // one transaction: nothing of it remains
	}
	want := ""
	switch {
	case gap && byHTTP && m.down:
		want = "bureau-unreachable"
	case gap && byHTTP: // the server pulls what is missing at once
		reached = int64(len(m.log))
		m.saw("gap pulled")
	case gap:
		want = "card-events-missing"
		m.saw("gap told")
	}
	expect(t, "events", r.err, want)
	for _, e := range m.log[m.followed:reached] {
		m.hearEvent(e)
	}
}

// post hands something in at the house's site, and returns the problem it is answered with.
func (m *machine) post(t *rapid.T, ctx context.Context, path string, in any) error {
	body, err := json.Marshal(in)
	must(t, err)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, housetest.Origin+path, bytes.NewReader(body))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := housetest.InProcess{Handler: m.h.Site}.RoundTrip(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	var problem struct{ Type string }
	must(t, json.NewDecoder(response.Body).Decode(&problem))
	return &warifu.Error{Problem: strings.TrimPrefix(problem.Type, "urn:warifu:problem:")}
}

// forged puts an event of somebody else's making among the batch: nothing of it is done.
func (m *machine) forged(t *rapid.T, batch [][]byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	e := m.log[len(m.log)-1]
	e.Sequence, e.Type, e.Certificates, e.Reason = m.followed+1, events.Died, nil, 0
	envelope, err := events.Seal(e, key)
	must(t, err)
	_, err = m.h.Registrar.FollowCard(context.Background(), append(slices.Clone(batch), envelope))
	m.tally.fault("event forged")
	expect(t, "forged event", err, "paper-signature-invalid")
}

// ask sweeps all cards (K14).
func (m *machine) ask(t *rapid.T) {
	m.listen(t)
	rows := slices.ContainsFunc(m.apps, func(a *application) bool { return a.open() || anyLive(a.all()) })
	_, err := m.h.Registrar.SweepCards(context.Background(), 1000)
	if m.down && rows {
		m.tally.fault("bureau away")
		expect(t, "sweep", err, "card-sweep-unanswered")
		return
	}
	must(t, err)
	m.sweep()
}

// timers are what the server does from its clock: holds that end, applications that lapse,
// credentials whose day has come, reminders, intents that were never recorded.
func (m *machine) timers(t *rapid.T) {
	ctx, now := context.Background(), m.h.Clock.Now()
	_, repaired := m.h.Registrar.EndRepairHolds(ctx)
	_, lapsed := m.h.Registrar.Lapse(ctx)
	_, expired := m.h.Registrar.Expire(ctx)
	_, listed := m.h.Registrar.Reconcile(ctx)
	_, soon := m.h.Registrar.RemindExpiry(ctx)
	_, lost := m.h.Registrar.RemindLost(ctx)
	must(t, errors.Join(repaired, lapsed, expired, listed, soon, lost))
	for _, a := range m.apps {
		if until, there := a.holds[warifu.HoldRepair]; there && a.open() && !until.After(now) {
			delete(a.holds, warifu.HoldRepair)
		}
		for _, c := range a.all() {
			if until, there := c.holds[warifu.HoldRepair]; there && c.live() && !until.After(now) {
				m.saw("repair over")
				m.lift(c, warifu.HoldRepair)
			}
			if c.live() && c.notAfter.Before(now) {
				m.end(c, warifu.CredentialExpired)
			}
		}
		if a.state == warifu.ApplicationIssued && now.Sub(a.issued) > m.h.Scheme.ApplicationLapse {
			m.close(a, warifu.ApplicationLapsed, "")
		}
	}
}

// jump moves the clock; what falls due is done by and by, as after a server's rest.
func (m *machine) jump(t *rapid.T) {
	const day = 24 * time.Hour
	jumps := []time.Duration{time.Hour, time.Hour, 5 * time.Hour, day, 3 * day, 9 * day, 9 * day, 31 * day, 31 * day, 100 * day}
	if one(t, 6, "years") {
		jumps = []time.Duration{400 * day, 2 * 365 * day}
	}
	if m.h.Clock.Now().Sub(m.h.Bureau.Start()) > 5*365*day {
		jumps = []time.Duration{time.Hour} // the world's authorities do not live for ever
	}
	d := rapid.SampledFrom(jumps).Draw(t, "jump")
	m.saw("jump")
	if d > 300*day {
		m.saw("jump of years")
	}
	m.h.Clock.Forward(d)
	m.listen(t)
}
